"""A mixture whose component is a hash of x: the sign pattern of a fixed random projection (App. E).

The paper's check on VaDE: u is imposed by the data and chance instead of being learnt.
"""

from math import prod

import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from idkit.densities.identifiability import ALPHA, Condition, Mode
from idkit.densities.mixture import DiagonalMixture
from idkit.densities.normal import Posterior, Start, Table, one_hot
from idkit.densities.occupancy import Occupancy
from idkit.errors import UsageError
from idkit.models import Frame, Terms, elbo, sample
from idkit.nets import Noise

MOST_BITS = 16  # 65,536 components; more would not fit into memory


class Hash(nn.Module):
    """u(x) = sum_i 2^i b_i, b_i = 1 where h_i >= 0, h = A (x - mean), A of random signs (E.1-E.3).

    Departures, since the paper is silent: x is centred by the mean of the training rows, without
    which the code follows brightness; sign(0) = +1.
    """

    projection: Tensor
    mean: Tensor

    def __init__(self, bits: int, d_x: int) -> None:
        super().__init__()
        self.register_buffer("projection", 2.0 * torch.randint(2, (bits, d_x)) - 1)
        self.register_buffer("mean", torch.zeros(d_x))

    def forward(self, x: Tensor) -> Tensor:
        """Codes in [0, 2^bits), (n,) int64, of observations as stored (n, ...)."""
        # in double, which no --precision touches: embed and train must agree on the code
        h = (x.flatten(1).double() - self.mean) @ self.projection.double().mT
        powers = 2 ** torch.arange(len(self.projection), device=x.device)
        return ((h >= 0) * powers).sum(-1)


class Rademacher(nn.Module):
    """p(u) learnt, p(z|u) = N(mu_u, diag sigma_u^2), q(u|x) one-hot on the hash of x."""

    def __init__(self, frame: Frame, bits: int, condition: Condition) -> None:
        super().__init__()
        start: Start = "normal" if frame.images else "uniform"
        self.posterior = Posterior(frame.encoder(frame.shape, frame.d_z))
        self.decoder = frame.decoder(frame.d_z, frame.shape)
        self.likelihood = frame.likelihood(frame.shape)
        self.logits = nn.Parameter(torch.zeros(2**bits))
        self.prior = Table(2**bits, frame.d_z, start=start)
        self.hash = Hash(bits, prod(frame.shape))
        self.occupancy = Occupancy(2**bits)
        self.condition = condition

    def survey(self, x: Tensor, u: Tensor, generator: torch.Generator) -> None:  # noqa: ARG002
        """Takes the mean of the training rows."""
        self.hash.mean.copy_(x.flatten(1).mean(0, dtype=torch.float64))

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:  # noqa: ARG002 - u is hashed
        """Paper, eq. 4: E log p(x|z) - KL[q(z|x) || p(z|u(x))] + log p(u(x)), by one sample of z.

        The last term is the rest of KL[q(z, u|x) || p(z, u)]. What the components have come to be
        in z is told by p(u|z) at the posterior mean: its `entropy`, and as `agreement` its mean
        for the code that x has, in [0, 1], 1 where z determines the code.
        """
        code = self.hash(x)
        observed = self.likelihood.observe(x, noise)
        q = self.posterior(observed.seen, noise)
        log_px = self.likelihood(self.decoder(sample(q, noise), noise)).log_prob(observed.scored)
        log_pu = torch.log_softmax(self.logits, -1)[code]
        terms = elbo(log_px, kl_divergence(q, self.prior(code)).sum(-1) - log_pu)
        by_z = self._components_of(q.loc.detach())
        terms["entropy"] = self.occupancy(by_z)
        terms["agreement"] = (by_z.detach() * one_hot(code, len(self.logits))).sum(-1).mean()
        return self.condition.penalised(terms, self.prior.mu, self.prior.log_var)

    def embed(self, x: Tensor, u: Tensor) -> Normal:  # noqa: ARG002 - u is hashed
        """q(z|x)."""
        q: Normal = self.posterior(self.likelihood.observe(x).seen)
        return q

    def remark(self) -> str:
        """Why the condition of the identifiability theorem is not watched; else empty."""
        return self.condition.remark()

    def diagnostics(self) -> Terms:
        """How many components are in use; rank and condition number of L."""
        found = self.condition.diagnostics(self.prior.mu, self.prior.log_var)
        return self.occupancy.diagnostics() | found

    def project(self, noise: Noise) -> dict[str, Tensor]:
        """Components that fulfil the condition, if that is asked for."""
        if self.condition.mode != "project":
            return {}
        mu, log_var = self.condition.mended(self.prior.mu, self.prior.log_var, noise)
        return {"prior.mu": mu, "prior.log_var": log_var}

    def marginal(self) -> DiagonalMixture:
        """p(z), with the learnt p(u)."""
        return DiagonalMixture(self.logits, self.prior.mu, self.prior.log_var)

    def responsibilities(self, x: Tensor) -> Tensor:
        """p(u|z) at the posterior mean, (n, components), rows summing to 1; q(u|x) is the hash."""
        return self._components_of(self.embed(x, x).loc)

    def _components_of(self, z: Tensor) -> Tensor:
        return torch.softmax(self.marginal().log_prob_components(z), -1)


def build(
    frame: Frame, *, bits: int = 7, identifiability: Mode = "track", alpha: float = ALPHA
) -> Rademacher:
    """A Rademacher-hashed mixture for one seed; the projection is drawn with the parameters.

    Args:
        frame: what it is built around.
        bits: N, for K = 2^N components.
        identifiability: whether condition (iv) of the identifiability theorem is only tracked, or
            the components mended by noise where it fails, or the objective penalised by the
            condition number of L.
        alpha: the weight of that penalty.

    Raises:
        UsageError: when the number of bits is not between 1 and 16, or makes too few components
            for what is to be done about L.
    """
    if not 1 <= bits <= MOST_BITS:
        raise UsageError(f"bits is {bits}: from 1 to {MOST_BITS} of them make 2^bits components")
    return Rademacher(frame, bits, Condition(identifiability, 2**bits, frame.d_z, alpha))
