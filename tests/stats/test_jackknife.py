"""The interval over seeds against closed forms, brute force, and what it must cover."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from idkit.stats.jackknife import interval

Floats = NDArray[np.float64]


def all_pairs(seeds: int) -> NDArray[np.int64]:
    return np.array(list(combinations(range(seeds), 2)), dtype=np.int64)


@given(st.lists(st.floats(0, 1), min_size=3, max_size=12), st.sampled_from([0.5, 0.9, 0.95]))
def test_with_one_seed_a_value_it_is_the_usual_t_interval(
    values: list[float], level: float
) -> None:
    x = np.array(values)
    found = interval(x, np.arange(len(x))[:, None], level=level)
    error = float(stats.sem(x))
    reach = stats.t.ppf((1 + level) / 2, len(x) - 1) * error
    assert found.error == pytest.approx(error, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((x.mean() - reach, x.mean() + reach), abs=1e-9)


@given(st.integers(3, 8), st.integers(0, 99))
def test_it_is_what_leaving_each_seed_out_gives(seeds: int, seed: int) -> None:
    pairs = all_pairs(seeds)
    values = np.random.default_rng(seed).uniform(size=len(pairs))
    without = [
        np.mean([v for v, pair in zip(values, pairs, strict=True) if r not in pair])
        for r in range(seeds)
    ]
    error = np.sqrt((seeds - 1) * np.mean((np.array(without) - np.mean(without)) ** 2))
    assert interval(values, pairs).error == pytest.approx(error, abs=1e-12)


@given(st.integers(3, 8), st.integers(0, 99), st.floats(-2, 2), st.floats(0.1, 3))
def test_it_moves_and_stretches_with_the_values_and_ignores_their_order(
    seeds: int, seed: int, shift: float, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    pairs = all_pairs(seeds)
    values = rng.uniform(size=len(pairs))
    order = rng.permutation(len(pairs))
    one = interval(values, pairs)
    two = interval(shift + scale * values[order], pairs[order][:, ::-1] + 5)
    assert one.low is not None
    assert two.low == pytest.approx(shift + scale * one.low, abs=1e-9)


def test_equal_values_leave_no_doubt() -> None:
    found = interval(np.full(10, 0.8), all_pairs(5))
    assert (found.low, found.high) == pytest.approx((0.8, 0.8))


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_have_no_interval_and_a_reason(seeds: int) -> None:
    pairs = np.array([[0, seeds - 1]])
    found = interval(np.array([0.9]), pairs)
    assert (found.low, found.high, found.error) == (None, None, None)
    assert f"needs 3, found {seeds}" in found.withheld


def test_a_seed_that_is_in_every_pair_cannot_be_left_out() -> None:
    found = interval(np.array([0.9, 0.8, 0.7]), np.array([[0, 3], [1, 3], [2, 3]]))
    assert found.low is None
    assert "in every pair" in found.withheld


@pytest.mark.parametrize("seeds", [5, 10])
def test_it_covers_what_it_claims_where_the_interval_over_pairs_does_not(seeds: int) -> None:
    rng, pairs, trials = np.random.default_rng(0), all_pairs(seeds), 2000
    own = rng.standard_normal((trials, seeds))
    tables = own[:, pairs[:, 0]] + own[:, pairs[:, 1]]
    tables += 0.5 * rng.standard_normal(tables.shape)
    found = [interval(table, pairs) for table in tables]
    covered = np.mean([each.low <= 0 <= each.high for each in found])  # type: ignore[operator]
    naive = stats.t.interval(0.95, len(pairs) - 1, tables.mean(axis=1), stats.sem(tables, axis=1))
    assert 0.93 < covered < 0.97
    assert np.mean((naive[0] <= 0) & (naive[1] >= 0)) < 0.8
