"""A floor: what the encoder's architecture alone gives, before any step."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from idkit.densities.normal import Posterior
from idkit.models import Frame, Terms
from idkit.nets import Noise


class Untrained(nn.Module):
    """q(z|x) of an encoder at its initial parameters, those of a `vae` of the same seed."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.posterior = Posterior(frame.encoder(frame.shape, frame.d_z))
        self.likelihood = frame.likelihood(frame.shape)

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:  # noqa: ARG002 - unsupervised
        """0: the pass is made for an initialisation that looks at what layers give."""
        self.posterior(self.likelihood.observe(x, noise).seen, noise)
        return {"objective": torch.zeros(())}

    def embed(self, x: Tensor, u: Tensor) -> Normal:  # noqa: ARG002 - unsupervised
        """q(z|x)."""
        q: Normal = self.posterior(self.likelihood.observe(x).seen)
        return q


def recipe(shape: tuple[int, ...]) -> dict[str, Any]:  # noqa: ARG001 - the room's signature
    """No steps."""
    return {"epochs": None, "steps": 0}


def build(frame: Frame) -> Untrained:
    """An encoder for one seed."""
    return Untrained(frame)
