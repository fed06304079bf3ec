"""Mean correlation coefficient (not Matthews): how alike are the latents of several runs?"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, combinations_with_replacement
from math import prod
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from idkit import bases, blas, gram, halves, ranks, shelf
from idkit.bases import Bases
from idkit.errors import IdkitError, UsageError
from idkit.gram import Floats, Order
from idkit.maps import Map
from idkit.metrics._correlate import Correlate, Pearson, Spearman
from idkit.metrics._facts import Facts

Corr = Literal["pearson", "spearman"]
MATCHING, DECOMPOSING = 5, 8  # matrices of the widest run that a pair takes, by what is done to it
RESULTS = 4  # correlations of a component of a pair, in both halves, and again as one table
OBJECTS = 1 << 17  # bytes of what is small whatever is compared
RANKING = 3  # copies of the components of a pair that are ranked
CCA_DIM = 20  # as Khemakhem et al. (2020b) and the paper


@dataclass(frozen=True, eq=False)
class Score:
    """Correlations of matched components for every pair of runs, in- and out-of-sample.

    A row is one pair of runs (at one position, where latents are grids). P rows, k components in
    descending order of their in-sample correlation.

    Attributes:
        mode: the family of maps that aligned the runs, a name of `idkit.align`.
        corr: `pearson` or `spearman`.
        n: number of rows of the latents, both halves.
        runs: number of runs, the ground truth not counted.
        pairs: the runs of each row, shape (P, 2); the ground truth is number `runs`.
        positions: where in a grid of latents, shape (P,); 0 for latents that are no grid.
        in_sample: |correlation| on the rows that fitted the alignment, shape (P, k), in [0, 1],
            1 is identical; NaN beyond the number of components that a pair has.
        out_of_sample: the same components on the rows held out, shape (P, k).
        dead: for each run the number of coordinates that are constant on one half or both.
        active: for each run the effective number of coordinates, (Σ v)² / Σ v² over their
            variances v, in [0, d_z]: d_z when all vary alike, 1 when one alone varies.
        warnings: what a reader of the score should know, one sentence each.
        wanted: how many components a pair has that leaves nothing of the ground truth unmatched:
            the number of sources; in the mode weak that of independent ones, at most cca_dim. None
            without ground truth.
    """

    mode: str
    corr: Corr
    n: int
    runs: int
    pairs: NDArray[np.int64]
    positions: NDArray[np.int64]
    in_sample: Floats
    out_of_sample: Floats
    dead: NDArray[np.int64]
    active: Floats
    warnings: tuple[str, ...]
    wanted: int | None = None

    @property
    def k(self) -> int:
        """Number of matched components (of the pair that has most)."""
        return int(components(self.mode, self.in_sample).max())

    @property
    def pair_in(self) -> Floats:
        """Mean in-sample correlation of each row, shape (P,)."""
        return np.asarray(np.nanmean(self.in_sample, axis=1))

    @property
    def pair_out(self) -> Floats:
        """Mean out-of-sample correlation of each row, shape (P,)."""
        return np.asarray(np.nanmean(self.out_of_sample, axis=1))

    @property
    def mcc_in(self) -> float:
        """Mean over the pairs of their in-sample means, in [0, 1]."""
        return float(self.pair_in.mean())

    @property
    def mcc_out(self) -> float:
        """Mean over the pairs of their out-of-sample means, in [0, 1]."""
        return float(self.pair_out.mean())

    @property
    def unmatched(self) -> int | None:
        """Sources without a match (of the run with fewest matches); None without ground truth."""
        if self.wanted is None:
            return None
        return self.wanted - int(components(self.mode, self.in_sample).min())

    @property
    def pair_in_all(self) -> Floats | None:
        """Mean in-sample correlation of each row over all sources, 0 for the unmatched: (P,)."""
        return self._over_all(self.in_sample)

    @property
    def pair_out_all(self) -> Floats | None:
        """Mean out-of-sample correlation of each row over all sources, 0 for the unmatched."""
        return self._over_all(self.out_of_sample)

    @property
    def mcc_in_all(self) -> float | None:
        """Mean over the pairs of `pair_in_all`, in [0, 1]; None without ground truth."""
        return None if self.pair_in_all is None else float(self.pair_in_all.mean())

    @property
    def mcc_out_all(self) -> float | None:
        """Mean over the pairs of `pair_out_all`, in [0, 1]; None without ground truth."""
        return None if self.pair_out_all is None else float(self.pair_out_all.mean())

    def _over_all(self, correlations: Floats) -> Floats | None:
        if self.wanted is None:
            return None
        matched = np.isfinite(correlations).sum(axis=1)
        return np.asarray(np.nanmean(correlations, axis=1) * (matched / self.wanted))

    @property
    def curve_in(self) -> Floats:
        """Mean over the first j components, j = 1..k, in-sample: shape (k,), falling."""
        return np.asarray(cumulative(self.in_sample).mean(axis=0))

    @property
    def curve_out(self) -> Floats:
        """Mean over the first j components in in-sample order, out-of-sample: shape (k,)."""
        return np.asarray(cumulative(self.out_of_sample).mean(axis=0))


def components(mode: str, correlations: Floats) -> NDArray[np.int64]:
    """The number of matched components of each row.

    Args:
        mode: the family of maps.
        correlations: in-sample, shape (P, k); NaN beyond the components that a row has. Where a
            run of rank 0 leaves no canonical pair, there is one of 0.

    Returns:
        shape (P,).
    """
    found = np.isfinite(correlations).sum(axis=1)
    none = (mode == "weak") & ~np.nan_to_num(correlations).any(axis=1)
    return np.where(none, 0, found)


def cumulative(correlations: Floats) -> Floats:
    """Means of the first j components of each row, j = 1..k.

    Args:
        correlations: shape (P, k); NaN beyond the components that a row has.

    Returns:
        shape (P, k); a row with fewer components keeps its last mean.

    >>> cumulative(np.array([[0.9, 0.5, 0.2]])).round(4).tolist()
    [[0.9, 0.7, 0.5333]]
    """
    counts = np.cumsum(~np.isnan(correlations), axis=1)
    return np.asarray(np.nancumsum(correlations, axis=1) / counts)


def score(runs: Sequence[NDArray[Any]], *, mode: str = "strong", **how: Any) -> Score:
    """The MCC of several runs under one family of maps: `scores` for one mode.

    >>> z = np.random.default_rng(0).standard_normal((100, 3))
    >>> round(score([z, -z[:, [2, 0, 1]]]).mcc_out, 6)
    1.0
    """
    return scores(runs, modes=[mode], **how)[mode]


def scores(
    runs: Sequence[NDArray[Any]], *, order: Sequence[Order] | None = None, **how: Any
) -> dict[str, Score]:
    """The MCC of several runs under several families of maps, from one pass over the rows.

    Args:
        runs: as in `scorer`, like all that follows.
        order: for each run (and for `against`, last) the row read in place of row i, shape (n,):
            a draw from a null distribution, see `stats.null`.
        **how: the other arguments of `scorer`.

    Returns:
        One score for each mode.
    """
    return scorer(runs, **how)(order)


def scorer(
    runs: Sequence[NDArray[Any]],
    *,
    modes: Sequence[str] = ("strong", "weak"),
    against: NDArray[Any] | None = None,
    pairs: Sequence[tuple[int, int]] | None = None,
    rows: Sequence[Order | None] | None = None,
    corr: Corr = "pearson",
    cca_dim: int = CCA_DIM,
    split: halves.Split = "random",
    seed: int = 0,
    self_pairs: bool = False,
    rematch: bool = False,
    names: Sequence[str] | None = None,
) -> Callable[[Sequence[Order] | None], dict[str, Score]]:
    """What scores several runs, and shuffles of their rows, under several families of maps.

    The rows are split in two halves, the same for all runs. On the first, each pair of runs is
    aligned and its components matched (Khemakhem et al. 2020b, section A.2); the score of a pair is
    the mean |correlation| of the matched components on each half. The pairing found in-sample is
    kept out-of-sample, and so is the order of the components.

    Args:
        runs: the latents of each run on the same rows, shape (n, d_z), or (n, d_z, h, w) for grids,
            which are aligned position by position and pooled (the paper's appendix D). The numbers
            d_z may differ.
        modes: names of `idkit.align`.
        against: ground truth, shape (n, d_s) or (n, d_s, h, w): each run is compared with it
            instead of with the other runs.
        pairs: which runs to compare, by number, the first mapped to the second; by default every
            run with every later one, or with `against`, whose number is that of the runs.
        rows: for each run (and for `against`, last) which of its rows are compared, and in which
            order, as in `gram.of`.
        corr: `pearson`; or `spearman`: in the mode `strong` ranks take the place of the latents;
            in the others the components are found as ever, and ranked.
        cca_dim: number of canonical pairs in the mode `weak`, at least 1; brought down to the
            smallest rank of a run where it is larger.
        split: how the rows are split, see `halves.inside`.
        seed: of the split.
        self_pairs: also compare each run with itself, which gives 1: the paper's 55 pairs of 10
            runs are 45 and 10 of these.
        rematch: re-solve the matching of the components on the held-out half, as the reference
            code does in the mode `weak`; its chance level is higher.
        names: what to call each run (and `against`, last) in warnings and errors.

    Returns:
        A function of an order of the rows (None as they are) that gives one score for each mode.

    Raises:
        IdkitError: when there are fewer than two runs to compare, or they do not fit together.
        UsageError: for a mode that does not exist, or cca_dim < 1.
    """
    fits = {mode: shelf.take("align", mode, "fit") for mode in modes}
    if cca_dim < 1:
        raise UsageError(f"cca-dim is {cca_dim}: at least 1 is needed")
    every = [*runs] if against is None else [*runs, against]
    names = names or [f"run {r}" for r in range(len(every))]
    if pairs is None:
        pairs = _pairs(len(runs), against is not None, self_pairs=self_pairs)
    own = rows or [None] * len(every)
    inside = halves.inside(gram.length(every[0], own[0]), split=split, seed=seed)
    positions = list(_positions(every, names))
    by_rank = corr == "spearman" and "strong" in modes
    ranked: dict[int, list[Floats]] = {}  # the same for every order

    based: dict[int, Bases] = {}  # likewise

    def score_order(order: Sequence[Order] | None) -> dict[str, Score]:
        facts = Facts(len(runs), names)
        found: dict[str, list[tuple[Floats, Floats]]] = {mode: [] for mode in modes}
        for place, zs in enumerate(positions):
            extra = based.get(place, Bases(len(zs), {}))
            moments = extra.moments(zs, inside, rows=own, order=order, names=names)
            if place not in based:
                extra = based[place] = bases.needed(modes, zs, own, inside, moments.inside)
                if extra.found:
                    moments = extra.moments(zs, inside, rows=own, order=order, names=names)
            if by_rank and place not in ranked:
                ranked[place] = [
                    ranks.within_halves(z if o is None else z[o], inside)
                    for z, o in zip(zs, own, strict=True)
                ]
            of_ranks = gram.of(ranked[place], inside, order=order) if by_rank else moments
            spearman = Spearman(
                moments,
                [*zs, *extra.found.values()],
                inside,
                extra.extended(own),
                None if order is None else extra.extended(order),
            )
            with blas.one_thread():
                facts.look(moments, extra, ranked=bool(set(bases.WHITENED) & set(modes)))
                for mode, fit in fits.items():
                    fitted = of_ranks if mode == "strong" else moments
                    ranks_apart = corr == "spearman" and mode != "strong"
                    correlate = spearman if ranks_apart else Pearson(fitted)
                    kept = cca_dim if mode == "weak" else None
                    for pair in pairs:
                        a, b = extra.numbers(mode, *pair)
                        match = fit(fitted.inside, a, b, components=kept)
                        found[mode].append(_correlations(correlate, match, a, b, rematch=rematch))
        return {
            mode: _score(
                mode, corr, len(inside), pairs, found[mode], facts, cca_dim, against is not None
            )
            for mode in modes
        }

    return score_order


def memory(
    shapes: Sequence[tuple[int, ...]],
    *,
    modes: Sequence[str] = ("strong", "weak"),
    corr: Corr = "pearson",
    cca_dim: int = CCA_DIM,
    shuffled: bool = True,
) -> int:
    """The bytes that `scorer` takes at most to score, besides the runs; nothing is taken.

    Args:
        shapes: of the runs, and of what they are compared with: (n, d_z) or (n, d_z, h, w).
        modes: as in `scorer`, like the next two.
        corr: which correlation.
        cca_dim: number of canonical pairs.
        shuffled: whether orders of the rows are scored.
    """
    n, widths = shapes[0][0], [prod(shape[1:2]) for shape in shapes]
    squares, widest = sum(width**2 for width in widths), max(widths)
    places = prod(shapes[0][2:])
    sums = gram.memory(widths, n)
    held = sums if places == 1 else 2 * sums  # those of the place before are still there
    numbers = (MATCHING if set(modes) == {"strong"} else DECOMPOSING) * widest**2
    if set(modes) != {"strong"}:
        numbers += 4 * squares  # of each run its own block in both halves, and what whitens it
    if corr == "spearman" and "strong" in modes:
        held += sums
        numbers += n * (places * sum(widths) + 2 * widest)
    if corr == "spearman" and set(modes) != {"strong"}:
        numbers += RANKING * n * (min(cca_dim, widest) if set(modes) == {"weak"} else widest)
    if shuffled:
        numbers += n * (len(shapes) + 4)
    numbers += RESULTS * places * len(shapes) ** 2 // 2 * widest
    return OBJECTS + held + gram.ITEM * numbers


def _score(
    mode: str,
    corr: Corr,
    n: int,
    pairs: Sequence[tuple[int, int]],
    rows: Sequence[tuple[Floats, Floats]],
    facts: Facts,
    cca_dim: int,
    truth: bool,
) -> Score:
    places = len(rows) // len(pairs)
    most = facts.components(cca_dim) if mode == "weak" else None
    score = Score(
        mode=mode,
        corr=corr,
        n=n,
        runs=facts.runs,
        pairs=np.tile(np.array(pairs, dtype=np.int64), (places, 1)),
        positions=np.repeat(np.arange(places, dtype=np.int64), len(pairs)),
        in_sample=_padded([inner[:most] for inner, _ in rows]),
        out_of_sample=_padded([outer[:most] for _, outer in rows]),
        dead=facts.dead[: facts.runs],
        active=facts.active[: facts.runs] / places,
        warnings=facts.warnings(mode, cca_dim),
        wanted=facts.wanted(mode, cca_dim) if truth else None,
    )
    if not score.unmatched:
        return score
    return replace(score, warnings=(*score.warnings, _unmatched(score, facts.names[-1])))


def _unmatched(score: Score, truth: str) -> str:
    kind = "independent directions" if score.mode == "weak" else "sources"
    return (
        f"{truth}: {score.unmatched} of {score.wanted} {kind} have no match: mcc_in and mcc_out "
        "are over the others, mcc_in_all and mcc_out_all over all, where these count as 0"
    )


def _pairs(runs: int, against: bool, *, self_pairs: bool) -> list[tuple[int, int]]:
    if against:
        return [(r, runs) for r in range(runs)]
    if runs < 2:
        raise IdkitError(f"{runs} run: at least two runs of a group are needed for a comparison")
    choose = combinations_with_replacement if self_pairs else combinations
    return list(choose(range(runs), 2))


def _positions(runs: Sequence[NDArray[Any]], names: Sequence[str]) -> Iterator[list[NDArray[Any]]]:
    """The latents at each place of the grid, as matrices; latents that are no grid as they are."""
    grid = runs[0].shape[2:]
    for run, name in zip(runs, names, strict=True):
        if run.shape[2:] != grid:
            raise IdkitError(
                f"{name} has latents of shape {run.shape[1:]}, {names[0]} of {runs[0].shape[1:]}: "
                "grids can only be compared position by position"
            )
    for place in np.ndindex(*grid):
        yield [run[(slice(None), slice(None), *place)] for run in runs]


def _correlations(
    correlate: Correlate, found: Map, a: int, b: int, *, rematch: bool
) -> tuple[Floats, Floats]:
    """In- and out-of-sample correlations of one pair, in descending in-sample order."""
    inner = correlate.matched(found, a, b, "inside")
    if rematch:
        crossed = correlate.crossed(found, a, b, "outside")
        outer = crossed[linear_sum_assignment(crossed, maximize=True)]
    else:
        outer = correlate.matched(found, a, b, "outside")
    best = np.argsort(-inner, kind="stable")
    return inner[best], outer[best]


def _padded(rows: Sequence[Floats]) -> Floats:
    table = np.full((len(rows), max(map(len, rows))), np.nan)
    for line, row in zip(table, rows, strict=True):
        line[: len(row)] = row
    return table
