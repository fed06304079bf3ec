"""What one seed takes: arithmetic, and memory."""

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from idkit.training.streams import Live

COPIES = 8  # of the parameters: themselves, gradient, moments, the last good ones, temporaries
TIMES_SAVED = 2  # activations are kept once for the gradient; as much again passes through


@dataclass(frozen=True)
class Cost:
    """What training takes for each seed.

    Attributes:
        flops: floating-point operations of matrix products and convolutions in one forward pass.
        bytes: memory of a step, about.
    """

    flops: int
    bytes: int


def cost(model: nn.Module, x: Tensor, u: Tensor) -> Cost:
    """The cost of a model on a minibatch, found by one forward pass on a copy.

    Args:
        model: with any weights.
        x: a minibatch of observations as stored, (n, *shape).
        u: its labels, (n,).
    """
    probe: Any = copy.deepcopy(model).train()
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with FlopCounterMode(display=False) as counter, saved_tensors_hooks(keep, lambda t: t):
        terms = probe.objective(x, u, Live(torch.Generator(x.device)))
    del terms  # until here nothing that was kept could make room for something else
    parameters = sum(p.numel() * p.element_size() for p in probe.parameters())
    return Cost(counter.get_total_flops(), COPIES * parameters + TIMES_SAVED * sum(kept.values()))
