"""From files of latents to the scores of their groups, for the commands that compare runs."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from idkit.cli import show
from idkit.counts import counted, listed
from idkit.errors import IdkitError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from idkit.files import Artefact
    from idkit.gram import Order
    from idkit.latents import Group, Run
    from idkit.row_names import Rows
    from idkit.scores import Scored


SOURCES: Final = "sources"  # as ground truth: the s in the files


def compared(
    opened: "Sequence[Artefact]",
    *,
    truth: "Artefact | Literal['sources'] | None",
    labels: "Artefact | None",
    null: str | None,
    how: Mapping[str, Any],
    named: str | None = None,
) -> "list[Scored]":
    """Scores every group that can be compared, and tells the user about the others.

    Args:
        opened: files of latents.
        truth: what to compare the runs with instead of with each other; `sources` for the s in
            the files.
        labels: of the rows; None for the u in the files.
        null: `within-label` for shuffles among equal labels.
        how: the arguments of `comparison.compare`.
        named: the array that names rows, as in `rows.matched`.

    Returns:
        One entry for each group and mode.

    Raises:
        IdkitError: when no group has two runs, or files do not fit together.
    """
    from idkit import comparison, latents, scores

    every = []
    runs = [latents.run(each) for each in opened]
    tell_converted(runs)
    groups = comparable(latents.groups(runs, named=named), alone=truth is not None)
    warn_of_transposed(groups)
    for whole in groups:
        alone = _others(whole, truth)
        if alone is None:
            continue
        group = alone.beside([*_rows(truth, "s", "z"), *_rows(labels, "u")])
        orders = list(group.orders)
        label_order = orders.pop() if labels is not None else None
        against = _ground_truth(group, truth)
        if truth == SOURCES:
            orders.append(None)  # they come in the order of the group
        names = (*group.names, *_name(truth))
        with show.progress(f"shuffles of {group}", how["perms"] or 1) as advance:
            found = comparison.compare(
                [run.z for run in group.runs],
                against=against,
                rows=orders,
                labels=_labels(group, labels, label_order) if null == "within-label" else None,
                names=names,
                advance=advance,
                **how,
            )
        seeds = tuple(run.seed for run in group.runs)
        every += [
            scores.Scored(group.about, names, seeds, found[mode], group.notes)
            for mode in how["modes"]
        ]
    if not every:
        raise IdkitError(
            f"{_name(truth)[0]} is all there is to compare with itself: give other runs"
        )
    return every


def tell_converted(runs: "Sequence[Run]") -> None:
    """One note on latents that are not stored as they are computed with."""
    odd = [run for run in runs if run.stored not in ("float32", "float64")]
    if odd:
        kinds = ", ".join(dict.fromkeys(run.stored for run in odd))
        show.caveat(f"{kinds} of {counted(len(odd), 'file')} is read as float64")


def warn_of_transposed(groups: "Sequence[Group]") -> None:
    """Says at once, as it may take long to compare them, that files have more columns than rows.

    Raises:
        IdkitError: when they have too few rows to be compared.
    """
    from idkit.halves import FEWEST_ROWS

    for group in groups:
        shapes = [run.z.shape for run in group.runs]
        if any(len(shape) > 2 or shape[1] <= shape[0] for shape in shapes):
            continue
        rows, columns = shapes[0]
        found = f"{counted(rows, 'row')} of {columns} coordinates"
        if rows < FEWEST_ROWS:
            raise IdkitError(
                f"{group.runs[0].label} has {found}, {FEWEST_ROWS} rows are needed: if it is "
                "transposed, save it with one row a sample"
            )
        show.note(
            f"warning: {group}: every file has more coordinates than rows (the first {found}): if "
            "they are transposed, save them with one row a sample"
        )


def tabulate(rows: "Sequence[dict[str, Any]]", schema: str, *, as_json: bool) -> None:
    """Prints a table; on a terminal without the columns that say nothing."""
    said = {name for row in rows for name, value in row.items() if value is not None}
    if sys.stdout.isatty() and not as_json:
        rows = [{name: row[name] for name in row if name in said} for row in rows]
    show.rows(rows, schema=schema, as_json=as_json)


def command(name: str, told: Mapping[str, Any]) -> str:
    """A subcommand and the options that bear on its result, in alphabetical order.

    >>> command("mcc", {"modes": ["strong"], "seed": 0, "to": None, "rematch": False})
    'mcc --modes strong --seed 0'
    """
    words = [name]
    for option, value in sorted(told.items()):
        if value is True:
            words.append(f"--{option.replace('_', '-')}")
        elif value is not None and value is not False:
            text = ",".join(value) if isinstance(value, list) else str(value)
            words.append(f"--{option.replace('_', '-')} {text}")
    return " ".join(words)


def comparable(groups: "Sequence[Group]", *, alone: bool) -> "list[Group]":
    """The groups with enough runs; a note for each of the others.

    Args:
        groups: as `latents.groups` gives them.
        alone: whether one run is enough, because it is compared with something else.

    Raises:
        IdkitError: when no group has enough.
    """
    enough = [group for group in groups if alone or len(group.runs) > 1]
    lone = [_lone(group) for group in groups if group not in enough]
    if not enough and len(groups) > 1:
        raise IdkitError(
            f"every group has one run only ({listed([g.runs[0].label for g in groups])}): files of "
            "different origin are separate groups: to compare runs with ground truth name it by "
            "--to FILE:KEY"
        )
    if not enough:
        raise IdkitError(lone[0])
    for text in lone:
        show.caveat(text)
    return enough


def _lone(group: "Group") -> str:
    again = "".join(f", {text.removeprefix('warning: ')}" for text in group.repeated)
    return (
        f"{group.runs[0].label} is the only run of its group ({group}{again}): two or more are "
        "compared, train and embed another seed"
    )


def _name(truth: "Artefact | Literal['sources'] | None") -> tuple[str, ...]:
    """What the ground truth is called; nothing where there is none."""
    if truth is None:
        return ()
    return (truth if truth == SOURCES else truth.name,)


def _rows(file: "Artefact | str | None", *preferred: str) -> "list[Rows]":
    """The rows of a file that is matched with the runs, by its name or not."""
    from idkit import latents

    if file is None or isinstance(file, str):
        return []
    return [latents.rows_of(file, *preferred, label=file.name)]


def _ground_truth(
    group: "Group", truth: "Artefact | Literal['sources'] | None"
) -> "NDArray[Any] | None":
    from idkit import latents

    if truth is None:
        return None
    return group.shared("s") if truth == SOURCES else latents.matrix(truth, "s", "z")


def _others(group: "Group", truth: "Artefact | Literal['sources'] | None") -> "Group | None":
    """The group without the run that all are compared with, whose score would be 1 by itself."""
    import numpy as np

    from idkit import latents

    if truth is None or truth == SOURCES:
        return group
    here, against = Path(truth.label).resolve(), latents.matrix(truth, "s", "z")
    itself = {
        group.holds(run)
        for run in (*group.runs, *(run for run, _ in group.again))
        if Path(run.artefact.label).resolve() == here and np.array_equal(run.z, against)
    }
    runs = [run for run in group.runs if run not in itself]
    if len(runs) == len(group.runs):
        return group
    show.caveat(f"{truth.label} is not compared with itself: its own pair is left out")
    return group.only(runs) if runs else None


def _labels(group: "Group", labels: "Artefact | None", order: "Order | None") -> "NDArray[Any]":
    if labels is None:
        return group.shared("u")
    column = labels.array("u")
    return column if order is None else column[order]
