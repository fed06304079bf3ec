"""Compiled steps against interpreted ones: the same training, to be gone on with exactly."""

import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from idkit.densities.likelihoods import gaussian
from idkit.models import Frame, vade
from idkit.nets import mlp3
from idkit.training import compiler
from idkit.training.fit import Ensembles, Outcome, Rows, Settings, Training

FRAME = Frame((5,), 0, 3, False, mlp3.encoder, mlp3.decoder, gaussian.build)
N, BATCH, STEPS = 90, 4, 55  # 22 steps an epoch, 2 in a call; the last step fills none


def ensembles(*, compiled: bool) -> Ensembles:
    x = torch.randn(N, 5, generator=torch.Generator().manual_seed(7))
    rows = Rows(x, torch.zeros(N, dtype=torch.int64))
    settings = Settings(STEPS, BATCH, lr=1e-3, factor=0.5, patience=0, compiled=compiled)
    return Ensembles(partial(vade.build, FRAME, components=4), rows, settings)


def finish(training: Training) -> list[Outcome]:
    while not training.done:
        training.advance()
    assert not training.ensemble.fallback
    return training.outcomes()


@pytest.mark.parametrize("where", ["at once", "in its first call"])
@pytest.mark.parametrize("seeds", [[1], [1, 2]])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied", "/cache/x"), "PermissionError: [Errno 13] Perm"),
        (KeyError("getpwuid(): uid not found: 7"), "KeyError: 'getpwuid()"),
        (ImportError("no module triton"), "ImportError: no module triton"),
        (RuntimeError("InvalidCxxCompiler: none\n\nlong advice"), ": InvalidCxxCompiler: none"),
        (AssertionError("x" * 1000), "AssertionError: xxx"),
        (MemoryError(), "MemoryError"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_whatever_fails_in_compiling_steps_are_computed_as_if_it_were_off(
    where: str, seeds: list[int], error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(*_: object, **__: object) -> Any:
        raise error

    def later(*_: object, **__: object) -> Any:
        return raising

    monkeypatch.setattr(torch, "compile", raising if where == "at once" else later)
    training = Training.start(ensembles(compiled=True), seeds)
    training.advance()
    assert reason in training.ensemble.fallback
    assert "\n" not in training.ensemble.fallback
    assert len(training.ensemble.fallback) < 280
    training.ensemble.fallback = ""
    fell = finish(training)  # which it does not say again
    plain = finish(Training.start(ensembles(compiled=False), seeds))
    for one, other in zip(fell, plain, strict=True):
        for name, value in {**other.state, **other.history}.items():
            assert np.array_equal({**one.state, **one.history}[name], value), name


@pytest.mark.parametrize("place", ["taken", "taken/below", "folder"])
def test_a_cache_is_written_or_kept_out_of_the_way(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("taken").touch()
    monkeypatch.setenv(compiler.FOLDER, place)
    found = compiler.hindrance()
    folder = Path(os.environ[compiler.FOLDER])
    assert folder.is_dir()
    assert bool(found) == (place != "folder")
    assert found.startswith(str(tmp_path / place)) == bool(found)
    if not found:
        assert folder == tmp_path / place


def test_a_user_without_a_name_has_a_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nameless)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv(compiler.FOLDER, raising=False)
    assert compiler.hindrance() == ""
    assert Path(os.environ[compiler.FOLDER]) == tmp_path / f"torchinductor_uid_{os.getuid()}"
    monkeypatch.delenv(compiler.FOLDER)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the compiler's, about itself
def test_compiled_steps_are_the_steps() -> None:
    seeds = [1, 2]
    computation = ensembles(compiled=True)
    fast = finish(Training.start(computation, seeds))
    plain = finish(Training.start(ensembles(compiled=False), seeds))
    for one, other in zip(fast, plain, strict=True):
        for name, values in other.history.items():
            assert one.history[name] == pytest.approx(values, rel=1e-3), name
        for name, value in other.state.items():
            assert one.state[name] == pytest.approx(value, abs=1e-3), name
    training = Training.start(computation, seeds)
    training.advance()
    again = finish(Training.resume(computation, training.snapshot(), seeds))
    for one, other in zip(fast, again, strict=True):
        for name, value in other.state.items():
            assert np.array_equal(one.state[name], value), name
