"""Architectures, one file each: `encoder(shape, d_z)` and `decoder(d_z, shape)`.

An encoder's forward pass takes observations, shape (n, *shape), and returns the location and the
scale (positive) of q(z|x), each (n, d_z). A decoder's takes latents (n, d_z) and returns what the
likelihood reads, (n, *shape). Both take the step's `Noise` behind, for layers that need some;
in eval mode none is asked for. Where the encoder is a `GridEncoder`, latents are (n, d_z, h, w).
"""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from idkit.errors import UsageError


class Noise(Protocol):
    """Where a forward pass gets its random numbers: from the stream of its own seed.

    Modules never draw from torch's global generator, since seeds trained side by side would then
    depend on one another.
    """

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Standard normal draws of a shape."""
        ...

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """Draws from U[0, 1) of a shape."""
        ...


class GridEncoder(nn.Module):
    """What an encoder is whose latents form a grid, (n, d_z, h, w), and no vector."""


class Dropout(nn.Module):
    """Sets each unit to 0 with probability `p` in training, and scales the others by 1 / (1 - p).

    torch's own layer draws from the global generator; this one takes the step's noise.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, h: Tensor, noise: Noise | None = None) -> Tensor:
        """Drops units of h, any shape, in training mode; in eval mode returns h."""
        if not self.training:
            return h
        if noise is None:
            raise ValueError("dropout in training mode needs noise")
        return h * (noise.uniform(h.shape) >= self.p) / (1 - self.p)


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation with its statistics in full, however rough the maps that come in."""

    def forward(self, h: Tensor) -> Tensor:
        """Maps of the shape of h, (n, channels, height, width), in the type of the parameters."""
        return super().forward(h.to(self.weight.dtype))


class Stack(nn.Module):
    """Layers one after the other, as `nn.Sequential`, handing noise to those that take it."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, h: Tensor, noise: Noise | None = None) -> Tensor:
        """The last layer's output."""
        for layer in self.layers:
            h = layer(h, noise) if isinstance(layer, Dropout) else layer(h)
        return h


class WeightNormConv(nn.Module):
    """A convolution of stride 1 that keeps the size: w = g v / |v| (Salimans & Kingma 2016).

    Written out since torch's own parametrization has no batching rule.

    Attributes:
        weight: v, the directions of the filters, (out, in, size, size).
        gain: g, the length of each filter, (out,); at first that of v.
        bias: (out,).
    """

    def __init__(self, channels: int, out: int, *, size: int) -> None:
        super().__init__()
        start = nn.Conv2d(channels, out, size)
        self.padding = size // 2
        self.weight = nn.Parameter(start.weight.detach())
        self.gain = nn.Parameter(_lengths(start.weight.detach()))
        self.bias = nn.Parameter(torch.zeros(out))

    def forward(self, h: Tensor) -> Tensor:
        """Images (n, out, height, width) of images (n, in, height, width)."""
        if self.weight.is_contiguous():
            h = h.contiguous()  # maps take the layout of the filters, which are often the larger
        rescaled = (self.gain / _lengths(self.weight)).view(-1, 1, 1, 1)
        return nn.functional.conv2d(h, self.weight * rescaled, self.bias, padding=self.padding)


def _lengths(filters: Tensor) -> Tensor:
    """The length of each filter, (out,)."""
    lengths: Tensor = torch.linalg.vector_norm(filters, dim=(1, 2, 3))
    return lengths


def image_size(shape: tuple[int, ...], *, arch: str) -> tuple[int, int, int]:
    """Channels, height and width of observations of a shape.

    Args:
        shape: of one observation.
        arch: which net asks, for the message.

    Raises:
        UsageError: when they are not images.
    """
    if len(shape) != 3:
        raise UsageError(
            f"{arch} reads images (channels, height, width), the data have rows of shape {shape}: "
            "choose another --arch"
        )
    return shape[0], shape[1], shape[2]


def scale_from_variance(raw: Tensor) -> Tensor:
    """The standard deviation whose square is softplus(raw): always positive, any shape.

    The floor keeps a variance that underflows in float32 from becoming 0.
    """
    return torch.sqrt(nn.functional.softplus(raw) + SMALLEST_VARIANCE)


SMALLEST_VARIANCE = 1e-8  # far below any posterior variance seen in training
