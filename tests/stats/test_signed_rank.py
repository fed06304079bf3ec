"""The signed-rank test against its definition, brute force, scipy, and its own invariances."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from idkit.errors import IdkitError
from idkit.stats import flips
from idkit.stats.signed_rank import (
    Zeros,
    critical_value,
    midranks,
    signed_rank,
    signed_ranks,
)

Floats = NDArray[np.float64]
ZEROS: tuple[Zeros, ...] = ("wilcox", "pratt")
small = st.lists(st.integers(-5, 5), min_size=1, max_size=12).map(lambda d: np.array(d, float))
untied = st.lists(st.integers(1, 10**6), min_size=1, max_size=40, unique=True).flatmap(
    lambda sizes: st.lists(
        st.sampled_from([-1.0, 1.0]), min_size=len(sizes), max_size=len(sizes)
    ).map(lambda signs: np.array(signs) * np.array(sizes))
)


def by_brute_force(d: Floats, zeros: Zeros) -> float:
    """Every arrangement of the signs, straight from the definition."""
    kept = d[d != 0] if zeros == "wilcox" else d
    ranks = stats.rankdata(np.abs(kept))[kept != 0]
    observed = abs(np.sum(np.sign(kept[kept != 0]) * ranks))
    sums = [abs(np.dot(signs, ranks)) for signs in product((-1, 1), repeat=ranks.size)]
    return float(np.mean(np.array(sums) >= observed - 1e-9))


@given(small, st.sampled_from(ZEROS))
def test_p_is_the_share_of_all_sign_arrangements_with_ties_and_zeros(
    d: Floats, zeros: Zeros
) -> None:
    assert signed_rank(d, zeros=zeros).p == pytest.approx(by_brute_force(d, zeros), rel=1e-12)


@given(untied)
def test_p_and_w_agree_with_scipy_where_scipy_is_exact(d: Floats) -> None:
    theirs = stats.wilcoxon(d, method="exact")
    ours = signed_rank(d)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)
    assert min(ours.w, d.size * (d.size + 1) / 2 - ours.w) == theirs.statistic


@pytest.mark.parametrize("n", [30, 150, 600])
def test_the_dynamic_programme_agrees_with_scipy_when_enumeration_is_out_of_reach(n: int) -> None:
    d = np.random.default_rng(n).normal(0.1, 1, n)
    ours = signed_rank(d)
    assert ours.method == "exact"
    assert ours.p == pytest.approx(stats.wilcoxon(d, method="exact").pvalue, rel=1e-9)


@pytest.mark.parametrize("zeros", ZEROS)
def test_a_very_long_table_is_approximated_by_name_as_scipy_does(zeros: Zeros) -> None:
    d = np.round(np.random.default_rng(3).normal(0.02, 1, 3000), 2)
    ours = signed_rank(d, zeros=zeros)
    theirs = stats.wilcoxon(d, zero_method=zeros, method="asymptotic", correction=False)
    assert ours.method.startswith("normal approximation, zeros ")
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)


def test_the_approximation_is_close_to_the_exact_p_just_before_it_takes_over() -> None:
    d = np.random.default_rng(0).normal(0.05, 1, 800)
    theirs = stats.wilcoxon(d, method="asymptotic", correction=False).pvalue
    assert signed_rank(d).method == "exact"
    assert signed_rank(d).p == pytest.approx(theirs, rel=5e-3)


@given(small, st.sampled_from(ZEROS))
def test_exchanging_the_families_mirrors_w_and_keeps_p(d: Floats, zeros: Zeros) -> None:
    one, other = signed_rank(d, zeros=zeros), signed_rank(-d, zeros=zeros)
    whole = np.abs(signed_ranks(d, zeros=zeros)).sum()
    assert one.p == other.p
    assert one.w + other.w == whole


@given(small, st.floats(0.01, 100), st.integers(0, 2**32))
def test_unit_and_order_do_not_matter(d: Floats, unit: float, seed: int) -> None:
    moved = unit * np.random.default_rng(seed).permutation(d)
    assert signed_rank(moved) == signed_rank(d)


@given(small.filter(lambda d: bool((d != 0).all())))
def test_w_counts_the_walsh_averages_above_zero_and_half_of_those_at_zero(d: Floats) -> None:
    sums = np.add.outer(d, d)[np.triu_indices(d.size)]
    assert signed_rank(d).w == np.heaviside(sums, 0.5).sum()


@given(untied, st.integers(0, 10**6))
def test_w_does_not_fall_when_every_difference_rises(d: Floats, rise: int) -> None:
    assert signed_rank(d + rise + 0.5).w >= signed_rank(d).w


def test_p_falls_as_a_shift_grows() -> None:
    d = np.random.default_rng(1).normal(0, 1, 20)
    centred = d - np.median(np.add.outer(d, d)) / 2
    p = [signed_rank(centred + shift).p for shift in np.linspace(0, 3, 31)]
    assert p == sorted(p, reverse=True)
    assert p[0] > 0.9
    assert p[-1] == 2**-19


def test_equal_everywhere_is_no_evidence() -> None:
    found = signed_rank(np.zeros(4))
    assert (found.n, found.zeros, found.ties, found.w, found.p) == (4, 4, 0, 0.0, 1.0)


def test_zeros_and_ties_are_counted_and_the_rule_is_named() -> None:
    d = np.array([0.0, 0.0, 1.0, -1.0, 2.0, 3.0, 3.0])
    dropped, ranked = signed_rank(d), signed_rank(d, zeros="pratt")
    assert (dropped.n, dropped.zeros, dropped.ties) == (7, 2, 4)
    assert dropped.method == "exact, zeros dropped"
    assert ranked.method == "exact, zeros ranked (Pratt)"
    assert (dropped.w, ranked.w) == (13.5, 21.5)


@given(st.lists(st.integers(-4, 4), min_size=1).map(lambda d: np.array(d, float)))
def test_midranks_are_scipys(d: Floats) -> None:
    assert midranks(d).tolist() == stats.rankdata(d).tolist()


@pytest.mark.parametrize("d", [[], [1.0, np.nan], [np.inf, 1.0]])
def test_nothing_and_what_is_not_finite_are_refused(d: list[float]) -> None:
    with pytest.raises(IdkitError, match="paired difference"):
        signed_rank(np.array(d, dtype=np.float64))


@pytest.mark.parametrize("n", [*range(1, 31), 100])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_the_critical_value_is_the_last_that_is_rejected(n: int, alpha: float) -> None:
    def p_of(w: int) -> float:
        """P(2-sided) at W+ = w: some subset of the ranks 1..n has that sum."""
        signs, left = -np.ones(n), w
        for rank in range(n, 0, -1):
            if rank <= left:
                signs[rank - 1], left = 1.0, left - rank
        return signed_rank(signs * np.arange(1, n + 1)).p

    c = critical_value(n, alpha)
    assert c < 0 or p_of(c) <= alpha
    assert p_of(c + 1) > alpha


def test_the_critical_value_of_a_long_table_is_the_normal_one() -> None:
    n = 1000
    spread = np.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    z = (critical_value(n, 0.05) - n * (n + 1) / 4) / spread
    assert z == pytest.approx(-1.959964, abs=1e-4)


def share_of_subsets(n: int, reach: int) -> Fraction:
    """The share of all subsets of 1..n whose sum is at most `reach`, in whole numbers."""
    counts = [1] + [0] * reach
    for size in range(1, n + 1):
        for total in range(reach, size - 1, -1):
            counts[total] += counts[total - size]
    return Fraction(sum(counts), 2**n)


@pytest.mark.parametrize(("n", "below"), [(600, 20), (900, 40), (1000, 12), (1010, 40), (1100, 40)])
def test_the_far_tail_of_a_long_table_is_exact(n: int, below: int) -> None:
    d = np.arange(1.0, n + 1)
    d[:below] *= -1
    exact = 2 * share_of_subsets(n, below * (below + 1) // 2)
    found = signed_rank(d)
    assert found.p == pytest.approx(max(float(exact), flips.SMALLEST), rel=1e-12)
    assert ("upper bound" in found.method) == (exact <= flips.SMALLEST)


@pytest.mark.parametrize("n", [1022, 1023, 1024, 1100, 3000, 20_000])
def test_p_is_never_zero(n: int) -> None:
    found = signed_rank(np.arange(1.0, n + 1))
    assert found.p >= Fraction(2, 2**n)
    assert found.p == pytest.approx(max(2.0 ** (1 - n), 2.0**-1022), rel=0)
    assert found.method == ("exact" if n < 1023 else "exact, p is an upper bound")


def test_nor_is_that_of_the_normal_approximation() -> None:
    d = np.arange(1.0, 20_001)
    d[:2000] *= -1
    found = signed_rank(d)
    assert found.p == flips.SMALLEST
    assert found.method == "normal approximation, p is an upper bound"
