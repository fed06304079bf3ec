"""The variational auto-encoder (Kingma & Welling 2014)."""

from typing import Literal

from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from idkit.densities.mixture import DiagonalMixture
from idkit.densities.normal import Posterior, standard
from idkit.models import Frame, Terms, elbo, sample
from idkit.nets import Noise


class Vae(nn.Module):
    """p(z) = N(0, I)."""

    def __init__(self, frame: Frame, kl: Literal["closed", "mc"]) -> None:
        super().__init__()
        self.posterior = Posterior(frame.encoder(frame.shape, frame.d_z))
        self.decoder = frame.decoder(frame.d_z, frame.shape)
        self.likelihood = frame.likelihood(frame.shape)
        self.kl = kl
        self.d_z = frame.d_z

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:  # noqa: ARG002 - unsupervised
        """E log p(x|z) - KL[q(z|x) || p(z)], by one sample of z."""
        observed = self.likelihood.observe(x, noise)
        q = self.posterior(observed.seen, noise)
        z = sample(q, noise)
        p = standard(z)
        log_px = self.likelihood(self.decoder(z, noise)).log_prob(observed.scored)
        kl = kl_divergence(q, p) if self.kl == "closed" else q.log_prob(z) - p.log_prob(z)
        return elbo(log_px, kl.sum(-1))

    def embed(self, x: Tensor, u: Tensor) -> Normal:  # noqa: ARG002 - unsupervised
        """q(z|x)."""
        q: Normal = self.posterior(self.likelihood.observe(x).seen)
        return q

    def marginal(self) -> DiagonalMixture:
        """p(z) = N(0, I): one component."""
        like = next(self.parameters())
        return DiagonalMixture(
            like.new_zeros(1), like.new_zeros(1, self.d_z), like.new_zeros(1, self.d_z)
        )


def build(frame: Frame, *, kl: Literal["closed", "mc"] = "closed") -> Vae:
    """A VAE for one seed.

    Args:
        frame: what it is built around.
        kl: the KL term in closed form, or by the one sample of z as the authors' code does.
    """
    return Vae(frame, kl)
