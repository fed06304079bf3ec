"""The shift against the list of all Walsh averages, and its interval against the test."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.stats.hodges_lehmann import hodges_lehmann
from idkit.stats.signed_rank import critical_value, signed_rank

Floats = NDArray[np.float64]
numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
samples = st.lists(numbers, min_size=1, max_size=40).map(np.array)
tied = st.lists(st.integers(-3, 3), min_size=1, max_size=40).map(lambda d: np.array(d, float))


def walsh(d: Floats) -> Floats:
    return np.sort((np.add.outer(d, d)[np.triu_indices(d.size)]) / 2)


@given(samples | tied)
def test_estimate_and_ends_are_order_statistics_of_the_walsh_averages(d: Floats) -> None:
    averages, found = walsh(d), hodges_lehmann(d)
    near = 1e-9 * float(np.abs(d).max())
    assert found.estimate == pytest.approx(float(np.median(averages)), abs=near)
    c = critical_value(d.size, 1 - found.level)
    if c >= 0:
        assert found.low == pytest.approx(averages[c], abs=near)
        assert found.high == pytest.approx(averages[-1 - c], abs=near)


@given(st.integers(6, 60), st.integers(0, 10**6), st.floats(-3, 3))
def test_the_interval_holds_exactly_the_shifts_that_the_test_does_not_reject(
    n: int, seed: int, shift: float
) -> None:
    d = np.random.default_rng(seed).normal(size=n)
    found = hodges_lehmann(d)
    assert (found.low < shift < found.high) == (signed_rank(d - shift).p > 0.05)


@given(samples, st.floats(0.1, 10), st.floats(-100, 100))
def test_it_moves_and_stretches_with_the_differences(d: Floats, unit: float, move: float) -> None:
    one, other = hodges_lehmann(d), hodges_lehmann(unit * d + move)
    near = 1e-6 * (1 + float(np.abs(d).max()))
    assert other.estimate == pytest.approx(unit * one.estimate + move, abs=near)
    assert other.low == pytest.approx(unit * one.low + move, abs=near)
    assert other.high == pytest.approx(unit * one.high + move, abs=near)


@given(tied)
def test_exchanging_the_families_mirrors_it(d: Floats) -> None:
    one, other = hodges_lehmann(d), hodges_lehmann(-d)
    assert (other.estimate, other.low, other.high) == (-one.estimate, -one.high, -one.low)


@pytest.mark.parametrize("n", [99, 100, 101, 140])
@pytest.mark.parametrize("places", [1, 3, 12])
@pytest.mark.parametrize("large", [0.0, 1e10, -1e100, 1.7e308])
def test_long_and_short_tables_are_ordered_exactly(n: int, places: int, large: float) -> None:
    """The sorted list of all averages in fractions, for both ways of finding the k-th."""
    d = np.round(np.random.default_rng([n, places]).normal(size=n), places)
    d[0] += large
    exact = [Fraction(repr(x)) for x in d.tolist()]
    averages = sorted((x + y) / 2 for i, x in enumerate(exact) for y in exact[i:])
    middle = [averages[(len(averages) - 1) // 2], averages[len(averages) // 2]]
    c, found = critical_value(n, 0.05), hodges_lehmann(d)
    assert found.estimate == float(sum(middle) / 2)
    assert (found.low, found.high) == (float(averages[c]), float(averages[-1 - c]))


def test_it_is_not_the_mean_and_not_the_median() -> None:
    d = np.array([0.0, 1.0, 5.0, 100.0])  # averages 0 .5 1 2.5 3 5 50 50.5 52.5 100
    assert hodges_lehmann(d).estimate == 4.0


@pytest.mark.parametrize("n", range(1, 6))
def test_fewer_than_six_differences_have_no_95_percent_interval(n: int) -> None:
    found = hodges_lehmann(np.arange(1.0, n + 1))
    assert (found.low, found.high) == (-np.inf, np.inf)


def test_six_differences_have_one_and_a_lower_level_needs_fewer() -> None:
    d = np.array([3.0, 1.0, 2.0, 6.0, 5.0, 4.0])
    assert (hodges_lehmann(d).low, hodges_lehmann(d).high) == (1.0, 6.0)
    assert hodges_lehmann(d[:5], level=0.9).low == 1.0


@pytest.mark.parametrize("decimals", [0, 1, 6])
def test_it_covers_the_true_shift_95_times_of_100_and_more_with_ties(decimals: int) -> None:
    rng = np.random.default_rng(0)
    covered = []
    for d in np.round(rng.standard_normal((600, 15)), decimals):
        found = hodges_lehmann(d)
        covered.append(found.low <= 0 <= found.high)
    assert np.mean(covered) >= 0.95 - 2 * np.sqrt(0.95 * 0.05 / 600)
    assert decimals < 6 or np.mean(covered) < 0.98


def test_fifty_thousand_differences_need_no_list_of_their_averages() -> None:
    d = np.random.default_rng(0).standard_normal(50_000)
    found = hodges_lehmann(d)
    assert found.low < found.estimate < found.high
    assert found.estimate == pytest.approx(d.mean(), abs=0.005)
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(np.pi / 3 / 50_000), rel=0.05)


@pytest.mark.parametrize("d", [[], [np.nan, 1.0]])
def test_nothing_and_what_is_not_finite_are_refused(d: list[float]) -> None:
    with pytest.raises(IdkitError, match="paired difference"):
        hodges_lehmann(np.array(d, dtype=np.float64))
