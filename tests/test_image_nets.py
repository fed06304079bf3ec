"""The convolutional nets: sizes, normalisation, and seeds that do not see one another."""

from dataclasses import replace
from functools import partial
from types import ModuleType

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from idkit.densities.likelihoods import bernoulli, logistic
from idkit.errors import UsageError
from idkit.models import Frame, vade
from idkit.nets import WeightNormConv, convnet, mlp, resnet
from idkit.training import fit
from idkit.training.ensemble import Ensemble
from idkit.training.fit import Ensembles, Outcome, Rows, Settings, Training
from idkit.training.initialise import LAYERS, SPREAD, rescale
from idkit.training.streams import Live

GREY, COLOUR = (1, 28, 28), (3, 32, 32)
NETS = [convnet, resnet]
SHAPES = [GREY, COLOUR]


def size(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(
    ("arch", "shape", "by_hand"),
    [
        (mlp, GREY, (788_964, 776_848)),
        (mlp, COLOUR, (1_960_420, 1_950_592)),
        (convnet, GREY, (236_052, 247_985)),
        (convnet, COLOUR, (297_636, 309_571)),
    ],
)
def test_parameters_are_those_counted_by_hand(
    arch: ModuleType, shape: tuple[int, ...], by_hand: tuple[int, int]
) -> None:
    assert (size(arch.encoder(shape, 50)), size(arch.decoder(50, shape))) == by_hand


@pytest.mark.parametrize("shape", SHAPES)
def test_the_resnet_has_the_blocks_of_its_table(shape: tuple[int, ...]) -> None:
    def block(i: int, o: int) -> int:  # two of 3 x 3, one of 1 x 1; gain and bias for each filter
        return 9 * i * o + 9 * o * o + i * o + 6 * o

    up = [(16, 32), (32, 64), (64, 128), (128, 256), (256, 512)]
    first, heads = shape[0] * 16 + 16, 2 * (512 * 50 + 50)
    assert size(resnet.encoder(shape, 50)) == first + sum(block(i, o) for i, o in up) + heads
    last, hidden = 16 * shape[0] + shape[0], 50 * 512 + 512
    assert size(resnet.decoder(50, shape)) == hidden + sum(block(o, i) for i, o in up) + last


@pytest.mark.parametrize("arch", NETS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_parameter_is_trained_and_shapes_come_back(
    arch: ModuleType, shape: tuple[int, ...]
) -> None:
    encoder, decoder = arch.encoder(shape, 7), arch.decoder(7, shape)
    mu, sigma = encoder(torch.rand(5, *shape) - 0.5)
    assert mu.shape == sigma.shape == (5, 7)
    assert (sigma > 0).all()
    out = decoder(mu + sigma)
    assert out.shape == (5, *shape)
    out.square().sum().backward()
    for module in (encoder, decoder):
        assert all(p.grad is not None and p.grad.isfinite().all() for p in module.parameters())


@pytest.mark.parametrize(
    ("arch", "shape"),
    [
        (resnet, (1, 8, 8)),
        (resnet, (1, 27, 32)),
        (convnet, (1, 30, 28)),
        *((arch, (5,)) for arch in NETS),
    ],
)
def test_images_that_a_net_cannot_take_are_named(arch: ModuleType, shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"found \d+ x \d+|rows of shape \(5,\)"):
        arch.encoder(shape, 2)
    with pytest.raises(UsageError, match=r"found \d+ x \d+|rows of shape \(5,\)"):
        arch.decoder(2, shape)


def test_the_convnet_takes_any_image_that_can_be_halved_twice() -> None:
    mu, _ = convnet.encoder((1, 8, 12), 3)(torch.rand(2, 1, 8, 12))
    assert convnet.decoder(3, (1, 8, 12))(mu).shape == (2, 1, 8, 12)


def test_the_resnet_of_28_is_that_of_32_behind_a_frame() -> None:
    small, large = resnet.encoder(GREY, 4), resnet.encoder((1, 32, 32), 4)
    large.load_state_dict(small.state_dict())
    x = torch.rand(3, *GREY)
    framed = nn.functional.pad(x, (2, 2, 2, 2), mode="replicate")
    torch.testing.assert_close(small(x), large(framed))
    down, up = resnet.decoder(4, GREY), resnet.decoder(4, (1, 32, 32))
    up.load_state_dict(down.state_dict())
    z = torch.randn(3, 4)
    torch.testing.assert_close(down(z), up(z)[..., 2:30, 2:30])


def test_a_weight_normalised_filter_has_its_gain_for_length() -> None:
    layer = WeightNormConv(3, 5, size=3)
    h = torch.randn(2, 3, 6, 6)
    before = layer(h)
    plain = nn.functional.conv2d(h, layer.weight, layer.bias, padding=1)
    torch.testing.assert_close(before, plain)  # at the start, g = |v|
    with torch.no_grad():
        layer.weight.mul_(7)  # its length does not matter ...
        torch.testing.assert_close(layer(h), before)
        layer.gain.mul_(3)  # ... but the gain does
        torch.testing.assert_close(layer(h), 3 * before)


def frame(arch: ModuleType, shape: tuple[int, ...]) -> Frame:
    likelihood = logistic if shape == COLOUR else bernoulli
    return Frame(shape, 0, 4, True, arch.encoder, arch.decoder, likelihood.build)


def rows(shape: tuple[int, ...], n: int = 48) -> Rows:
    """Images whose rows of pixels share a brightness, so that there is something to learn."""
    rng = np.random.default_rng(5)
    bright = rng.uniform(30, 225, (n, 1, shape[1], 1)) + rng.normal(0, 20, (n, *shape))
    x = torch.from_numpy(bright.clip(0, 255).astype(np.uint8))
    return Rows(x, torch.zeros(n, dtype=torch.int64))


def train(
    arch: ModuleType, shape: tuple[int, ...], seeds: list[int], steps: int, lr: float = 1e-3
) -> list[Outcome]:
    settings = Settings(steps=steps, batch_size=16, lr=lr, factor=0.8, patience=5, init="data")
    build = partial(vade.build, frame(arch, shape), components=3)
    training = Training.start(Ensembles(build, rows(shape), settings), seeds)
    while not training.done:
        training.advance()
    return training.outcomes()


@pytest.mark.parametrize("arch", NETS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_seed_trained_among_others_is_the_seed_trained_alone(
    arch: ModuleType, shape: tuple[int, ...]
) -> None:
    lr = 1e-5  # small, since the order of sums decides the sign of steps whose gradient is 0
    among, alone = train(arch, shape, [3, 8], 2, lr)[1], train(arch, shape, [8], 2, lr)[0]
    for name, mean in alone.history.items():
        np.testing.assert_allclose(among.history[name], mean, rtol=1e-5)
    moved = [among.state[name].ravel() - value.ravel() for name, value in alone.state.items()]
    assert (np.abs(np.concatenate(moved)) > 0.1 * lr).mean() < 0.02
    kept = [name for name in alone.state if "running" in name or "tracked" in name]
    for name in kept:  # batch normalisation keeps what each seed has seen itself
        np.testing.assert_allclose(among.state[name], alone.state[name], rtol=1e-3, atol=2e-5)
    other = train(arch, shape, [3], 2, lr)[0]
    differing = [name for name in kept if "running" in name]
    assert all((other.state[name] != alone.state[name]).any() for name in differing)


@pytest.mark.parametrize("arch", NETS)
def test_the_objective_rises_and_images_of_colour_train_too(arch: ModuleType) -> None:
    objective = train(arch, COLOUR, [1], 12)[0].history["objective"]
    assert objective[-1] > objective[0] + 50


@pytest.mark.parametrize("arch", NETS)
def test_the_layout_inside_an_ensemble_is_nobody_elses_business(arch: ModuleType) -> None:
    build = partial(vade.build, frame(arch, GREY), components=3)
    models, data = [build(), build()], rows(GREY)
    ensemble = Ensemble(models[0], data.x[:4], data.u[:4])
    for model, state in zip(models, ensemble.states(ensemble.stack(models)), strict=True):
        assert list(state) == list(model.state_dict())
        for name, value in model.state_dict().items():
            assert torch.equal(state[name], value)
            assert state[name].is_contiguous()


@pytest.mark.parametrize("arch", NETS)
def test_a_stopped_run_goes_on_exactly(arch: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit, "CHUNK_STEPS", 1)
    settings = Settings(steps=4, batch_size=16, lr=1e-4, factor=0.8, patience=5, init="data")
    build = partial(vade.build, frame(arch, COLOUR), components=3)
    ensembles = Ensembles(build, rows(COLOUR, 80), settings)  # five steps an epoch
    whole = Training.start(ensembles, [4])
    snapshot = None
    while not whole.done:
        whole.advance()
        snapshot = whole.snapshot() if whole.step == 2 else snapshot
    assert snapshot is not None
    resumed = Training.resume(ensembles, snapshot, [4])
    while not resumed.done:
        resumed.advance()
    expected = whole.outcomes()[0]
    for name, value in resumed.outcomes()[0].state.items():
        np.testing.assert_array_equal(value, expected.state[name])


def test_batch_statistics_serve_training_and_running_ones_the_rest() -> None:
    encoder = convnet.encoder(GREY, 3)
    x = torch.rand(8, *GREY)
    encoder.train()
    together, alone = encoder(x)[0][:2], encoder(x[:2])[0]
    assert not torch.allclose(together, alone, atol=1e-3)
    encoder.eval()
    torch.testing.assert_close(encoder(x)[0][:2], encoder(x[:2])[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("arch", NETS)
@pytest.mark.parametrize("shape", SHAPES)
def test_initial_layers_have_the_same_spread_whatever_their_kind(
    arch: ModuleType, shape: tuple[int, ...]
) -> None:
    quiet = replace(frame(arch, shape), likelihood=logistic.build)  # the same input each time
    model, data = vade.build(quiet, components=3), rows(shape)
    rescale(model, data.x, data.u, torch.Generator().manual_seed(0))
    seen: list[Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda _layer, _input, output: seen.append(output.detach()))
        for layer in model.modules()
        if isinstance(layer, LAYERS)
    ]
    model.objective(data.x, data.u, Live(torch.Generator().manual_seed(0)))
    assert len(seen) == len(hooks)
    for output in seen[: len(seen) // 2]:  # those before the first new random number
        channels = output.movedim(1, 0).flatten(1)
        torch.testing.assert_close(channels.mean(1), torch.zeros(len(channels)), atol=1e-3, rtol=0)
        spread = channels.std(1, correction=0)
        assert ((spread - SPREAD).abs() < 1e-2).float().mean() > 0.9  # but for dead channels
