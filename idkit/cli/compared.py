"""From files of latents to the scores of their groups, for the commands that compare runs."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from idkit.cli import show
from idkit.counts import counted
from idkit.errors import IdkitError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from idkit.files import Artefact
    from idkit.latents import Group, Run
    from idkit.scores import Scored


def compared(
    opened: "Sequence[Artefact]",
    *,
    truth: "Artefact | Literal['sources'] | None",
    labels: "Artefact | None",
    null: str | None,
    how: Mapping[str, Any],
) -> "list[Scored]":
    """Scores every group that can be compared, and tells the user about the others.

    Args:
        opened: files of latents.
        truth: what to compare the runs with instead of with each other; `sources` for the s in
            the files.
        labels: of the rows; None for the u in the files.
        null: `within-label` for shuffles among equal labels.
        how: the arguments of `comparison.compare`.

    Returns:
        One entry for each group and mode.

    Raises:
        IdkitError: when no group has two runs, or files do not fit together.
    """
    from idkit import comparison, latents, scores

    every = []
    runs = [latents.run(each) for each in opened]
    tell_converted(runs)
    groups = latents.groups(runs)
    for whole in comparable(groups, alone=truth is not None):
        against, name = _ground_truth(whole, truth)
        group = _others(whole, truth, against)
        if group is None:
            continue
        names = (*group.names, *name)
        with show.progress(f"shuffles of {group}", how["perms"] or 1) as advance:
            found = comparison.compare(
                [run.z for run in group.runs],
                against=against,
                labels=_labels(group, labels) if null == "within-label" else None,
                names=names,
                advance=advance,
                **how,
            )
        seeds = tuple(run.seed for run in group.runs)
        every += [scores.Scored(group.about, names, seeds, found[mode]) for mode in how["modes"]]
    if not every:
        raise IdkitError(f"{name[0]} is all there is to compare with itself: give other runs")
    return every


def tell_converted(runs: "Sequence[Run]") -> None:
    """One note on latents that are not stored as they are computed with."""
    odd = [run for run in runs if run.stored not in ("float32", "float64")]
    if odd:
        kinds = ", ".join(dict.fromkeys(run.stored for run in odd))
        show.note(f"{kinds} of {counted(len(odd), 'file')} is read as float64")


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
    lone = [
        f"{group.runs[0].label} is the only run of its group ({group}): two or more are compared, "
        "train and embed another seed"
        for group in groups
        if group not in enough
    ]
    if not enough:
        apart = (
            "; files of different origin are separate groups: to compare runs with ground truth "
            "name it by --to FILE:KEY"
        )
        raise IdkitError("; ".join(lone) + (apart if len(lone) > 1 else ""))
    trusting = [
        f"{group}: rows are taken to be the same in the same order (all have "
        f"{len(group.runs[0].z)}; not every file holds the hash of its rows)"
        for group in enough
        if group.trusted
    ]
    labels = [run.label for group in enough for run in group.runs]
    twice = [
        f"{label} is given more than once: it is compared with itself, as with any other run"
        for label in dict.fromkeys(labels)
        if labels.count(label) > 1
    ]
    for text in (*lone, *trusting, *twice):
        show.caveat(text)
    return enough


def _ground_truth(
    group: "Group", truth: "Artefact | Literal['sources'] | None"
) -> "tuple[NDArray[Any] | None, tuple[str, ...]]":
    from idkit import latents

    if truth is None:
        return None, ()
    if truth == "sources":
        return group.shared("s"), ("sources",)
    return latents.matrix(truth, "s", "z"), (truth.name,)


def _others(
    group: "Group", truth: "Artefact | Literal['sources'] | None", against: "NDArray[Any] | None"
) -> "Group | None":
    """The group without the run that all are compared with, whose score would be 1 by itself."""
    import numpy as np

    if truth is None or truth == "sources" or against is None:
        return group
    here = Path(truth.label).resolve()
    runs = tuple(
        run
        for run in group.runs
        if Path(run.artefact.label).resolve() != here or not np.array_equal(run.z, against)
    )
    if len(runs) < len(group.runs):
        show.caveat(f"{truth.label} is not compared with itself: its own pair is left out")
    return replace(group, runs=runs) if runs else None


def _labels(group: "Group", labels: "Artefact | None") -> "NDArray[Any]":
    return group.shared("u") if labels is None else labels.array("u")
