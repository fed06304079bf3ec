"""What values an array holds: range, how many are not finite, columns that never change."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.files.members import Member
from idkit.files.numbers import BLOCK, blocks

WIDEST = 1 << 20  # columns that are told apart; beyond it two rows of them would be much memory


@dataclass(frozen=True)
class Summary:
    """The values of an array of real numbers.

    Attributes:
        low: the smallest finite value; None where there is none.
        high: the largest finite value; None where there is none.
        nonfinite: how many values are NaN or infinite.
        constant: how many columns (positions along all axes but the first) hold one finite value
            only; None for fewer than two rows or axes, or more than a million columns.
    """

    low: float | None
    high: float | None
    nonfinite: int
    constant: int | None


def summarise(values: NDArray[Any] | Member) -> Summary | None:
    """Runs once through an array, in bounded memory even where the file is larger.

    Args:
        values: any shape; or an array of a file that has not been loaded, and is not kept.

    Returns:
        None where the array does not hold real numbers.

    Raises:
        IdkitError: when the values of a file cannot be read, or are damaged.
    """
    if isinstance(values, Member):
        if values.pieces is None or 0 in values.shape:
            return summarise(values.load())
        width = 1 if values.fortran else _columns(values.shape) or 1
        pieces = values.pieces(max(1, BLOCK // width) * width)  # whole rows
        return _run(pieces, values.shape, fortran=values.fortran)
    if values.dtype.kind not in "biuf":
        return None
    if values.flags.f_contiguous and not values.flags.c_contiguous:
        return _run(blocks(values.reshape(-1, order="F")), values.shape, fortran=True)
    if values.flags.c_contiguous and _columns(values.shape) is None:
        return _run(blocks(values.reshape(-1)), values.shape, fortran=False)
    pieces = (block.reshape(-1) for block in blocks(values))
    return _run(pieces, values.shape, fortran=False)


def _columns(shape: tuple[int, ...]) -> int | None:
    """How many columns are told apart; None where all values are taken together."""
    width = math.prod(shape[1:])
    return width if len(shape) >= 2 and shape[0] >= 2 and 0 < width <= WIDEST else None


def _run(
    pieces: Iterator[NDArray[Any]], shape: tuple[int, ...], *, fortran: bool
) -> Summary | None:
    """The summary of values that come flat.

    Args:
        pieces: in C order whole rows, in Fortran's any number of values.
        shape: the length along each axis.
        fortran: whether the first index runs fastest.
    """
    columns = _columns(shape)
    low: NDArray[Any] | None = None
    high: NDArray[Any] | None = None
    at = nonfinite = 0
    real = True
    for piece in pieces:  # to their end even if they are no numbers: there the checksum is
        real = piece.dtype.kind in "biuf"
        if not real or piece.size == 0:
            continue
        if low is None or high is None:
            low, high = _extremes(piece.dtype, columns or 1)
        least, most, odd = _bounds(piece)
        nonfinite += odd
        if columns in (None, 1):
            where, least, most = slice(None), least.min(keepdims=True), most.max(keepdims=True)
        elif fortran:
            where, starts = _columns_of(at, piece.size, shape[0])
            least, most = np.minimum.reduceat(least, starts), np.maximum.reduceat(most, starts)
        else:
            where, rows = slice(None), (-1, len(low))
            least, most = least.reshape(rows).min(axis=0), most.reshape(rows).max(axis=0)
        np.minimum(low[where], least, out=low[where])
        np.maximum(high[where], most, out=high[where])
        at += piece.size
    if not real:
        return None
    if low is None or high is None:
        return Summary(None, None, nonfinite, None)
    constant = None if columns is None else int(np.count_nonzero(low == high))
    return Summary(_scalar(low.min()), _scalar(high.max()), nonfinite, constant)


def _extremes(dtype: np.dtype[Any], count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """What every value is at most, and at least, before any has been seen."""
    if dtype.kind == "b":
        return np.ones(count, np.bool_), np.zeros(count, np.bool_)
    native = dtype.newbyteorder("=")
    most = np.inf if dtype.kind == "f" else np.iinfo(native).max
    least = -np.inf if dtype.kind == "f" else np.iinfo(native).min
    return np.full(count, most, native), np.full(count, least, native)


def _bounds(piece: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any], int]:
    """The values from below and from above, infinite where not finite; how many are not."""
    finite = np.isfinite(piece)
    if finite.all():
        return piece, piece, 0
    odd = piece.size - int(np.count_nonzero(finite))
    return np.where(finite, piece, np.inf), np.where(finite, piece, -np.inf), odd


def _columns_of(at: int, count: int, rows: int) -> tuple[slice, NDArray[np.intp]]:
    """Which columns so many values belong to, from a position on; where each begins in them."""
    first = at // rows
    starts = np.arange(first * rows, at + count, rows) - at
    starts[0] = 0
    return slice(first, first + len(starts)), starts


def _scalar(value: Any) -> float | None:
    number: float = value.item()
    return number if math.isfinite(number) else None
