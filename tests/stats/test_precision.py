"""Differences, block means, shifts and ties against exact rational arithmetic."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import combinations_with_replacement, pairwise, product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from idkit.errors import IdkitError
from idkit.stats.cells import Cells
from idkit.stats.compare import Comparison, compare
from idkit.stats.friedman import friedman
from idkit.stats.power import power
from idkit.stats.precision import differences, levels, mean, single
from idkit.stats.signed_rank import critical_value, midranks

Floats = NDArray[np.float64]
ZERO = Fraction(0)
finite = st.floats(allow_nan=False, allow_infinity=False)
written = st.decimals(-1, 1, places=4).map(float) | st.sampled_from([0.5, 0.50, 0.500001])
sizes = st.sampled_from([1e10, -1e10, 3.5e-12, 5e-324, -5e-324, 1e-310, 2.0**53 + 2, 1e300, 1e-300])
values = written | sizes | finite.filter(lambda x: abs(x) < 1e300) | st.integers(-99, 99).map(float)


def exactly(value: float) -> Fraction:
    """What a float64 stands for: its shortest decimal; below its full precision itself."""
    return Fraction(value) if abs(value) < 2.0**-1022 else Fraction(repr(value))


def rounded(value: Fraction, larger: Fraction, digits: int) -> Fraction:
    """To so many significant digits of the larger value, halves to even."""
    if larger == 0:
        return value
    unit = Fraction(10) ** (Decimal(f"{float(larger):.0e}").adjusted() - digits)
    while larger >= unit * 10**digits:
        unit *= 10
    return round(value / unit) * unit


def difference(a: float, b: float) -> Fraction:
    x, y = exactly(a), exactly(b)
    return rounded(x - y, max(abs(x), abs(y)), 12)


def p_of(d: Sequence[Fraction]) -> Fraction:
    """Every arrangement of the signs, in whole numbers."""
    kept = [x for x in d if x != 0]
    doubled = [sum((abs(y) < abs(x)) * 2 + (abs(y) == abs(x)) for y in kept) + 1 for x in kept]
    total = abs(sum(rank if x > 0 else -rank for x, rank in zip(kept, doubled, strict=True)))
    sums = [
        abs(sum(sign * rank for sign, rank in zip(signs, doubled, strict=True)))
        for signs in product((-1, 1), repeat=len(kept))
    ]
    return Fraction(sum(one >= total for one in sums), len(sums))


def shift_of(d: Sequence[Fraction]) -> tuple[float, float, float]:
    """Median and ends of the sorted list of all Walsh averages."""
    walsh = sorted((x + y) / 2 for x, y in combinations_with_replacement(d, 2))
    c, count = critical_value(len(d), 0.05), len(walsh)
    estimate = float((walsh[(count - 1) // 2] + walsh[count // 2]) / 2)
    if c < 0:
        return estimate, -np.inf, np.inf
    return estimate, float(walsh[c]), float(walsh[count - 1 - c])


def table(*columns: Sequence[float], blocks: Sequence[int] | None = None) -> Cells:
    return Cells(
        families=tuple("abcdefghij"[: len(columns)]),
        names=tuple(f"c{i}" for i in range(len(columns[0]))),
        values=np.array(columns, dtype=np.float64).T,
        blocks=None if blocks is None else np.array(blocks),
    )


def first(*columns: Sequence[float], blocks: Sequence[int] | None = None) -> Comparison:
    return compare(table(*columns, blocks=blocks))[0]


def shift(test: Comparison) -> tuple[float, float, float]:
    return test.shift, test.shift_low, test.shift_high


@given(st.lists(st.tuples(values, values), min_size=1, max_size=40))
def test_each_difference_is_rounded_by_its_own_two_values(pairs: list[tuple[float, float]]) -> None:
    a, b = np.array(pairs).T
    found = differences(a, b)
    assert found.tolist() == [float(difference(x, y)) for x, y in pairs]
    assert not np.signbit(found[found == 0]).any()
    assert (differences(b, a) == -found).all()


@given(st.lists(st.tuples(values, values), min_size=1, max_size=9))
def test_p_and_shift_are_those_of_exact_arithmetic(pairs: list[tuple[float, float]]) -> None:
    assume(not single(np.array(pairs)))  # as 0 and 2**-52 are
    a, b = zip(*pairs, strict=True)
    test = first(a, b)
    exact = [difference(x, y) for x, y in pairs]
    as_floats = [Fraction(0) if x == 0 else exactly(float(x)) for x in exact]
    assert test.p == float(p_of(as_floats))
    assert test.zeros == sum(float(x) == 0 for x in exact)
    assert shift(test) == pytest.approx(shift_of(as_floats), rel=1e-15, abs=0)


@given(
    st.lists(st.tuples(values, values, st.integers(0, 7)), min_size=1, max_size=20),
    st.sampled_from([(), (1e10,), (1e-300,), (5e-324, 1e300)]),
)
def test_no_other_family_bears_on_a_pair(
    rows: list[tuple[float, float, int]], third: tuple[float, ...]
) -> None:
    a, b, blocks = zip(*rows, strict=True)
    other = [0.5 + i for i in range(len(rows))]
    other[: len(third)] = third[: len(rows)]
    for of in (None, blocks):
        alone, among = first(a, b, blocks=of), first(a, b, other, blocks=of)
        assert (alone.p, alone.p_block, shift(alone), alone.method, alone.zeros, alone.ties) == (
            *(among.p, among.p_block, shift(among), among.method, among.zeros, among.ties),
        )


def diverged(large: float, sign: int = 1) -> tuple[list[float], list[float]]:
    """Twelve cells, a above b by .003 to .013, and one in which a run diverged."""
    b = [0.5 + 0.01 * i for i in range(12)]
    return [*(b[i] + 0.002 + 0.001 * i for i in range(11)), sign * large], b


@pytest.mark.parametrize("large", [10.0, 1e5, 1e10, 1e16, 1e100, 1e300])
def test_one_diverged_cell_hides_no_other_difference(large: float) -> None:
    a, b = diverged(large)
    test = first(a, b)
    assert (test.p, test.zeros, test.ties, test.rank_biserial) == (2 / 4096, 0, 0, 1.0)
    assert test.shift == 0.0075
    assert shift(test) == shift_of([difference(x, y) for x, y in zip(a, b, strict=True)])
    below = first(*diverged(large, -1))
    assert below.p > 2 / 4096
    assert below.shift > 0


@pytest.mark.parametrize("large", [1e10, 1e300])
def test_one_diverged_cell_hides_no_block(large: float) -> None:
    a, b = diverged(large)
    d = [difference(x, y) for x, y in zip(a, b, strict=True)]
    test = first(a, b, blocks=[i // 2 for i in range(12)])
    means = [(d[2 * i] + d[2 * i + 1]) / 2 for i in range(6)]
    assert test.p_block == 2 / 2**6
    assert test.units.tolist() == [float(each) for each in means]
    assert shift(test) == pytest.approx(shift_of(means), rel=1e-15)
    assert test.shift < 0.01
    assert test.shift_low == float(means[0])


@pytest.mark.parametrize("unit", [1e-320, 1e-300, 1e-15, 1.0, 1e290])
def test_the_unit_of_a_table_does_not_matter(unit: float) -> None:
    a, b = [unit * i for i in (3, 4, 9, 1, 12, 7, 8)], [unit * i for i in (1, 6, 4, 1, 2, 4, 2)]
    exact = [Fraction(x) for x in (2, -2, 5, 0, 10, 3, 6)]
    test = first(a, b)
    assert (test.p, test.zeros, test.ties) == (float(p_of(exact)), 1, 2)


def test_ends_of_a_shift_show_no_noise_and_keep_small_values() -> None:
    test = first([0.1 * (i + 1) for i in range(6)], [0.0] * 6)  # 0.30000000000000004 among them
    assert shift(test) == (0.35, 0.1, 0.6)
    tiny = [3e-200 * (i + 1) for i in range(6)]
    assert shift(first(tiny, [0.0] * 6)) == pytest.approx((1.05e-199, 3e-200, 1.8e-199), rel=1e-12)
    among = first([*tiny, 1e10], [0.0] * 7)
    assert among.shift_low == pytest.approx(3e-200, rel=1e-12)


def test_means_of_blocks_are_exact() -> None:
    assert mean([0.1, 0.2]) == Fraction(3, 20)
    assert mean([1e300, 1e-300, -1e300]) == Fraction(1, 3 * 10**300)
    thirds = [0.1, 0.1, 0.2, 0.0, 0.1, 0.1]  # means 2/15 and 1/15: their average is 0.1
    test = first(thirds, [0.0] * 6, blocks=[0, 0, 0, 1, 1, 1])
    assert test.shift == 0.1


def test_a_printed_table_ties_where_the_print_does() -> None:
    a, b = np.array([0.3, 0.2, 0.50, 0.500001]), np.array([0.2, 0.1, 0.5, 0.5])
    assert (a - b)[0] != (a - b)[1]
    assert differences(a, b).tolist() == [0.1, 0.1, 0.0, 0.000001]


@given(st.lists(st.integers(-10_000, 10_000), min_size=1, max_size=50), st.integers(0, 6))
def test_rounded_differences_tie_where_the_printed_ones_do(units: list[int], places: int) -> None:
    a, b = np.array(units) / 10**places, np.array(units[::-1]) / 10**places
    d = differences(a, b)
    exact = np.array(units) - np.array(units[::-1])
    assert midranks(np.abs(d)).tolist() == midranks(np.abs(exact)).tolist()
    assert (np.sign(d) == np.sign(exact)).all()


@given(
    st.lists(
        st.tuples(st.integers(-999_999, 999_999), st.integers(-999_999, 999_999)),
        min_size=1,
        max_size=9,
    ),
    st.integers(-8, 12),
)
def test_decimals_that_were_float32_tie_as_the_decimals_do(
    pairs: list[tuple[int, int]], places: int
) -> None:
    """Six significant digits are what a float32 always gives back."""
    columns = [[float(f"{x}e{-places}") for x in of] for of in zip(*pairs, strict=True)]
    narrow = [np.array(of, dtype=np.float32).astype(np.float64).tolist() for of in columns]
    exact = [Fraction(x - y) for x, y in pairs]
    larger = [max(abs(Fraction(x)), abs(Fraction(y))) for x, y in pairs]
    six = [rounded(x, of, 6) for x, of in zip(exact, larger, strict=True)]
    shown = single(np.array(narrow))
    test = first(*narrow)
    assert test.p == float(p_of(six))
    assert test.zeros == sum(x == 0 for x in six)
    assert ("float32" in test.method) == shown


def test_float32_is_told_by_its_digits_and_named_in_the_method() -> None:
    rng = np.random.default_rng(0)
    b = rng.uniform(0.1, 1, 20).astype(np.float32)
    a = b + np.float32(0.01)
    test = first(a.astype(np.float64).tolist(), b.astype(np.float64).tolist())
    assert test.ties == 20
    assert test.method == "exact, ties at float32's precision"
    assert len(np.unique(a.astype(np.float64) - b)) > 1
    nearly = [*a[:-1].astype(np.float64).tolist(), 0.3]
    assert first(nearly, b.astype(np.float64).tolist()).method == "exact"


def test_short_fractions_and_whole_numbers_are_of_either_type() -> None:
    whole = np.array([16777213.0, 16777214.0, 33554436.0, 123456792.0])
    assert not single(whole)
    assert not single(np.array([0.5, 0.25, 1024.0]))
    assert not single(np.array([]))
    assert first([16777214.0, 33554440.0], [16777213.0, 33554436.0]).zeros == 0
    assert single(np.array([0.5, float(np.float32(0.1)), np.nan]))
    assert not single(np.array([float(np.float32(0.1)), 1e300]))


def test_one_last_bit_of_a_float32_is_no_difference() -> None:
    b = np.random.default_rng(1).uniform(1, 1000, 30).astype(np.float32)
    a = np.nextafter(b, np.float32(np.inf))
    assert first(a.astype(np.float64).tolist(), b.astype(np.float64).tolist()).zeros == 30


@given(st.lists(values, min_size=1, max_size=8))
def test_levels_tie_neighbours_whatever_the_largest(row: list[float]) -> None:
    ordered = sorted(row)
    expected, level = {ordered[0]: 0}, 0
    for low, high in pairwise(ordered):
        level += difference(high, low) != 0
        expected[high] = level
    assert levels(np.array([row])).tolist() == [[expected[value] for value in row]]


def test_friedman_ranks_beside_a_diverged_family() -> None:
    rng = np.random.default_rng(0)
    calm = rng.normal(size=(9, 3)) + np.arange(3)
    wild = np.column_stack([calm, np.full(9, 1e10)])
    mild = np.column_stack([calm, np.full(9, 1e3)])
    assert friedman(wild) == friedman(mild)
    tied = np.array([[0.1 + 0.2, 0.3, 5.0]] * 4)
    theirs = stats.friedmanchisquare(*np.round(tied, 9).T)
    assert friedman(tied).statistic == pytest.approx(theirs.statistic)


def test_friedman_names_float32() -> None:
    narrow = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32).astype(np.float64)
    assert friedman(narrow).method == "exact, ties at float32's precision"


def test_power_takes_the_same_differences() -> None:
    a, b = diverged(1e10)
    plan = power(first(a, b).differences, shift=0.01, rng=np.random.default_rng(0))
    assert plan.power is not None
    assert plan.power > 0.5
    near = [1e10 + 0.1 * i for i in range(8)]
    assert not power(np.array(near), shift=0.1, rng=np.random.default_rng(0)).withheld


@given(st.lists(st.integers(1, 10**6), min_size=8, max_size=14, unique=True), st.data())
def test_three_families_agree_with_scipy_and_holm_with_statsmodels(
    numbers: list[int], data: st.DataObject
) -> None:
    columns = [[n * k / 7 for n in data.draw(st.permutations(numbers))] for k in (1, 1, 2)]
    tests = compare(table(*columns))
    for test in tests:
        if not test.zeros and not test.ties:
            assert test.p == pytest.approx(
                stats.wilcoxon(test.differences, method="exact").pvalue, rel=1e-9
            )
    theirs = multipletests([test.p for test in tests], method="holm")[1]
    assert [test.p_holm for test in tests] == pytest.approx(theirs.tolist(), rel=1e-12)


def test_a_difference_beyond_the_largest_number_is_refused_by_cell() -> None:
    with pytest.raises(IdkitError, match=r"a and b in c1 are 1e\+308 and -1e\+308, whose diff"):
        first([0.5, 1e308], [0.25, -1e308])
    assert first([0.5, 8e307], [0.25, -8e307]).shift == 8e307
