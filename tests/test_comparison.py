"""A score with its chance level and interval: seeded, bounded, and withheld where it must be."""

import numpy as np
import pytest
from numpy.typing import NDArray

from idkit import comparison
from idkit.comparison import CHANCE_PAIRS
from idkit.errors import IdkitError

Floats = NDArray[np.float64]


def family(runs: int, noise: float, d: int = 3, n: int = 200) -> list[Floats]:
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((n, d))
    return [shared + noise * rng.standard_normal((n, d)) for _ in range(runs)]


def test_the_chance_level_is_the_score_of_rows_that_have_nothing_to_do_with_each_other() -> None:
    rng = np.random.default_rng(1)
    unrelated = [rng.standard_normal((2000, 4)) for _ in range(4)]
    for mode, found in comparison.compare(unrelated).items():
        assert found.score.mode == mode
        assert found.chance_in == pytest.approx(found.score.mcc_in, abs=0.01)
        assert found.chance_out == pytest.approx(np.sqrt(2 / np.pi / 1000), abs=0.005)
    related = comparison.compare(family(4, 0.1, 4, 2000))["strong"]
    assert related.chance_out < 0.05 < 0.9 < related.score.mcc_out


@pytest.mark.parametrize(("runs", "draws"), [(2, CHANCE_PAIRS), (3, CHANCE_PAIRS // 3), (10, 1)])
def test_the_chance_level_is_over_as_many_pairs_however_few_runs_there_are(
    runs: int, draws: int
) -> None:
    found = comparison.compare(family(runs, 1.0), modes=["strong"])["strong"]
    assert found.shuffled_in.shape == found.shuffled_out.shape == (draws,)
    assert (found.p_in, found.p_out) == (None, None)


def test_draws_follow_the_seed_and_more_of_them_begin_with_the_same() -> None:
    runs = family(3, 1.0)
    few, more, other = (
        comparison.compare(runs, modes=["weak"], perms=perms, seed=seed)["weak"]
        for perms, seed in ((5, 0), (9, 0), (5, 1))
    )
    np.testing.assert_array_equal(few.shuffled_out, more.shuffled_out[:5])
    assert (few.shuffled_out != other.shuffled_out).all()
    assert few.p_out == 1 / 6


@pytest.mark.parametrize("runs", [3, 5, 8])
def test_self_pairs_carry_the_interval_of_the_others_over(runs: int) -> None:
    zs = family(runs, 0.7)
    distinct, every = (
        comparison.compare(zs, modes=["strong"], self_pairs=selves)["strong"]
        for selves in (False, True)
    )
    pairs = runs * (runs - 1) / 2
    share = pairs / (pairs + runs)
    assert every.score.mcc_out == pytest.approx(share * distinct.score.mcc_out + 1 - share)
    for end in ("low", "high"):
        expected = share * getattr(distinct.interval, end) + 1 - share
        assert getattr(every.interval, end) == pytest.approx(expected)


def test_every_draw_is_announced() -> None:
    heard: list[int] = []
    comparison.compare(family(3, 1.0), modes=["strong"], perms=4, advance=heard.append)
    assert heard == [1, 2, 3, 4]


def test_an_interval_stays_where_a_score_can_be() -> None:
    rng = np.random.default_rng(9)
    runs = [*family(2, 0.0), rng.standard_normal((200, 3))]
    found = comparison.compare(runs, modes=["strong"])["strong"].interval
    assert (found.low, found.high) == (0, 1)


def test_against_ground_truth_only_the_runs_are_seeds() -> None:
    *runs, truth = family(5, 0.3)
    found = comparison.compare(runs, modes=["strong"], against=truth)["strong"]
    values = found.score.pair_out
    assert found.interval.error == pytest.approx(values.std(ddof=1) / 2)
    two = comparison.compare(runs[:2], modes=["strong"], against=truth)["strong"]
    assert "needs 3, found 2" in two.interval.withheld


def test_labels_that_are_all_different_leave_nothing_to_shuffle() -> None:
    with pytest.raises(IdkitError, match="no label is shared"):
        comparison.compare(family(3, 0.5), modes=["strong"], perms=3, labels=np.arange(200))
