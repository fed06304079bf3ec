"""Holm, rank-biserial, Friedman and equivalence."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from scipy import stats

from idkit.errors import IdkitError, UsageError
from idkit.stats import flips
from idkit.stats.equivalence import Decision, equivalence
from idkit.stats.friedman import friedman
from idkit.stats.holm import holm
from idkit.stats.rank_biserial import rank_biserial
from idkit.stats.signed_rank import Zeros

Floats = NDArray[np.float64]
ZEROS: tuple[Zeros, ...] = ("wilcox", "pratt")
p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)
signed = st.lists(st.integers(-5, 5), min_size=1, max_size=20).map(lambda d: np.array(d, float))
tables = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, min_side=3, max_side=9),
    elements=st.integers(0, 4).map(float),
)


@given(p_values)
def test_holm_is_its_step_down_definition(p: list[float]) -> None:
    adjusted, rejected = holm(p), np.zeros(len(p), dtype=bool)
    for level in (0.01, 0.05, 0.3):
        rejected[:] = False
        for step, place in enumerate(np.argsort(p, kind="stable")):
            if p[place] * (len(p) - step) > level:
                break
            rejected[place] = True
        assert ((adjusted <= level) == rejected).all()


@given(p_values, st.integers(0, 2**32))
def test_holm_follows_its_tests_wherever_they_stand(p: list[float], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(p))
    assert (holm(np.array(p)[order].tolist()) == holm(p)[order]).all()


@given(p_values)
def test_holm_lies_between_the_p_and_bonferroni(p: list[float]) -> None:
    given_p = np.array(p)
    assert (holm(p) >= given_p).all()
    assert (holm(p) <= np.minimum(1, len(p) * given_p)).all()


@given(signed, st.sampled_from(ZEROS))
def test_rank_biserial_is_the_balance_of_the_two_rank_sums(d: Floats, zeros: Zeros) -> None:
    assume((d != 0).any())
    theirs = [
        stats.wilcoxon(sign * d, zero_method=zeros, method="asymptotic", alternative="greater")
        for sign in (1, -1)
    ]
    above, below = (test.statistic for test in theirs)
    assert rank_biserial(d, zeros=zeros) == pytest.approx((above - below) / (above + below))
    assert rank_biserial(-d, zeros=zeros) == -rank_biserial(d, zeros=zeros)


def test_rank_biserial_at_its_ends_and_where_it_is_undefined() -> None:
    assert rank_biserial(np.array([1.0, 7.0, 0.0])) == 1.0
    assert rank_biserial(np.array([-1.0, -7.0])) == -1.0
    assert rank_biserial(np.array([1.0, -2.0, 3.0, 4.0])) == pytest.approx(0.6)
    assert np.isnan(rank_biserial(np.zeros(3)))


@given(tables)
def test_friedman_agrees_with_scipy_also_with_ties(values: Floats) -> None:
    assume((np.ptp(values, axis=1) > 0).any())
    found, theirs = friedman(values), stats.friedmanchisquare(*values.T)
    assert found.statistic == pytest.approx(theirs.statistic, abs=1e-9)
    many = np.tile(values, (21, 1))
    assert friedman(many).method.startswith("chi-squared")
    assert friedman(many).p == pytest.approx(stats.friedmanchisquare(*many.T).pvalue, abs=1e-9)


@given(st.data())
def test_friedman_of_few_cells_counts_every_order(data: st.DataObject) -> None:
    k = data.draw(st.sampled_from([3, 4]))
    n = data.draw(st.integers(1, 4 if k == 3 else 2))
    entries = st.lists(st.integers(0, 4), min_size=n * k, max_size=n * k)
    values = np.array(data.draw(entries), dtype=np.float64).reshape(n, k)
    found = friedman(values)
    ranks = [stats.rankdata(row) for row in values]
    orders = product(*(list(permutations(row)) for row in ranks))
    spread = np.array([np.var(np.sum(order, axis=0)) for order in orders])
    seen = np.var(np.sum(ranks, axis=0))
    assert found.p == pytest.approx(np.mean(spread >= seen - 1e-9), abs=1e-12)
    assert found.method == "exact"


def test_friedman_of_the_printed_tables() -> None:
    """P(Q >= 6.5) = 0.042 for 3 families over 4 cells; all alike: 1 / (k!)^(n - 1)."""
    four = np.array([[1.0, 2, 3], [1, 2, 3], [1, 2, 3], [1, 3, 2]])
    assert friedman(four).statistic == pytest.approx(6.5)
    assert friedman(four).p == pytest.approx(0.042, abs=5e-4)
    assert friedman(four[:3]).p == pytest.approx(1 / 36)
    assert friedman(np.tile(np.arange(4.0), (10, 1))).p == pytest.approx(24.0**-9)


def test_friedman_ignores_the_level_of_a_row_but_not_the_order_within_it() -> None:
    values = np.random.default_rng(0).standard_normal((8, 3)) + np.arange(3)
    assert friedman(np.exp(values + np.arange(8)[:, None])) == friedman(values)
    assert friedman(np.sort(values)).p < friedman(values).p


def test_friedman_leaves_out_incomplete_rows_and_ties_all_over_are_no_evidence() -> None:
    values = np.random.default_rng(0).standard_normal((6, 3))
    holed = np.vstack([values, [[np.nan, 1.0, 2.0]]])
    assert friedman(holed) == friedman(values)
    assert (friedman(np.ones((5, 4))).statistic, friedman(np.ones((5, 4))).p) == (0.0, 1.0)


def test_friedmans_p_is_never_zero() -> None:
    found = friedman(np.tile(np.arange(10.0), (1000, 1)))
    assert found.statistic == 9000
    assert found.p == flips.SMALLEST
    assert found.method == "chi-squared with 9 degrees of freedom, p is an upper bound"


@pytest.mark.parametrize("shape", [(4, 2), (0, 3)])
def test_friedman_needs_three_families_and_a_row(shape: tuple[int, int]) -> None:
    with pytest.raises(IdkitError, match="at least 3 families"):
        friedman(np.ones(shape))


@pytest.mark.parametrize(
    ("low", "high", "decision"),
    [
        (-0.01, 0.019, Decision.EQUIVALENT),
        (0.005, 0.01, Decision.EQUIVALENT),  # not zero, and too small to matter
        (0.021, 0.03, Decision.DIFFERENT),
        (-0.5, -0.021, Decision.DIFFERENT),
        (0.005, 0.03, Decision.UNDECIDED),
        (-0.02, 0.0, Decision.UNDECIDED),
        (-np.inf, np.inf, Decision.UNDECIDED),
    ],
)
def test_an_interval_is_inside_outside_or_across_the_margin(
    low: float, high: float, decision: Decision
) -> None:
    assert equivalence(low, high, margin=0.02) is decision
    assert equivalence(-high, -low, margin=0.02) is decision


@pytest.mark.parametrize("margin", [0.0, -0.1, np.inf, np.nan])
def test_a_margin_is_a_positive_number(margin: float) -> None:
    with pytest.raises(UsageError, match="margin"):
        equivalence(0.0, 1.0, margin=margin)
