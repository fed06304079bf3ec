"""Do three or more families differ at all, over the cells that have every one of them?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from idkit.errors import IdkitError
from idkit.stats.signed_rank import midranks


@dataclass(frozen=True)
class Friedman:
    """Friedman's test.

    Attributes:
        cells: rows tested.
        families: columns compared.
        statistic: Friedman's chi-squared, corrected for ties within a row; at least 0.
        p: in [0, 1]; 1 where every row is one tie.
        method: how p was found.
    """

    cells: int
    families: int
    statistic: float
    p: float
    method: str


def friedman(values: NDArray[np.float64]) -> Friedman:
    """The Friedman test (1937): each row is ranked by itself, then the columns' ranks compared.

    Q = 12 Σ_j (R_j - n(k+1)/2)² / (n k (k+1)) / (1 - Σ(t³ - t) / (n k (k² - 1))), R_j the sum of
    the ranks of family j, t the sizes of ties within rows.

    Args:
        values: shape (n, k), n cells by k >= 3 families, rounded to the precision they are known
            to; rows with a value that is not finite are left out.

    Returns:
        Q with p from chi-squared with k - 1 degrees of freedom, good from about 10 rows.

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
    ranks = np.array([midranks(row) for row in complete])
    between = np.sum((ranks.sum(axis=0) - n * (k + 1) / 2) ** 2)
    within = np.sum((ranks - (k + 1) / 2) ** 2)  # n k (k² - 1) / 12 without ties, less with them
    statistic = float((k - 1) * between / within) if within else 0.0
    return Friedman(
        cells=n,
        families=k,
        statistic=statistic,
        p=float(chdtrc(k - 1, statistic)),
        method=f"chi-squared with {k - 1} degrees of freedom",
    )
