"""The 3-layer perceptrons of Appendix A, for synthetic data."""

from math import prod

import torch
from torch import Tensor, nn

from idkit.errors import UsageError
from idkit.nets import Noise, Stack

SLOPE = 0.1
TIMES_DX = 2  # default width of the hidden layers in units of d_x, as the reference code


def perceptron(inputs: int, hidden: int, outputs: int) -> Stack:
    """Three linear layers with LeakyReLU between them."""
    return Stack(
        *(nn.Linear(inputs, hidden), nn.LeakyReLU(SLOPE)),
        *(nn.Linear(hidden, hidden), nn.LeakyReLU(SLOPE)),
        nn.Linear(hidden, outputs),
    )


class Encoder(nn.Module):
    """Two separate nets: mu(x) and the logarithm of sigma(x) squared."""

    def __init__(self, d_x: int, d_z: int, hidden: int) -> None:
        super().__init__()
        self.mu = perceptron(d_x, hidden, d_z)
        self.log_var = perceptron(d_x, hidden, d_z)

    def forward(self, x: Tensor, noise: Noise | None = None) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - the room's signature
        """Location and scale, each (n, d_z), of observations (n, ...)."""
        x = x.flatten(1)
        return self.mu(x), torch.exp(self.log_var(x) / 2)


class Decoder(nn.Module):
    """One net from latents to observations."""

    def __init__(self, d_z: int, shape: tuple[int, ...], hidden: int) -> None:
        super().__init__()
        self.shape = shape
        self.mean = perceptron(d_z, hidden, prod(shape))

    def forward(self, z: Tensor, noise: Noise | None = None) -> Tensor:  # noqa: ARG002 - the room's signature
        """What the likelihood reads, (n, *shape), of latents (n, d_z)."""
        return torch.unflatten(self.mean(z), 1, self.shape)


def encoder(shape: tuple[int, ...], d_z: int, *, hidden: int | None = None) -> nn.Module:
    """The encoder, `hidden` units wide (None: twice the number of observed dimensions)."""
    return Encoder(prod(shape), d_z, _width(shape, hidden))


def decoder(d_z: int, shape: tuple[int, ...], *, hidden: int | None = None) -> nn.Module:
    """The decoder, `hidden` units wide (None: twice the number of observed dimensions)."""
    return Decoder(d_z, shape, _width(shape, hidden))


def _width(shape: tuple[int, ...], hidden: int | None) -> int:
    if hidden is not None and hidden < 1:
        raise UsageError(f"hidden is {hidden}: a layer needs at least one unit")
    return TIMES_DX * prod(shape) if hidden is None else hidden
