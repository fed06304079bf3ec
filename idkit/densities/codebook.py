"""A mixture whose components have the same weight and identity covariance: a codebook (App. D)."""

from math import log

import torch
from torch import Tensor, nn
from torch.distributions import Categorical

from idkit.densities.normal import xavier
from idkit.densities.occupancy import entropy
from idkit.nets import Noise


class Codebook(nn.Module):
    """p(u|z) is proportional to exp(-|z - e_u|^2 / 2) for the codes e_u, learnt vectors."""

    def __init__(self, codes: int, d_z: int) -> None:
        super().__init__()
        self.codes = nn.Parameter(torch.empty(codes, d_z))
        xavier(self.codes, "normal")

    def forward(self, z: Tensor) -> Categorical:
        """p(u|z), batch shape (...), of latents (..., d_z): the responsibilities.

        |z|^2 is left out, since it is the same for every code.
        """
        logits = z @ self.codes.mT - self.codes.square().sum(-1) / 2
        return Categorical(logits=logits, validate_args=False)

    def relaxed(self, p: Categorical, temperature: float, noise: Noise) -> Tensor:
        """A relaxed sample of a code: codes weighted by a draw from the Concrete distribution.

        Args:
            p: p(u|z), batch shape (...).
            temperature: above 0; towards 0 the sample becomes one code.
            noise: the step's.

        Returns:
            Vectors in the hull of the codes, (..., d_z).
        """
        gumbel = -torch.log(-torch.log(noise.uniform(p.logits.shape)))
        weights = torch.softmax((p.logits + gumbel) / temperature, dim=-1)
        return weights @ self.codes

    def excess(self, p: Categorical) -> Tensor:
        """KL[p(u|z) || uniform] in nats, in [0, log K], shape (...)."""
        return log(len(self.codes)) - entropy(p.probs)
