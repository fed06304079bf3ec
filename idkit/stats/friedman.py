"""Do three or more families differ at all, over the cells that have every one of them?"""

from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from idkit.errors import IdkitError
from idkit.stats import flips, precision
from idkit.stats.signed_rank import midranks

EXACT = {3: 20, 4: 10}  # families, and the most cells whose orders are all counted: below a second
TIE = 1e-6  # sums of squares are multiples of 1/4: closer ones are equal


@dataclass(frozen=True)
class Friedman:
    """Friedman's test.

    Attributes:
        cells: rows tested.
        families: columns compared.
        statistic: Friedman's chi-squared, corrected for ties within a row; at least 0.
        p: in (0, 1], at least 2e-308; 1 where every row is one tie.
        method: how p was found, whether p is an upper bound, and whether values tie as float32
            numbers.
    """

    cells: int
    families: int
    statistic: float
    p: float
    method: str


def friedman(values: NDArray[np.float64]) -> Friedman:
    """The Friedman test (1937): each row is ranked by itself, then the columns' ranks compared.

    Q = 12 Σ_j (R_j - n(k+1)/2)² / (n k (k+1)) / (1 - Σ(t³ - t) / (n k (k² - 1))), R_j the sum of
    the ranks of family j, t the sizes of ties within rows. Values tie with their neighbours in the
    row, to the precision of the two (see `precision.levels`).

    Args:
        values: shape (n, k), n cells by k >= 3 families; rows with a value that is not finite are
            left out.

    Returns:
        Q, and p: the share of all (k!)^n orders of the ranks within rows whose Q is at least as
        large (conditional on the ties), for up to 4 families and 20 cells, 10 of them of 4
        families; else from chi-squared with k - 1 degrees of freedom, good from about 10 rows.

    Raises:
        IdkitError: when no row is complete, or there are fewer than three columns.
    """
    complete = values[np.isfinite(values).all(axis=1)]
    n, k = complete.shape
    if k < 3 or n == 0:
        raise IdkitError(
            f"Friedman's test compares at least 3 families over cells that have them all; "
            f"there are {k} families and {n} such cells"
        )
    single = precision.single(complete)
    ranks = np.array([midranks(row) for row in precision.levels(complete, single=single)])
    between = np.sum((ranks.sum(axis=0) - n * (k + 1) / 2) ** 2)
    within = np.sum((ranks - (k + 1) / 2) ** 2)  # n k (k² - 1) / 12 without ties, less with them
    exact = n <= EXACT.get(k, 0)
    method = "exact" if exact else f"chi-squared with {k - 1} degrees of freedom"
    statistic = float((k - 1) * between / within) if within else 0.0
    p = _exact(ranks, between) if exact else max(flips.SMALLEST, float(chdtrc(k - 1, statistic)))
    method = flips.bounded(p, method)
    return Friedman(
        cells=n,
        families=k,
        statistic=statistic,
        p=p,
        method=f"{method}, {precision.TIES_OF_SINGLE}" if single else method,
    )


def _exact(ranks: NDArray[np.float64], between: float) -> float:
    """The share of orders within rows whose Q is at least the given one, row by row.

    Args:
        ranks: midranks of each row, shape (n, k).
        between: the sum of squares of the columns' ranks around their mean.
    """
    n, k = ranks.shape
    doubled = np.rint(2 * ranks).astype(np.int64) - 2  # midranks are halves; from 0
    side = 2 * n * (k - 1) + 1
    share = np.zeros((side,) * (k - 1))  # of the sums of all columns but the last, which follows
    share[(0,) * (k - 1)] = 1.0
    for row in doubled:
        orders, count = np.unique(list(permutations(row)), axis=0, return_counts=True)
        reached = np.zeros_like(share)
        for order, times in zip(orders[:, :-1], count / count.sum(), strict=True):
            to = tuple(slice(step, None) for step in order)
            given = tuple(slice(None, side - step) for step in order)
            reached[to] += times * share[given]
        share = reached
    sums = np.indices(share.shape).reshape(k - 1, -1)
    every = np.vstack([sums, doubled.sum() - sums.sum(axis=0)])
    squares = ((every / 2 - n * (k - 1) / 2) ** 2).sum(axis=0).reshape(share.shape)
    return float(min(1.0, share[squares >= between - TIE].sum()))
