"""In which precision are numbers of several files equal? In that of the coarsest of their types."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Precision = np.dtype[np.floating[Any]]


def coarsest(arrays: Iterable[NDArray[Any]]) -> Precision:
    """The smallest floating-point type among some arrays; integers are taken as float64.

    >>> str(coarsest([np.zeros(3), np.zeros(3, np.float32), np.zeros(3, np.int8)]))
    'float32'
    """
    floats = [np.dtype(a.dtype.type if a.dtype.kind == "f" else np.float64) for a in arrays]
    return min(floats, key=lambda dtype: dtype.itemsize)


def rounded(values: NDArray[Any], precision: Precision) -> NDArray[np.floating[Any]]:
    """Values in another precision; two zeros are one, so that equal numbers have equal bytes."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(values.astype(precision) + precision.type(0))
