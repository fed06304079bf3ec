"""The autoencoder beside the rVQ-VAE: the grid goes to the decoder as it is (App. D)."""

from typing import Any

from torch import Tensor, nn

from idkit.errors import UsageError
from idkit.models import Frame, Terms
from idkit.nets import GridEncoder, Noise


class Ae(nn.Module):
    """No prior: z = f(x), p(x|z)."""

    def __init__(self, frame: Frame, encoder: GridEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = frame.decoder(frame.d_z, frame.shape)
        self.likelihood = frame.likelihood(frame.shape)

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:  # noqa: ARG002 - unsupervised
        """Log p(x|z)."""
        observed = self.likelihood.observe(x, noise)
        z, _ = self.encoder(observed.seen, noise)
        log_px = self.likelihood(self.decoder(z, noise)).log_prob(observed.scored)
        return {"objective": log_px.mean()}

    def embed(self, x: Tensor, u: Tensor) -> Tensor:  # noqa: ARG002 - unsupervised
        """The grid of latents, (n, d_z, h, w)."""
        z: Tensor = self.encoder(self.likelihood.observe(x).seen)[0]
        return z


def recipe(shape: tuple[int, ...]) -> dict[str, Any]:  # noqa: ARG001 - the room's signature
    """What the rVQ-VAE is trained with (design, section 13), so that only the codes differ."""
    return {"arch": "grid", "batch_size": 128, "epochs": 400, "steps": None, "lr": {"": 5e-4}}


def build(frame: Frame) -> Ae:
    """An autoencoder for one seed.

    Raises:
        UsageError: when the latents of the net do not form a grid.
    """
    encoder = frame.encoder(frame.shape, frame.d_z)
    if not isinstance(encoder, GridEncoder):
        raise UsageError("the latents of an ae form a grid: leave out --arch")
    return Ae(frame, encoder)
