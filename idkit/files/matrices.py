"""A table of text as arrays: its columns of numbers as one matrix."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files.members import Arrays, Member, frozen
from idkit.files.tables import Cell, Table, as_number, clip

OWN_ARRAY = ("u", "split")  # columns of latents/1 and data/1 that are not coordinates
MATRIX = "z"
LARGEST_LABEL = 2.0**53  # beyond it float64 does not hold every integer


def arrays(table: Table) -> Arrays:
    """A table as arrays: its columns of numbers, in their order, are the matrix `z` (n, d).

    The columns `u` and `split` of integers, and columns of text, become arrays of their own. An
    undefined number is NaN.

    Raises:
        IdkitError: when a column mixes numbers and text, or no column holds numbers.
    """
    found: dict[str, NDArray[Any]] = {}
    coordinates: list[NDArray[np.float64]] = []
    for name, cells in table.columns.items():
        column = _column(cells, f"{table.label}: column '{name}'")
        if column.dtype.kind == "U":
            found[name] = column
        elif name in OWN_ARRAY and _are_labels(column):
            found[name] = column.astype(np.int64)
        else:
            coordinates.append(column)
    if MATRIX in found:
        raise IdkitError(f"{table.label}: column '{MATRIX}' holds text, not numbers")
    if not coordinates:
        raise IdkitError(
            f"{table.label} has no column of numbers ({clip(', '.join(table.columns))})"
        )
    found[MATRIX] = np.stack(coordinates, axis=1)
    return Arrays({name: _held(array) for name, array in found.items()})


def _are_labels(column: NDArray[np.float64]) -> bool:
    return bool(np.all(np.abs(column) < LARGEST_LABEL) and np.array_equal(column, np.rint(column)))


def _held(array: NDArray[Any]) -> Member:
    return Member(array.dtype.name, array.shape, lambda: frozen(array))


def _column(cells: Sequence[Cell], what: str) -> NDArray[Any]:
    if not any(isinstance(cell, str) for cell in cells):
        return np.array([math.nan if cell is None else cell for cell in cells], np.float64)
    numbers = [i for i, cell in enumerate(cells) if as_number(cell) is not None]
    if numbers:
        odd = next(
            i for i, cell in enumerate(cells) if cell is not None and as_number(cell) is None
        )
        raise IdkitError(f"{what} holds numbers, but row {odd + 1} has '{clip(cells[odd])}'")
    return np.array([cell or "" for cell in cells], np.str_)
