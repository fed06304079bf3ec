"""Initial parameters: from their stream alone, and of the spread that is asked for."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from idkit.models import Terms
from idkit.nets import BatchNorm, Noise
from idkit.training.initialise import SPREAD, initialise, rescale


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def weights(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def linear() -> nn.Module:
    return nn.Linear(3, 4)


def test_initial_parameters_follow_from_the_stream_alone() -> None:
    torch.rand(3)  # whatever was drawn before
    first = weights(initialise(linear, generator(1)))
    torch.rand(5)
    assert torch.equal(weights(initialise(linear, generator(1))), first)
    assert not torch.equal(weights(initialise(linear, generator(2))), first)
    before = torch.get_rng_state()
    initialise(linear, generator(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_a_stream_is_used_up() -> None:
    stream = generator(1)
    assert not torch.equal(weights(initialise(linear, stream)), weights(initialise(linear, stream)))


class Probe(nn.Module):
    """A model whose objective runs its layers, and which keeps what each gave."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.outputs: list[tuple[nn.Module, Tensor]] = []

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:  # noqa: ARG002 - the room's signature
        h = x
        self.outputs = []
        for layer in self.layers:
            h = layer(h)
            self.outputs.append((layer, h))
        return {"objective": h.mean()}

    def spread(self, x: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Mean and deviation of each output channel of every layer that has weights."""
        with torch.no_grad():
            self.objective(x, x, None)  # type: ignore[arg-type]  # these layers ask for none
        channels = [
            output.movedim(1, 0).flatten(1)
            for layer, output in self.outputs
            if list(layer.parameters())
        ]
        return [(c.mean(1), c.std(1, correction=0)) for c in channels]


def convolutional(*, bias: bool = True) -> Probe:
    return Probe(
        *(nn.Conv2d(2, 4, 3, bias=bias), nn.ELU(), nn.Conv2d(4, 3, 2, stride=2), nn.ELU()),
        *(nn.ConvTranspose2d(3, 5, 4, stride=2, bias=bias), nn.ELU(), nn.Flatten()),
        *(nn.Linear(5 * 64, 7, bias=bias), nn.LeakyReLU(), nn.Linear(7, 6)),
    )


def images(n: int = 30) -> Tensor:
    return 3 + 2 * torch.randn(n, 2, 8, 8, generator=generator(9))


def started(model: Probe, x: Tensor, seed: int = 0) -> Probe:
    rescale(model, x, torch.zeros(len(x), dtype=torch.int64), generator(seed))
    return model


def test_every_layer_gives_mean_0_and_the_stated_spread_on_the_batch() -> None:
    x = images()
    for mean, std in started(convolutional(), x).spread(x):
        torch.testing.assert_close(mean, torch.zeros_like(mean), rtol=0, atol=1e-5)
        torch.testing.assert_close(std, torch.full_like(std, SPREAD), rtol=1e-4, atol=0)


def test_a_layer_without_bias_is_scaled_alone() -> None:
    x = images()
    for _, std in started(convolutional(bias=False), x).spread(x):
        torch.testing.assert_close(std, torch.full_like(std, SPREAD), rtol=1e-4, atol=0)


def test_the_scale_of_the_data_does_not_matter_but_the_seed_does() -> None:
    x = images()
    ends = [
        started(convolutional(), data, seed).layers(data).detach()
        for data, seed in ((x, 0), (50 * x, 0), (x, 1))
    ]
    torch.testing.assert_close(ends[1], ends[0], rtol=1e-3, atol=1e-4)
    assert (ends[2] - ends[0]).abs().max() > 0.05


def test_a_channel_that_does_not_respond_is_shifted_and_not_scaled() -> None:
    x = torch.zeros(10, 3)
    plain = started(Probe(nn.Linear(3, 4)), torch.zeros(1, 3))
    model = started(Probe(nn.Linear(3, 4)), x)
    torch.testing.assert_close(model.layers(x), torch.zeros(10, 4), rtol=0, atol=1e-6)
    torch.testing.assert_close(weights(model), weights(plain))


def test_a_batch_of_one_row_is_shifted_only() -> None:
    x = torch.tensor([[1.0, -2.0, 3.0]])
    model = started(Probe(nn.Linear(3, 4)), x)
    torch.testing.assert_close(model.layers(x), torch.zeros(1, 4), rtol=0, atol=1e-6)


def test_no_hook_is_left_behind() -> None:
    x = images()
    model = started(convolutional(), x)
    first = model.layers(x)
    with torch.no_grad():
        list(model.parameters())[-1].add_(1)  # the last bias
    torch.testing.assert_close(model.layers(x), first + 1)


@pytest.mark.parametrize("fill", [0.0, 5.0])
def test_the_layers_own_start_does_not_matter(fill: float) -> None:
    x = images()
    model = convolutional()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(fill)
    torch.testing.assert_close(weights(started(model, x)), weights(started(convolutional(), x)))


def test_batch_statistics_after_the_look_at_the_data_are_those_of_the_data() -> None:
    model = Probe(nn.Conv2d(1, 3, 3), BatchNorm(3))
    x = torch.randn(16, 1, 6, 6, generator=generator(1)) + 2
    rescale(model, x, torch.zeros(16), generator(2))
    norm: Any = model.layers[1]
    assert norm.momentum == 0.1
    torch.testing.assert_close(norm.running_mean, torch.zeros(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(norm.running_var.sqrt(), torch.full((3,), SPREAD), rtol=1e-2, atol=0)
