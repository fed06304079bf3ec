"""Convolutional nets whose latents form a grid, a quarter as wide and high as the image (App. D).

As the nets of the VQ-VAE that the paper used: 32 x 32 pixels become an 8 x 8 grid, 28 x 28 a 7 x 7.
"""

import torch
from torch import Tensor, nn

from idkit.errors import UsageError
from idkit.nets import BatchNorm, GridEncoder, Noise, Stack, image_size

SHRINKS = 4  # what the grid's sides are smaller by


class Residual(nn.Module):
    """A 3 x 3 and a 1 x 1 convolution, batch-normalised, beside the identity."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.path = Stack(
            *(nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1, bias=False)),
            *(BatchNorm(channels), nn.ReLU()),
            *(nn.Conv2d(channels, channels, 1, bias=False), BatchNorm(channels)),
        )

    def forward(self, h: Tensor) -> Tensor:
        """Images of the size and channels of h, (n, channels, height, width)."""
        result: Tensor = h + self.path(h)
        return result


class Encoder(GridEncoder):
    """Two convolutions of stride 2, two residual blocks, and d_z channels."""

    def __init__(self, shape: tuple[int, ...], d_z: int, width: int) -> None:
        super().__init__()
        channels, _, _ = _size(shape)
        self.trunk = Stack(
            nn.Conv2d(channels, width, 4, stride=2, padding=1, bias=False),
            *(BatchNorm(width), nn.ReLU()),
            *(nn.Conv2d(width, width, 4, stride=2, padding=1, bias=False), BatchNorm(width)),
            *(Residual(width), Residual(width), nn.Conv2d(width, d_z, 1)),
        )

    def forward(self, x: Tensor, noise: Noise | None = None) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - the room's signature
        """The grid and its scale 1, each (n, d_z, h, w), of images (n, channels, 4 h, 4 w)."""
        z = self.trunk(x)
        return z, torch.ones_like(z)


class Decoder(nn.Module):
    """The mirror of the encoder, with a linear last layer."""

    def __init__(self, d_z: int, shape: tuple[int, ...], width: int) -> None:
        super().__init__()
        channels, _, _ = _size(shape)
        self.trunk = Stack(
            *(nn.Conv2d(d_z, width, 1, bias=False), BatchNorm(width)),
            *(Residual(width), Residual(width)),
            nn.ConvTranspose2d(width, width, 4, stride=2, padding=1, bias=False),
            *(BatchNorm(width), nn.ReLU()),
            nn.ConvTranspose2d(width, width, 4, stride=2, padding=1, bias=False),
            *(BatchNorm(width), nn.ReLU(), nn.Conv2d(width, channels, 1)),
        )

    def forward(self, z: Tensor, noise: Noise | None = None) -> Tensor:  # noqa: ARG002 - the room's signature
        """What the likelihood reads, (n, channels, 4 h, 4 w), of a grid (n, d_z, h, w)."""
        h: Tensor = self.trunk(z)
        return h


def encoder(shape: tuple[int, ...], d_z: int, *, width: int = 256) -> nn.Module:
    """The encoder for images (channels, height, width), with `width` channels inside.

    Raises:
        UsageError: when observations are not images, or not of a size it can halve twice.
    """
    return Encoder(shape, d_z, width)


def decoder(d_z: int, shape: tuple[int, ...], *, width: int = 256) -> nn.Module:
    """The decoder for images (channels, height, width), with `width` channels inside.

    Raises:
        UsageError: when observations are not images, or not of a size it can halve twice.
    """
    return Decoder(d_z, shape, width)


def _size(shape: tuple[int, ...]) -> tuple[int, int, int]:
    channels, height, width = image_size(shape, arch="grid")
    if height % SHRINKS or width % SHRINKS:
        raise UsageError(
            f"grid halves images twice: their sides must be multiples of {SHRINKS}, found "
            f"{height} x {width}: choose another --arch"
        )
    return channels, height, width
