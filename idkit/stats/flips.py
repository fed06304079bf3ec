"""How surprising is a sum of signed numbers when every sign is a fair coin?"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

ENUMERATED = 16  # so few weights are flipped one arrangement at a time, 2^16 at most
WORK = 2 * 10**8  # additions of the exact distribution: under a second
SMALLEST = float(np.finfo(np.float64).tiny)  # 2e-308: a p below it is given as this bound
WORDED = 1e-300  # the smallest p that words give as a number; far above SMALLEST after Holm, too
HEADROOM = 1000  # powers of two that probabilities are scaled up by, so that none vanishes


class Method(StrEnum):
    """How a p-value was found."""

    EXACT = "exact"
    NORMAL = "normal approximation"


@dataclass(frozen=True)
class Flips:
    """The place of a signed sum among all arrangements of its signs.

    Attributes:
        p: two-sided p-value, in (0, 1]; `SMALLEST` where it is below that.
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
        scaled = float(cumulative(sizes, reach, one=2.0**HEADROOM)[-1])
        tail = math.ldexp(scaled, -HEADROOM)
    else:
        variance = float(np.sum(weights.astype(np.float64) ** 2))
        z = -total / np.sqrt(variance)
        vanishes = log_ndtr(z) < math.log(SMALLEST)
        p = SMALLEST if vanishes else max(SMALLEST, float(2 * ndtr(z)))
        return Flips(p=p, method=Method.NORMAL)
    return Flips(p=min(1.0, max(SMALLEST, 2 * tail)), method=Method.EXACT)


def bounded(p: float, method: str) -> str:
    """The name of the method, and that p is a bound where it is one.

    >>> bounded(0.02, "exact"), bounded(SMALLEST, "exact")
    ('exact', 'exact, p is an upper bound')
    """
    return f"{method}, p is an upper bound" if p <= SMALLEST else method


def shown(p: float) -> str:
    """A p-value as it follows the word p.

    >>> shown(0.0291), shown(SMALLEST)
    ('= 0.029', '< 1e-300')
    """
    return f"< {WORDED:g}" if p < WORDED else f"= {p:.2g}"


def cumulative(sizes: NDArray[np.int64], reach: int, *, one: float = 1.0) -> NDArray[np.float64]:
    """The distribution function of the sum over a random half of the weights.

    Args:
        sizes: non-negative integers, shape (n,); each is in the sum with probability 1/2.
        reach: the largest sum of interest.
        one: what a probability of 1 is given as.

    Returns:
        P(sum <= v) for v = 0, ..., reach, shape (reach + 1,), times `one`.

    >>> cumulative(np.array([1, 2]), 3).tolist()
    [0.25, 0.5, 0.75, 1.0]
    """
    mass = np.zeros(reach + 1)
    mass[0] = one
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
