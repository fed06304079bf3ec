"""From a long table to tests and verdicts: the paper's tables, and tables with holes."""

import csv
import math
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idkit.errors import IdkitError, UsageError
from idkit.stats.cells import tabulate
from idkit.stats.compare import Comparison, compare
from idkit.stats.condition import holds, parse
from idkit.stats.hodges_lehmann import hodges_lehmann
from idkit.stats.holm import holm
from idkit.stats.naming import Entry
from idkit.stats.verdict import smallest_p, verdict

# The MCC values printed in tables I.5-I.7 of Willetts and Paige, "I Don't Need u: Identifiable
# Non-Linear ICA Without Side Information", to four decimals as in print.
PAPER = Path(__file__).parents[1] / "paper_tables_i5_i7.csv"
CELL = ["arch", "dataset", "d_z"]
Table = dict[str, list[Entry]]


def paper() -> Table:
    with PAPER.open() as lines:
        rows = list(csv.DictReader(lines))
    table: Table = {name: [row[name] for row in rows] for name in rows[0]}
    table["mcc"] = [float(row["mcc"]) for row in rows]
    return table


def compared(table: Table, **options: list[str]) -> dict[tuple[str, str], Comparison]:
    cells = tabulate(table, value="mcc", by="model", pair=options.pop("pair", CELL), **options)
    return {(test.a, test.b): test for test in compare(cells)}


def two(a: list[float], b: list[float]) -> Table:
    cells: list[Entry] = [f"c{i}" for i in range(len(a))]
    models: list[Entry] = [*["a"] * len(a), *["b"] * len(b)]
    return {"cell": [*cells, *cells], "model": models, "mcc": [*a, *b]}


def verdict_of(a: list[float], b: list[float], *, margin: float | None = None) -> str:
    (test,) = compared(two(a, b), pair=["cell"]).values()
    return verdict(test, tests=1, margin=margin)


def test_the_papers_three_p_values() -> None:
    found = compared(paper())
    assert found["ivae", "vade"].p == pytest.approx(0.42234, abs=5e-6)
    assert found["ivae", "vae"].p == pytest.approx(0.02910, abs=5e-6)
    assert 0.0388 - 5e-5 < found["vade", "vae"].p < 0.0395
    assert [test.p_holm for test in found.values()] == pytest.approx(
        [0.422, 0.087, 0.087], abs=5e-4
    )
    assert {test.method for test in found.values()} == {"exact"}


def test_the_papers_ties_are_those_of_the_print_not_of_binary_fractions() -> None:
    table = paper()
    of = {
        family: np.array(
            [m for m, f in zip(table["mcc"], table["model"], strict=True) if f == family]
        )
        for family in ("ivae", "vae")
    }
    noisy = np.abs((of["ivae"] - of["vae"]).astype(np.float64))
    assert len(np.unique(noisy)) > len(np.unique(noisy.round(4)))
    assert compared(table)["ivae", "vae"].ties == 3


def test_blocks_of_the_paper_take_its_significance_away() -> None:
    found = compared(paper(), block=["arch", "dataset"])
    assert {test.blocks for test in found.values()} == {8}
    for test in found.values():
        assert test.p_block is not None
        assert test.p_block > 0.05
        assert test.p_block * 2**7 == round(test.p_block * 2**7)
    assert compared(paper())["ivae", "vae"].p_block is None


@given(st.integers(0, 2**32))
def test_the_order_of_rows_matters_to_names_only(seed: int) -> None:
    table = paper()
    order = list(range(len(table["mcc"])))
    random.Random(seed).shuffle(order)
    shuffled = {name: [column[i] for i in order] for name, column in table.items()}
    straight = compared(table)
    for (a, b), test in compared(shuffled).items():
        sign = 1 if (a, b) in straight else -1
        other = straight[(a, b) if sign == 1 else (b, a)]
        assert (test.p, test.p_holm, test.n) == (other.p, other.p_holm, other.n)
        assert test.shift == sign * other.shift
        assert test.rank_biserial == sign * other.rank_biserial


def test_a_cell_without_one_family_is_left_out_and_counted() -> None:
    table = paper()
    table["mcc"][1] = None  # vade in the first cell
    found = compared(table)
    assert (found["ivae", "vade"].n, found["ivae", "vade"].absent) == (23, 1)
    assert (found["ivae", "vae"].n, found["ivae", "vae"].absent) == (24, 0)
    assert "1 cell left out" in verdict(found["ivae", "vade"], tests=3)


def test_a_missing_row_is_the_same_as_an_empty_field() -> None:
    empty, short = paper(), paper()
    empty["mcc"][1] = None
    for column in short.values():
        del column[1]
    by_names = [
        {frozenset(names): test.p for names, test in compared(table).items()}
        for table in (empty, short)
    ]
    assert by_names[0] == by_names[1]


def test_families_without_a_common_cell_are_not_tested() -> None:
    table = two([0.1, 0.2], [0.3, 0.4])
    table = {
        name: [*table[name], last] for name, last in (("cell", "x"), ("model", "c"), ("mcc", 1.0))
    }
    assert list(compared(table, pair=["cell"])) == [("a", "b")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mcc": ["high", *paper()["mcc"][1:]]}, "mcc of model=ivae in arch=mlp.* is 'high'"),
        ({"mcc": [math.inf, *paper()["mcc"][1:]]}, "is 'inf': give a finite number"),
        ({"dataset": ["mnist"] * 72}, "more than one row in the cell"),
        ({"model": ["vae"] * 72, "dataset": [str(i) for i in range(72)]}, "names 1: vae"),
        ({"dataset": [str(i) for i in range(72)]}, "no cell has two of the families"),
        ({name: [] for name in paper()}, "the table is empty"),
    ],
)
def test_what_cannot_be_compared_is_said_in_one_line(change: Table, words: str) -> None:
    with pytest.raises(IdkitError, match=words) as caught:
        compared({**paper(), **change})
    assert "\n" not in str(caught.value)


def test_the_hint_for_duplicates_names_the_column_that_tells_them_apart() -> None:
    with pytest.raises(IdkitError, match=r"\(as dataset\)"):
        compared(paper(), pair=["arch", "d_z"])


def test_the_hint_for_duplicates_names_no_result() -> None:
    noise: list[Entry] = [i / 72 for i in range(72)]
    beside: Table = dict.fromkeys(("mcc_in", "ci_low", "chance_out", "p", "active"), noise)
    with pytest.raises(IdkitError, match=r"average them first.*\(as dataset\)"):
        compared({**paper(), **beside}, pair=["arch", "d_z"])


def test_a_block_must_not_cut_a_cell() -> None:
    with pytest.raises(IdkitError, match="lies in two blocks"):
        compared({**paper(), "half": [str(i % 2) for i in range(72)]}, block=["half"])


@pytest.mark.parametrize("roles", [{"pair": []}, {"pair": ["mcc"]}, {"pair": ["model", "arch"]}])
def test_one_column_has_one_role(roles: dict[str, list[str]]) -> None:
    with pytest.raises(UsageError, match="must be different columns"):
        compared(paper(), **roles)


@pytest.mark.parametrize("role", ["value", "by", "pair", "block"])
def test_an_unknown_column_is_named_with_those_there_are(role: str) -> None:
    given_roles = {"value": "mcc", "by": "model", "pair": CELL, "block": []}
    roles = {**given_roles, role: "accuracy" if role in ("value", "by") else ["accuracy"]}
    with pytest.raises(IdkitError, match=r"'accuracy'.*arch, dataset, d_z, model, mcc"):
        tabulate(paper(), **roles)  # type: ignore[arg-type]


def in_blocks(means: list[float], size: int) -> tuple[Comparison, str]:
    """Blocks of cells that agree among themselves up to what cancels in their mean."""
    wobble = [0.001 * (2 * i - size + 1) for i in range(size)]
    table = two([mean + w for mean in means for w in wobble], [0.0] * (size * len(means)))
    block: list[Entry] = [f"b{i // size}" for i in range(size * len(means))]
    table["block"] = [*block, *block]
    (test,) = compared(table, pair=["cell"], block=["block"]).values()
    return test, verdict(test, tests=1, margin=0.02)


def test_with_blocks_everything_that_decides_is_of_blocks() -> None:
    means = [0.09, -0.02, 0.05, 0.01, -0.04, 0.03, 0.07]
    test, text = in_blocks(means, 5)
    alone = hodges_lehmann(np.array(means))
    assert test.units == pytest.approx(means)
    assert (test.shift, test.shift_low, test.shift_high) == pytest.approx(
        (alone.estimate, alone.low, alone.high)
    )
    assert test.p < 0.05 < test.p_holm
    assert test.p_holm == test.p_block
    assert "a and b cannot be told apart over 35 cells in 7 blocks" in text
    assert "different" not in text


def test_holm_adjusts_the_p_of_blocks() -> None:
    found = compared(paper(), block=["arch", "dataset"]).values()
    of_blocks = [test.p_block for test in found if test.p_block is not None]
    assert [test.p_holm for test in found] == holm(of_blocks).tolist()
    assert [test.p for test in found] == [test.p for test in compared(paper()).values()]


@pytest.mark.parametrize("count", range(1, 6))
def test_fewer_than_six_blocks_decide_nothing(count: int) -> None:
    test, text = in_blocks([0.1 + 0.01 * i for i in range(count)], 6)
    assert (test.shift_low, test.shift_high) == (-math.inf, math.inf)
    assert "cannot be told apart" in text
    assert "too few for a block p below 0.05" in text
    assert "undecided: " in text
    assert "95% interval" not in text


def test_a_block_of_one_cell_is_that_cell() -> None:
    steps = [0.01 * i for i in range(1, 9)]
    test, _ = in_blocks(steps, 1)
    plain = compared(two(steps, [0.0] * 8), pair=["cell"])["a", "b"]
    assert (test.shift, test.shift_low, test.shift_high, test.p_holm) == pytest.approx(
        (plain.shift, plain.shift_low, plain.shift_high, plain.p_holm)
    )


@given(st.lists(st.integers(-40, 40), min_size=6, max_size=9), st.integers(1, 4))
def test_a_verdict_by_blocks_does_not_contradict_itself(means: list[int], size: int) -> None:
    test, text = in_blocks([mean / 100 for mean in means], size)
    named_zero = test.shift_low <= 0 <= test.shift_high
    if text.startswith(("a is higher", "a is lower")) and named_zero:
        assert "does not agree" in text
    if "cannot be told apart" in text:
        assert "different:" not in text
    assert ("; different:" in text) <= (text.startswith("a is"))


@pytest.mark.parametrize("n", range(1, 6))
def test_with_fewer_than_six_cells_the_verdict_says_what_p_is_possible(n: int) -> None:
    text = verdict_of([1.0 + i for i in range(n)], [0.0] * n)
    assert f"no p below 0.05 is possible, the smallest is {2.0 ** (1 - n):g}" in text
    assert ("with 1 cell that differs no p" in text) == (n == 1)
    assert "95% interval" not in text


def test_six_cells_are_enough_and_zeros_do_not_count() -> None:
    steps = [float(i) for i in range(1, 7)]
    assert verdict_of(steps, [0.0] * 6).startswith("a is higher than b over 6 cells (shift 3.5,")
    assert "no p below 0.05" in verdict_of([*steps[:5], 0.0], [0.0] * 6)
    assert verdict_of([0.0] * 6, steps).startswith("a is lower than b")


def test_equal_cells_are_named_where_there_are_others() -> None:
    steps = [0.0, 0.0, *(float(i) for i in range(1, 7))]
    said = "2 of 8 cells are equal, and are left out of the test but not of the shift"
    assert said in verdict_of(steps, [0.0] * 8)
    assert "1 of 7 cells is equal, and is left out" in verdict_of(steps[1:], [0.0] * 7)
    assert "left out of the test" not in verdict_of(steps[2:], [0.0] * 6)
    assert "left out of the test" not in verdict_of(steps[:2], [0.0] * 2)


def test_no_difference_is_not_called_equality() -> None:
    a, b = [0.3, 0.1, 0.5, 0.2, 0.9, 0.4], [0.2, 0.3, 0.4, 0.6, 0.8, 0.4]
    assert "this does not show that they are equal" in verdict_of(a, b)
    assert verdict_of(a, a) == "a and b are equal in all 6 cells"


@pytest.mark.parametrize(
    ("shift", "margin", "word"),
    [(0.0, 0.5, "equivalent"), (3.0, 0.5, "different"), (0.5, 0.5, "undecided")],
)
def test_the_margin_decides_in_words(shift: float, margin: float, word: str) -> None:
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, 20).round(3)
    text = verdict_of([shift + float(x) for x in noise], [0.0] * 20, margin=margin)
    assert f"; {word}" in text


def test_holm_and_blocks_are_spelt_out() -> None:
    found = compared(paper(), block=["arch", "dataset"])
    text = verdict(found["ivae", "vae"], tests=3)
    assert "p = 0.13 by whole blocks, 0.35 after Holm for 3 tests" in text
    assert "were all cells independent, p = 0.029" in text
    assert "alone it would pass" not in text
    alone = verdict(compared(paper())["ivae", "vae"], tests=3)
    assert "alone it would pass at 5%, as one of 3 tests it does not" in alone
    few = compared(paper(), block=["arch"])["ivae", "vae"]
    assert "3 blocks that differ are too few" in verdict(few, tests=3)


def test_a_p_below_every_number_is_a_bound_in_words_and_in_the_method() -> None:
    table = two([2.0 + i for i in range(1100)], [1.0] * 1100)
    block: list[Entry] = [f"b{i}" for i in range(1100)]
    table["block"] = [*block, *block]
    (plain,) = compared(table, pair=["cell"]).values()
    (blocks,) = compared(table, pair=["cell"], block=["block"]).values()
    assert 0 < plain.p < 1e-300
    assert plain.p == plain.p_holm == blocks.p_block
    assert plain.method == "exact, p is an upper bound"
    assert blocks.method == "exact, p is an upper bound; p_block: exact, p is an upper bound"
    text = verdict(blocks, tests=3)
    assert "p < 1e-300 by whole blocks, < 1e-300 after Holm for 3 tests" in text
    assert "were all cells independent, p < 1e-300" in text


@pytest.mark.parametrize("signs", [0, 1, 2, 6, 30])
def test_the_smallest_p_is_that_of_differences_on_one_side(signs: int) -> None:
    if signs:
        (test,) = compared(
            two([1.0 + i for i in range(signs)], [0.0] * signs), pair=["cell"]
        ).values()
        assert test.p == smallest_p(signs)
    else:
        assert smallest_p(signs) == 1.0


@pytest.mark.parametrize(
    ("text", "low", "high", "met"),
    [
        ("worse by 0.02", -0.05, -0.03, True),
        ("worse by 0.02", -0.05, -0.01, False),  # not shown
        ("maybe worse by 0.02", -0.05, -0.01, True),  # not ruled out
        ("maybe worse by 0.02", -0.02, 0.5, False),
        ("worse", -0.05, -0.01, True),
        ("worse", -0.05, 0.0, False),
        ("better by .1", 0.2, 0.3, True),
        ("different by 0.1", -0.3, -0.2, True),
        ("different by 0.1", -0.3, 0.2, False),
        ("maybe different by 0.1", -0.3, 0.2, True),
        ("  Maybe  BETTER ", -1.0, 0.1, True),
        ("worse by 0.02", -math.inf, math.inf, False),
        ("maybe worse by 1e9", -math.inf, math.inf, True),
    ],
)
def test_a_condition_is_read_off_the_interval(
    text: str, low: float, high: float, met: bool
) -> None:
    assert holds(parse(text), low, high) is met


@given(st.sampled_from(["", "maybe "]), st.floats(0, 1), st.floats(-1, 1), st.floats(0, 1))
def test_worse_is_better_seen_from_the_other_side(
    maybe: str, by: float, low: float, width: float
) -> None:
    ends = (low, low + width)
    worse, better = (parse(f"{maybe}{word} by {by!r}") for word in ("worse", "better"))
    either = parse(f"{maybe}different by {by!r}")
    assert holds(worse, *ends) == holds(better, -ends[1], -ends[0])
    assert holds(either, *ends) == (holds(worse, *ends) or holds(better, *ends))
    assert not maybe or holds(worse, *ends) >= holds(parse(f"worse by {by!r}"), *ends)


@pytest.mark.parametrize(
    "text",
    ["", "worst", "worse by", "worse by x", "worse by -1", "by 0.1", "worse by nan", "p < 1"],
)
def test_another_form_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(UsageError, match=r"its form is \[maybe\] worse\|better\|different"):
        parse(text)
