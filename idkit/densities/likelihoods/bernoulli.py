"""p(x|z) = Bernoulli(f(z)): black-and-white images from grey ones."""

from typing import Literal

from torch import Tensor, nn
from torch.distributions import Bernoulli as Binary
from torch.distributions import Distribution, Independent

from idkit.densities.likelihoods import Observed
from idkit.nets import Noise

Binarize = Literal["dynamic", "none"]
LIMITS = (0.0, 1.0)
SMALLEST_SHARE = 1e-6  # of white rows, which keeps the logits of a constant prediction finite


class Bernoulli(nn.Module):
    """Grey values are probabilities of white, drawn afresh in each training batch.

    In eval mode the grey values themselves are seen and scored: a representation must not depend
    on fresh noise (design, section 13).
    """

    def __init__(self, shape: tuple[int, ...], binarize: Binarize) -> None:
        super().__init__()
        self.shape = shape
        self.binarize = binarize

    def observe(self, x: Tensor, noise: Noise | None = None) -> Observed:
        """Pixels in [0, 1] for the likelihood; the same less one half for the encoder."""
        grey = x if x.is_floating_point() else x / 255
        if self.training and self.binarize == "dynamic":
            if noise is None:
                raise ValueError("binarising a training batch needs noise")
            grey = (noise.uniform(grey.shape) < grey).to(grey.dtype)
        return Observed(seen=grey - 0.5, scored=grey)

    def pixels(self, h: Tensor) -> Tensor:
        """The expected pixels in [0, 1], (n, *shape), of the decoder's output."""
        return h.sigmoid()

    def constant(self, x: Tensor) -> Tensor:
        """The expected mean log p(x) with the mean grey of each pixel for every row, a scalar."""
        grey = (x if x.is_floating_point() else x / 255).double()
        logits = grey.mean(0, keepdim=True).logit(eps=SMALLEST_SHARE)
        scores: Tensor = self(logits).log_prob(grey)
        return scores.mean()

    def forward(self, h: Tensor) -> Distribution:
        """p(x|z), event shape `shape`, with the decoder's output (n, *shape) as its logits."""
        binary = Binary(logits=h, validate_args=False)
        return Independent(binary, len(self.shape), validate_args=False)


def build(shape: tuple[int, ...], *, binarize: Binarize = "dynamic") -> Bernoulli:
    """The likelihood for observations of a shape."""
    return Bernoulli(shape, binarize)
