"""Likelihoods p(x|z), one file each: `build(shape)`.

A likelihood is a module. `observe(x, noise)` turns a stored batch into what the encoder reads and
what is scored; its forward pass turns the decoder's output into p(x|z), a torch Distribution over
the scored values with one event for each observation. A file may also hold `LIMITS`, the least and
the largest floating-point observation that it can score, or `BYTES = True` where it scores unsigned
bytes only.
"""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor
from torch.distributions import Distribution

from idkit.nets import Noise


@dataclass(frozen=True)
class Observed:
    """A batch as a model meets it.

    Attributes:
        seen: the encoder's input, (n, *shape).
        scored: the value whose likelihood is taken, (n, *shape).
    """

    seen: Tensor
    scored: Tensor


class Likelihood(Protocol):
    """What models ask of a likelihood."""

    def observe(self, x: Tensor, noise: Noise | None = None) -> Observed:
        """What of a stored batch is seen and what is scored."""
        ...

    def pixels(self, h: Tensor) -> Tensor:
        """The expected pixels in [0, 1], (n, *shape), of the decoder's output."""
        ...

    def constant(self, x: Tensor) -> Tensor:
        """The mean log p(x) in nats of a good prediction that is the same for every row.

        Args:
            x: observations as stored, (n, *shape), which it is made from.
        """
        ...

    def __call__(self, h: Tensor) -> Distribution:
        """p(x|z), with one event for each observation, of the decoder's output (n, *shape)."""
        ...
