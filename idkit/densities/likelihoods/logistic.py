"""p(x|z): a logistic density over each grey level's bin, for images in colour.

Kingma et al. (2016), section C.5 of the appendix.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, constraints

from idkit.densities.likelihoods import Observed
from idkit.errors import IdkitError
from idkit.nets import Noise

LEVELS = 256
BYTES = True
BIN = 1 / LEVELS
LARGEST_MEAN = 0.5 - BIN / 2  # the centre of the last bin
WIDTHS = (-3, 0, 13)  # of scales that a constant prediction chooses from: powers of 10, and count
SMALLEST_U = 1e-7  # keeps the quantile of a uniform draw finite in float32
Edges = Literal["tails", "none"]


class DiscretizedLogistic(Distribution):
    """Grey levels k = 0 ... 255 with the mass that a logistic density has on the bin of each.

    P(k) = F(y_k + 1/512) - F(y_k - 1/512), where y_k = (k + 0.5) / 256 - 0.5 and F(y) =
    sigmoid((y - mu) / sigma). Every bin has the same width, and k/255 would not be the centre of
    any. With `tails` the first and the last bin reach to infinity, so that masses sum to 1; with
    `none`, as printed in the source, they sum to F(0.5) - F(-0.5).
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012 - torch's
    support = constraints.integer_interval(0, LEVELS - 1)

    def __init__(
        self, loc: Tensor, scale: Tensor, *, edges: Edges, validate_args: bool | None = None
    ) -> None:
        self.loc, self.scale = torch.broadcast_tensors(loc, scale)
        self.edges = edges
        self._width = BIN / scale  # of a bin in units of the scale; small where scale is shared
        super().__init__(self.loc.shape, validate_args=validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        """Log P(k), in log space throughout.

        With a and b a bin's bounds in units of the scale, sigmoid(a) - sigmoid(b) =
        sigmoid(a) sigmoid(-b) (1 - exp(b - a)), where a - b is the same for every bin.
        """
        if self._validate_args:
            self._validate_sample(value)
        lower = (value / LEVELS - 0.5 - self.loc) / self.scale
        below = nn.functional.logsigmoid(lower + self._width)
        above = nn.functional.logsigmoid(-lower)
        inside = torch.log(-torch.expm1(-self._width))
        if self.edges == "none":
            return below + above + inside
        first, last = value == 0, value == LEVELS - 1
        return (
            torch.where(last, 0.0, below)
            + torch.where(first, 0.0, above)
            + torch.where(first | last, 0.0, inside)
        )

    @property
    def mean(self) -> Tensor:
        """The mean grey level, by the masses of all 256; they are first made to sum to 1."""
        levels = torch.arange(LEVELS, dtype=self.loc.dtype, device=self.loc.device)
        levels = levels.view(-1, *(1 for _ in self.batch_shape))
        share = torch.softmax(self.log_prob(levels), dim=0)
        return (levels * share).sum(0)

    @torch.no_grad()
    def sample(self, sample_shape: torch.Size | list[int] | tuple[int, ...] = ()) -> Tensor:
        """Grey levels by the inverse of F; with `none` from the part between the outer edges."""
        u = torch.rand(self._extended_shape(torch.Size(sample_shape)), device=self.loc.device)
        if self.edges == "none":
            low, high = (torch.sigmoid((y - self.loc) / self.scale) for y in (-0.5, 0.5))
            u = low + (high - low) * u
        y = self.loc + self.scale * torch.logit(u, eps=SMALLEST_U)
        return torch.floor((y + 0.5) * LEVELS).clamp(0, LEVELS - 1)


class Logistic(nn.Module):
    """Decoder outputs as locations, held inside the outer bins' centres, and one learnt scale."""

    def __init__(self, shape: tuple[int, ...], edges: Edges) -> None:
        super().__init__()
        self.shape = shape
        self.edges: Edges = edges
        self.log_scale = nn.Parameter(torch.zeros(()))

    def observe(self, x: Tensor, noise: Noise | None = None) -> Observed:  # noqa: ARG002 - the room's signature
        """Grey levels for the likelihood; pixels in [-0.5, 0.5] for the encoder.

        Raises:
            IdkitError: when pixels are not unsigned bytes.
        """
        if x.is_floating_point():
            raise IdkitError(
                "likelihood logistic scores grey levels 0 to 255 stored as uint8, the data are "
                "floats: store uint8, or use --likelihood gaussian"
            )
        levels = x.float()
        return Observed(seen=levels / (LEVELS - 1) - 0.5, scored=levels)

    def pixels(self, h: Tensor) -> Tensor:
        """The expected pixels in [0, 1], (n, *shape), of the decoder's output."""
        levels: Tensor = self(h).mean
        return levels / (LEVELS - 1)

    def constant(self, x: Tensor) -> Tensor:
        """The mean log p(x) with one location a pixel, and the best of some scales, a scalar."""
        levels = self.observe(x).scored
        loc = ((levels + 0.5) / LEVELS - 0.5).mean(0, keepdim=True)
        every = [
            DiscretizedLogistic(loc, scale, edges=self.edges, validate_args=False)
            for scale in torch.logspace(*WIDTHS)
        ]
        return torch.stack([p.log_prob(levels).flatten(1).sum(1).mean() for p in every]).max()

    def forward(self, h: Tensor) -> Distribution:
        """p(x|z), event shape `shape`, with the decoder's output (n, *shape) as its location."""
        loc = h.clamp(-LARGEST_MEAN, LARGEST_MEAN)
        logistic = DiscretizedLogistic(
            loc, torch.exp(self.log_scale), edges=self.edges, validate_args=False
        )
        return Independent(logistic, len(self.shape), validate_args=False)


def build(shape: tuple[int, ...], *, edges: Edges = "tails") -> Logistic:
    """The likelihood for observations of a shape.

    Args:
        shape: of one observation.
        edges: whether the outer bins reach to infinity, so that masses sum to 1, or are as wide
            as any.
    """
    return Logistic(shape, edges)
