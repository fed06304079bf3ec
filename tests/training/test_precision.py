"""Fewer bits in matrix products: only by wish, and then close to what all bits give."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from idkit import files
from idkit.cli import run
from idkit.densities.likelihoods import gaussian
from idkit.models import Frame, vade
from idkit.nets import mlp3
from idkit.training.fit import Ensembles, Outcome, Rows, Settings, Training
from idkit.training.precision import Precision, casting, multiply

FRAME = Frame((5,), 0, 3, False, mlp3.encoder, mlp3.decoder, gaussian.build)
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    yield
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


def outcomes(precision: Precision, seeds: list[int], *, compiled: bool = False) -> list[Outcome]:
    x = torch.randn(64, 5, generator=torch.Generator().manual_seed(7))
    settings = Settings(60, 16, 1e-2, 0.5, 5, precision=precision, compiled=compiled)
    rows = Rows(x, torch.zeros(64, dtype=torch.int64))
    training = Training.start(
        Ensembles(partial(vade.build, FRAME, components=4), rows, settings), seeds
    )
    while not training.done:
        training.advance()
    return training.outcomes()


@pytest.mark.parametrize(
    ("precision", "matrices", "convolutions"),
    [("float32", "highest", False), ("tf32", "high", True), ("bf16", "highest", False)],
)
def test_tf32_is_for_those_who_ask_for_it(
    precision: Precision, matrices: str, convolutions: bool
) -> None:
    multiply(precision)
    assert torch.get_float32_matmul_precision() == matrices
    assert torch.backends.cudnn.allow_tf32 is convolutions  # PyTorch's own default is True


@pytest.mark.parametrize(
    ("precision", "kind"), [("bf16", torch.bfloat16), ("float32", torch.float32)]
)
def test_products_are_in_bfloat16_where_that_is_asked_for(
    precision: Precision, kind: torch.dtype
) -> None:
    with casting(precision, CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == kind


@pytest.mark.parametrize(("seeds", "compiled"), [([1, 2], False), ([1], False), ([1, 2], True)])
def test_bfloat16_trains_to_nearly_the_same(seeds: list[int], compiled: bool) -> None:
    exact, rough = (outcomes(p, seeds, compiled=compiled) for p in ("float32", "bf16"))
    for a, b in zip(exact, rough, strict=True):
        assert all(value.dtype == np.float32 for value in b.state.values())
        assert any(not np.array_equal(a.state[name], b.state[name]) for name in a.state)
        first, last = a.history["objective"][0], a.history["objective"][-1]
        assert last > first
        assert b.history["objective"][-1] == pytest.approx(last, abs=0.1 * (last - first))


def test_what_is_not_the_usual_precision_is_part_of_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    line = ["train", "--epochs", "1", "--model", "vae", "-q", "--precision"]
    assert run([*line, "bf16"]) == 0
    assert "digits-vae-mlp-dz20-epochs1-precisionbf16-s1" in capsys.readouterr().out
    assert run([*line, "tf32"]) == 2
    assert "--precision tf32 is of NVIDIA GPUs" in capsys.readouterr().err


@pytest.mark.parametrize("words", ["vade --arch convnet", "vae --arch resnet", "rvqvae -p width=8"])
@pytest.mark.parametrize("together", ["1", "2"])
def test_nets_of_images_train_in_bfloat16_alone_and_together(
    words: str, together: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).integers(256, size=(8, 3, 32, 32)).astype(np.uint8)
    np.savez("mine.npz", x=x)
    line = f"train --data mine.npz --batch-size 4 --steps 2 --seed 1-2 -q --model {words}"
    line += f" --batch-seeds {together} --precision bf16"
    assert run(line.split()) == 0
    for path in tmp_path.glob("runs/*/model.safetensors"):
        arrays = files.read(str(path)).arrays
        assert all(np.isfinite(array).all() for array in arrays.values())
        assert {array.dtype.name for array in arrays.values()} <= {"float32", "float64", "int64"}
    assert len(list(tmp_path.glob("runs/*/model.safetensors"))) == 2
