"""The condition of the identifiability theorem: what L is, and what is done about it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from idkit.cli import run
from idkit.densities.identifiability import (
    Condition,
    Mode,
    condition_number,
    differences,
    nudge,
    rank,
)
from idkit.densities.likelihoods import gaussian
from idkit.errors import UsageError
from idkit.models import Frame, ivae, vade
from idkit.nets import mlp3
from idkit.training.fit import Ensembles, Rows, Settings, Training
from idkit.training.streams import Live

seeds = st.integers(0, 10_000)
sizes = st.integers(1, 4)


def prior(seed: int, values: int, d_z: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(values, d_z, generator=generator),
        0.3 * torch.randn(values, d_z, generator=generator),
    )


def noise(seed: int) -> Live:
    return Live(torch.Generator().manual_seed(seed))


def test_l_by_hand() -> None:
    mu, log_var = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[1.0], [2.0], [4.0]]).log()
    expected = torch.tensor([[1 / 2, 2 / 4], [-1 / 4 + 1 / 2, -1 / 8 + 1 / 2]])
    torch.testing.assert_close(differences(mu, log_var), expected.double())


@given(seeds, sizes)
def test_as_many_priors_as_needed_in_general_position_have_full_rank(seed: int, d_z: int) -> None:
    matrix = differences(*prior(seed, 2 * d_z + 1, d_z))
    assert matrix.shape == (2 * d_z, 2 * d_z)
    assert rank(matrix) == 2 * d_z
    assert float(condition_number(matrix)) == pytest.approx(np.linalg.cond(matrix), rel=1e-6)


@given(seeds, sizes)
def test_what_makes_l_singular(seed: int, d_z: int) -> None:
    mu, log_var = prior(seed, 2 * d_z + 1, d_z)
    zero = torch.zeros_like(mu)
    assert rank(differences(mu, zero)) <= d_z  # one variance for all u: means alone do not do
    assert rank(differences(zero, log_var)) <= d_z  # nor variances alone
    again = [*range(2 * d_z), 0]  # a value of u too few
    assert rank(differences(mu[again], log_var[again])) == 2 * d_z - 1
    assert rank(differences(zero, zero)) == 0
    assert condition_number(differences(zero, zero)) == torch.inf


@given(seeds, sizes, st.floats(0.01, 100))
def test_rank_knows_no_units_nor_the_order_of_u_but_the_condition_number_does(
    seed: int, d_z: int, unit: float
) -> None:
    mu, log_var = prior(seed, 2 * d_z + 3, d_z)
    rescaled = mu * unit, log_var + 2 * np.log(unit)
    assert rank(differences(*rescaled)) == 2 * d_z
    order = torch.randperm(len(mu), generator=torch.Generator().manual_seed(seed))
    assert rank(differences(mu[order], log_var[order])) == 2 * d_z
    if unit > 10:
        assert condition_number(differences(*rescaled)) != condition_number(
            differences(mu, log_var)
        )


@given(seeds, sizes)
def test_components_that_only_rounding_tells_apart_are_one(seed: int, d_z: int) -> None:
    mu, log_var = (value[:1].repeat(2 * d_z + 1, 1) for value in prior(seed, 1, d_z))
    signs = torch.tensor([1.0, -1.0]).repeat(d_z + 1)[: len(mu), None]
    assert rank(differences(mu * (1 + 2e-7 * signs), log_var * (1 + 2e-7 * signs))) == 0
    assert rank(differences(mu, log_var + 1e-4 * signs)) > 0


def test_variances_out_of_range_are_no_error() -> None:
    mu, log_var = prior(1, 5, 2)
    log_var[2, 1] = -2000
    assert rank(differences(mu, log_var)) == 0
    assert condition_number(differences(mu, log_var)) == torch.inf


@given(seeds, sizes)
def test_noise_mends_a_singular_l_and_leaves_any_other(seed: int, d_z: int) -> None:
    condition = Condition("project", 2 * d_z + 1, d_z)
    mu, log_var = prior(seed, 2 * d_z + 1, d_z)
    same = condition.mended(mu, log_var, noise(seed))
    assert torch.equal(same[0], mu)
    assert torch.equal(same[1], log_var)
    flat = torch.ones_like(mu), torch.ones_like(mu)
    assert rank(differences(*flat)) == 0
    assert rank(differences(*condition.mended(*flat, noise(seed)))) == 2 * d_z


@given(seeds)
def test_the_nudge_is_small_in_units_of_the_prior(seed: int) -> None:
    mu, log_var = prior(seed, 9, 3)
    for scale in (0.01, 100.0):
        units = mu * scale, log_var + 2 * np.log(scale)
        new_mu, new_log_var = nudge(*units, noise(seed))
        assert ((new_mu - units[0]) / scale).abs().max() < 0.5
        assert (new_log_var - units[1]).abs().max() < 0.1


def test_the_penalty_is_alpha_times_the_condition_number_and_lessens_it() -> None:
    mu, log_var = (p.requires_grad_() for p in prior(4, 7, 3))
    condition = Condition("penalty", 7, 3, alpha=0.5)
    terms = condition.penalised({"objective": torch.tensor(2.0)}, mu, log_var)
    before = float(condition_number(differences(mu, log_var)).detach())
    assert float(terms["objective"].detach()) == pytest.approx(2 - 0.5 * before, rel=1e-5)
    up = torch.autograd.grad(terms["objective"], (mu, log_var))
    moved = (p.detach() + 1e-4 * g / g.norm() for p, g in zip((mu, log_var), up, strict=True))
    assert condition_number(differences(*moved)) < before
    untouched = {"objective": torch.tensor(2.0)}
    assert Condition("track", 7, 3).penalised(untouched, mu, log_var) is untouched


@pytest.mark.parametrize("mode", ["project", "penalty"])
def test_too_few_values_of_u_are_refused_in_words(mode: Mode) -> None:
    with pytest.raises(UsageError, match="3 latent dimensions take 7 values of u, there are 6"):
        Condition(mode, 6, 3)
    assert Condition("track", 6, 3).diagnostics(*prior(0, 6, 3)) == {}
    assert not Condition(mode, 7, 3).remark()


FRAME = Frame((4,), 8, 3, False, mlp3.encoder, mlp3.decoder, gaussian.build)
SETTINGS = Settings(steps=12, batch_size=20, lr=1e-2, factor=0.1, patience=20)  # three epochs


def rows() -> Rows:
    generator = torch.Generator().manual_seed(0)
    return Rows(torch.randn(80, 4, generator=generator), torch.arange(80) % 8)


def train(build: Callable[[], Any], numbers: list[int]) -> Training:
    training = Training.start(Ensembles(build, rows(), SETTINGS), numbers)
    while not training.done:
        training.advance()
    return training


def collapsed(mode: Mode) -> vade.Vade:
    """A VaDE all of whose components are one, which no gradient will ever tell apart."""
    model = vade.build(FRAME, components=8, identifiability=mode)
    with torch.no_grad():
        model.mixture.mu.fill_(0.3)
        model.mixture.log_var.fill_(0.1)
    return model


MODELS: dict[str, Callable[..., Any]] = {
    "vade": partial(vade.build, FRAME, components=8),
    "ivae": partial(ivae.build, FRAME),
}


@pytest.mark.parametrize("model", MODELS)
def test_rank_and_condition_number_are_recorded_each_epoch(model: str) -> None:
    for outcome in train(MODELS[model], [1, 2]).outcomes():
        assert outcome.history["rank_L"].tolist() == [6.0] * 3
        found = outcome.history["condition_L"]
        assert (found >= 1).all()
        assert len(set(found.tolist())) == 3
        names = (
            ("mixture.mu", "mixture.log_var") if model == "vade" else ("prior.mu", "prior.log_var")
        )
        matrix = differences(*(torch.from_numpy(outcome.state[name]) for name in names))
        assert found[-1] == pytest.approx(float(condition_number(matrix)), rel=1e-5)


def test_a_net_as_prior_is_tracked_too_and_a_table_of_variances_is_singular() -> None:
    by_net = train(partial(ivae.build, FRAME, prior="mlp"), [1]).outcomes()[0].history
    assert (by_net["condition_L"] > 1).all()
    held = train(partial(ivae.build, FRAME, prior_mean="zero"), [1]).outcomes()[0].history
    assert held["rank_L"].tolist() == [3.0] * 3
    assert np.isinf(held["condition_L"]).all()


def test_nothing_is_recorded_where_l_cannot_be_built() -> None:
    build = partial(vade.build, FRAME, components=6)
    assert "rank_L" not in train(build, [1]).outcomes()[0].history
    assert "take 7 values of u, there are 6" in build().remark()


def test_components_that_are_one_are_told_apart_by_projection_only() -> None:
    tracked = train(partial(collapsed, "track"), [1]).outcomes()[0]
    assert tracked.history["rank_L"].tolist() == [0, 0, 0]
    mended = train(partial(collapsed, "project"), [1, 2]).outcomes()
    for outcome in mended:
        assert outcome.history["rank_L"].tolist() == [0, 6, 6]
    assert not np.array_equal(mended[0].state["mixture.mu"], mended[1].state["mixture.mu"])
    alone = train(partial(collapsed, "project"), [2]).outcomes()[0]
    np.testing.assert_allclose(
        alone.state["mixture.mu"], mended[1].state["mixture.mu"], rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("model", MODELS)
def test_where_l_is_regular_projecting_is_tracking(model: str) -> None:
    tracked, projected = (
        train(partial(MODELS[model], identifiability=mode), [3]).outcomes()[0].state
        for mode in ("track", "project")
    )
    for name, value in tracked.items():
        np.testing.assert_array_equal(projected[name], value)


def test_a_penalised_run_ends_better_conditioned() -> None:
    build = MODELS["vade"]
    plain = train(build, [3]).outcomes()[0].history
    hard = partial(build, identifiability="penalty", alpha=1.0)
    penalised = train(hard, [3]).outcomes()[0].history
    assert penalised["condition_L"][-1] < plain["condition_L"][-1]
    np.testing.assert_allclose(
        penalised["objective"],
        penalised["log_likelihood"] - penalised["kl"] - penalised["penalty"],
        rtol=1e-5,
    )


@pytest.mark.parametrize("stop", [2, 4, 6])
def test_a_projected_run_that_was_stopped_goes_on_exactly(stop: int) -> None:
    build = partial(collapsed, "project")
    whole = train(build, [1, 2]).outcomes()
    ensembles = Ensembles(build, rows(), SETTINGS)
    begun = Training.start(ensembles, [1, 2])
    while begun.step < stop:
        begun.advance()
    resumed = Training.resume(ensembles, begun.snapshot(), [1, 2])
    while not resumed.done:
        resumed.advance()
    for ours, theirs in zip(resumed.outcomes(), whole, strict=True):
        for name, value in theirs.state.items():
            np.testing.assert_array_equal(ours.state[name], value)
        np.testing.assert_array_equal(ours.history["condition_L"], theirs.history["condition_L"])


@pytest.mark.parametrize(
    ("knobs", "text"),
    [
        ({"identifiability": "project", "prior": "mlp"}, "prior=table"),
        ({"identifiability": "project", "prior_mean": "zero"}, "prior_mean=learnt"),
        ({"identifiability": "penalty", "prior_mean": "zero"}, "prior_mean=learnt"),
        ({"alpha": 0.5}, "identifiability=penalty"),
    ],
)
def test_what_goes_with_nothing_is_refused(knobs: dict[str, Any], text: str) -> None:
    with pytest.raises(UsageError, match=text):
        ivae.build(FRAME, **knobs)


def test_train_says_in_words_when_l_cannot_be_built(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["train", "--model", "ivae", "--steps", "1"]) == 0
    assert "20 latent dimensions take 41 values of u, there are 10" in capsys.readouterr().err
    assert run(["train", "--data", "tcl", "--steps", "1"]) == 0
    assert "cannot be built" not in capsys.readouterr().err
    assert run(["train", "-p", "identifiability=project"]) == 2
    assert "take 41 values of u, there are 20" in capsys.readouterr().err
