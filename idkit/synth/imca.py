"""Sources that depend on one another, also given u (IMCA).

Independently modulated components (Khemakhem et al. 2020b, section 3): theory reaches further than
independence, so should data.
"""

from dataclasses import replace

import numpy as np

from idkit.data import SYNTHETIC, Dataset
from idkit.mixing import Floats, Mixing, rotations
from idkit.synth import at_least


def sample(
    rng: np.random.Generator,
    *,
    per_segment: int = 1000,
    segments: int = 20,
    sources: int = 5,
    layers: int = 4,
    dependence: float = 0.5,
) -> Dataset:
    """Dependent sources with a modulation of their own in each segment, mixed as in tcl.

    s | u ~ N(0, (a C^-1 / d + diag(sigma_u)^-2)^-1): the base measure has a random correlation
    matrix C, the same in all segments, and sigma_u ~ U[0.01, 3] modulates each source.

    Args:
        rng: the source of every random number.
        per_segment: rows of a segment.
        segments: number of segments, the values of u.
        sources: number d of sources and of observed dimensions.
        layers: layers L of the mixing: L - 1 blocks of a leaky ReLU and a random rotation.
        dependence: weight a of the base measure; at 0 sources are independent given u.

    Returns:
        x, s (n, sources) float32 and u (n,), n = segments * per_segment, in the order of the
        segments, without a split; among the extras `mixing`, its condition numbers, `distortion`,
        that of the whole mixing at each row, and `covariance`, that of the sources in each segment
        (segments, sources, sources).

    Raises:
        UsageError: when a number makes no data set.
    """
    at_least(
        {
            "per-segment": (per_segment, 2),
            "segments": (segments, 1),
            "sources": (sources, 2),
            "layers": (layers, 1),
            "dependence": (dependence, 0),
        }
    )
    base = dependence / sources * np.linalg.inv(_correlation(rng, sources))
    sigma = rng.uniform(0.01, 3, (segments, sources))
    covariance = np.linalg.inv(base + sigma[:, :, None] ** -2 * np.eye(sources))
    u = np.repeat(np.arange(segments), per_segment)
    draws = rng.standard_normal((segments, per_segment, sources))
    s = (draws @ np.linalg.cholesky(covariance).mT).reshape(-1, sources)
    mixing = Mixing(rotations(rng, layers - 1, sources), "leaky", 0.2, "activation")
    return Dataset(
        "imca",
        mixing.mix(s).astype(np.float32),
        u,
        s.astype(np.float32),
        recipe=replace(SYNTHETIC, d_z=sources),
        extras={
            "mixing": mixing.matrices,
            "condition": mixing.condition,
            "distortion": mixing.distortion(s),
            "covariance": covariance,
        },
        about={"mixing": mixing.facts},
    )


def _correlation(rng: np.random.Generator, d: int) -> Floats:
    """A random correlation matrix whose eigenvalues are uniform draws, scaled to sum to d."""
    from scipy.stats import random_correlation

    spectrum = rng.uniform(size=d)
    correlation: Floats = random_correlation(spectrum * d / spectrum.sum(), seed=rng).rvs()
    return correlation
