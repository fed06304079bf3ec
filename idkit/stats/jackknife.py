"""How far would a mean over pairs move with other seeds? The delete-one-seed jackknife."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

FEWEST_SEEDS = 3


@dataclass(frozen=True)
class Interval:
    """An interval for the expected score of a pair of fresh seeds.

    Attributes:
        low: lower end; None where the interval is withheld.
        high: upper end; None where the interval is withheld.
        error: standard error; None where the interval is withheld.
        withheld: why there is no interval; empty where there is one.
    """

    low: float | None
    high: float | None
    error: float | None
    withheld: str = ""


def interval(
    values: NDArray[np.float64], members: NDArray[np.integer[Any]], *, level: float = 0.95
) -> Interval:
    """The t interval of a mean of values each of which depends on one or two seeds.

        θ_(r) = mean of the values without seed r,
        error² = (R − 1) / R · Σ_r (θ_(r) − mean of θ_(·))²      (Arvesen 1969 for U-statistics)

    and R − 1 degrees of freedom. Two pairs that share a seed are not independent: the usual
    interval over R (R − 1) / 2 pairs is too short by about half.

    Args:
        values: one score for each pair, shape (P,); the pairs of a grid's positions as they come.
        members: the seeds of each value, shape (P, m) for m seeds a value (m = 1 against a ground
            truth, which is not a seed).
        level: coverage, in (0, 1).

    Returns:
        The interval around the mean of the values, or the reason why there is none.
    """
    seeds = np.unique(members)
    if len(seeds) < FEWEST_SEEDS:
        reason = f"it is over seeds and needs {FEWEST_SEEDS}, found {len(seeds)}"
        return Interval(None, None, None, reason)
    left = [values[(members != seed).all(axis=1)] for seed in seeds]
    if not all(map(len, left)):
        return Interval(None, None, None, "one seed is in every pair: the rest say nothing of it")
    without = np.array([rest.mean() for rest in left])
    count = len(seeds)
    error = float(np.sqrt((count - 1) / count * ((without - without.mean()) ** 2).sum()))
    reach = float(stdtrit(count - 1, (1 + level) / 2)) * error
    centre = float(values.mean())
    return Interval(centre - reach, centre + reach, error)
