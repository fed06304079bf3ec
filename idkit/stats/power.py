"""How many cells does it take to see a shift of this size?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idkit.errors import UsageError
from idkit.stats import precision
from idkit.stats.compare import ALPHA
from idkit.stats.hodges_lehmann import hodges_lehmann
from idkit.stats.signed_rank import critical_value

TARGET = 0.8  # the customary power of a planned study
DRAWS = 2000  # resampled tables for each number of cells: a standard error of 0.9% at 80%
SAME = 1e-15  # of the largest: differences that vary by less vary in their last bits
MOST = 1000  # cells beyond which the search gives up


@dataclass(frozen=True)
class Power:
    """The chance of a significant signed-rank test at 5%, by resampling.

    Attributes:
        n: cells of the given table.
        shift: the shift supposed.
        power: share of resampled tables of n cells with p <= 0.05, in [0, 1]; None where withheld.
        needed: the fewest cells with a share of 80%; None beyond 1,000, and where withheld.
        withheld: why there is nothing to resample; empty where there is.
    """

    n: int
    shift: float
    power: float | None
    needed: int | None
    withheld: str = ""


def power(differences: NDArray[np.float64], *, shift: float, rng: np.random.Generator) -> Power:
    """Power by resampling the table at hand, moved to the supposed shift.

    The differences, less their Hodges-Lehmann shift, are drawn with replacement and turned by fair
    signs, which makes the test's null hypothesis true of them (at a shift of 0 the power is the
    level); then the shift is added. Ties are broken at random, the test is the exact one. Cells
    are taken as independent; where they come in blocks, give the mean difference of each block.
    The test is one alone: where several are corrected for, it takes more cells.

    Args:
        differences: of the table at hand, shape (n,), n >= 1.
        shift: the shift to be found, other than 0, in the unit of the differences.
        rng: source of the draws.

    Raises:
        UsageError: when the shift is 0 or not finite.
        IdkitError: when there is no difference, or one is not finite.
    """
    if shift == 0 or not np.isfinite(shift):
        raise UsageError(f"power is asked for at a shift other than 0, as 0.02, not {shift}")
    estimate = hodges_lehmann(differences).estimate
    rest = np.array([_sum(number, -estimate) for number in differences.tolist()])
    low, high = differences.min() / 2, differences.max() / 2  # halves: their span is finite
    if rest.size < 2 or high - low <= SAME * max(-low, high):
        reason = "one difference" if rest.size < 2 else "differences that are all the same"
        return Power(rest.size, shift, None, None, f"{reason}: of how they vary nothing is known")
    return Power(
        n=rest.size,
        shift=shift,
        power=rejected(rest, rest.size, shift=shift, rng=rng),
        needed=_fewest(rest, shift, rng),
    )


def rejected(
    rest: NDArray[np.float64], cells: int, *, shift: float, rng: np.random.Generator
) -> float:
    """The share of resampled tables that the two-sided test at 5% rejects.

    Args:
        rest: differences without their shift, shape (n,).
        cells: size of a resampled table.
        shift: added to every difference, may be 0.
        rng: source of the draws.

    Returns:
        In [0, 1], from `DRAWS` tables.
    """
    sides = [[_sum(sign * number, shift) for number in rest.tolist()] for sign in (-1, 1)]
    which = rng.choice(rest.size, size=(DRAWS, cells))
    drawn = np.array(sides)[rng.choice(2, size=(DRAWS, cells)), which]
    order = np.lexsort((rng.random(drawn.shape), np.abs(drawn)), axis=-1)
    positive = (1 + np.sign(np.take_along_axis(drawn, order, axis=-1))) / 2
    w = positive @ np.arange(1.0, cells + 1)
    smaller = np.minimum(w, cells * (cells + 1) / 2 - w)
    return float(np.mean(smaller <= critical_value(cells, ALPHA)))


def _sum(a: float, b: float) -> float:
    """Of decimals: sizes that tie in print tie here, too."""
    return float(precision.EXACT.add(precision.decimal(a), precision.decimal(b)))


def _fewest(rest: NDArray[np.float64], shift: float, rng: np.random.Generator) -> int | None:
    """Doubles the number of cells until it is enough, then halves the gap."""

    def enough(cells: int) -> bool:
        return rejected(rest, cells, shift=shift, rng=rng) >= TARGET

    few, many = 5, 6  # five cells never give a p below 5%
    while not enough(many):
        few, many = many, 2 * many
        if few >= MOST:
            return None
        many = min(many, MOST)
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many
