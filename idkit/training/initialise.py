"""Initial parameters of one seed."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Literal

import torch
from torch import Tensor, nn

from idkit.nets import BatchNorm, WeightNormConv
from idkit.training.streams import Live

Init = Literal["torch", "data"]
SPREAD = 0.1  # standard deviation of every channel at the start (design, section 13)
START_ROWS = 256  # whatever the batch: what is scaled on a few rows explodes on the others
SMALLEST_STD = 1e-6  # a channel with less does not respond to the data and keeps its scale
LAYERS = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d, WeightNormConv)


def initialise(build: Callable[[], nn.Module], generator: torch.Generator) -> nn.Module:
    """Builds a module with the library's own initialisation from a stream.

    The layers of torch draw from the global generator only; its state is put back afterwards.
    """
    word = int(torch.randint(2**62, (), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(word)  # and no other device's
        return build()


def rescale(model: Any, x: Tensor, u: Tensor, generator: torch.Generator) -> None:
    """Data-dependent initialisation, in place (Salimans & Kingma 2016; design, section 13).

    Every linear and convolutional layer gets Kaiming-normal weights; then, layer after layer
    along one forward pass, each output channel is shifted and scaled to mean 0 and standard
    deviation 0.1 (a layer without bias is scaled only). The running statistics of batch
    normalisation are then those of the same batch, so that the model can be used as it is.

    Args:
        model: a freshly built model.
        x: some observations as stored, `START_ROWS` of them where there are as many.
        u: its labels.
        generator: the stream of initial parameters.
    """

    def on_output(layer: Any, _inputs: object, output: Tensor) -> Tensor:
        channels = output.movedim(1, 0).flatten(1)
        mean, std = channels.mean(1), channels.std(1, correction=0)
        scale = torch.where(std > SMALLEST_STD, SPREAD / std, torch.ones_like(std))
        strength = layer.gain if isinstance(layer, WeightNormConv) else layer.weight
        strength *= scale.view(_along(layer))
        if layer.bias is None:
            mean = torch.zeros_like(mean)
        else:
            layer.bias.copy_((layer.bias - mean) * scale)
        like = (1, -1, *(1 for _ in output.shape[2:]))
        return (output - mean.view(like)) * scale.view(like)

    model.train()
    with ExitStack() as hooks, torch.no_grad():
        for layer in model.modules():
            if isinstance(layer, LAYERS):
                nn.init.kaiming_normal_(layer.weight, generator=generator)
                hook = layer.register_forward_hook(on_output)
                hooks.callback(hook.remove)
            elif isinstance(layer, BatchNorm):
                hooks.callback(setattr, layer, "momentum", layer.momentum)
                layer.momentum = None  # the mean over all batches, of which there is one
        model.objective(x, u, Live(generator))


def _along(layer: nn.Module) -> tuple[int, ...]:
    """How a vector over output channels lies along a layer's weight or gain."""
    if isinstance(layer, WeightNormConv):
        return (-1,)
    if isinstance(layer, nn.ConvTranspose2d):
        return (1, -1, 1, 1)
    return (-1, 1) if isinstance(layer, nn.Linear) else (-1, 1, 1, 1)
