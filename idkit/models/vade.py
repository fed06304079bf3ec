"""The variational deep embedding: a VAE whose prior is a learnt mixture (Jiang et al. 2017)."""

from torch import Tensor, nn
from torch.distributions import Normal

from idkit.densities.identifiability import ALPHA, Condition, Mode
from idkit.densities.mixture import DiagonalMixture, Mixture
from idkit.densities.normal import Posterior, Start
from idkit.densities.occupancy import Occupancy
from idkit.errors import UsageError
from idkit.models import Frame, Terms, elbo, sample
from idkit.nets import Noise


class Vade(nn.Module):
    """p(z) = sum_u p(u) N(z | mu_u, diag sigma_u^2); q(u|x) are the responsibilities of z."""

    def __init__(self, frame: Frame, mixture: Mixture, condition: Condition) -> None:
        super().__init__()
        self.posterior = Posterior(frame.encoder(frame.shape, frame.d_z))
        self.mixture = mixture
        self.occupancy = Occupancy(len(mixture.logits))
        self.decoder = frame.decoder(frame.d_z, frame.shape)
        self.likelihood = frame.likelihood(frame.shape)
        self.condition = condition

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:  # noqa: ARG002 - u is learnt
        """Paper, eq. 6: log p(x|z) + log p(z) - log q(z|x), by one sample of z.

        With q(u|x) = p(u|z) built from that same sample, the KL term of eq. 5 over u is 0
        (Falck et al. 2021). `entropy` is that of q(u|x) at the posterior mean: the noise of the
        sample tells no rows apart.
        """
        observed = self.likelihood.observe(x, noise)
        q = self.posterior(observed.seen, noise)
        z = sample(q, noise)
        log_px = self.likelihood(self.decoder(z, noise)).log_prob(observed.scored)
        kl = q.log_prob(z).sum(-1) - self.mixture().log_prob(z)
        terms = elbo(log_px, kl)
        terms["entropy"] = self.occupancy(self.mixture.responsibilities(q.loc.detach()))
        return self.condition.penalised(terms, self.mixture.mu, self.mixture.log_var)

    def embed(self, x: Tensor, u: Tensor) -> Normal:  # noqa: ARG002 - u is learnt
        """q(z|x)."""
        q: Normal = self.posterior(self.likelihood.observe(x).seen)
        return q

    def remark(self) -> str:
        """Why the condition of the identifiability theorem is not watched; else empty."""
        return self.condition.remark()

    def diagnostics(self) -> Terms:
        """How many components are in use; rank and condition number of L."""
        found = self.condition.diagnostics(self.mixture.mu, self.mixture.log_var)
        return self.occupancy.diagnostics() | found

    def project(self, noise: Noise) -> dict[str, Tensor]:
        """Components that fulfil the condition, if that is asked for."""
        if self.condition.mode != "project":
            return {}
        mu, log_var = self.condition.mended(self.mixture.mu, self.mixture.log_var, noise)
        return {"mixture.mu": mu, "mixture.log_var": log_var}

    def marginal(self) -> DiagonalMixture:
        """p(z)."""
        mixture: DiagonalMixture = self.mixture()
        return mixture

    def responsibilities(self, x: Tensor) -> Tensor:
        """q(u|x) at the posterior mean, (n, components), rows summing to 1."""
        return self.mixture.responsibilities(self.embed(x, x).loc)


def build(
    frame: Frame,
    *,
    components: int = 40,
    identifiability: Mode = "track",
    alpha: float = ALPHA,
) -> Vade:
    """A VaDE for one seed.

    Args:
        frame: what it is built around.
        components: the number K of mixture components.
        identifiability: whether condition (iv) of the identifiability theorem is only tracked, or
            the components mended by noise where it fails, or the objective penalised by the
            condition number of L.
        alpha: the weight of that penalty.

    Raises:
        UsageError: when there is no component, or too few for what is to be done about L.
    """
    if components < 1:
        raise UsageError(f"components is {components}: a mixture needs at least one")
    start: Start = "normal" if frame.images else "uniform"
    condition = Condition(identifiability, components, frame.d_z, alpha)
    return Vade(frame, Mixture(components, frame.d_z, start=start), condition)
