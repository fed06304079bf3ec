"""The maps that carry the runs of a group onto each other, and what they tell."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from idkit import (
    bases,
    blas,
    budget,
    comparison,
    files,
    gram,
    halves,
    latents,
    maps,
    schemas,
    shelf,
)
from idkit.bases import Bases
from idkit.comparison import CHANCE_PAIRS, Comparison
from idkit.errors import IdkitError
from idkit.files import Artefact
from idkit.gram import Floats, Grams, Order
from idkit.latents import Group, Run
from idkit.maps import Map, Permutation
from idkit.metrics import mcc
from idkit.metrics.mcc import CCA_DIM, Score
from idkit.scores import Row, Scored
from idkit.stats import null

SCHEMA = schemas.ALIGNMENT
COORDINATES_SCHEMA = "idkit.coordinates/1"
Target = Literal["all-pairs", "medoid"]


@dataclass(frozen=True, eq=False)
class Aligned:
    """The maps of one group.

    Attributes:
        group: the runs.
        reference: the run that all others are mapped to; None where every pair has a map.
        scored: how well the maps match the runs, in- and out-of-sample.
        maps: one for each pair of the score.
    """

    group: Group
    reference: Run | None
    scored: Scored
    maps: list[Map]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader of the score should know."""
        return (*self.scored.notes, *self.scored.comparison.score.warnings)

    @property
    def widths(self) -> list[int]:
        """Numbers of coordinates, in the order of the names of `scored`."""
        widths = [run.z.shape[1] for run in self.group.runs]
        apart = self.reference is not None and self.reference not in self.group.runs
        return [*widths, self.reference.z.shape[1]] if self.reference and apart else widths

    def map_of(self, run: Run) -> Map | None:
        """What carries a run to the reference; None for the reference itself."""
        number = self.group.runs.index(run)
        sources = self.scored.comparison.score.pairs[:, 0].tolist()
        return self.maps[sources.index(number)] if number in sources else None


def of(
    group: Group,
    target: Target | Run,
    *,
    mode: str = "strong",
    cca_dim: int = CCA_DIM,
    split: halves.Split = "random",
    seed: int = 0,
    memory: int | None = None,
) -> Aligned:
    """Fits the maps of a group on its in-sample rows and scores them on both halves.

    Args:
        group: runs with latents of shape (n, d_z).
        target: `all-pairs`, each run to every later one; `medoid`, each to the run that is most
            like all others; or a run, of the group or not.
        mode: a name of `idkit.align`.
        cca_dim: as in `mcc.scorer`.
        split: as in `mcc.scorer`.
        seed: of the split.
        memory: the bytes that it may take, besides the runs; None for as many as there are.

    Raises:
        IdkitError: for latents on a grid, or when there is nothing to map, or needs more memory.
    """
    if group.runs[0].z.ndim > 2:
        raise IdkitError(
            f"{group.names[0]} holds a grid of latents: 'idkit mcc' compares grids, position by "
            "position; align takes latents of shape (n, d_z)"
        )
    how: dict[str, Any] = {"cca_dim": cca_dim, "split": split, "seed": seed}
    zs = [run.z for run in group.runs]
    compared = zs if isinstance(target, str) else [*zs, target.z]
    needed = bytes_of(compared, target, mode=mode, cca_dim=cca_dim)
    budget.refuse(comparison.described(compared), needed, memory, comparison.FEWER)
    if target == "medoid":
        whole = mcc.score(zs, mode=mode, names=group.names, rows=group.orders, **how)
        target = group.runs[medoid(whole)]
    if target == "all-pairs":
        every, pairs, reference = group.runs, None, None
    else:
        reference = target
        every = group.runs if reference in group.runs else (*group.runs, reference)
        at = every.index(reference)
        pairs = [(r, at) for r in range(len(every)) if r != at]
        if not pairs:
            raise IdkitError(f"{reference.label} is alone in its group: nothing is mapped to it")
    names = latents.below([run.label for run in every])
    against = reference.z if reference and len(every) > len(zs) else None
    if reference and against is not None:
        group = group.beside([latents.rows_of(reference.artefact, "z", label=names[-1])])
    how |= {"names": names, "rows": group.orders}
    found = comparison.compare(zs, modes=[mode], against=against, pairs=pairs, **how)[mode]
    fitted = fit(
        [run.z for run in every],
        found.score.pairs.tolist(),
        mode=mode,
        rows=group.orders,
        components=found.score.in_sample.shape[1] if mode == "weak" else None,
        split=split,
        seed=seed,
    )
    seeds = tuple(run.seed for run in group.runs)
    scored = Scored(group.about, tuple(names), seeds, found, group.notes)
    return Aligned(group, reference, scored, fitted)


def bytes_of(
    runs: Sequence[NDArray[Any]], target: Target | Run, *, mode: str, cca_dim: int = CCA_DIM
) -> int:
    """The bytes that `of` takes at most, besides the runs: to score them, and all maps twice.

    Args:
        runs: latents of shape (n, d_z); the target last, where it is a run.
        target: as in `of`, like the next two.
        mode: a name of `idkit.align`.
        cca_dim: number of canonical pairs.
    """
    widest, count = max(prod(run.shape[1:2]) for run in runs), len(runs)
    pairs = count * (count - 1) // 2 if target == "all-pairs" else count
    numbers = 3 * widest if mode == "strong" else 3 * widest**2
    scored = mcc.memory([run.shape for run in runs], modes=[mode], cca_dim=cca_dim)
    return scored + gram.ITEM * 2 * pairs * numbers


def fit(
    runs: Sequence[NDArray[Any]],
    pairs: Sequence[tuple[int, int]],
    *,
    mode: str,
    rows: Sequence[Order | None] | None = None,
    components: int | None = None,
    split: halves.Split = "random",
    seed: int = 0,
) -> list[Map]:
    """Fits a map for each pair on the in-sample rows, so that the others can score it.

    Args:
        runs: latents on the same rows, shape (n, d_z).
        pairs: numbers of two runs, the first of which is carried onto the second.
        mode: a name of `idkit.align`.
        rows: which rows of each run are compared, as in `gram.of`.
        components: how many matched components to keep; the maps carry all there are.
        split: see `halves.inside`.
        seed: of the split.
    """
    chosen = shelf.take("align", mode, "fit")
    own = rows or [None] * len(runs)
    inside = halves.inside(gram.length(runs[0], own[0]), split=split, seed=seed)
    moments = gram.of(runs, inside, rows=own).inside
    extra = bases.needed([mode], runs, own, inside, moments)
    if extra.found:
        moments = extra.moments(runs, inside, rows=own).inside
    with blas.one_thread():
        found = [chosen(moments, *extra.numbers(mode, a, b)) for a, b in pairs]
    return [
        extra.from_bases(each, mode, a, b, moments).first(components)
        for (a, b), each in zip(pairs, found, strict=True)
    ]


def medoid(score: Score) -> int:
    """The run that agrees best with all others, in-sample, so that held-out rows have no say."""
    totals = sum(np.bincount(column, score.pair_in, score.runs) for column in score.pairs.T)
    return int(np.argmax(totals))


def replicated(aligned: Aligned, threshold: float) -> list[Row]:
    """Which coordinates of the reference come back in the other runs?

    Args:
        aligned: in the mode `strong`, to a reference.
        threshold: the out-of-sample |correlation| from which a coordinate is found again.

    Returns:
        For each coordinate of the reference, the most replicated first: `runs`, in how many it is
        found again, `of` how many, and the means of its correlations over the runs in which it is
        matched at all, nan where there are none.
    """
    score = aligned.scored.comparison.score
    shape = (len(aligned.maps), cast("Permutation", aligned.maps[0]).widths[1])
    inner, outer = np.full(shape, np.nan), np.full(shape, np.nan)  # nan where it has no match
    for i, found in enumerate(cast("list[Permutation]", aligned.maps)):
        inner[i, found.target] = score.in_sample[i, : len(found.target)]
        outer[i, found.target] = score.out_of_sample[i, : len(found.target)]
    reached = (outer >= threshold).sum(axis=0)
    means = [_mean_of_known(table) for table in (inner, outer)]
    return [
        {
            **aligned.scored.about,
            "reference": aligned.scored.names[int(score.pairs[0, 1])],
            "coordinate": int(j),
            "runs": int(reached[j]),
            "of": len(aligned.maps),
            "corr_in": float(means[0][j]),
            "corr_out": float(means[1][j]),
        }
        for j in np.lexsort((-means[1], -reached))
    ]


def _mean_of_known(table: Floats) -> Floats:
    """Means of columns without their nan; nan for a column that has nothing else."""
    known = np.isfinite(table)
    counts = known.sum(axis=0)
    sums = np.where(known, table, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def unpack(artefact: Artefact) -> list[Map]:
    """The maps of the first group of an alignment file, in the order of its pairs."""
    files.require(artefact)
    arrays = {name.removeprefix("0/"): array for name, array in artefact.arrays.items()}
    widths = artefact.meta["groups"][0]["widths"]
    kept = np.isfinite(arrays["in"]).sum(axis=1)
    shapes = [
        (widths[a], widths[b], int(k)) for (a, b), k in zip(arrays["pairs"], kept, strict=True)
    ]
    return maps.unpack(arrays, shapes)


def transferred(
    found: Comparison,
    fitted: Sequence[Map],
    runs: Sequence[NDArray[Any]],
    *,
    rows: Sequence[Order | None] | None = None,
    seed: int = 0,
    names: Sequence[str] | None = None,
    memory: int | None = None,
) -> Comparison:
    """The same maps on other rows, all of which are held out: nothing is fitted.

    Args:
        found: the comparison that the maps belong to; its in-sample numbers stay.
        fitted: one map for each pair of `found`.
        runs: latents of the same models on other rows, shape (n, d_z), in the same order.
        rows: which rows of each run are compared, as in `gram.of`.
        seed: of the shuffles for the chance level.
        names: what to call each run in an error.
        memory: the bytes that it may take, besides the runs; None for as many as there are.
    """
    needed = 2 * mcc.memory([run.shape for run in runs], modes=[found.score.mode])  # and their sum
    budget.refuse(comparison.described(runs), needed, memory, comparison.FEWER)
    pairs = found.score.pairs.tolist()
    for (a, b), each in zip(pairs, fitted, strict=True):
        widths = (len(each.directions_a), len(each.directions_b))
        given = (runs[a].shape[1], runs[b].shape[1])
        if given != widths:
            raise IdkitError(f"the alignment maps {widths} coordinates, the latents have {given}")
    n = gram.length(runs[0], rows[0] if rows else None)
    sets = null.strata(np.ones(n, dtype=bool))
    streams = np.random.default_rng(seed).spawn(-(-CHANCE_PAIRS // len(pairs)))
    own, inside, mode = (
        rows or [None] * len(runs),
        halves.inside(n, split="first"),
        found.score.mode,
    )

    def whole(extra: Bases, order: Sequence[Order] | None) -> Grams:
        halved = extra.moments(runs, inside, rows=own, order=order, names=names)
        return halved.inside + halved.outside

    everywhere = np.ones(n, dtype=bool)
    plain = whole(Bases(len(runs), {}), None)
    extra = bases.needed([mode], runs, own, everywhere, plain)
    seen = [
        (extra.in_bases(one, mode, a, b), *extra.numbers(mode, a, b))
        for (a, b), one in zip(pairs, fitted, strict=True)
    ]

    def held_out(order: Sequence[Order] | None) -> Floats:
        moments = whole(extra, order) if extra.found or order is not None else plain
        with blas.one_thread():
            return np.asarray(maps.stack([one.correlations(moments, a, b) for one, a, b in seen]))

    score = replace(found.score, n=n, out_of_sample=held_out(None))
    shuffled = [held_out(null.shuffle(sets, len(runs), stream)) for stream in streams]
    return Comparison(
        score,
        comparison.interval(score),
        found.shuffled_in,
        np.array([np.nanmean(table, axis=1).mean() for table in shuffled]),
        tested=False,
    )
