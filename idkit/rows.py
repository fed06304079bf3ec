"""Which rows of several files are the same sample: by the names that files give them, or by place?

Words, cells of a tissue and documents come with names, and seldom in one order: rows are matched by
name where files hold names. Where they do not, the order of the rows is all there is to go by.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from idkit.counts import counted, listed
from idkit.errors import IdkitError
from idkit.gram import Order
from idkit.halves import FEWEST_ROWS
from idkit.row_names import CALLED, Names, Rows, clipped, counts, demanded, unread, usual

BY_POSITION: Final = "none"  # in place of the name of an array: names are not looked at
FEWEST_NAMED = 2  # files with names, for rows to be matched by them
MOST = 0.5  # of the rows
CURE = "name another array by --id, or go by position with --id none"


@dataclass(frozen=True, eq=False)
class Matched:
    """Rows of several files that are the same samples.

    Attributes:
        by: the arrays that name the rows; empty where they are matched by position.
        counted: whether these are but counts of the rows, which files may have begun anew.
        verified: whether all files hold the same hash of their rows, so that position is sure.
        orders: for each file which of its rows are compared, and in which order, shape (n,); None
            for all of them as they stand.
        n: the number of rows that are compared; by position, that of the first file.
        left_out: how many rows of which files are not compared, in words.
        warnings: what else a reader of the result should know, one sentence each.
    """

    by: tuple[str, ...]
    counted: bool
    verified: bool
    orders: tuple[Order | None, ...]
    n: int
    left_out: str
    warnings: tuple[str, ...]

    def __str__(self) -> str:
        """How the rows were matched, in one sentence."""
        if self.by:
            names = ", ".join(f"'{name}'" for name in self.by)
            what = ", which but counts the rows" if self.counted else ""
            return f"rows are matched by name ({names}{what}){self.left_out}"
        if self.verified:
            return "rows are matched by position, row identity verified by their hash"
        return (
            "rows are matched by position, row identity unverified: assumed to be the same in the "
            f"same order (all have {self.n}; not every file holds the same hash of its rows)"
        )


def matched(files: Sequence[Rows], named: str | None = None) -> Matched:
    """Matches the rows of several files; those that not all of them have are left out.

    Args:
        files: at least one; their rows come in the order of the first.
        named: the array that names the rows; None for one that is called so (`CALLED`) and whose
            values are unique, where there is one; `none` to go by position.

    Raises:
        IdkitError: when the names have too little in common, or `named` names no rows, or names
            that repeat show that the files are not in one order.
    """
    if named == BY_POSITION:
        return _by_position(files, [])
    held = _held(files, named)
    chosen = _chosen(held)
    known = [number for number, name in enumerate(chosen) if name]
    first = known[0] if known else 0  # a file without names is taken to be in the order of this one
    nameless = [file for file, name in zip(files, chosen, strict=True) if not name]
    warnings = [*_warnings(files[first], nameless)]
    if known and nameless:
        warnings.append(_without_names(files[first], chosen[first], nameless))
    if len(known) < FEWEST_NAMED:
        return _by_position(files, warnings)
    firsts = held[first][chosen[first]]
    names = _alike([each.get(name, firsts) for each, name in zip(held, chosen, strict=True)])
    orders = _orders(names)
    n = next((len(order) for order in orders if order is not None), files[first].n)
    if n < FEWEST_ROWS:
        raise IdkitError(_too_few(files, names, n))
    columns = (file.columns().get(name, name) for file, name in zip(files, chosen, strict=True))
    by = tuple(dict.fromkeys(filter(None, columns)))
    counting = all(map(counts, names))
    return Matched(by, counting, False, orders, n, _left_out(files, n), tuple(warnings))


def _by_position(files: Sequence[Rows], warnings: Sequence[str]) -> Matched:
    hashes = {file.sha256 for file in files}
    verified = len(hashes) == 1 and None not in hashes
    orders = (None,) * len(files)
    said = () if verified else tuple(warnings)
    return Matched((), False, verified, orders, files[0].n, "", said)


def _held(files: Sequence[Rows], named: str | None) -> list[dict[str, Names]]:
    """For each file the arrays that name its rows."""
    held: list[dict[str, Names]] = []
    for file in files:
        before = held[0] if held else {}
        held.append(usual(file, before) if named is None else demanded(file, named))
    if named is not None and not any(held):
        raise IdkitError(
            f"no file has an array '{named}' that names its rows "
            f"({files[0].label}: {files[0].artefact.arrays.listed()})"
        )
    return held


def _chosen(held: Sequence[dict[str, Names]]) -> list[str]:
    """For each file the array to go by, empty where it has none.

    One that all files have is best; what merely counts the rows comes last.
    """
    having = [each for each in held if each]

    def worth(name: str) -> tuple[bool, bool]:
        values = [each[name] for each in having if name in each]
        return len(values) < len(having), all(map(counts, values))

    best = sorted(dict.fromkeys(name for each in having for name in each), key=worth)
    return [next((name for name in best if name in each), "") for each in held]


def _warnings(first: Rows, nameless: Sequence[Rows]) -> Iterator[str]:
    """What speaks against the order of the rows of files without names.

    Raises:
        IdkitError: when names that repeat, and so match no rows, are in another order.
    """
    for file in nameless:
        for name in unread(file):
            yield (
                f"warning: {file.label} has '{name}' as Python objects, which idkit never "
                "unpickles: save it as text for rows to be matched by name"
            )
        others = first.columns()
        for called, name in file.columns().items():
            if called not in others or not _reordered(first, others[called], file, name):
                continue
            where = f"in another order in {file.label} than in {first.label}"
            if called in CALLED:
                raise IdkitError(
                    f"'{name}' repeats values, and is {where}: rows can be matched neither by it "
                    f"nor by position; {CURE}"
                )
            yield (
                f"warning: '{name}' holds the same values {where}: the rows seem not to be in one "
                "order, name them by --id"
            )


def _reordered(first: Rows, name: str, other: Rows, called: str) -> bool:
    """Whether two arrays hold the same values, all or nearly so, and in other orders."""
    one, two = first.values(name), other.values(called)
    if one is None or two is None or one.dtype.kind != two.dtype.kind or len(one) != len(two):
        return False
    if np.array_equal(one, two):
        return False
    if np.array_equal(np.sort(one), np.sort(two)):
        return True
    nearly_names = len(np.unique(two)) > MOST * len(two)
    return bool(nearly_names and np.isin(two, one).mean() > MOST > (one == two).mean())


def _without_names(first: Rows, name: str, nameless: Sequence[Rows]) -> str:
    for file in nameless:
        if file.n != first.n:
            raise IdkitError(
                f"{file.label} has {file.n} rows without names, {first.label} has {first.n} with "
                f"names ('{name}'): name the rows in both, or give the same rows in both"
            )
    return (
        f"warning: {listed([file.label for file in nameless])} without row names, {first.label} "
        f"with ('{name}'): the rows of the former are assumed to be in the order of the latter"
    )


def _alike(names: Sequence[Names]) -> list[Names]:
    """All as text where some are text: `12` and 12 are one name, `0012` is another."""
    if len({each.dtype.kind == "U" for each in names}) == 1:
        return list(names)
    return [each.astype(np.str_) for each in names]


def _orders(names: Sequence[Names]) -> tuple[Order | None, ...]:
    """For each file where the rows of the first are that all have; None where they are all."""
    if all(np.array_equal(names[0], other) for other in names[1:]):
        return (None,) * len(names)
    places = [{name: row for row, name in enumerate(each.tolist())} for each in names]
    common = [name for name in places[0] if all(name in place for place in places[1:])]
    orders = [np.array([place[name] for name in common], dtype=np.intp) for place in places]
    return tuple(
        None if np.array_equal(order, np.arange(len(each))) else order
        for order, each in zip(orders, names, strict=True)
    )


def _too_few(files: Sequence[Rows], names: Sequence[Names], n: int) -> str:
    if n:
        return f"only {counted(n, 'row name')} in all files, {FEWEST_ROWS} are needed: {CURE}"
    common = [bool(np.isin(names[0], other).any()) for other in names]
    apart = common.index(False) if False in common else len(files) - 1
    samples = [f"{files[r].label} ({clipped(names[r].tolist()[0])}, ...)" for r in (0, apart)]
    return f"{' and '.join(samples)} have no row name in common: {CURE}"


def _left_out(files: Sequence[Rows], n: int) -> str:
    lost = [f"{file.n - n} of {file.n} of {file.label}" for file in files if file.n > n]
    return f": {n} rows are in all files, left out are {listed(lost)}" if lost else ""
