"""p(x|z) = N(f(z), 0.01 I): real-valued data with a fixed, small variance."""

from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal

from idkit.densities.likelihoods import Observed
from idkit.errors import UsageError
from idkit.nets import Noise

VARIANCE = 0.01  # of the reference code for synthetic data (design, section 13)


class Gaussian(nn.Module):
    """Observations as they are; unsigned bytes are first mapped to [-0.5, 0.5]."""

    def __init__(self, shape: tuple[int, ...], variance: float) -> None:
        super().__init__()
        self.shape = shape
        self.scale = variance**0.5

    def observe(self, x: Tensor, noise: Noise | None = None) -> Observed:  # noqa: ARG002 - the room's signature
        """The stored values, for the encoder and for the likelihood alike."""
        values = x if x.is_floating_point() else x / 255 - 0.5
        return Observed(seen=values, scored=values)

    def pixels(self, h: Tensor) -> Tensor:
        """The expected pixels, (n, *shape), cut to [0, 1], where data were stored as bytes."""
        return (h + 0.5).clamp(0, 1)

    def constant(self, x: Tensor) -> Tensor:
        """The mean log p(x) with the mean of the rows as that of each, a scalar."""
        values = self.observe(x).scored.double()
        scores: Tensor = self(values.mean(0, keepdim=True)).log_prob(values)
        return scores.mean()

    def forward(self, h: Tensor) -> Distribution:
        """p(x|z), event shape `shape`, with the decoder's output (n, *shape) as its mean."""
        normal = Normal(h, self.scale, validate_args=False)
        return Independent(normal, len(self.shape), validate_args=False)


def build(shape: tuple[int, ...], *, variance: float = VARIANCE) -> Gaussian:
    """The likelihood for observations of a shape.

    Raises:
        UsageError: when the variance is not positive.
    """
    if variance <= 0:
        raise UsageError(f"variance is {variance}: it must be positive")
    return Gaussian(shape, variance)
