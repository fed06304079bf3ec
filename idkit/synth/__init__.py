"""Generators of synthetic data with known sources, one file each: `sample(rng, *, ...) -> Dataset`.

The keyword-only parameters of `sample` are the options of `idkit synth KIND`, and its docstring is
their help.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from idkit.errors import UsageError

Floats = NDArray[np.float64]
Family = Literal["gauss", "laplace", "hypersecant"]


def standard_draws(rng: np.random.Generator, family: Family, shape: tuple[int, int]) -> Floats:
    """Independent draws of a family, standardised by column: mean 0 and variance 1, exactly."""
    if family == "gauss":
        draws = rng.standard_normal(shape)
    elif family == "laplace":
        draws = rng.laplace(size=shape)
    else:  # the quantile function of the hyperbolic secant distribution
        draws = (2 / np.pi) * np.log(np.tan(np.pi / 2 * rng.uniform(1e-12, 1 - 1e-12, shape)))
    standardised: Floats = (draws - draws.mean(0)) / draws.std(0)
    return standardised


def at_least(least: Mapping[str, tuple[float, float]]) -> None:
    """Refuses an option whose value is below what makes a data set.

    Args:
        least: the value and the smallest allowed one of each option, by name.

    Raises:
        UsageError: naming the first.
    """
    for name, (value, smallest) in least.items():
        if not smallest <= value < float("inf"):
            raise UsageError(f"{name} is {value}: at least {smallest} is needed")
