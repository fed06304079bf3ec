"""How surprising is a sum of signed numbers when every sign is a fair coin?"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

ENUMERATED = 16  # so few weights are flipped one arrangement at a time, 2^16 at most
WORK = 2 * 10**8  # additions of the exact distribution: under a second


class Method(StrEnum):
    """How a p-value was found."""

    EXACT = "exact"
    NORMAL = "normal approximation"


@dataclass(frozen=True)
class Flips:
    """The place of a signed sum among all arrangements of its signs.

    Attributes:
        p: two-sided p-value, in (0, 1].
        method: exact, or the normal approximation where the exact one is too long to compute.
    """

    p: float
    method: Method


def two_sided(weights: NDArray[np.int64]) -> Flips:
    """The share of all sign arrangements whose sum is at least as far from zero.

    With T = Σ w_i and independent fair signs s_i, p = P(|Σ s_i |w_i|| >= |T|). Ties among the
    weights and weights of zero need no special care: the distribution is that of these very
    weights.

    Args:
        weights: signed integers, shape (n,).

    Returns:
        p, exact by enumeration or dynamic programming over the possible sums; beyond `WORK` the
        normal approximation with the exact variance Σ w_i², without continuity correction.
    """
    total = int(abs(weights.sum()))
    if total == 0:
        return Flips(p=1.0, method=Method.EXACT)
    common = int(np.gcd.reduce(weights))
    sizes = np.abs(weights[weights != 0]) // common
    reach = (int(sizes.sum()) - total // common) // 2  # of the sum of the weights with one sign
    if sizes.size <= ENUMERATED:
        tail = float(np.mean(_subset_sums(sizes) <= reach))
    elif sizes.size * (reach + 1) <= WORK:
        tail = float(cumulative(sizes, reach)[-1])
    else:
        variance = float(np.sum(weights.astype(np.float64) ** 2))
        return Flips(p=float(2 * ndtr(-total / np.sqrt(variance))), method=Method.NORMAL)
    return Flips(p=min(1.0, 2 * tail), method=Method.EXACT)


def cumulative(sizes: NDArray[np.int64], reach: int) -> NDArray[np.float64]:
    """The distribution function of the sum over a random half of the weights.

    Args:
        sizes: non-negative integers, shape (n,); each is in the sum with probability 1/2.
        reach: the largest sum of interest.

    Returns:
        P(sum <= v) for v = 0, ..., reach, shape (reach + 1,).

    >>> cumulative(np.array([1, 2]), 3).tolist()
    [0.25, 0.5, 0.75, 1.0]
    """
    mass = np.zeros(reach + 1)
    mass[0] = 1.0
    for size in sizes[sizes > 0]:
        moved = mass / 2
        if size <= reach:
            moved[size:] += mass[:-size] / 2
        mass = moved
    return np.cumsum(mass)


def _subset_sums(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    sums = np.zeros(1, dtype=np.int64)
    for size in sizes:
        sums = np.concatenate([sums, sums + size])
    return sums
