"""What would unrelated runs score? Shuffles of the rows, and the p-value of a score among them."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from idkit.counts import counted
from idkit.errors import IdkitError

Null = Literal["rows", "within-label"]
TIE = 1e-9  # scores this close are equal: the last digits of a shuffled score are rounding


def strata(inside: NDArray[np.bool_], labels: NDArray[Any] | None = None) -> list[NDArray[np.intp]]:
    """The sets of rows that are exchangeable under a null hypothesis.

    Args:
        inside: shape (n,), True where a row is in-sample: no row ever changes its half.
        labels: shape (n,): rows are exchanged only among equal labels, so that what is left is the
            agreement that the labels alone explain. Without labels all rows of a half are
            exchanged: runs that share nothing at all.

    Returns:
        Disjoint sets of row numbers, which together are all rows.

    Raises:
        IdkitError: when there is not one label for each row, or no two rows of a half share one.
    """
    codes = np.asarray(inside).astype(np.intp)
    if labels is not None:
        if labels.shape != inside.shape:
            raise IdkitError(
                f"labels of shape {labels.shape} for {len(inside)} rows: give one label a row"
            )
        found, values = np.unique(labels, return_inverse=True)
        codes = codes * len(found) + values
        if np.bincount(codes).max() < 2:
            raise IdkitError(
                f"no label is shared by two rows of a half ({counted(len(found), 'label')} for "
                f"{len(inside)} rows): nothing can be shuffled within labels, give classes"
            )
    by_stratum = np.argsort(codes, kind="stable")
    return np.split(by_stratum, np.flatnonzero(np.diff(codes[by_stratum])) + 1)


def shuffle(
    sets: Sequence[NDArray[np.intp]], runs: int, rng: np.random.Generator
) -> list[NDArray[np.intp]]:
    """One draw from the null: for each run the row that is read in place of row i.

    Args:
        sets: of `strata`.
        runs: number of runs, each of which is shuffled on its own.
        rng: where chance comes from.

    Returns:
        A permutation of the rows for each run, shape (n,).
    """
    orders = [np.empty(sum(map(len, sets)), dtype=np.intp) for _ in range(runs)]
    for order in orders:
        for rows in sets:
            order[rows] = rng.permutation(rows)
    return orders


def p_value(observed: float, draws: NDArray[np.float64]) -> float:
    """The one-sided permutation p-value (1 + b) / (1 + B) (Phipson & Smyth 2010).

    Args:
        observed: the score.
        draws: B scores of shuffled rows, shape (B,); b of them are at least the observed one.

    Returns:
        In [1 / (1 + B), 1]: valid at any B.

    >>> p_value(0.9, np.array([0.1, 0.2, 0.1]))
    0.25
    """
    return float((1 + np.sum(draws >= observed - TIE)) / (1 + len(draws)))
