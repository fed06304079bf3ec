"""Midranks of columns: Spearman's correlation is Pearson's of these."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def midranks(x: NDArray[Any]) -> NDArray[np.float64]:
    """Ranks the values of each column from 1; equal values share the mean of their ranks.

    Args:
        x: shape (n, d), finite.

    Returns:
        shape (n, d), in [1, n].

    >>> midranks(np.array([[30.0], [10.0], [30.0]])).ravel().tolist()
    [2.5, 1.0, 2.5]
    """
    ranks = np.empty(x.shape)
    for j in range(x.shape[1]):
        order = np.argsort(x[:, j], kind="stable")
        ascending = x[order, j]
        first = np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1]))
        counts = np.diff(np.append(first, len(x)))
        ranks[order, j] = np.repeat(first + (counts + 1) / 2, counts)
    return ranks


def within_halves(x: NDArray[Any], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Midranks of the in-sample rows among themselves, and of the other rows among themselves.

    Args:
        x: shape (n, d), finite.
        inside: shape (n,), True where a row is in-sample.

    Returns:
        shape (n, d).
    """
    ranks = np.empty(x.shape)
    ranks[inside] = midranks(x[inside])
    ranks[~inside] = midranks(x[~inside])
    return ranks
