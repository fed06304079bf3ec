"""Sources that change with the segment, mixed by a net (TCL).

Appendix A of the paper; Hyvärinen & Morioka (2016). Details that the paper leaves open follow the
generator with varying means of Khemakhem et al. (2020b), as section 13 of the design tells it.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from idkit.data import SYNTHETIC, Dataset
from idkit.mixing import Activation, Mixing, conditioned, rotations
from idkit.synth import Family, at_least, standard_draws


def sample(
    rng: np.random.Generator,
    *,
    per_segment: int = 1000,
    segments: int | None = None,
    sources: int = 5,
    layers: int | None = None,
    noise: float = 0.0,
    source: Family = "gauss",
    mixing: Literal["rotations", "cond"] = "rotations",
    activation: Activation = "leaky",
) -> Dataset:
    """Sources whose distribution changes from segment to segment, mixed by an invertible net.

    Standard draws, standardised by column over the whole set, are scaled and shifted in each
    segment: s = sigma[segment] * draw + mu[segment].

    With `rotations`, as in the paper: mu ~ U[-3, 3] and sigma ~ U[0.01, 3], independently for each
    segment and source; L - 1 blocks of an activation (slope 0.2), then a Haar-random rotation.
    With `cond`, as Khemakhem et al. (2020a): mu = 0 and sigma ~ U[0.5, 3]; L matrices of bounded
    condition number with an activation (slope 0.1) between them.

    Args:
        rng: the source of every random number.
        per_segment: rows of a segment (100, 200, 500, 1000 and 2000 in the paper).
        segments: number of segments, the values of u. [default: 20; 40 with cond]
        sources: number of sources and of observed dimensions.
        layers: layers L of the mixing. [default: 4; 3 with cond]
        noise: standard deviation of Gaussian noise added to x.
        source: family of the standard draws.
        mixing: family of the sources' moments and of the mixing matrices.
        activation: function between the matrices: a leaky ReLU, or tanh(x) + slope * x.

    Returns:
        x, s (n, sources) float32 and u (n,), n = segments * per_segment, in the order of the
        segments, without a split; among the extras `mixing`, the matrices, their condition
        numbers, and `distortion`, that of the whole mixing at each row.

    Raises:
        UsageError: when a number makes no data set.
    """
    cond = mixing == "cond"
    segments = (40 if cond else 20) if segments is None else segments
    layers = (3 if cond else 4) if layers is None else layers
    at_least(
        {
            "per-segment": (per_segment, 2),
            "segments": (segments, 1),
            "sources": (sources, 1),
            "layers": (layers, 1),
            "noise": (noise, 0),
        }
    )
    u = np.repeat(np.arange(segments), per_segment)
    draws = standard_draws(rng, source, (len(u), sources))
    mu = np.zeros((segments, sources)) if cond else rng.uniform(-3, 3, (segments, sources))
    sigma = rng.uniform(0.5 if cond else 0.01, 3, (segments, sources))
    s = sigma[u] * draws + mu[u]
    if cond:
        made = Mixing(conditioned(rng, layers, sources), activation, 0.1, "matrix")
    else:
        made = Mixing(rotations(rng, layers - 1, sources), activation, 0.2, "activation")
    x = made.mix(s) + noise * rng.standard_normal(s.shape)
    return Dataset(
        "tcl",
        x.astype(np.float32),
        u,
        s.astype(np.float32),
        recipe=replace(SYNTHETIC, d_z=sources),
        extras={
            "mixing": made.matrices,
            "condition": made.condition,
            "distortion": made.distortion(s),
        },
        about={"mixing": made.facts},
    )
