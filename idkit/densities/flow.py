"""The invertible map of a density by change of variables: an autoregressive flow (App. F).

Papamakarios et al. (2017) for the affine flow, Durkan et al. (2019) for the spline; by zuko.
"""

from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.distributions import AffineTransform
from zuko.flows import MaskedAutoregressiveTransform
from zuko.transforms import MonotonicRQSTransform

Step = Literal["affine", "spline"]
BINS = 8  # of a spline, on [-5, 5]; zuko's own number
PER_DIMENSION = {"affine": 2, "spline": 3 * BINS - 1}  # what the net of a layer gives for each


class Flow(nn.Module):
    """z = f^-1(x) and the volume that the map stretches by, an autoregressive map in each layer.

    Layers see dimensions in ascending and descending order by turns. x is standardised first, a
    part of f with a determinant of its own: splines act on [-5, 5] only.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, d: int, *, layers: int, hidden: int, transform: Step) -> None:
        """Builds the flow.

        Args:
            d: dimensions, at least 2.
            layers: autoregressive layers.
            hidden: width of the two hidden layers of the net in each.
            transform: how a dimension is moved, given those before it.
        """
        super().__init__()
        made = partial(MaskedAutoregressiveTransform, d, hidden_features=(hidden, hidden))
        if transform == "spline":
            shapes = [(BINS,), (BINS,), (BINS - 1,)]
            made = partial(made, univariate=MonotonicRQSTransform, shapes=shapes)
        ascending = torch.arange(d)
        orders = (ascending, ascending.flip(0))
        self.layers = nn.ModuleList(made(order=orders[n % 2]) for n in range(layers))
        self.register_buffer("mean", torch.zeros(d))
        self.register_buffer("scale", torch.ones(d))

    def standardise(self, x: Tensor) -> None:
        """Takes mean and standard deviation from rows (n, d); a constant column keeps scale 1."""
        deviation = x.double().std(0, correction=0)
        self.mean.copy_(x.double().mean(0))
        self.scale.copy_(torch.where(deviation > 0, deviation, 1.0))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Latents z = f^-1(x), (n, d), and log |det dz/dx|, (n,), of observations x (n, d)."""
        volume = torch.zeros_like(x[:, 0])
        for transform in self._transforms():
            x, step = transform.call_and_ladj(x)
            volume = volume + step
        return x, volume

    def _transforms(self) -> list[Any]:
        """What leads from x to z, in this order; each is called as zuko's transforms are."""
        scaled = AffineTransform(-self.mean / self.scale, 1 / self.scale, event_dim=1)
        return [scaled, *(layer() for layer in self.layers)]
