"""Data sets with a name, one file each: `load(root) -> Dataset`.

A file whose data are fetched also holds `ARCHIVE`: where they lie and how they get there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

TRAIN, TEST = 0, 1


@dataclass(frozen=True)
class Recipe:
    """How models are trained on a data set unless the user says otherwise.

    Attributes:
        arch: a name in `nets`; None for a model without.
        likelihood: a name in `densities/likelihoods`; None for a model without.
        d_z: number of latent dimensions.
        components: number of mixture components K.
        epochs: passes over the training rows; None where `steps` counts.
        steps: optimiser steps; None where `epochs` counts.
        batch_size: rows of a minibatch.
        lr: Adam's step size, by arch; `""` for any other.
        factor: what the step size is multiplied by on a plateau of the epoch's mean objective.
        patience: epochs without a better objective before that.
    """

    arch: str | None = "mlp"
    likelihood: str | None = "gaussian"
    d_z: int = 50
    components: int = 40
    epochs: int | None = 200
    steps: int | None = None
    batch_size: int = 64
    lr: Mapping[str, float] = field(default_factory=lambda: {"": 1e-3})
    factor: float = 0.8
    patience: int = 5


IMAGES = Recipe()
COLOUR = Recipe(likelihood="logistic", components=100)  # as the paper's sets of 8-bit colour images
SYNTHETIC = Recipe(arch="mlp3", epochs=None, steps=70_000, batch_size=256, factor=0.1, patience=20)


@dataclass(frozen=True)
class Dataset:
    """Observations and what is known about them.

    Attributes:
        name: as in the names of runs.
        x: observations: (n, d_x) float32, or images (n, c, h, w) uint8.
        u: labels or segments, (n,), integers of any value or text; None where there are none.
        s: true sources, (n, d_s) float32; None where they are unknown.
        split: 0 for rows to train on, 1 for rows to test on, (n,) uint8; None: all are both.
        recipe: how models are trained on it by default.
        extras: further arrays worth keeping, as the mixing of synthetic data.
        about: what else its artefact says of it.
        names: arrays that may name the rows, (n,) each, by what they are called in the file.
        told: what was done to the observations of a file to read them.
    """

    name: str
    x: NDArray[Any]
    u: NDArray[Any] | None = None
    s: NDArray[np.float32] | None = None
    split: NDArray[np.uint8] | None = None
    recipe: Recipe = IMAGES
    extras: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    told: tuple[str, ...] = ()

    @property
    def values(self) -> list[Any]:
        """The values of u in the training rows, ascending: a model knows each by its place."""
        return [] if self.u is None else list(np.unique(self.u[self.rows("train")]).tolist())

    @property
    def labels(self) -> int:
        """The number of values of u; 0 where there are none."""
        return len(self.values)

    def rows(self, split: str) -> NDArray[np.int64]:
        """The numbers of the rows of a split.

        Args:
            split: `train`, `test` or `all`.

        Returns:
            Row numbers in ascending order; all of them where the data have no split.
        """
        if self.split is None or split == "all":
            return np.arange(len(self.x))
        return np.flatnonzero(self.split == {"train": TRAIN, "test": TEST}[split])
