"""Shuffles keep what they must, p-values are valid, and labels explain what they explain."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from idkit import comparison, halves
from idkit.errors import ExitCode, IdkitError
from idkit.stats import null

labelled = st.tuples(st.integers(4, 60), st.integers(1, 5), st.integers(0, 99))


@given(labelled)
def test_a_shuffle_is_a_permutation_that_keeps_halves_and_labels(
    case: tuple[int, int, int],
) -> None:
    n, kinds, seed = case
    assume(kinds < n // 2)  # so that two rows of a half share a label
    rng = np.random.default_rng(seed)
    inside, labels = halves.inside(n, seed=seed), rng.integers(0, kinds, n)
    for within in (None, labels):
        for order in null.shuffle(null.strata(inside, within), 3, rng):
            np.testing.assert_array_equal(np.sort(order), np.arange(n))
            np.testing.assert_array_equal(inside[order], inside)
            if within is not None:
                np.testing.assert_array_equal(labels[order], labels)


def test_every_arrangement_within_a_stratum_is_equally_likely() -> None:
    sets = null.strata(np.ones(3, dtype=bool))
    rng = np.random.default_rng(0)
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(1200):
        (order,) = null.shuffle(sets, 1, rng)
        counts[tuple(order)] = counts.get(tuple(order), 0) + 1
    assert len(counts) == 6
    assert all(140 < count < 260 for count in counts.values())


def test_runs_are_shuffled_independently() -> None:
    one, two = null.shuffle(null.strata(np.ones(50, dtype=bool)), 2, np.random.default_rng(0))
    assert (one != two).any()


def test_labels_may_be_anything_that_can_be_told_apart() -> None:
    words = np.array(["cat", "dog", "cat", "dog"])
    sets = null.strata(np.ones(4, dtype=bool), words)
    assert sorted(sorted(rows.tolist()) for rows in sets) == [[0, 2], [1, 3]]


def test_one_label_for_each_row_is_needed() -> None:
    with pytest.raises(IdkitError, match="for 5 rows") as caught:
        null.strata(np.ones(5, dtype=bool), np.zeros(4))
    assert caught.value.exit_code == ExitCode.BAD_INPUT


def test_labels_that_no_two_rows_of_a_half_share_leave_nothing_to_shuffle() -> None:
    with pytest.raises(IdkitError, match="no label is shared by two rows of a half"):
        null.strata(np.array([True, False] * 3), np.arange(6) // 2)
    assert len(null.strata(np.array([True, False] * 3), np.arange(6) // 4)) == 4


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(0, 1))
def test_p_counts_the_draws_that_reach_the_score(draws: list[float], observed: float) -> None:
    p = null.p_value(observed, np.array(draws))
    reached = sum(draw >= observed - null.TIE for draw in draws)
    assert p == (1 + reached) / (1 + len(draws))


def test_p_values_of_unrelated_runs_are_uniform() -> None:
    rng = np.random.default_rng(1)
    ps = []
    for _ in range(80):
        runs = [rng.standard_normal((40, 2)) for _ in range(2)]
        found = comparison.compare(runs, modes=["strong"], perms=9, seed=int(rng.integers(999)))
        ps.append(found["strong"].p_out)
    counts = np.histogram(np.array(ps, dtype=float), bins=4, range=(0, 1.01))[0]
    assert counts.min() >= 9  # 16 to 24 are expected
    assert counts.max() <= 36


def test_runs_that_share_only_labels_differ_from_rows_and_not_from_labels() -> None:
    rng = np.random.default_rng(0)
    u = rng.integers(0, 10, 1500)
    runs = [
        rng.standard_normal((10, 10))[u] * 2 + rng.standard_normal((1500, 10)) for _ in range(2)
    ]
    tests = {
        name: comparison.compare(runs, modes=["strong", "weak"], perms=99, labels=labels)
        for name, labels in (("rows", None), ("within-label", u))
    }
    for mode in ("strong", "weak"):
        by_rows, by_label = tests["rows"][mode], tests["within-label"][mode]
        assert by_rows.score.mcc_out > 0.3
        assert by_rows.p_out == by_rows.p_in == 0.01
        assert by_rows.chance_out < 0.1
        assert by_label.p_out is not None
        assert by_label.p_out > 0.1
        assert by_label.chance_out == pytest.approx(by_label.score.mcc_out, abs=0.05)
