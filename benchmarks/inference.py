"""Do the intervals cover, and do the tests err, as often as they claim? A simulation.

Run as `python benchmarks/inference.py [TABLES]`; 4,000 simulated studies a line by default. The
margin of chance of a line is about 0.7 points at 95% or 5% (two standard errors).
"""

import sys
from collections.abc import Callable
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from idkit.stats.block_flips import block_flips
from idkit.stats.friedman import friedman
from idkit.stats.hodges_lehmann import hodges_lehmann
from idkit.stats.holm import holm
from idkit.stats.jackknife import interval
from idkit.stats.signed_rank import signed_rank

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator], Floats]

LEVEL = 0.95
ALPHA = 0.05
CELLS = 24
BLOCKS = np.repeat(np.arange(8), 3)
TRUTH = 0.6


def main(tables: int) -> None:
    """Prints both tables."""
    print("coverage of the 95% interval of a mean MCC over pairs of seeds, %")
    print(f"{'what varies':50}{'seeds':>6}{'jackknife':>11}{'over pairs':>12}")
    for name, scores, truth in SCORES:
        for seeds in (3, 5, 10, 20):
            ours, naive = coverage(scores, truth, seeds, tables, np.random.default_rng(seeds))
            print(f"{name:50}{seeds:6}{100 * ours:11.1f}{100 * naive:12.1f}")
    print("\nfalse positives at 5%, %  (24 cells a study unless said otherwise)")
    for name, significant in TESTS:
        rng = np.random.default_rng(0)
        share = np.mean([significant(rng) for _ in range(tables)])
        print(f"{name:70}{100 * share:6.1f}")


def coverage(
    scores: Callable[[np.random.Generator, NDArray[np.int64]], Floats],
    truth: float,
    seeds: int,
    tables: int,
    rng: np.random.Generator,
) -> tuple[float, float]:
    """How often the jackknife over seeds and the t interval over pairs hold the truth."""
    pairs = np.array(list(combinations(range(seeds), 2)))
    hits = np.zeros(2)
    for _ in range(tables):
        values = scores(rng, pairs)
        ours = interval(values, pairs, level=LEVEL)
        assert ours.low is not None
        assert ours.high is not None
        reach = stdtrit(len(values) - 1, (1 + LEVEL) / 2) * values.std(ddof=1) / len(values) ** 0.5
        hits += (ours.low <= truth <= ours.high, abs(values.mean() - truth) <= reach)
    return float(hits[0] / tables), float(hits[1] / tables)


def additive(of_seed: float, of_pair: float) -> Callable[..., Floats]:
    """Scores that are a mean, an effect of each of the two seeds, and noise of the pair."""

    def draw(rng: np.random.Generator, pairs: NDArray[np.int64]) -> Floats:
        effects = of_seed * rng.standard_normal(pairs.max() + 1)
        noise = of_pair * rng.standard_normal(len(pairs))
        scores: Floats = TRUTH + effects[pairs].sum(axis=1) + noise
        return scores

    return draw


def reliabilities(rng: np.random.Generator, pairs: NDArray[np.int64]) -> Floats:
    """MCC of noisy copies: mean over 20 components of the product of two reliabilities."""
    quality = rng.beta(8, 2, size=(pairs.max() + 1, 1)) * rng.beta(8, 2, size=(pairs.max() + 1, 20))
    scores: Floats = (quality[pairs[:, 0]] * quality[pairs[:, 1]]).mean(axis=1)
    return scores


def failures(rng: np.random.Generator, pairs: NDArray[np.int64]) -> Floats:
    """One seed of five finds a poor optimum, and every pair that it is in scores low."""
    poor = rng.random(pairs.max() + 1) < 0.2
    noise = 0.02 * rng.standard_normal(len(pairs))
    scores: Floats = 0.8 - 0.2 * poor[pairs].sum(axis=1) + noise
    return scores


SCORES = (
    ("seeds and pairs alike", additive(0.02, 0.02), TRUTH),
    ("seeds more than pairs", additive(0.02, 0.005), TRUTH),
    ("pairs only: no seed is better than another", additive(0.0, 0.02), TRUTH),
    ("reliabilities of 20 components, skewed", reliabilities, 0.8**4),
    ("one seed of five fails: few seeds rarely show it", failures, 0.8 - 2 * 0.2 * 0.2),
)


def smooth(cells: int = CELLS) -> Draw:
    """Differences without ties, symmetric about zero."""
    return lambda rng: rng.standard_normal(cells)


def coarse(rng: np.random.Generator) -> Floats:
    """Differences with many ties and no zero: odd multiples of one unit."""
    return 2 * np.floor(rng.standard_normal(CELLS)) + 1


def zeroed(rng: np.random.Generator) -> Floats:
    """Differences with ties, a third of them zero."""
    return np.round(rng.standard_normal(CELLS) * 1.1)


def clustered(rng: np.random.Generator) -> Floats:
    """Differences in 8 blocks of 3, half of whose variance they share."""
    return rng.standard_normal(8)[BLOCKS] + rng.standard_normal(CELLS)


def clustered_coarse(rng: np.random.Generator) -> Floats:
    """The same, rounded so that they tie and vanish."""
    return np.round(clustered(rng))


def families(rng: np.random.Generator, count: int = 3) -> Floats:
    """Scores of equal families over cells of unequal difficulty, to two decimals."""
    cells = rng.normal(0.6, 0.1, size=(CELLS, 1))
    return np.round(cells + 0.03 * rng.standard_normal((CELLS, count)), 2)


def any_after_holm(rng: np.random.Generator) -> bool:
    """Whether one of the three pairs of equal families is called different."""
    table = families(rng)
    p = [
        signed_rank(np.round(table[:, a] - table[:, b], 2)).p for a, b in combinations(range(3), 2)
    ]
    return bool(holm(p).min() <= ALPHA)


def misses_zero(draw: Draw) -> Callable[[np.random.Generator], bool]:
    """Whether the interval of the shift leaves out the true shift, 0."""

    def missed(rng: np.random.Generator) -> bool:
        found = hodges_lehmann(draw(rng))
        return not found.low <= 0 <= found.high

    return missed


TESTS: tuple[tuple[str, Callable[[np.random.Generator], bool]], ...] = (
    ("signed rank, exact", lambda g: signed_rank(smooth()(g)).p <= ALPHA),
    ("signed rank, 8 cells (attainable: 3.9)", lambda g: signed_rank(smooth(8)(g)).p <= ALPHA),
    ("signed rank, 5 cells (attainable: 0)", lambda g: signed_rank(smooth(5)(g)).p <= ALPHA),
    ("signed rank, ties", lambda g: signed_rank(coarse(g)).p <= ALPHA),
    ("signed rank, ties and zeros, dropped", lambda g: signed_rank(zeroed(g)).p <= ALPHA),
    (
        "signed rank, ties and zeros, Pratt",
        lambda g: signed_rank(zeroed(g), zeros="pratt").p <= ALPHA,
    ),
    (
        "signed rank, 1,000 cells, normal approximation",
        lambda g: signed_rank(smooth(1000)(g)).p <= ALPHA,
    ),
    (
        "signed rank on 8 blocks of 3 cells: what --block is for",
        lambda g: signed_rank(clustered(g)).p <= ALPHA,
    ),
    (
        "block flips on 8 blocks of 3 cells (attainable: 4.7)",
        lambda g: block_flips(clustered(g), BLOCKS).p <= ALPHA,
    ),
    (
        "block flips on 8 blocks of 3 cells, ties and zeros",
        lambda g: block_flips(clustered_coarse(g), BLOCKS).p <= ALPHA,
    ),
    ("Holm, one or more of the three pairs of three families", any_after_holm),
    ("Friedman, three families, ties", lambda g: friedman(families(g)).p <= ALPHA),
    ("Hodges-Lehmann interval misses the shift", misses_zero(smooth())),
    ("Hodges-Lehmann interval misses the shift, a third zeros (closed ends)", misses_zero(zeroed)),
)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 4000)
