"""Which runs are one run, given more than once: a copy, a link, another format, a seed twice?

A run counted twice agrees with itself perfectly, and makes the interval over seeds too short.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from idkit import files, gram, precision
from idkit.counts import listed
from idkit.precision import Precision

if TYPE_CHECKING:
    from idkit.latents import Run

SAMPLED = 64  # rows that tell almost all arrays apart, without reading them


@dataclass(frozen=True, eq=False)
class Distinct:
    """Runs of a group, each of them once.

    Attributes:
        runs: those that stay, in the user's order.
        again: every other run, with the one of `runs` that it repeats.
        warnings: which are left out, and which stay although they are equal; one sentence each.
    """

    runs: tuple["Run", ...]
    again: tuple[tuple["Run", "Run"], ...]
    warnings: tuple[str, ...]


def distinct(runs: Sequence["Run"], names: Sequence[str]) -> Distinct:
    """Leaves out runs that are given more than once; the first of them stays.

    One run are two of one seed, and equal latents unless their files name different seeds: models
    without randomness, such as PCA, give equal runs.

    Args:
        runs: of one group, in the user's order.
        names: what to call them.
    """
    called = dict(zip(runs, names, strict=True))
    kind = precision.coarsest(run.z for run in runs)
    seeds: dict[tuple[int, str], Run] = {}
    marked: dict[tuple[tuple[int, ...], bytes], list[Run]] = {}
    again: dict[Run, Run] = {}
    equal: dict[Run, list[Run]] = {}
    for run in runs:
        seed = None if run.seed is None else (run.seed, run.artefact.meant("z"))
        if seed is not None and seed in seeds:
            again[run] = seeds[seed]
            continue
        near = marked.setdefault((run.z.shape, _mark(run.z, kind)), [])
        twin = next((other for other in near if same(other.z, run.z)), None)
        if twin is not None and (twin.seed == run.seed or None in (twin.seed, run.seed)):
            again[run] = twin
            continue
        if twin is not None:
            equal.setdefault(twin, [twin]).append(run)
        if seed is not None:
            seeds[seed] = run
        near.append(run)
    kept = tuple(run for run in runs if run not in again)
    warnings = (*_repeated(again, called), *_deterministic(equal, called))
    return Distinct(kept, tuple(again.items()), warnings)


def same(one: NDArray[Any], two: NDArray[Any]) -> bool:
    """Whether two arrays hold equal numbers, in the precision of the coarser of their types.

    Args:
        one: any shape; of a file, as it is let go of while it is read.
        two: the same.
    """
    if one.shape != two.shape:
        return False
    kind = precision.coarsest((one, two))
    return all(
        np.array_equal(precision.rounded(a, kind), precision.rounded(b, kind))
        for a, b in zip(files.blocks(one), files.blocks(two), strict=True)
    )


def _mark(z: NDArray[Any], kind: Precision) -> bytes:
    rows: gram.Order = np.linspace(0, len(z) - 1, min(len(z), SAMPLED)).astype(np.intp)
    return precision.rounded(gram.sample(z, rows), kind).tobytes()


def _repeated(again: dict["Run", "Run"], called: dict["Run", str]) -> Iterator[str]:
    if again:
        left_out = [_one(run, kept, called) for run, kept in again.items()]
        yield f"warning: one run counts once, left out: {listed(left_out)}"


def _one(run: "Run", kept: "Run", called: dict["Run", str]) -> str:
    name, other = called[run], called[kept]
    if name == other:
        return f"{name} (given again)"
    if run.seed is not None and run.seed == kept.seed:
        return f"{name} (seed {run.seed}, as {other})"
    return f"{name} (equal to {other})"


def _deterministic(equal: dict["Run", list["Run"]], called: dict["Run", str]) -> Iterator[str]:
    for runs in equal.values():
        seeds = listed([str(run.seed) for run in runs])
        yield (
            f"{listed([called[run] for run in runs])} hold equal latents of different seeds "
            f"({seeds}): a model without randomness, such as PCA, agrees with itself"
        )
