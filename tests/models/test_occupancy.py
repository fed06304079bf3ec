"""The shares of components follow training, and say when it has come to one."""

from math import log
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from idkit.assembly import Design, builder
from idkit.densities.occupancy import PACE, Occupancy, entropy
from idkit.training.fit import Ensembles, Rows, Settings, Training
from idkit.training.streams import Live


def rows(n: int, k: int, seed: int = 0) -> Tensor:
    return torch.softmax(torch.randn(n, k, generator=torch.Generator().manual_seed(seed)), -1)


def test_shares_are_the_mean_of_the_first_batches_and_then_follow_at_their_pace() -> None:
    watched = Occupancy(4)
    batches = [rows(50, 4, seed) for seed in range(3)]
    for p in batches:
        watched(p)
    torch.testing.assert_close(watched.share, torch.cat(batches).mean(0))
    watched.batches.fill_(1000)
    before, p = watched.share.clone(), rows(50, 4, 9)
    watched(p)
    torch.testing.assert_close(watched.share, (1 - PACE) * before + PACE * p.mean(0))


def test_a_collapse_from_the_first_batch_on_is_seen_at_once() -> None:
    watched = Occupancy(40)
    for _ in range(22):
        watched(torch.eye(40)[:1].expand(64, -1))
    assert float(watched.diagnostics()["perplexity"]) == pytest.approx(1)


def test_positions_of_a_grid_count_as_rows() -> None:
    flat, gridded = Occupancy(5), Occupancy(5)
    p = rows(24, 5)
    torch.testing.assert_close(gridded(p.view(2, 3, 4, 5)), flat(p))
    torch.testing.assert_close(gridded.share, flat.share)


def test_in_eval_mode_nothing_is_taken_in() -> None:
    watched = Occupancy(3).eval()
    watched(torch.eye(3)[:1])
    assert watched.share.tolist() == [pytest.approx(1 / 3)] * 3


def test_entropy_is_0_where_each_row_has_one_component_and_log_k_at_most() -> None:
    assert Occupancy(4)(torch.eye(4)) == 0
    assert float(Occupancy(4)(torch.full((3, 4), 0.25))) == pytest.approx(log(4))
    p = rows(9, 4).double()
    torch.testing.assert_close(entropy(p), -(p * p.log()).sum(-1))


def test_perplexity_counts_components_in_equal_use() -> None:
    watched = Occupancy(8)
    for used in (8, 3, 1):
        watched.share.copy_(torch.tensor([1 / used] * used + [0.0] * (8 - used)))
        assert float(watched.diagnostics()["perplexity"]) == pytest.approx(used)


@pytest.mark.parametrize("model", ["vade", "rademacher"])
def test_noise_of_the_posterior_tells_no_rows_apart(model: str) -> None:
    """Where q(z|x) is the same for every x, components far apart share its samples out."""
    made: Any = builder(Design(model, "mlp3", "gaussian", (4,), 0, 2, False, SMALL[model]))()
    prior = made.mixture if model == "vade" else made.prior
    with torch.no_grad():
        for parameter in made.posterior.parameters():
            parameter.zero_()
        prior.mu.copy_(torch.linspace(-3, 3, len(prior.mu)).unsqueeze(1).expand(-1, 2))
        prior.log_var.fill_(-2.0)
    noise = Live(torch.Generator().manual_seed(1))
    terms = made.objective(rows(64, 4), torch.zeros(64, dtype=torch.int64), noise)
    assert float(terms["entropy"]) == pytest.approx(float(entropy(made.occupancy.share)), rel=1e-4)


def test_a_code_that_z_determines_is_agreed_on() -> None:
    made: Any = builder(Design("rademacher", "mlp3", "gaussian", (4,), 0, 4, False, {"bits": 2}))()
    x = torch.randn(200, 4, generator=torch.Generator().manual_seed(2))
    code = made.hash(x)
    corners = torch.tensor([[i & 1, i >> 1, 0, 0] for i in range(4)]) * 20.0 - 10

    class Known(torch.nn.Module):
        def forward(self, _x: Tensor, _noise: Any) -> Normal:
            return Normal(corners[code], torch.ones(()))

    made.posterior = Known()
    with torch.no_grad():
        made.prior.mu.copy_(corners)
    u = torch.zeros(200, dtype=torch.int64)
    found = made.objective(x, u, Live(torch.Generator().manual_seed(1)))["agreement"]
    assert float(found) == pytest.approx(1)
    with torch.no_grad():
        made.prior.mu.fill_(0.0)
        made.prior.log_var.fill_(0.0)
    found = made.objective(x, u, Live(torch.Generator().manual_seed(1)))["agreement"]
    assert float(found) == pytest.approx(1 / 4)


def test_nothing_is_learnt_from_being_watched() -> None:
    p = rows(5, 3).requires_grad_()
    assert not Occupancy(3)(p).requires_grad


SMALL: dict[str, dict[str, Any]] = {"vade": {"components": 4}, "rademacher": {"bits": 2}}
KNOBS = {"vade": {"components": 3}, "rademacher": {"bits": 2}, "rvqvae": {"codes": 3, "width": 4}}


@pytest.mark.parametrize("model", KNOBS)
def test_each_seed_records_its_own_use_of_components(model: str) -> None:
    arch, shape = ("grid", (1, 8, 8)) if model == "rvqvae" else ("mlp3", (4,))
    design = Design(model, arch, "gaussian", shape, 0, 2, len(shape) > 1, KNOBS[model])
    x = torch.randn(60, *shape, generator=torch.Generator().manual_seed(1))
    data = Rows(x, torch.zeros(60, dtype=torch.int64))
    settings = Settings(steps=12, batch_size=20, lr=1e-2, factor=0.5, patience=5)
    training = Training.start(Ensembles(builder(design), data, settings), [1, 2])
    while not training.done:
        training.advance()
    one, two = training.outcomes()
    for outcome in (one, two):
        share = outcome.state["occupancy.share"].astype(np.float64)
        assert share.sum() == pytest.approx(1, abs=1e-5)
        perplexity = outcome.history["perplexity"]
        assert perplexity.shape == outcome.history["entropy"].shape == (4,)
        expected = np.exp(-(share * np.log(share)).sum())
        assert perplexity[-1] == pytest.approx(expected, rel=1e-5)
    assert not np.array_equal(one.state["occupancy.share"], two.state["occupancy.share"])
