"""What a file calls its rows: an array or column of names, one a row and no two alike."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files import Artefact

CALLED = (  # arrays that hold names of rows, in whatever case, the best first
    *("id", "ids", "name", "names", "index", "obs_names", "sample_id", "sample_ids"),
    *("words", "keys", "word", "key"),
)
LARGEST = 2.0**53  # beyond it float64 does not hold every integer
WIDEST = 24  # characters of a name in a sentence

Names = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Rows:
    """An array of a file with one row a sample.

    Attributes:
        label: what messages call it.
        artefact: the file, which may hold names of the rows, too.
        key: the name of the array.
        n: the number of its rows.
    """

    label: str
    artefact: Artefact
    key: str
    n: int

    @property
    def sha256(self) -> str | None:
        """The hash of the rows that were embedded; None where the file does not say."""
        return self.artefact.meta.get("rows")

    def columns(self, called: Collection[str] | None = None) -> dict[str, str]:
        """The other arrays of the file with one value a row, by their names in lower case.

        Args:
            called: which names are wanted, in lower case and in this order; None for all.
        """
        members = self.artefact.arrays.members
        found = {
            name.lower(): name
            for name in members
            if members[name].shape == (self.n,) and name != self.key
        }
        return {name: found[name] for name in (called or found) if name in found}

    def values(self, name: str) -> Names | None:
        """Text or integers of one value a row; None where an array holds something else.

        Args:
            name: of an array of `columns`.
        """
        if self.artefact.arrays.members[name].dtype == "object":
            return None
        array = self.artefact.arrays[name]
        if array.dtype.kind == "S":
            return np.char.decode(array, "utf-8", "backslashreplace")
        if array.dtype.kind == "f" and (np.abs(array) < LARGEST).all() and (array % 1 == 0).all():
            return array.astype(np.int64)
        return array if array.dtype.kind in "Uiu" else None


def usual(rows: Rows, before: dict[str, Names]) -> dict[str, Names]:
    """The arrays of `CALLED` that name the rows of a file.

    Args:
        rows: of the file.
        before: those of another file, which are often the same.

    Returns:
        By their names in lower case; without those in which two rows have one name.
    """
    found = {}
    for called, name in rows.columns(CALLED).items():
        values = rows.values(name)
        if values is not None and _same_or_unique(values, before.get(called)):
            found[called] = values
    return found


def demanded(rows: Rows, name: str) -> dict[str, Names]:
    """The array that a user says to name the rows of a file; nothing where the file lacks it.

    Raises:
        IdkitError: when it does not name them; the text says which rows share a name.
    """
    if name not in rows.artefact.arrays or name == rows.key:
        return {}
    shape = rows.artefact.arrays.members[name].shape
    fault = f"'{name}' of {rows.label} does not name its rows: "
    if shape != (rows.n,):
        raise IdkitError(f"{fault}it has shape {shape}, ({rows.n},) is needed")
    values = rows.values(name)
    if values is None:
        raise IdkitError(f"{fault}it holds neither text nor integers")
    seen: dict[Any, int] = {}
    for row, value in enumerate(values.tolist(), start=1):
        if seen.setdefault(value, row) != row:
            raise IdkitError(
                f"{fault}{clipped(value)} is in row {seen[value]} and in row {row} (row 1 is the "
                "first)"
            )
    return {name: values}


def unread(rows: Rows) -> list[str]:
    """Arrays that are called as if they named the rows, and that idkit does not read."""
    members = rows.artefact.arrays.members
    return [name for name in rows.columns(CALLED).values() if members[name].dtype == "object"]


def carried(rows: Rows, named: str | None = None) -> dict[str, NDArray[Any]]:
    """The arrays of a file that may name its rows, as they are, to go where the rows go.

    Args:
        rows: of the file.
        named: one more that a user says to name them.
    """
    columns = rows.columns()
    return {
        name: rows.artefact.arrays[name]
        for called, name in columns.items()
        if (called in CALLED or name == named) and rows.values(name) is not None
    }


def counts(names: Names) -> bool:
    """Whether names are but 0, 1, 2, ... or 1, 2, 3, ..., and say no more than the order."""
    return names.dtype.kind in "iu" and any(
        np.array_equal(names, np.arange(first, first + len(names))) for first in (0, 1)
    )


def clipped(name: object) -> str:
    """A name for a message: on one line, without control characters.

    >>> clipped("the"), clipped(12)
    ("'the'", '12')
    """
    text = repr(name)
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"


def _same_or_unique(values: Names, before: Names | None) -> bool:
    if before is not None and np.array_equal(values, before):
        return True
    return len(set(values.tolist())) == len(values)
