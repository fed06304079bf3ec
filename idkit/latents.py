"""Latents of runs, wherever they come from: read, brought to one form, and sorted into groups."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit import copies, files, identical, rows, schemas
from idkit.counts import counted, listed
from idkit.errors import IdkitError
from idkit.files import Artefact
from idkit.folders import families
from idkit.gram import Order
from idkit.row_names import Rows
from idkit.rows import Matched

SCHEMA = schemas.LATENTS
ABOUT = (  # what a row of a table says of a group
    *("data", "model", "arch", "d_z", "settings"),
    "embedded",
)
GRID_AXES = 4
STDIN = "-"
USUAL = {"split": ("test", "all"), "statistic": ("mean",)}  # what goes without saying


@dataclass(frozen=True, eq=False)
class Run:
    """The latents of one training.

    Attributes:
        artefact: the file.
        z: shape (n, d_z) or (n, d_z, h, w), real numbers of any type; perhaps mapped from the file.
    """

    artefact: Artefact
    z: NDArray[Any]

    @property
    def label(self) -> str:
        """The file, and the array in it, as the user typed it."""
        key = self.artefact.key
        return self.artefact.label if key is None else f"{self.artefact.label}:{key}"

    @property
    def stored(self) -> str:
        """The type in which the file holds the latents, as `float16` or `bfloat16`."""
        return self.artefact.arrays.members[self.artefact.meant("z")].dtype

    @property
    def seed(self) -> int | None:
        """The seed of the training; None where the file does not say."""
        seed = self.artefact.meta.get("seed")
        return int(seed) if seed is not None else None

    @property
    def rows(self) -> str | None:
        """The hash of the rows that were embedded; None where the file does not say."""
        return self.artefact.meta.get("rows")

    def column(self, name: str) -> NDArray[Any] | None:
        """What the file holds about each row besides z: `u` or `s`."""
        return self.artefact.arrays.get(name)


@dataclass(frozen=True, eq=False)
class Group:
    """Runs that differ in their seed only, on the same rows.

    Attributes:
        data: name of the data set; None for files from elsewhere, as the next two.
        model: name of the model, with the knobs that are not its defaults, as `vae kl=mc`.
        arch: name of the architecture.
        d_z: number of latent dimensions; None where runs differ in it.
        settings: how training and embedding were not as usual, as `epochs=20`; None if they were.
        runs: at least one, each of them once.
        again: runs that were given more than once, each with the one of `runs` that it repeats.
        repeated: which these are, in sentences.
        named: the array that names rows, as in `rows.matched`.
        matched: which rows of the runs (and of what they are compared with, after them) are
            compared, and how it is known that they are the same.
        embedded: name of the data that were embedded; None for those trained on.
    """

    data: str | None
    model: str | None
    arch: str | None
    d_z: int | None
    settings: str | None
    runs: tuple[Run, ...]
    again: tuple[tuple[Run, Run], ...]
    repeated: tuple[str, ...]
    named: str | None
    matched: Matched
    embedded: str | None = None

    def __str__(self) -> str:
        """What to call the group in a sentence."""
        on = f"on {self.embedded}" if self.embedded else None
        named = " ".join(filter(None, (self.data, self.model, self.arch, self.settings, on)))
        return f"{named or 'latents'}, d_z {self.d_z or 'mixed'}"

    @property
    def about(self) -> dict[str, str | int | None]:
        """What a row of a table says of the group."""
        return {name: getattr(self, name) for name in ABOUT}

    @property
    def names(self) -> list[str]:
        """What to call the runs: their files, from the folder on that holds them all."""
        return below([run.label for run in self.runs])

    @property
    def orders(self) -> tuple[Order | None, ...]:
        """For each run which of its rows are compared, in which order; None for all, as they are.

        What the runs are compared with comes after them.
        """
        return self.matched.orders

    @property
    def trusted(self) -> bool:
        """Whether neither names nor a hash say that the rows are the same: their number does."""
        return len(self.orders) > 1 and not (self.matched.by or self.matched.verified)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What a reader of a score should know of the runs, one sentence each."""
        notes = [*self.repeated, *self.matched.warnings, *_as_grid(self.runs[0].z.shape)]
        if len(self.orders) > 1:
            notes.insert(len(self.repeated), self._rows())
        if len(self.runs) > 1:
            notes += [*self._pooled(), *self._identical()]
        return tuple(notes)

    def _rows(self) -> str:
        return str(self.matched) if self.matched.verified else f"{self}: {self.matched}"

    def _pooled(self) -> Iterator[str]:
        """Names the folders of files that say nothing of themselves, and may be two families."""
        files_ = [run.artefact for run in self.runs if not run.artefact.meta]
        folders = families([file.label for file in files_ if file.name != STDIN])
        if folders:
            yield (
                f"warning: files of {len(folders)} folders ({listed(folders)}) are compared as one "
                "group, as they say nothing of themselves: compare one family at a time"
            )

    def _identical(self) -> Iterator[str]:
        """Names coordinates that are the same in all files, unless the files have been named."""
        zs, orders = [run.z for run in self.runs], self.orders[: len(self.runs)]
        found = identical.coordinates(zs, orders)
        every = len(found) == max(z[0].size for z in zs)
        in_place = all(len(set(places)) == 1 for places in found)
        if not found or (every and in_place and not any(o is not None for o in orders)):
            return
        if every:
            yield f"warning: all {len(found)} coordinates are identical in every file, row by row"
            return
        names = [_coordinate(self.runs[0], places[0]) for places in found]
        where = "" if in_place else f" of {self.names[0]}"
        yield (
            f"warning: {listed(names)}{where} {'is' if len(names) == 1 else 'are'} identical in "
            "every file, row by row: leave out what is an id, a label or a count of the rows"
        )

    def holds(self, run: Run) -> Run | None:
        """The run of the group that is a run, or that it repeats; None where there is none."""
        known = {**dict(self.again), **{own: own for own in self.runs}}
        return known.get(run)

    def only(self, runs: Sequence[Run]) -> "Group":
        """Some of the runs, with all rows that these have in common."""
        return _with_rows(replace(self, runs=tuple(runs)), [])

    def beside(self, others: Sequence[Rows]) -> "Group":
        """The same runs on the rows that others have, too; `orders` then ends in those of others.

        Raises:
            IdkitError: when rows do not match.
        """
        return _with_rows(self, others) if others else self

    def shared(self, name: str) -> NDArray[Any]:
        """What all runs hold about the rows alike: `u`, the labels, or `s`, the sources.

        Returns:
            One entry for each row that is compared, in their order.

        Raises:
            IdkitError: when no run holds it, or two hold different values.
        """
        held = [
            (run.label, _in_order(run, name, order))
            for run, order in zip(self.runs, self.orders, strict=False)
        ]
        known = [(label, column) for label, column in held if column is not None]
        if not known:
            raise IdkitError(f"none of the files of {self} holds '{name}'")
        for label, column in known[1:]:
            if not np.array_equal(column, known[0][1]):
                raise IdkitError(f"{label} and {known[0][0]} hold different '{name}'")
        return known[0][1]


def _coordinate(run: Run, place: Sequence[int]) -> str:
    """What to call a coordinate: its column in a table, else its place in the array."""
    columns = run.artefact.arrays.columns
    where = f"z[:, {', '.join(map(str, place))}]"
    return f"{where} (column '{columns[place[0]]}')" if columns else where


def _in_order(run: Run, name: str, order: Order | None) -> NDArray[Any] | None:
    column = run.column(name)
    if column is not None and column.shape[:1] != run.z.shape[:1]:
        raise IdkitError(
            f"{run.label} has {len(run.z)} rows, and '{name}' of shape {column.shape}: one entry "
            "a row is needed"
        )
    return column if column is None or order is None else column[order]


def _with_rows(group: Group, others: Sequence[Rows]) -> Group:
    labels = zip(group.names, group.runs, strict=True)
    own = [rows_of(run.artefact, "z", label=label) for label, run in labels]
    return replace(group, matched=rows.matched([*own, *others], group.named))


def rows_of(artefact: Artefact, *preferred: str, label: str) -> Rows:
    """The rows of the array of a file that is meant, and with them their names.

    Args:
        artefact: the file.
        *preferred: as in `Artefact.meant`.
        label: what messages call it.
    """
    key = artefact.meant(*preferred)
    shape = artefact.arrays.members[key].shape
    return Rows(label, artefact, key, shape[0] if shape else 1)


def below(labels: Sequence[str]) -> list[str]:
    """Paths from the folder on that holds them all, so that names do not tell where that is.

    >>> below(["/home/me/runs/a/latents.npz", "/home/me/runs/b/latents.npz:z"])
    ['a/latents.npz', 'b/latents.npz:z']
    """
    top = os.path.commonpath([Path(label).absolute().parent for label in labels])
    return [os.path.relpath(label, top) for label in labels]


def read(
    sources: Iterable[str], *, columns: Sequence[str] | None = None, apart: str | None = None
) -> list[Run]:
    """Opens latents of idkit's own, or of anyone.

    Args:
        sources: paths, `FILE:KEY`, or `-`; an array called `z` is taken where no key is given, else
            the only array.
        columns: which columns of tables are the coordinates; None for those that look like it.
        apart: a column of tables that names their rows, and so is no coordinate.

    Raises:
        IdkitError: when one is something else.
    """
    files.single_stdin(list(sources))
    return [run(files.read(source, columns=columns, apart=apart)) for source in sources]


def run(artefact: Artefact) -> Run:
    """The latents in a file.

    Raises:
        IdkitError: when it is another artefact of idkit and no key is given, or holds no matrix or
            grid of real numbers.
    """
    if artefact.key is None and artefact.schema not in (None, SCHEMA):
        raise IdkitError(
            f"{artefact.label} is {artefact.schema}, not {SCHEMA} ('idkit embed' makes that): "
            f"name an array of it as {artefact.label}:KEY"
        )
    return Run(artefact, matrix(artefact, "z"))


def matrix(artefact: Artefact, *preferred: str) -> NDArray[Any]:
    """An array of a file with one row a sample: (n,) becomes (n, 1).

    Integers, truth values and float16 are taken as the numbers they are; sums are in float64.

    Raises:
        IdkitError: when it holds no real numbers, or has another shape.
    """
    array = artefact.array(*preferred)
    if array.dtype.kind not in "biuf":
        raise IdkitError(f"{artefact.label} holds {array.dtype.name}, not real numbers")
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim not in (2, GRID_AXES) or array.size == 0:
        raise IdkitError(
            f"{artefact.label} has shape {array.shape}: latents have shape (n, d_z), or "
            "(n, d_z, h, w) for a grid"
        )
    return array


def _as_grid(shape: Sequence[int]) -> Iterator[str]:
    """How latents with more than two axes are read."""
    if len(shape) < GRID_AXES:
        return
    d, h, w = shape[1:]
    yield (
        f"latents of shape ({', '.join(map(str, shape))}) are read as a grid: {h} x {w} positions "
        f"of {counted(d, 'coordinate')} each, compared position by position"
    )
    if d == h != w:  # a square picture whose last axis is another
        yield (
            f"warning: they look like {d} x {h} positions of {counted(w, 'coordinate')}, with the "
            "coordinates last: if they are, save numpy.moveaxis(z, -1, 1)"
        )


def groups(runs: Sequence[Run], *, named: str | None = None) -> list[Group]:
    """Sorts runs into groups by what their metadata say, in the order in which groups appear.

    Files from elsewhere, which say nothing, form one group. The rows of a group are matched.

    Args:
        runs: in the user's order.
        named: the array that names rows, as in `rows.matched`.

    Raises:
        IdkitError: when the runs of a group are not of the same rows.
    """
    by_key: dict[tuple[str | None, ...], list[Run]] = {}
    for each in runs:
        by_key.setdefault(_key(each), []).append(each)
    return [_group(key, members, named) for key, members in by_key.items()]


def _key(run: Run) -> tuple[str | None, ...]:
    meta = run.artefact.meta
    unusual = {
        name: meta[name] for name, usual in USUAL.items() if meta.get(name, usual[0]) not in usual
    }
    model = " ".join(filter(None, (meta.get("model"), _listed(meta.get("variant"))))) or None
    settings = _listed({**(meta.get("settings") or {}), **unusual}) or None
    width = str(run.z.shape[1:]) if meta else None
    return (meta.get("data"), model, meta.get("arch"), settings, meta.get("embedded"), width)


def _listed(options: Mapping[str, Any] | None) -> str:
    told = sorted((options or {}).items())
    return " ".join(name if value is True else f"{name}={value}" for name, value in told)


def _group(key: tuple[str | None, ...], members: list[Run], named: str | None) -> Group:
    once = copies.distinct(members, below([run.label for run in members]))
    labels = zip(below([run.label for run in once.runs]), once.runs, strict=True)
    own = [rows_of(run.artefact, "z", label=label) for label, run in labels]
    matched = rows.matched(own, named)
    if not matched.by:
        _check_hashes(members)
    widths = {run.z.shape[1] for run in once.runs}
    return Group(
        data=key[0],
        model=key[1],
        arch=key[2],
        settings=key[3],
        embedded=key[4],
        d_z=widths.pop() if len(widths) == 1 else None,
        runs=once.runs,
        again=once.again,
        repeated=once.warnings,
        named=named,
        matched=matched,
    )


def _check_hashes(runs: Sequence[Run]) -> None:
    by_hash = {run.rows: run for run in runs}
    known = [run for rows, run in by_hash.items() if rows is not None]
    if len(known) > 1:
        raise IdkitError(
            f"{known[0].label} and {known[1].label} embed different rows: embed both from the "
            "same data"
        )
