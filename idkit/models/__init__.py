"""Models, one file each: `build(frame, *, knobs)`.

A model is a module for one seed. `objective(x, u, noise)` gives named terms, each a mean over the
minibatch in nats per sample; the term `objective` is maximised, the others are recorded. `embed(x,
u)` gives the representation. The keyword-only parameters of `build` are the model's knobs on the
command line (`-p NAME=VALUE`); its frame says what the model is built around.

A file may also hold `recipe(shape)`: what the model is trained with where that is not the data's to
say, by the names of `idkit.data.Recipe`. An arch or likelihood of None is a part that it has none
of; 0 steps are for what no gradient trains. One whose model cannot be built on torch's meta device
holds `numbers(shape, *, knobs)`: how many numbers its parameters are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from idkit.densities.likelihoods import Likelihood
from idkit.densities.mixture import DiagonalMixture
from idkit.nets import Noise

Terms = dict[str, Tensor]


@dataclass(frozen=True)
class Frame:
    """What a model is built around.

    Attributes:
        shape: the shape of one observation.
        labels: the number of values of u; 0 where the data have none.
        d_z: the number of latent dimensions.
        images: whether observations are images (initialisation differs: design, section 13).
        encoder: builds the encoder for a shape and d_z; not to be called by a model whose recipe
            has no arch, as the next; nor the likelihood by one whose recipe has none.
        decoder: builds the decoder for d_z and a shape.
        likelihood: builds p(x|z) for a shape.
    """

    shape: tuple[int, ...]
    labels: int
    d_z: int
    images: bool
    encoder: Callable[[tuple[int, ...], int], nn.Module]
    decoder: Callable[[int, tuple[int, ...]], nn.Module]
    likelihood: Callable[[tuple[int, ...]], Likelihood]


class Model(Protocol):
    """What the training engine and `embed` ask of a model."""

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:
        """Named terms of one minibatch.

        Args:
            x: observations as stored, (n, *shape).
            u: labels, (n,) int64; zeros where the data have none.
            noise: the random numbers of this step.

        Returns:
            Scalars in nats per sample; `objective` is to be maximised.
        """
        ...

    def embed(self, x: Tensor, u: Tensor) -> Normal | Tensor:
        """q(z|x), batch shape (n, d_z), of observations as stored (n, *shape).

        Where there is no posterior but a point: z itself, (n, d_z) or a grid (n, d_z, h, w).
        """
        ...


@runtime_checkable
class Surveyor(Protocol):
    """A model that looks at all training rows once, before the first step."""

    def survey(self, x: Tensor, u: Tensor, generator: torch.Generator) -> None:
        """Fills buffers, in place, with what the rows say.

        Args:
            x: the training rows as stored, (n, *shape).
            u: their labels, (n,) int64; zeros where the data have none.
            generator: the seed's stream of initial values.
        """
        ...


@runtime_checkable
class Conditioned(Protocol):
    """A model that is given u, and holds parameters for each of its values.

    Attributes:
        labels: the number of values of u.
        encoder_sees_u: whether the representation depends on u, too.
    """

    labels: int
    encoder_sees_u: bool


@runtime_checkable
class Watched(Protocol):
    """A model of which more is known at the end of each epoch than its objective."""

    def remark(self) -> str:
        """What cannot be watched, and why; else empty."""
        ...

    def diagnostics(self) -> Terms:
        """Scalars of the model as it is, recorded at the end of each epoch."""
        ...

    def project(self, noise: Noise) -> dict[str, Tensor]:
        """New values of some trained parameters by name, from which the next epoch starts."""
        ...


@runtime_checkable
class Responsible(Protocol):
    """A model that tells which component an observation belongs to."""

    def responsibilities(self, x: Tensor) -> Tensor:
        """p(u|z) of the representation of x, (n, K) or (n, h, w, K), rows summing to 1."""
        ...


@runtime_checkable
class Quantised(Protocol):
    """A model whose decoder does not read the representation, but what codes make of it."""

    def quantised(self, z: Tensor) -> Tensor:
        """What the decoder reads, of the shape of the latents z (n, d_z, h, w)."""
        ...


@runtime_checkable
class Generative(Protocol):
    """A model that new observations can be drawn from."""

    decoder: nn.Module
    likelihood: Likelihood

    def marginal(self) -> DiagonalMixture:
        """p(z), event shape (d_z,), with u summed out."""
        ...


def sample(q: Normal, noise: Noise) -> Tensor:
    """One reparameterised sample of a diagonal normal, with the step's own noise."""
    return q.loc + q.scale * noise.normal(q.loc.shape)


def elbo(log_px: Tensor, kl: Tensor) -> Terms:
    """The evidence lower bound and its two parts, from values for each observation (n,)."""
    return {
        "objective": (log_px - kl).mean(),
        "log_likelihood": log_px.mean(),
        "kl": kl.mean(),
    }
