"""How alike are the runs of a group, against chance, and how sure is that? The whole verdict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit import budget, gram, halves
from idkit.counts import counted
from idkit.gram import Floats, Order
from idkit.metrics import mcc
from idkit.metrics.mcc import Score
from idkit.stats import jackknife, null
from idkit.stats.jackknife import Interval

FEWER = "fewer runs or coordinates"  # what takes less memory
CHANCE_PAIRS = 45  # shuffled pairs that the chance level is a mean over, at the least


@dataclass(frozen=True, eq=False)
class Comparison:
    """The score of a group with its chance level and its interval over seeds.

    Attributes:
        score: correlations of every pair.
        interval: for the out-of-sample score of a pair of fresh seeds, within [0, 1].
        shuffled_in: in-sample scores of shuffled rows, shape (B,).
        shuffled_out: out-of-sample scores of shuffled rows, shape (B,).
        tested: whether the shuffles were asked for as a test, so that they have a p-value.
    """

    score: Score
    interval: Interval
    shuffled_in: Floats
    shuffled_out: Floats
    tested: bool

    @property
    def chance_in(self) -> float:
        """Mean in-sample score of shuffled rows, in [0, 1]."""
        return float(self.shuffled_in.mean())

    @property
    def chance_out(self) -> float:
        """Mean out-of-sample score of shuffled rows, in [0, 1]."""
        return float(self.shuffled_out.mean())

    @property
    def p_in(self) -> float | None:
        """p-value of the in-sample score; None where no test was asked for."""
        return null.p_value(self.score.mcc_in, self.shuffled_in) if self.tested else None

    @property
    def p_out(self) -> float | None:
        """p-value of the out-of-sample score; None where no test was asked for."""
        return null.p_value(self.score.mcc_out, self.shuffled_out) if self.tested else None


def compare(
    runs: Sequence[NDArray[Any]],
    *,
    modes: Sequence[str] = ("strong", "weak"),
    against: NDArray[Any] | None = None,
    pairs: Sequence[tuple[int, int]] | None = None,
    rows: Sequence[Order | None] | None = None,
    labels: NDArray[Any] | None = None,
    perms: int | None = None,
    split: halves.Split = "random",
    seed: int = 0,
    advance: Callable[[int], None] | None = None,
    memory: int | None = None,
    **how: Any,
) -> dict[str, Comparison]:
    """Scores a group, shuffles its rows for the chance level, and jackknifes its seeds.

    Args:
        runs: latents of each run on the same rows, shape (n, d_z) or (n, d_z, h, w).
        modes: names of `idkit.align`.
        against: ground truth, as in `mcc.scorer`.
        pairs: which runs to compare, as in `mcc.scorer`.
        rows: which rows of each run are compared, as in `mcc.scorer`.
        labels: of the rows that are compared, shape (n,): rows are shuffled only among equal
            labels.
        perms: number of shuffles of a test; None for a chance level from few, and no test.
        split: as in `mcc.scorer`.
        seed: of the split and of the shuffles.
        advance: is called with the number of shuffles that have been scored.
        memory: the bytes that it may take, besides the runs; None for as many as there are.
        **how: the other arguments of `mcc.scorer`.

    Returns:
        One comparison for each mode.

    Raises:
        IdkitError: as `mcc.scorer` does; or when it needs more memory, of which none is taken.
    """
    every = [*runs] if against is None else [*runs, against]
    kinds = {name: how[name] for name in ("corr", "cca_dim") if name in how}
    needed = mcc.memory([run.shape for run in every], modes=modes, **kinds)
    budget.refuse(described(every), needed, memory, FEWER)
    how |= {"modes": modes, "against": against, "pairs": pairs, "split": split, "seed": seed}
    how["rows"] = rows
    scored = mcc.scorer(runs, **how)
    found = scored(None)
    inside = halves.inside(gram.length(runs[0], rows[0] if rows else None), split=split, seed=seed)
    sets = null.strata(inside, labels)
    count = perms or -(-CHANCE_PAIRS // len(next(iter(found.values())).pairs))
    shuffled: dict[str, list[tuple[float, float]]] = {mode: [] for mode in modes}
    everyone = len(runs) + (against is not None)

    for done, stream in enumerate(np.random.default_rng(seed).spawn(count), start=1):
        for mode, score in scored(null.shuffle(sets, everyone, stream)).items():
            shuffled[mode].append((score.mcc_in, score.mcc_out))
        if advance is not None:
            advance(done)
    return {
        mode: Comparison(
            score,
            interval(score),
            shuffled_in=np.array(shuffled[mode])[:, 0],
            shuffled_out=np.array(shuffled[mode])[:, 1],
            tested=perms is not None,
        )
        for mode, score in found.items()
    }


def described(runs: Sequence[NDArray[Any]]) -> str:
    """What is compared, as the subject of a sentence."""
    shape = " x ".join(str(length) for length in runs[0].shape)
    return f"comparing {counted(len(runs), 'run')} of {shape}"


def interval(score: Score) -> Interval:
    """The interval over seeds of an out-of-sample score, within [0, 1]; ground truth is no seed.

    Pairs of a run with itself say nothing of other seeds: with S their sum and R their number, the
    mean over all pairs is (P m + S) / (P + R) of the mean m over the P others, and so are its ends.
    """
    alone = score.pairs[:, 0] == score.pairs[:, 1]
    pairs, values = score.pairs[~alone], score.pair_out[~alone]
    found = jackknife.interval(values, pairs[:, :1] if pairs.max() >= score.runs else pairs)
    if found.low is None or found.high is None or found.error is None:
        return found
    share, rest = len(values) / len(alone), score.pair_out[alone].sum() / len(alone)
    low, high = share * found.low + rest, share * found.high + rest
    return Interval(max(low, 0.0), min(high, 1.0), share * found.error)
