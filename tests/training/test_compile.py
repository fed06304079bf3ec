"""Compiled steps against interpreted ones: the same training, to be gone on with exactly."""

from functools import partial

import numpy as np
import pytest
import torch

from idkit.densities.likelihoods import gaussian
from idkit.models import Frame, vade
from idkit.nets import mlp3
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
