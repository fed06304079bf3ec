"""How large is a paired difference, and how well is it known?"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.stats.precision import decimal
from idkit.stats.signed_rank import critical_value

HALF = 2.0**1022  # the sum of two numbers below it is finite
LISTED = 100  # differences whose Walsh averages are all formed, exactly
Integers = NDArray[np.intp]
Exact = Sequence[Fraction] | None


@dataclass(frozen=True)
class Shift:
    """The Hodges-Lehmann shift of paired differences.

    Attributes:
        estimate: the median of the Walsh averages, in the unit of the differences.
        low: lower end of the interval; -inf where n is too small for its level.
        high: upper end; inf where n is too small.
        level: the least coverage of the interval, as 0.95.
    """

    estimate: float
    low: float
    high: float
    level: float


def hodges_lehmann(
    differences: NDArray[np.float64],
    *,
    level: float = 0.95,
    exact: Exact = None,
) -> Shift:
    """The shift and the closed interval of shifts that the signed-rank test does not reject.

    estimate = median of the n(n+1)/2 Walsh averages (d_i + d_j) / 2, i <= j (Hodges and Lehmann
    1963); the interval runs from the (c+1)-th smallest to the (c+1)-th largest of them, c the
    critical value of the exact untied test. Closed, it covers at least `level` with ties too
    (Noether 1967), so that it may touch zero where the tied exact p is just below 1 - level.
    Zeros are differences like any other here. The averages are those of decimals, rounded once,
    whatever the size of other differences; of more than 100 differences they are ordered by their
    float64 values.

    Args:
        differences: shape (n,), n >= 1, finite.
        level: wanted coverage, in (0, 1).
        exact: the differences as fractions, n of them; by default the shortest decimals that
            stand for them.

    Raises:
        IdkitError: when there is no difference, or one is not finite.

    >>> hodges_lehmann(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    Shift(estimate=3.5, low=1.0, high=6.0, level=0.95)
    """
    if differences.size == 0 or not np.isfinite(differences).all():
        raise IdkitError("the shift needs at least one paired difference, and finite ones")
    n = differences.size
    average = _listed(differences, exact) if n <= LISTED else _searched(differences, exact)
    averages, beyond = n * (n + 1) // 2, critical_value(n, 1 - level)
    middle = (average((averages + 1) // 2) + average(averages // 2 + 1)) / 2
    return Shift(
        estimate=float(middle),
        low=float(average(beyond + 1)) if beyond >= 0 else -np.inf,
        high=float(average(averages - beyond)) if beyond >= 0 else np.inf,
        level=level,
    )


def _listed(differences: NDArray[np.float64], exact: Exact) -> Callable[[int], Fraction]:
    """Gives the k-th smallest Walsh average, from a list of them all in whole numbers."""
    numbers = _decimals(differences) if exact is None else exact
    unit = math.lcm(*(number.denominator for number in numbers))
    whole = [int(number * unit) for number in numbers]
    sums = sorted(x + y for i, x in enumerate(whole) for y in whole[i:])
    return lambda k: Fraction(sums[k - 1], 2 * unit)


def _searched(differences: NDArray[np.float64], exact: Exact) -> Callable[[int], Fraction]:
    """Gives the k-th smallest Walsh average, without forming the n² of them."""
    order = np.argsort(differences, kind="stable")
    ordered = differences[order]
    if max(-ordered[0], ordered[-1]) > HALF:
        ordered = ordered / 4

    def of(place: int) -> Fraction:
        place = int(order[place])
        return _decimals(differences[[place]])[0] if exact is None else exact[place]

    def average(k: int) -> Fraction:
        """Of the two pairs that may stand for it the one nearer to zero."""
        sums = [of(i) + of(j) for i, j in _walsh(ordered, k)]
        return min(sums, key=abs) / 2

    return average


def _decimals(numbers: NDArray[np.float64]) -> list[Fraction]:
    return [Fraction(decimal(number)) for number in numbers.tolist()]


def _walsh(ordered: NDArray[np.float64], k: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Pairs whose sum is the k-th smallest, k from 1.

    Bisects the float64 numbers themselves, so that one large difference costs no digit of the
    others. d_i + d_j, rounded, rises with either: the partners of i up to a bound are a beginning
    of the list.

    Returns:
        Of the pairs that have this sum the first and the last in order, (i, j) each.
    """
    low, high = _key(2 * ordered[0]) - 1, _key(2 * ordered[-1])
    below = np.zeros(ordered.size, dtype=np.intp)  # partners of each with a sum up to low
    above = np.full(ordered.size, ordered.size)
    while high - low > 1:
        middle = (low + high) // 2
        bound = _number(middle)
        partners = _partners(ordered, bound, below, above)
        if (partners.sum() + np.searchsorted(2 * ordered, bound, side="right")) // 2 >= k:
            high, above = middle, partners
        else:
            low, below = middle, partners
    first, *_, last = np.flatnonzero(above > below).tolist() * 2
    return (first, int(below[first])), (last, int(above[last]) - 1)


def _partners(
    ordered: NDArray[np.float64], bound: float, below: Integers, above: Integers
) -> Integers:
    """For each i the count of j with d_i + d_j <= bound, which lies from below to above."""
    while (open_ := below < above).any():
        middle = (below + above) // 2
        inside = ordered + ordered[np.minimum(middle, ordered.size - 1)] <= bound
        below = np.where(open_ & inside, middle + 1, below)
        above = np.where(open_ & ~inside, middle, above)
    return below


def _key(number: float) -> int:
    """The place of a float64 among all of them."""
    bits = int(np.float64(abs(number)).view(np.int64))
    return -bits if number < 0 else bits


def _number(key: int) -> float:
    size = float(np.int64(abs(key)).view(np.float64))
    return -size if key < 0 else size
