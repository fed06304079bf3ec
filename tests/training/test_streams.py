"""Streams: every random number of a training follows from its own seed."""

from itertools import combinations

import pytest
import torch
from torch import Tensor

from idkit.training.streams import Draw, Live, Replay, Vary, spawn

KINDS = ("init", "order", "noise")


def numbers(seed: int, kind: str, vary: Vary = "all") -> Tensor:
    return torch.rand(8, generator=getattr(spawn(seed, vary=vary), kind))


def test_a_stream_follows_from_its_seed_and_kind() -> None:
    drawn = {(seed, kind): numbers(seed, kind) for seed in (0, 1, 2, 2**62) for kind in KINDS}
    for (seed, kind), values in drawn.items():
        assert torch.equal(values, numbers(seed, kind))
    for one, other in combinations(drawn.values(), 2):
        assert not torch.equal(one, other)


@pytest.mark.parametrize("vary", ["all", "init", "order", "noise"])
def test_streams_that_do_not_vary_are_those_of_seed_0(vary: Vary) -> None:
    for kind in KINDS:
        follows = vary in ("all", kind)
        expected = numbers(5 if follows else 0, kind)
        assert torch.equal(numbers(5, kind, vary), expected)


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    streams = spawn(3)
    Live(streams.noise).normal((4,))
    Draw("uniform", (2, 3)).many(5, streams.noise)
    assert torch.equal(torch.get_rng_state(), before)


def test_draws_are_of_their_distribution() -> None:
    normal = Draw("normal", (100,)).many(1000, spawn(1).noise)
    uniform = Draw("uniform", (100,)).many(1000, spawn(1).noise)
    assert normal.shape == uniform.shape == (1000, 100)
    assert normal.mean() == pytest.approx(0, abs=0.02)
    assert normal.std() == pytest.approx(1, abs=0.02)
    assert uniform.min() >= 0
    assert uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=0.01)


def test_live_noise_remembers_what_was_asked_of_it() -> None:
    live = Live(spawn(1).noise)
    live.normal((2, 3))
    live.uniform(torch.Size([4]))
    assert live.draws == [Draw("normal", (2, 3)), Draw("uniform", (4,))]


def test_replayed_noise_comes_in_the_order_in_which_it_was_asked_for() -> None:
    drawn = [torch.ones(2, 3), torch.zeros(4)]
    replay = Replay(drawn)
    assert torch.equal(replay.normal((2, 3)), drawn[0])
    assert torch.equal(replay.uniform((4,)), drawn[1])
    assert len(drawn) == 2  # a list that is compiled against must not shrink
    with pytest.raises(AssertionError, match="changed what it asks for"):
        Replay(drawn).normal((4,))
