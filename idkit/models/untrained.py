"""A floor: what the encoder's architecture alone gives, before any step."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from idkit.densities.normal import Posterior
from idkit.models import Frame, Terms
from idkit.nets import GridEncoder, Noise


class Untrained(nn.Module):
    """An encoder at its initial parameters, those of a `vae`, or of an `ae`, of the same seed."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        encoder = frame.encoder(frame.shape, frame.d_z)
        self.gridded = isinstance(encoder, GridEncoder)
        self.posterior = encoder if self.gridded else Posterior(encoder)
        self.likelihood = frame.likelihood(frame.shape)

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:  # noqa: ARG002 - unsupervised
        """0: the pass is made for an initialisation that looks at what layers give."""
        self.posterior(self.likelihood.observe(x, noise).seen, noise)
        return {"objective": torch.zeros(())}

    def embed(self, x: Tensor, u: Tensor) -> Normal | Tensor:  # noqa: ARG002 - unsupervised
        """q(z|x); where the encoder gives a grid, that grid, (n, d_z, h, w)."""
        q: Any = self.posterior(self.likelihood.observe(x).seen)
        found: Normal | Tensor = q[0] if self.gridded else q
        return found


def recipe(shape: tuple[int, ...]) -> dict[str, Any]:  # noqa: ARG001 - the room's signature
    """No steps."""
    return {"epochs": None, "steps": 0}


def build(frame: Frame) -> Untrained:
    """An encoder for one seed."""
    return Untrained(frame)
