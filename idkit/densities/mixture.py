"""A mixture of diagonal Gaussians with learnt weights, means and variances."""

from math import log, pi

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from idkit.densities.normal import Start, xavier


class DiagonalMixture(MixtureSameFamily):
    """sum_k pi_k N(z | mu_k, diag sigma_k^2), with a density made of two matrix products.

    (z - mu)^2 / sigma^2 is expanded around the mean of the components' means, so that nothing of
    size samples x components x dimensions is ever formed: several times faster than torch's general
    density. The error of a log density is of the order of float32's own times the squared distance
    of z and of the means from that centre, in units of sigma: 1e-4 nats for standard latents.
    """

    def __init__(self, logits: Tensor, mu: Tensor, log_var: Tensor) -> None:
        normals = Normal(mu, torch.exp(log_var / 2), validate_args=False)
        super().__init__(
            Categorical(logits=logits, validate_args=False),
            Independent(normals, 1, validate_args=False),
            validate_args=False,
        )
        self.mu = mu
        self.log_var = log_var

    def log_prob_components(self, z: Tensor) -> Tensor:
        """Log pi_k + log N(z | mu_k, diag sigma_k^2), shape (n, K), of latents (n, d_z)."""
        centre = self.mu.mean(0).detach()  # the density does not depend on it
        z, mu = z - centre, self.mu - centre
        precision = torch.exp(-self.log_var)
        powers = torch.cat([z * z, z], dim=-1)
        weights = torch.cat([precision, -2 * mu * precision], dim=-1)
        of_component = (mu**2 * precision + self.log_var + log(2 * pi)).sum(-1)
        log_weight = torch.log_softmax(self.mixture_distribution.logits, dim=-1)
        return log_weight - (powers @ weights.mT + of_component) / 2

    def log_prob(self, z: Tensor) -> Tensor:
        """Log p(z), shape (n,), of latents (n, d_z)."""
        return torch.logsumexp(self.log_prob_components(z), dim=-1)


class Mixture(nn.Module):
    """A learnt `DiagonalMixture`.

    Logits start from uniform weights; means and log-variances are Xavier-initialised, as
    Appendix A of the paper says; there is no pre-training.
    """

    def __init__(self, components: int, d_z: int, *, start: Start) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(components))
        self.mu = nn.Parameter(torch.empty(components, d_z))
        self.log_var = nn.Parameter(torch.empty(components, d_z))
        xavier(self.mu, start)
        xavier(self.log_var, start)

    def forward(self) -> DiagonalMixture:
        """p(z), event shape (d_z,)."""
        return DiagonalMixture(self.logits, self.mu, self.log_var)

    def responsibilities(self, z: Tensor) -> Tensor:
        """p(u|z), shape (n, components), rows summing to 1, of latents (n, d_z)."""
        return torch.softmax(self().log_prob_components(z), dim=-1)
