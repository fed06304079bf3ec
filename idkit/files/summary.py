"""What values an array holds: range, how many are not finite, columns that never change."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.files.numbers import blocks

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


def summarise(array: NDArray[Any]) -> Summary | None:
    """Runs once through an array, in bounded memory even where the file is larger.

    Args:
        array: any shape.

    Returns:
        None where the array does not hold real numbers.
    """
    if array.dtype.kind not in "biuf":
        return None
    width = math.prod(array.shape[1:])
    columns = array.ndim >= 2 and len(array) >= 2 and width <= WIDEST
    rows = array if columns else array.reshape(-1, order="A")
    low = high = None
    nonfinite = 0
    for block in blocks(rows):
        if block.size == 0:
            continue
        finite = np.isfinite(block)
        nonfinite += block.size - int(np.count_nonzero(finite))
        least, most = _range(block, finite)
        low = least if low is None else np.minimum(low, least)
        high = most if high is None else np.maximum(high, most)
    if low is None or high is None:
        return Summary(None, None, nonfinite, None)
    constant = int(np.count_nonzero(low == high)) if columns else None
    return Summary(_scalar(low.min()), _scalar(high.max()), nonfinite, constant)


def _range(block: NDArray[Any], finite: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The least and the largest finite value of each column; infinities where there is none."""
    if finite.all():
        return block.min(axis=0), block.max(axis=0)
    least = np.where(finite, block, np.inf).min(axis=0)
    return least, np.where(finite, block, -np.inf).max(axis=0)


def _scalar(value: Any) -> float | None:
    number: float = value.item()
    return number if math.isfinite(number) else None
