"""The identifiable VAE: a prior given by side information u (Khemakhem et al. 2020a)."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from idkit.densities.identifiability import ALPHA, Condition, Mode
from idkit.densities.mixture import DiagonalMixture
from idkit.densities.normal import Conditional, Posterior, Start, Table, one_hot
from idkit.errors import IdkitError, UsageError
from idkit.models import Frame, Terms, elbo, sample
from idkit.nets import Noise


class Ivae(nn.Module):
    """p(z|u) = N(mu(u), diag sigma(u)^2), and q(z|x) or q(z|x, u)."""

    def __init__(
        self,
        frame: Frame,
        prior: nn.Module,
        encoder: Literal["x", "xu"],
        kl: Literal["closed", "mc"],
        condition: Condition,
    ) -> None:
        super().__init__()
        seen = (frame.shape[0] + frame.labels,) if encoder == "xu" else frame.shape
        self.posterior = Posterior(frame.encoder(seen, frame.d_z))
        self.prior = prior
        self.decoder = frame.decoder(frame.d_z, frame.shape)
        self.likelihood = frame.likelihood(frame.shape)
        self.encoder_sees_u = encoder == "xu"
        self.labels = frame.labels
        self.kl = kl
        self.condition = condition

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:
        """Paper, eqs 3 and 4: E log p(x|z) - KL[q(z|x, u) || p(z|u)], by one sample of z."""
        observed = self.likelihood.observe(x, noise)
        q = self.posterior(self._with_u(observed.seen, u), noise)
        z = sample(q, noise)
        p = self.prior(u)
        log_px = self.likelihood(self.decoder(z, noise)).log_prob(observed.scored)
        kl = kl_divergence(q, p) if self.kl == "closed" else q.log_prob(z) - p.log_prob(z)
        return self.condition.penalised(elbo(log_px, kl.sum(-1)), *self._of_every_u())

    def embed(self, x: Tensor, u: Tensor) -> Normal:
        """q(z|x), or q(z|x, u) where the encoder sees u."""
        q: Normal = self.posterior(self._with_u(self.likelihood.observe(x).seen, u))
        return q

    def remark(self) -> str:
        """Why the condition of the identifiability theorem is not watched; else empty."""
        return self.condition.remark()

    def diagnostics(self) -> Terms:
        """Rank and condition number of L."""
        return self.condition.diagnostics(*self._of_every_u())

    def project(self, noise: Noise) -> dict[str, Tensor]:
        """A table that fulfils the condition, if that is asked for."""
        if self.condition.mode != "project":
            return {}
        mu, log_var = self.condition.mended(*self._of_every_u(), noise)
        return {"prior.mu": mu, "prior.log_var": log_var}

    def marginal(self) -> DiagonalMixture:
        """p(z) with each value of u as likely as any other."""
        mu, log_var = self._of_every_u()
        return DiagonalMixture(torch.zeros_like(mu[:, 0]), mu, log_var)

    def _of_every_u(self) -> tuple[Tensor, Tensor]:
        """Means and log-variances of the prior, each (labels, d_z)."""
        if isinstance(self.prior, Table):
            return self.prior.mu, self.prior.log_var
        p = self.prior(torch.arange(self.labels, device=next(self.prior.parameters()).device))
        return p.loc, 2 * torch.log(p.scale)

    def _with_u(self, x: Tensor, u: Tensor) -> Tensor:
        return torch.cat([x, one_hot(u, self.labels)], dim=1) if self.encoder_sees_u else x


def build(
    frame: Frame,
    *,
    prior: Literal["table", "mlp"] = "table",
    prior_mean: Literal["learnt", "zero"] = "learnt",
    encoder: Literal["x", "xu"] = "x",
    kl: Literal["closed", "mc"] = "closed",
    identifiability: Mode = "track",
    alpha: float = ALPHA,
) -> Ivae:
    """An iVAE for one seed.

    Args:
        frame: what it is built around; it must have labels.
        prior: a look-up table over u, or a small net.
        prior_mean: whether the table's means are learnt, or held at 0 as in the reference code
            for synthetic data.
        encoder: what the encoder sees: x alone (Table B.2), or x and u (Khemakhem et al. 2020a).
        kl: the KL term in closed form, or by the one sample of z as the authors' code does.
        identifiability: whether condition (iv) of the identifiability theorem is only tracked, or
            the table mended by noise where it fails, or the objective penalised by the condition
            number of L.
        alpha: the weight of that penalty.

    Raises:
        IdkitError: when the data have no u.
        UsageError: when the encoder is to see u but reads images; when a net has no means to hold
            at 0, or no table to mend; when L cannot be built but something is to be done about it.
    """
    if not frame.labels:
        raise IdkitError("ivae needs labels: the data have no array 'u' (one integer per row)")
    if encoder == "xu" and len(frame.shape) > 1:
        raise UsageError(f"encoder=xu needs flat observations, found images {frame.shape}")
    if prior == "mlp" and prior_mean == "zero":
        raise UsageError("prior_mean=zero goes with prior=table")
    if identifiability == "project" and prior == "mlp":
        raise UsageError("identifiability=project goes with prior=table: a net cannot be mended")
    if identifiability != "track" and prior_mean == "zero":
        raise UsageError(
            f"identifiability={identifiability} needs prior_mean=learnt: with 0, L is singular"
        )
    condition = Condition(identifiability, frame.labels, frame.d_z, alpha)
    if prior == "mlp":
        return Ivae(frame, Conditional(frame.labels, frame.d_z), encoder, kl, condition)
    start: Start = "normal" if frame.images else "uniform"
    table = Table(frame.labels, frame.d_z, start=start, learn_mean=prior_mean == "learnt")
    return Ivae(frame, table, encoder, kl, condition)
