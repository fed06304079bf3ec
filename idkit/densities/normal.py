"""Diagonal normal distributions: posteriors from a net, priors from a table or a net."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.distributions import Normal

from idkit.errors import UsageError
from idkit.nets import GridEncoder, Noise

Start = Literal["normal", "uniform"]


class Posterior(nn.Module):
    """q(z|x) = N(mu(x), diag sigma(x)^2) of an encoder."""

    def __init__(self, encoder: nn.Module) -> None:
        """Wraps an encoder.

        Raises:
            UsageError: when its latents form a grid.
        """
        super().__init__()
        if isinstance(encoder, GridEncoder):
            raise UsageError("the latents of this net form a grid, the model needs vectors")
        self.encoder = encoder

    def forward(self, x: Tensor, noise: Noise | None = None) -> Normal:
        """q(z|x), batch shape (n, d_z), of observations (n, ...)."""
        mu, sigma = self.encoder(x, noise)
        return Normal(mu, sigma, validate_args=False)


class Table(nn.Module):
    """p(z|u) = N(mu[u], diag sigma[u]^2) with a mean and a log-variance for each value of u.

    Both Xavier-initialised (section 13 of the design, after the authors' settings).
    """

    def __init__(self, labels: int, d_z: int, *, start: Start, learn_mean: bool = True) -> None:
        super().__init__()
        self.mu = nn.Parameter(torch.zeros(labels, d_z), requires_grad=learn_mean)
        self.log_var = nn.Parameter(torch.zeros(labels, d_z))
        if learn_mean:
            xavier(self.mu, start)
        xavier(self.log_var, start)

    def forward(self, u: Tensor) -> Normal:
        """p(z|u), batch shape (n, d_z), of labels (n,)."""
        hot = one_hot(u, len(self.mu))
        return Normal(hot @ self.mu, torch.exp(hot @ self.log_var / 2), validate_args=False)


class Conditional(nn.Module):
    """p(z|u) by a small net over the one-hot u, as Khemakhem et al. (2020a)."""

    HIDDEN = 50

    def __init__(self, labels: int, d_z: int) -> None:
        super().__init__()
        self.labels = labels
        self.net = nn.Sequential(
            nn.Linear(labels, self.HIDDEN), nn.LeakyReLU(0.1), nn.Linear(self.HIDDEN, 2 * d_z)
        )

    def forward(self, u: Tensor) -> Normal:
        """p(z|u), batch shape (n, d_z), of labels (n,)."""
        mu, log_var = self.net(one_hot(u, self.labels)).chunk(2, dim=-1)
        return Normal(mu, torch.exp(log_var / 2), validate_args=False)


def one_hot(u: Tensor, labels: int) -> Tensor:
    """Labels (n,) as rows of the identity, (n, labels).

    Written as a comparison since torch's own function has no batching rule for every backend.
    """
    return (u.unsqueeze(-1) == torch.arange(labels, device=u.device)).float()


def standard(like: Tensor) -> Normal:
    """N(0, I) with the shape, type and device of a tensor."""
    return Normal(torch.zeros_like(like), torch.ones_like(like), validate_args=False)


def xavier(table: Tensor, start: Start) -> None:
    """Fills a table (rows, columns) in place (Glorot & Bengio 2010)."""
    {"normal": nn.init.xavier_normal_, "uniform": nn.init.xavier_uniform_}[start](table)
