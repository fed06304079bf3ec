"""Do paired differences lie to one side of zero?"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from idkit.errors import IdkitError
from idkit.stats import flips

Zeros = Literal["wilcox", "pratt"]


@dataclass(frozen=True)
class SignedRank:
    """Wilcoxon's signed-rank test of paired differences.

    Attributes:
        n: differences given, zeros among them.
        zeros: differences that are zero.
        ties: differences other than zero whose size another one shares.
        w: W+, the sum of the ranks of the positive differences (R's V; scipy reports the smaller
            of W+ and W-).
        p: two-sided p-value, in (0, 1], at least 2e-308.
        method: how p was found, what became of the zeros if there are any, and whether p is an
            upper bound.
    """

    n: int
    zeros: int
    ties: int
    w: float
    p: float
    method: str


def signed_rank(differences: NDArray[np.float64], *, zeros: Zeros = "wilcox") -> SignedRank:
    """The signed-rank test (Wilcoxon 1945), exact also with ties and zeros.

    p is the share of all 2^n sign arrangements of these midranks whose W+ is at least as far from
    its mean: conditional on the tied ranks, no correction needed. Beyond a few hundred
    differences it is the normal approximation with the variance of the tied ranks.

    Args:
        differences: shape (n,), n >= 1, already rounded to the precision they are known to (see
            `precision.differences`): float noise makes and breaks ties.
        zeros: `wilcox` leaves zeros out before ranking; `pratt` (Pratt 1959) ranks them, then
            leaves their ranks out.

    Returns:
        The test; when every difference is zero, w = 0 and p = 1.

    Raises:
        IdkitError: when there is no difference, or one is not finite.

    >>> signed_rank(np.array([1.0, 2.0, 3.0, 4.0, 5.0])).p
    0.0625
    """
    ranks = signed_ranks(differences, zeros=zeros)
    found = flips.two_sided(np.rint(2 * ranks).astype(np.int64))
    count = int(np.sum(ranks == 0))
    fate = ", zeros dropped" if zeros == "wilcox" else ", zeros ranked (Pratt)"
    method = f"{found.method}{fate if count else ''}"
    return SignedRank(
        n=ranks.size,
        zeros=count,
        ties=_ties(np.abs(ranks[ranks != 0])),
        w=float(ranks[ranks > 0].sum()),
        p=found.p,
        method=flips.bounded(found.p, method),
    )


def signed_ranks(
    differences: NDArray[np.float64], *, zeros: Zeros = "wilcox"
) -> NDArray[np.float64]:
    """The midrank of each difference's size, with the sign of the difference.

    Args:
        differences: shape (n,), n >= 1.
        zeros: `wilcox` or `pratt`, as in `signed_rank`.

    Returns:
        Shape (n,), multiples of 1/2; 0 for a difference of zero.

    Raises:
        IdkitError: when there is no difference, or one is not finite.

    >>> signed_ranks(np.array([0.0, -2.0, 2.0, 5.0])).tolist()
    [0.0, -1.5, 1.5, 3.0]
    >>> signed_ranks(np.array([0.0, -2.0, 2.0, 5.0]), zeros="pratt").tolist()
    [0.0, -2.5, 2.5, 4.0]
    """
    if differences.size == 0:
        raise IdkitError("there are no paired differences to test: give at least one pair")
    if not np.isfinite(differences).all():
        raise IdkitError("a paired difference is not a finite number: leave that pair out")
    below = np.sum(differences == 0) if zeros == "wilcox" else 0
    return np.sign(differences) * (midranks(np.abs(differences)) - below)


def midranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1, equal values sharing the mean of their places.

    Args:
        values: shape (n,).

    Returns:
        Shape (n,).

    >>> midranks(np.array([7.0, 3.0, 7.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: NDArray[np.float64] = (last - (count - 1) / 2)[place]
    return ranks


def critical_value(n: int, alpha: float) -> int:
    """The largest W+ that a two-sided test of n untied differences still rejects from below.

    Args:
        n: differences, none zero, no two of one size.
        alpha: level of the test, in (0, 1).

    Returns:
        The largest c with P(W+ <= c) <= alpha / 2; -1 where even W+ = 0 is not rare enough.

    >>> critical_value(5, 0.05), critical_value(6, 0.05), critical_value(20, 0.05)
    (-1, 0, 52)
    """
    middle = n * (n + 1) // 4
    if n * middle > flips.WORK:
        spread = np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return int(n * (n + 1) / 4 + ndtri(alpha / 2) * spread)
    tail = flips.cumulative(np.arange(1, n + 1), middle)
    return int(np.searchsorted(tail, alpha / 2, side="right")) - 1


def _ties(ranks: NDArray[np.float64]) -> int:
    _, counts = np.unique(ranks, return_counts=True)
    return int(counts[counts > 1].sum())
