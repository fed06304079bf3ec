"""The fully connected nets of Table B.2, for images."""

from math import prod

import torch
from torch import Tensor, nn

from idkit.nets import Dropout, Noise, Stack, scale_from_variance

WIDTHS = (512, 384, 256, 256)
SLOPE = 0.1
DROPOUT = 0.1


class Encoder(nn.Module):
    """One trunk, two heads: mu(x) and sigma(x), the variance through a softplus."""

    def __init__(self, d_x: int, d_z: int) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        self.trunk = Stack(
            *(nn.Linear(d_x, a), nn.LeakyReLU(SLOPE)),
            *(nn.Linear(a, b), nn.LeakyReLU(SLOPE), Dropout(DROPOUT)),
            *(nn.Linear(b, c), nn.LeakyReLU(SLOPE)),
            *(nn.Linear(c, d), nn.LeakyReLU(SLOPE)),
        )
        self.mu = nn.Linear(d, d_z)
        self.sigma = nn.Linear(d, d_z)

    def forward(self, x: Tensor, noise: Noise | None = None) -> tuple[Tensor, Tensor]:
        """Location and scale, each (n, d_z), of observations (n, ...)."""
        h = self.trunk(x.flatten(1), noise)
        return self.mu(h), scale_from_variance(self.sigma(h))


class Decoder(nn.Module):
    """The mirror of the trunk, with a linear last layer."""

    def __init__(self, d_z: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        a, b, c, d = reversed(WIDTHS)
        self.shape = shape
        self.trunk = Stack(
            *(nn.Linear(d_z, a), nn.LeakyReLU(SLOPE)),
            *(nn.Linear(a, b), nn.LeakyReLU(SLOPE), Dropout(DROPOUT)),
            *(nn.Linear(b, c), nn.LeakyReLU(SLOPE)),
            *(nn.Linear(c, d), nn.LeakyReLU(SLOPE)),
            nn.Linear(d, prod(shape)),
        )

    def forward(self, z: Tensor, noise: Noise | None = None) -> Tensor:
        """What the likelihood reads, (n, *shape), of latents (n, d_z)."""
        return torch.unflatten(self.trunk(z, noise), 1, self.shape)


def encoder(shape: tuple[int, ...], d_z: int) -> nn.Module:
    """The encoder of Table B.2 for observations of any shape."""
    return Encoder(prod(shape), d_z)


def decoder(d_z: int, shape: tuple[int, ...]) -> nn.Module:
    """The decoder of Table B.2 for observations of any shape."""
    return Decoder(d_z, shape)
