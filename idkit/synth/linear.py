"""The classical case: independent sources through one matrix."""

from dataclasses import replace

import numpy as np

from idkit.data import SYNTHETIC, Dataset
from idkit.mixing import Mixing, conditioned
from idkit.synth import Family, at_least, standard_draws


def sample(
    rng: np.random.Generator,
    *,
    rows: int = 20_000,
    sources: int = 5,
    noise: float = 0.0,
    source: Family = "laplace",
) -> Dataset:
    """Independent sources mixed by one matrix, without segments: x = s A.

    Identifiable up to order and scale unless the sources are Gaussian (Comon 1994): a floor that
    `idkit train --model ica` must clear, and must not with `--source gauss`.

    Args:
        rng: the source of every random number.
        rows: number of rows.
        sources: number of sources and of observed dimensions.
        noise: standard deviation of Gaussian noise added to x.
        source: family of the sources, of unit variance.

    Returns:
        x, s (rows, sources) float32, without u or a split; `mixing`, the matrix, and its condition
        number among the extras.

    Raises:
        UsageError: when a number makes no data set.
    """
    at_least({"rows": (rows, 2), "sources": (sources, 1), "noise": (noise, 0)})
    s = standard_draws(rng, source, (rows, sources))
    mixing = Mixing(conditioned(rng, 1, sources), "leaky", 1.0, "matrix")
    x = mixing.mix(s) + noise * rng.standard_normal(s.shape)
    return Dataset(
        "linear",
        x.astype(np.float32),
        None,
        s.astype(np.float32),
        recipe=replace(SYNTHETIC, d_z=sources),
        extras={"mixing": mixing.matrices, "condition": mixing.condition},
        about={"mixing": mixing.facts},
    )
