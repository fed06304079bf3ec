"""Adam (Kingma & Ba 2015) over flat parameters of many seeds, a step size for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor
from torch.optim.adam import adam

BETA1, BETA2 = 0.9, 0.999
EPSILON = 1e-8  # keeps the step finite where the gradient has always been 0, as in torch


@dataclass
class Moments:
    """The running moments of the gradients.

    Attributes:
        first: of the gradient, (seeds, parameters).
        second: of its square, (seeds, parameters).
        count: steps done, a scalar tensor, so that a compiled step need not be rebuilt.
    """

    first: Tensor
    second: Tensor
    count: Tensor

    @classmethod
    def zeros(cls, flat: Tensor) -> "Moments":
        """The moments before the first step, for parameters (seeds, parameters)."""
        count = torch.zeros((), device=flat.device)
        return cls(torch.zeros_like(flat), torch.zeros_like(flat), count)


def descend(flat: Tensor, gradient: Tensor, moments: Moments, lr: Tensor) -> None:
    """One step of every seed, in place.

    Args:
        flat: parameters, (seeds, parameters).
        gradient: of the loss, the same shape.
        moments: the running moments.
        lr: step size of each seed, (seeds,).
    """
    moments.count += 1
    moments.first.lerp_(gradient, 1 - BETA1)
    moments.second.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
    correction1 = -torch.expm1(moments.count * log(BETA1))  # 1 - beta^count, to full precision
    correction2 = -torch.expm1(moments.count * log(BETA2))
    size = (moments.second / correction2).sqrt_().add_(EPSILON)
    flat -= (lr / correction1).unsqueeze(-1) * (moments.first / size)


def descend_alone(
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    first: Sequence[Tensor],
    second: Sequence[Tensor],
    count: Tensor,
    lr: Tensor,
) -> None:
    """One step of one seed, in place, by torch's own kernel: one pass over memory.

    Args:
        parameters: of any shapes.
        gradients: of the loss, in the same shapes.
        first: the running moments of the gradients, likewise.
        second: the running moments of their squares, likewise.
        count: steps done, a scalar.
        lr: step size, a scalar.
    """
    adam(
        *(list(parameters), list(gradients), list(first), list(second), []),
        [count.clone() for _ in parameters],
        fused=True,
        amsgrad=False,
        beta1=BETA1,
        beta2=BETA2,
        lr=lr,
        weight_decay=0.0,
        eps=EPSILON,
        maximize=False,
    )
    count += 1
