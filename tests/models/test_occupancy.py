"""The shares of components follow training, and say when it has come to one."""

from math import log

import numpy as np
import pytest
import torch
from torch import Tensor

from idkit.assembly import Design, builder
from idkit.densities.occupancy import PACE, Occupancy, entropy
from idkit.training.fit import Ensembles, Rows, Settings, Training


def rows(n: int, k: int, seed: int = 0) -> Tensor:
    return torch.softmax(torch.randn(n, k, generator=torch.Generator().manual_seed(seed)), -1)


def test_shares_move_towards_the_mean_responsibilities_at_their_pace() -> None:
    watched = Occupancy(4)
    p = rows(50, 4)
    for _ in range(3):
        watched(p)
    left = (1 - PACE) ** 3
    torch.testing.assert_close(watched.share, left * 0.25 + (1 - left) * p.mean(0))
    assert float(watched.share.sum()) == pytest.approx(1)


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


def test_nothing_is_learnt_from_being_watched() -> None:
    p = rows(5, 3).requires_grad_()
    assert not Occupancy(3)(p).requires_grad


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
