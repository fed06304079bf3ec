"""What one seed takes, against counts by hand."""

from functools import partial
from typing import Any

import pytest
import torch

from idkit.cli import run
from idkit.densities.likelihoods import bernoulli
from idkit.models import Frame, vae
from idkit.nets import convnet, mlp
from idkit.training.cost import COPIES, cost


def model(arch: Any, shape: tuple[int, ...], d_z: int) -> Any:
    return vae.build(Frame(shape, 0, d_z, True, arch.encoder, arch.decoder, bernoulli.build))


def batch(n: int, shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.zeros(n, *shape, dtype=torch.uint8), torch.zeros(n, dtype=torch.int64)


@pytest.mark.parametrize("n", [1, 64])
def test_a_perceptron_multiplies_and_adds_once_for_each_weight_and_row(n: int) -> None:
    net = model(mlp, (1, 8, 8), 5)
    weights = sum(p.numel() for p in net.parameters() if p.ndim == 2)
    assert cost(net, *batch(n, (1, 8, 8))).flops == 2 * n * weights


def test_a_convolution_does_so_for_each_pixel() -> None:
    # Table B.3 at 8 x 8 with d_z 2: pixels of the larger side x filter x channels in x out
    encoder = 64 * 9 * (1 * 8 + 8 * 16) + 16 * 9 * (16 * 32 + 32 * 64) + 4 * 64 * 64
    hidden = 64 * 64 + 2 * 64 * 2 + 2 * 64 + 64 * 64
    decoder = 4 * 64 * 64 + 4 * 16 * 64 * 32 + 16 * 9 * 32 * 16 + 16 * 16 * 16 * 8 + 64 * 9 * 8
    found = cost(model(convnet, (1, 8, 8), 2), *batch(4, (1, 8, 8))).flops
    assert found == 2 * 4 * (encoder + hidden + decoder)


def test_memory_grows_with_the_batch_above_that_of_the_parameters() -> None:
    net = model(mlp, (1, 8, 8), 5)
    parameters = COPIES * 4 * sum(p.numel() for p in net.parameters())
    small, large = (cost(net, *batch(n, (1, 8, 8))).bytes for n in (10, 1010))
    assert parameters < small < large
    assert large - small == pytest.approx(100 * (cost(net, *batch(20, (1, 8, 8))).bytes - small))


def test_a_model_is_left_as_it_was() -> None:
    net = model(convnet, (1, 8, 8), 2).eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    cost(net, *batch(4, (1, 8, 8)))
    assert not net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_train_tells_on_request_how_many_seeds_it_computes_together(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command = partial("train --data {} --steps 1 --seed {} -v".format)
    assert run(command("tcl", 1).split()) == 0
    assert "at most 16" in capsys.readouterr().err
    assert run(command("digits", 1).split()) == 0
    assert "at most 1 " in capsys.readouterr().err  # its matrices fill a core
    monkeypatch.setattr("idkit.cli.plan.allowed", lambda _size, _device: 5_000_000)
    assert run(command("tcl", 2).split()) == 0
    assert "at most 16" not in capsys.readouterr().err  # never more than memory holds
