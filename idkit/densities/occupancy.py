"""How much each component of a mixture is used: shares that follow training."""

import torch
from torch import Tensor, nn

PACE = 0.01  # weight of a batch in the long run; the shares look back over some 200 of them


class Occupancy(nn.Module):
    """The mean responsibility of each component, as batch normalisation keeps its running means.

    The first batches weigh alike, so that a short training is told as it was. `share` and `batches`
    are buffers: they are seen by nothing that learns, and stay with the weights.
    """

    share: Tensor
    batches: Tensor

    def __init__(self, components: int) -> None:
        super().__init__()
        self.register_buffer("share", torch.full((components,), 1 / components))
        self.register_buffer("batches", torch.zeros(()))

    def forward(self, responsibilities: Tensor) -> Tensor:
        """Takes a batch in, in training mode.

        Args:
            responsibilities: q(u|x), (..., components), rows summing to 1.

        Returns:
            Their mean entropy in nats, in [0, log K]: 0 where each x has one component.
        """
        known = responsibilities.detach()
        if self.training:
            self.batches.add_(1)
            weight = torch.clamp(1 / self.batches, min=PACE)
            self.share.add_(weight * (known.flatten(0, -2).mean(0) - self.share))
        return entropy(known).mean()

    def diagnostics(self) -> dict[str, Tensor]:
        """`perplexity`, the effective number of components: exp of the entropy of the shares."""
        return {"perplexity": torch.exp(entropy(self.share))}


def entropy(p: Tensor) -> Tensor:
    """Entropy in nats of probabilities (..., K), shape (...)."""
    terms: Tensor = torch.special.entr(p)
    return terms.sum(-1)
