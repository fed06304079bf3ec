"""The relaxed vector-quantised VAE: a codebook as a mixture over a grid of latents (App. D).

Sønderby et al. (2017) relax van den Oord et al. (2017): the posterior over codes is the
responsibilities of a mixture with identity covariance instead of the one nearest code.
"""

from typing import Any

from torch import Tensor, nn

from idkit.densities.codebook import Codebook
from idkit.densities.occupancy import Occupancy
from idkit.errors import UsageError
from idkit.models import Frame, Terms, elbo
from idkit.nets import GridEncoder, Noise


class RvqVae(nn.Module):
    """p(u) uniform, q(u|x) = p(u|z) of each position of the grid z = f(x)."""

    def __init__(
        self, frame: Frame, encoder: GridEncoder, codebook: Codebook, temperature: float
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.codebook = codebook
        self.occupancy = Occupancy(len(codebook.codes))
        self.decoder = frame.decoder(frame.d_z, frame.shape)
        self.likelihood = frame.likelihood(frame.shape)
        self.temperature = temperature

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:  # noqa: ARG002 - u is learnt
        """E log p(x|e_u) - KL[q(u|x) || p(u)], by one relaxed sample of the codes.

        The KL is summed over the grid; `entropy` is that of q(u|x) at one position.
        """
        observed = self.likelihood.observe(x, noise)
        z, _ = self.encoder(observed.seen, noise)
        q = self.codebook(z.movedim(1, -1))
        quantised = self.codebook.relaxed(q, self.temperature, noise).movedim(-1, 1)
        log_px = self.likelihood(self.decoder(quantised, noise)).log_prob(observed.scored)
        terms = elbo(log_px, self.codebook.excess(q).sum((1, 2)))
        return {**terms, "entropy": self.occupancy(q.probs)}

    def embed(self, x: Tensor, u: Tensor) -> Tensor:  # noqa: ARG002 - u is learnt
        """The grid of latents before it is quantised, (n, d_z, h, w)."""
        z: Tensor = self.encoder(self.likelihood.observe(x).seen)[0]
        return z

    def quantised(self, z: Tensor) -> Tensor:
        """The expected code of each position, (n, d_z, h, w), of latents of that shape."""
        codes: Tensor = self.codebook(z.movedim(1, -1)).probs @ self.codebook.codes
        return codes.movedim(-1, 1)

    def responsibilities(self, x: Tensor) -> Tensor:
        """q(u|x) of each position, (n, h, w, codes), rows summing to 1."""
        probabilities: Tensor = self.codebook(self.embed(x, x).movedim(1, -1)).probs
        return probabilities

    def diagnostics(self) -> Terms:
        """How many codes are in use."""
        return self.occupancy.diagnostics()

    def remark(self) -> str:
        """Nothing: a codebook has no variances, so the identifiability theorem says nothing."""
        return ""

    def project(self, noise: Noise) -> dict[str, Tensor]:  # noqa: ARG002
        """Nothing."""
        return {}


def recipe(shape: tuple[int, ...]) -> dict[str, Any]:  # noqa: ARG001 - the room's signature
    """What it is trained with (design, section 13)."""
    return {"arch": "grid", "batch_size": 128, "epochs": 400, "steps": None, "lr": {"": 5e-4}}


def build(frame: Frame, *, codes: int = 128, temperature: float = 0.5) -> RvqVae:
    """A relaxed VQ-VAE for one seed.

    Args:
        frame: what it is built around.
        codes: the number K of codes.
        temperature: of the relaxed samples; towards 0 they become single codes.

    Raises:
        UsageError: when there is no code or no temperature, or the latents of the net do not form
            a grid.
    """
    if codes < 1:
        raise UsageError(f"codes is {codes}: a codebook needs at least one")
    if not 0 < temperature < float("inf"):
        raise UsageError(f"temperature is {temperature}: it must be above 0")
    encoder = frame.encoder(frame.shape, frame.d_z)
    if not isinstance(encoder, GridEncoder):
        raise UsageError("the latents of an rvqvae form a grid: leave out --arch")
    return RvqVae(frame, encoder, Codebook(codes, frame.d_z), temperature)
