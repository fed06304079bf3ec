"""Training as a whole: what a seed meets, resuming, failing, and what the streams decide."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from idkit.densities.likelihoods import gaussian
from idkit.models import Frame, Terms, vade
from idkit.nets import Noise, mlp3
from idkit.training import fit
from idkit.training.fit import Ensembles, Outcome, Rows, Settings, Training
from idkit.training.initialise import START_ROWS
from idkit.training.streams import spawn

N, BATCH, CHUNK = 50, 4, 4  # 12 steps an epoch, in chunks of 4; 2 rows sit each epoch out
SETTINGS = Settings(steps=40, batch_size=BATCH, lr=1e-2, factor=0.5, patience=0)
FRAME = Frame((5,), 0, 3, False, mlp3.encoder, mlp3.decoder, gaussian.build)


class Witness(nn.Module):
    """A model that reports, without rounding, what it meets: weight, rows and noise."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(()))

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:
        drawn = noise.normal((3,)), noise.uniform((2,))
        return {
            "objective": self.weight * 1.0,
            "start": self.weight.detach() * 1.0,
            "rows": (x[:, 0] * torch.tensor([1.0, 64.0, 4096.0, 262144.0])[: len(x)]).sum(),
            "labels": u.max().float(),
            "normal": drawn[0].max(),
            "uniform": drawn[1].max(),
        }


class Fuse(nn.Module):
    """A model whose objective ceases to be a number once a weight that only rises exceeds 1."""

    def __init__(self) -> None:
        super().__init__()
        self.fuse = nn.Parameter(torch.rand(()))
        self.slope = nn.Linear(1, 1)

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:  # noqa: ARG002 - the room's signature
        error = (self.slope(x) - 2 * x + noise.normal((1,))).square().mean()
        return {"objective": self.fuse + 0 * torch.sqrt(1 - self.fuse) - error, "error": error}


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several chunks in an epoch of few steps."""
    monkeypatch.setattr(fit, "CHUNK_STEPS", CHUNK)


def numbered(n: int = N) -> Rows:
    """Rows that bear their number."""
    number = torch.arange(n)
    return Rows(number.float().unsqueeze(1), number)


def gaussian_rows() -> Rows:
    x = torch.randn(N, 5, generator=torch.Generator().manual_seed(7))
    return Rows(x, torch.zeros(N, dtype=torch.int64))


def witnesses(rows: Rows | None = None, **changes: Any) -> Ensembles:
    settings = replace(SETTINGS, **{"steps": 24, **changes})
    return Ensembles(Witness, rows or numbered(), settings)


def vades(**changes: Any) -> Ensembles:
    build = partial(vade.build, FRAME, components=4)
    return Ensembles(build, gaussian_rows(), replace(SETTINGS, **changes))


def finish(training: Training) -> list[Outcome]:
    while not training.done:
        training.advance()
    return training.outcomes()


def trained(ensembles: Ensembles, seeds: Sequence[int]) -> dict[int, Outcome]:
    return {o.seed: o for o in finish(Training.start(ensembles, seeds))}


def same(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name], equal_nan=True) for name in one
    )


def assert_same(one: Outcome, other: Outcome) -> None:
    assert one.seed == other.seed
    assert one.failed_at == other.failed_at
    assert same(one.history, other.history)
    assert same(one.state, other.state)


# What a seed meets


@pytest.mark.parametrize("n", [20, 256, 600])
def test_the_start_looks_at_as_many_rows_whatever_the_batch(n: int) -> None:
    x = torch.randn(n, 5, generator=torch.Generator().manual_seed(7)) * 3 + 2
    rows = Rows(x, torch.zeros(n, dtype=torch.int64))
    build = partial(vade.build, FRAME, components=4)
    starts = []
    for batch in (1, 2, 8, 500):
        settings = replace(SETTINGS, init="data", batch_size=batch)
        starts.append(Training.start(Ensembles(build, rows, settings), [1, 2]).weights.flat)
    assert all(torch.equal(start, starts[0]) for start in starts)
    model: Any = Ensembles(build, rows, replace(SETTINGS, init="data")).fresh(spawn(1))
    with torch.no_grad():
        first = model.posterior.encoder.mu.layers[0](x)  # of all rows, most of which it met
    torch.testing.assert_close(first.std(0, correction=0), torch.full((10,), 0.1), rtol=0.2, atol=0)
    if n <= START_ROWS:
        torch.testing.assert_close(first.mean(0), torch.zeros(10), rtol=0, atol=1e-6)


def test_a_seed_alone_meets_what_it_meets_among_others() -> None:
    together = trained(witnesses(), [1, 2, 3, 4, 5])
    for seed in (1, 3):
        (alone,) = trained(witnesses(), [seed]).values()
        for name in ("start", "rows", "labels", "normal", "uniform"):
            assert np.array_equal(together[seed].history[name], alone.history[name]), name


def test_the_losses_of_a_seed_alone_are_those_among_others() -> None:
    together = trained(vades(), [1, 2, 3, 4, 5])
    for seed in (1, 3):
        (alone,) = trained(vades(), [seed]).values()
        for name, values in alone.history.items():
            assert together[seed].history[name] == pytest.approx(values, rel=1e-4), name


def test_initial_parameters_do_not_depend_on_companions() -> None:
    for init in ("torch", "data"):
        together = Training.start(vades(init=init), [1, 2, 3]).weights.flat
        assert torch.equal(Training.start(vades(init=init), [3]).weights.flat[0], together[2])
        assert not torch.equal(together[0], together[1])


def test_seeds_differ_in_everything() -> None:
    one, other = trained(witnesses(), [1, 2]).values()
    for name in ("start", "rows", "normal", "uniform"):
        assert not np.array_equal(one.history[name], other.history[name]), name


STREAM_OF = {"start": "init", "rows": "order", "normal": "noise", "uniform": "noise"}


@pytest.mark.parametrize("vary", ["all", "init", "order", "noise"])
def test_only_the_stream_that_varies_differs_between_seeds(vary: Any) -> None:
    one, other = trained(witnesses(vary=vary), [1, 2]).values()
    (held,) = trained(witnesses(vary=vary), [0]).values()
    for name, stream in STREAM_OF.items():
        follows = vary in ("all", stream)
        assert np.array_equal(one.history[name], other.history[name]) != follows, name
        assert np.array_equal(one.history[name], held.history[name]) != follows, name


def test_the_seed_whose_streams_are_held_is_itself_whatever_varies() -> None:
    expected = trained(witnesses(), [0])[0]
    for vary in ("init", "order", "noise"):
        assert_same(trained(witnesses(vary=vary), [0])[0], expected)


def test_an_epoch_shows_no_row_twice_and_the_next_has_another_order() -> None:
    training = Training.start(witnesses(steps=24), [1])
    met: list[Tensor] = []
    run = training.ensemble.run

    def watched(*given: Any) -> Any:
        met.append(given[1].x.flatten())
        return run(*given)

    training.ensemble.run = watched  # type: ignore[assignment,method-assign]  # only looks on
    finish(training)
    epochs = torch.cat(met).view(2, -1)
    assert epochs.shape[1] == N - N % BATCH
    for epoch in epochs:
        assert len(epoch.unique()) == len(epoch)
    assert not torch.equal(epochs[0], epochs[1])


def test_history_has_the_mean_of_every_epoch_and_of_what_is_left() -> None:
    (outcome,) = trained(witnesses(steps=30, lr=0.5, patience=100), [1]).values()
    starts = outcome.state["weight"] - 0.5 * 30 + 0.5 * np.arange(30)  # Adam moves by lr
    expected = [starts[:12].mean(), starts[12:24].mean(), starts[24:].mean()]
    assert outcome.history["start"] == pytest.approx(expected, abs=1e-4)
    assert outcome.history["lr"].tolist() == [0.5, 0.5, 0.5]


def test_the_step_size_falls_by_the_seeds_own_epochs() -> None:
    outcomes = trained(vades(steps=240, lr=0.03), [1, 2, 3]).values()
    for outcome in outcomes:
        best, rate, expected = -np.inf, 0.03, []
        for objective in outcome.history["objective"]:
            expected.append(rate)
            if objective > best + 1e-4 * abs(best) or best == -np.inf:
                best = objective
            else:
                rate *= 0.5  # the patience is 0
        assert outcome.history["lr"] == pytest.approx(expected)
    assert len({tuple(outcome.history["lr"]) for outcome in outcomes}) == 3


@pytest.mark.parametrize(("n", "batch"), [(1, 4), (3, 4), (4, 4), (5, 4)])
def test_few_rows_make_one_batch_an_epoch(n: int, batch: int) -> None:
    (outcome,) = trained(witnesses(numbered(n), batch_size=batch, steps=3), [1]).values()
    assert len(outcome.history["rows"]) == 3


# Going on


def test_going_on_from_any_chunk_is_as_if_nothing_had_happened() -> None:
    seeds = [1, 2, 3]
    expected = trained(vades(), seeds)
    training = Training.start(vades(), seeds)
    stops = 0
    while not training.done:
        arrays = {name: np.array(value) for name, value in training.snapshot().items()}
        for outcome in finish(Training.resume(vades(), arrays, seeds)):
            assert_same(outcome, expected[outcome.seed])
        training.advance()
        stops += 1
    assert stops == 10


def test_a_snapshot_of_the_end_is_done() -> None:
    training = Training.start(vades(), [1, 2])
    expected = finish(training)
    again = Training.resume(vades(), training.snapshot(), [1, 2])
    assert again.done
    for one, other in zip(again.outcomes(), expected, strict=True):
        assert_same(one, other)


def test_to_look_does_not_disturb() -> None:
    expected = trained(vades(), [1, 2])
    training = Training.start(vades(), [1, 2])
    while not training.done:
        training.advance()
        training.snapshot()
        training.outcomes()
    for outcome in training.outcomes():
        assert_same(outcome, expected[outcome.seed])


@pytest.mark.parametrize("seeds", [[3, 1], [2, 3], [4, 3, 2, 1]])
def test_some_seeds_of_a_snapshot_go_on_by_themselves_in_any_order(seeds: list[int]) -> None:
    expected = trained(vades(), [1, 2, 3, 4])
    training = Training.start(vades(), [1, 2, 3, 4])
    for _ in range(5):
        training.advance()
    for outcome in finish(Training.resume(vades(), training.snapshot(), seeds)):
        assert_same(outcome, expected[outcome.seed])


def test_one_seed_of_a_snapshot_goes_on_alone() -> None:
    expected = trained(vades(), [1, 2])[2]
    training = Training.start(vades(), [1, 2])
    for _ in range(5):
        training.advance()
    (outcome,) = finish(Training.resume(vades(), training.snapshot(), [2]))
    for name, values in outcome.history.items():
        assert values == pytest.approx(expected.history[name], rel=1e-4), name


# Failing


def fuses(steps: int = 40) -> Ensembles:
    return Ensembles(Fuse, numbered(), replace(SETTINGS, steps=steps, lr=0.02, patience=100))


def burning(seeds: Sequence[int]) -> dict[int, float]:
    """The weight of each seed at the start: it rises by about 0.02 a step."""
    weights = Training.start(fuses(), seeds).weights.flat[:, 0]
    return dict(zip(seeds, weights.tolist(), strict=True))


def test_a_seed_that_fails_is_kept_as_it_last_was_and_the_others_do_not_notice() -> None:
    seeds = list(range(1, 9))
    outcomes = trained(fuses(), seeds)
    failed = [seed for seed, outcome in outcomes.items() if outcome.failed_at is not None]
    sound = [seed for seed in seeds if seed not in failed]
    assert 2 <= len(failed) <= 6
    assert set(failed) == {seed for seed, start in burning(seeds).items() if start + 0.02 * 39 > 1}
    for seed, outcome in trained(fuses(), sound).items():
        assert_same(outcome, outcomes[seed])
        assert len(outcome.history["objective"]) == 4
    for seed in failed:
        outcome = outcomes[seed]
        at = outcome.failed_at
        assert at is not None
        last_good = (at - 1) // CHUNK * CHUNK
        if last_good:
            before = trained(fuses(last_good), [*sound, seed])[seed]
            assert before.failed_at is None
            assert same(before.state, outcome.state)
        assert all(np.isfinite(value).all() for value in outcome.state.values())
        assert all(np.isfinite(values).all() for values in outcome.history.values())
        assert len(outcome.history["objective"]) == (at - 1) // 12


def test_going_on_remembers_who_failed() -> None:
    seeds = list(range(1, 9))
    expected = trained(fuses(), seeds)
    training = Training.start(fuses(), seeds)
    while bool(training.alive.all()):
        training.advance()
    for outcome in finish(Training.resume(fuses(), training.snapshot(), seeds)):
        assert_same(outcome, expected[outcome.seed])


def test_when_all_have_failed_there_is_nothing_left_to_do() -> None:
    failed = [s for s, o in trained(fuses(), range(1, 9)).items() if o.failed_at is not None]
    training = Training.start(fuses(10_000), failed)
    outcomes = finish(training)
    assert training.step < 100
    assert all(outcome.failed_at is not None for outcome in outcomes)


class Cliff(nn.Module):
    """A gradient whose square is beyond float32, though it is finite itself."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:  # noqa: ARG002 - the room's signature
        return {"objective": 1e25 * self.weight}


def test_a_seed_that_can_never_move_again_has_failed() -> None:
    outcomes = trained(Ensembles(Cliff, numbered(), SETTINGS), [1, 2]).values()
    assert [outcome.failed_at for outcome in outcomes] == [CHUNK, CHUNK]
