"""How large is a paired difference, and how well is it known?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.stats.signed_rank import critical_value

BISECTIONS = 64  # halvings of the range: past the 53 bits of a float64


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


def hodges_lehmann(differences: NDArray[np.float64], *, level: float = 0.95) -> Shift:
    """The shift and the closed interval of shifts that the signed-rank test does not reject.

    estimate = median of the n(n+1)/2 Walsh averages (d_i + d_j) / 2, i <= j (Hodges and Lehmann
    1963); the interval runs from the (c+1)-th smallest to the (c+1)-th largest of them, c the
    critical value of the exact untied test. Closed, it covers at least `level` with ties too
    (Noether 1967), so that it may touch zero where the tied exact p is just below 1 - level.
    Zeros are differences like any other here.

    Args:
        differences: shape (n,), n >= 1, finite.
        level: wanted coverage, in (0, 1).

    Raises:
        IdkitError: when there is no difference, or one is not finite.

    >>> hodges_lehmann(np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
    Shift(estimate=3.5, low=1.0, high=6.0, level=0.95)
    """
    if differences.size == 0 or not np.isfinite(differences).all():
        raise IdkitError("the shift needs at least one paired difference, and finite ones")
    ordered = np.sort(differences)
    averages = ordered.size * (ordered.size + 1) // 2
    beyond = critical_value(ordered.size, 1 - level)
    middle = [_walsh(ordered, (averages + 1) // 2), _walsh(ordered, averages // 2 + 1)]
    return Shift(
        estimate=sum(middle) / 2,
        low=_walsh(ordered, beyond + 1) if beyond >= 0 else -np.inf,
        high=_walsh(ordered, averages - beyond) if beyond >= 0 else np.inf,
        level=level,
    )


def _walsh(ordered: NDArray[np.float64], k: int) -> float:
    """The k-th smallest Walsh average, k from 1, without forming the n² of them."""
    low, high = np.nextafter(2 * ordered[0], -np.inf), 2 * ordered[-1]
    for _ in range(BISECTIONS):
        middle = low + (high - low) / 2
        if _sums_up_to(ordered, middle) >= k:
            high = middle
        else:
            low = middle
    partner = np.searchsorted(ordered, low - ordered, side="right")
    inside = partner < ordered.size
    return float(np.min(ordered[inside] + ordered[partner[inside]])) / 2


def _sums_up_to(ordered: NDArray[np.float64], bound: float) -> int:
    """How many pairs i <= j have d_i + d_j <= bound."""
    ordered_pairs = np.searchsorted(ordered, bound - ordered, side="right").sum()
    alone = np.searchsorted(ordered, bound / 2, side="right")
    return int(ordered_pairs + alone) // 2
