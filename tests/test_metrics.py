"""The MCC against its definition implemented slowly, known values, and faults of the field."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import linalg, stats
from scipy.optimize import linear_sum_assignment

from idkit import halves, shelf
from idkit.errors import IdkitError, UsageError
from idkit.metrics import mcc
from idkit.ranks import midranks

Floats = NDArray[np.float64]
MODES = shelf.names("align")
CORRS: tuple[mcc.Corr, ...] = ("pearson", "spearman")
N = 200


def family(runs: int, d: int, seed: int = 0, noise: float = 1.0, n: int = N) -> list[Floats]:
    """Runs that share something: each a rotation of the same latents, and noise."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n, d)) ** 3
    return [
        shared @ np.linalg.qr(rng.standard_normal((d, d)))[0] + noise * rng.standard_normal((n, d))
        for _ in range(runs)
    ]


# The definition, one step after the other and as slowly as it likes.


def correlate(x: Floats, y: Floats, corr: str) -> float:
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    measure = stats.pearsonr if corr == "pearson" else stats.spearmanr
    return abs(float(measure(x, y).statistic))


def table(x: Floats, y: Floats, corr: str) -> Floats:
    return np.array([[correlate(a, b, corr) for b in y.T] for a in x.T])


def components(mode: str, a: Floats, b: Floats, inside: NDArray[np.bool_], k: int) -> list[Floats]:
    """Both runs in matched coordinates, all rows."""
    mean_a, mean_b = a[inside].mean(axis=0), b[inside].mean(axis=0)
    x, y = a - mean_a, b - mean_b
    if mode == "affine":
        return [x @ np.linalg.lstsq(x[inside], y[inside], rcond=None)[0], y]
    if mode == "orthogonal":
        u, _, v = np.linalg.svd(x[inside].T @ y[inside], full_matrices=False)
        return [x @ u @ v, y]
    (q_a, r_a), (q_b, r_b) = (linalg.qr(z[inside], mode="economic") for z in (x, y))
    u, _, v = np.linalg.svd(q_a.T @ q_b)
    return [x @ linalg.solve(r_a, u)[:, :k], y @ linalg.solve(r_b, v.T)[:, :k]]


def defined(
    mode: str, corr: str, a: Floats, b: Floats, inside: NDArray[np.bool_], k: int, *, anew: bool
) -> tuple[Floats, Floats]:
    if mode == "strong":
        i, j = linear_sum_assignment(-table(a[inside], b[inside], corr))
        x, y = a[:, i], b[:, j]
    else:
        x, y = components(mode, a, b, inside, k)
    inner = np.diagonal(table(x[inside], y[inside], corr))
    crossed = table(x[~inside], y[~inside], corr)
    outer = crossed[linear_sum_assignment(-crossed)] if anew else np.diagonal(crossed)
    best = np.argsort(-inner, kind="stable")
    return inner[best], outer[best]


def among_equals(inner: Floats, outer: Floats) -> Floats:
    """Out-of-sample values, sorted where the in-sample ones (of few ranks) are tied."""
    return outer[np.lexsort((outer, -inner.round(9)))]


@settings(max_examples=15)
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("corr", CORRS)
@given(d=st.integers(1, 5), n=st.integers(140, 160), seed=st.integers(0, 99), anew=st.booleans())
def test_every_number_is_what_the_definition_says(
    mode: str, corr: mcc.Corr, d: int, n: int, seed: int, anew: bool
) -> None:
    runs = family(3, d, seed, n=n)
    found = mcc.score(runs, mode=mode, corr=corr, cca_dim=3, seed=seed, rematch=anew)
    inside = halves.inside(n, seed=seed)
    assert found.pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    for row, (a, b) in enumerate(found.pairs):
        inner, outer = defined(mode, corr, runs[a], runs[b], inside, min(3, d), anew=anew)
        np.testing.assert_allclose(found.in_sample[row], inner, atol=1e-9)
        np.testing.assert_allclose(
            among_equals(found.in_sample[row], found.out_of_sample[row]),
            among_equals(inner, outer),
            atol=1e-9,
        )
    assert found.mcc_in == pytest.approx(found.in_sample.mean())
    assert found.mcc_out == pytest.approx(found.out_of_sample.mean())


@pytest.mark.parametrize(
    ("d", "strong", "weak"), [(50, 0.033, 0.140), (90, 0.036, 0.214), (200, 0.040, 0.350)]
)
def test_unrelated_gaussians_score_what_is_known(d: int, strong: float, weak: float) -> None:
    rng = np.random.default_rng(d)
    found = mcc.scores([rng.standard_normal((10_000, d)).astype(np.float32) for _ in range(3)])
    assert found["strong"].mcc_in == pytest.approx(strong, abs=1e-3)
    assert found["weak"].mcc_in == pytest.approx(weak, abs=2e-3)
    for score in found.values():
        assert score.mcc_out == pytest.approx(np.sqrt(2 / np.pi / 5000), abs=2e-3)


def test_matching_anew_raises_the_noise_floor_of_weak() -> None:
    rng = np.random.default_rng(0)
    runs = [rng.standard_normal((10_000, 50)) for _ in range(4)]
    assert mcc.score(runs, mode="weak", rematch=True).mcc_out == pytest.approx(0.027, abs=2e-3)


def test_rank_correlation_is_of_ranks_not_of_sorting_orders() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal((4000, 1))
    b = a + 0.5 * rng.standard_normal((4000, 1))
    found = mcc.score([a, b], corr="spearman")
    assert found.mcc_out == pytest.approx(0.885, abs=0.02)
    argsorted = np.corrcoef(np.argsort(a[:, 0]), np.argsort(b[:, 0]))[0, 1]
    assert abs(argsorted) < 0.1  # the fault


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_midranks_are_those_of_scipy(values: list[int]) -> None:
    x = np.array(values, dtype=float)[:, None]
    np.testing.assert_array_equal(midranks(x), stats.rankdata(x, axis=0))


@pytest.mark.parametrize("mode", MODES)
def test_spearman_ignores_what_keeps_the_order_and_pearson_does_not(mode: str) -> None:
    a, b = family(2, 1)
    plain, bent = ([a, b], [np.exp(a), b])
    if mode == "strong":
        assert mcc.score(bent, mode=mode, corr="spearman").mcc_out == pytest.approx(
            mcc.score(plain, mode=mode, corr="spearman").mcc_out
        )
    assert mcc.score(bent, mode=mode).mcc_out != pytest.approx(
        mcc.score(plain, mode=mode).mcc_out, abs=1e-3
    )


def test_ten_runs_are_45_pairs_and_with_themselves_the_papers_55() -> None:
    runs = family(10, 3)
    assert mcc.score(runs).pairs.tolist() == [list(pair) for pair in combinations(range(10), 2)]
    selves = mcc.score(runs, self_pairs=True)
    same = selves.pairs[:, 0] == selves.pairs[:, 1]
    assert len(selves.pairs) == 55
    np.testing.assert_allclose(selves.pair_out[same], 1)
    np.testing.assert_array_equal(selves.pair_out[~same], mcc.score(runs).pair_out)


@pytest.mark.parametrize("mode", ["strong", "weak"])
def test_a_pair_scores_the_same_either_way_round(mode: str) -> None:
    a, b = family(2, 4)
    one, two = (mcc.score(runs, mode=mode) for runs in ([a, b], [b, a]))
    np.testing.assert_allclose(one.out_of_sample, two.out_of_sample, atol=1e-9)


@pytest.mark.parametrize("mode", MODES)
def test_a_pair_does_not_depend_on_the_company_it_keeps(mode: str) -> None:
    runs = family(4, 3)
    alone, among = mcc.score(runs[:2], mode=mode), mcc.score(runs, mode=mode)
    np.testing.assert_allclose(among.out_of_sample[0], alone.out_of_sample[0], atol=1e-12)


def test_cumulative_means_take_the_in_sample_order() -> None:
    np.testing.assert_allclose(mcc.cumulative(np.array([[0.9, 0.5, 0.2]])), [[0.9, 0.7, 1.6 / 3]])
    found = mcc.score(family(3, 5))
    assert (np.diff(found.in_sample, axis=1) <= 1e-12).all()
    assert (np.diff(found.out_of_sample, axis=1) > 0).any()  # not sorted by its own values
    assert found.curve_out[-1] == pytest.approx(found.mcc_out)
    assert found.curve_in[0] == pytest.approx(found.in_sample[:, 0].mean())


def test_ground_truth_is_one_more_run_that_is_not_compared_with_itself() -> None:
    runs = family(3, 4, noise=0.1)
    sources = family(1, 3)[0]
    found = mcc.score(runs, against=sources)
    assert found.pairs.tolist() == [[0, 3], [1, 3], [2, 3]]
    assert found.runs == 3
    for row, run in enumerate(runs):
        np.testing.assert_allclose(
            found.out_of_sample[row], mcc.score([run, sources]).out_of_sample[0], atol=1e-12
        )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("corr", CORRS)
def test_rows_that_are_matched_score_as_files_in_one_order_do(mode: str, corr: mcc.Corr) -> None:
    runs = family(3, 4, n=250)
    rng = np.random.default_rng(5)
    own = [None, *(rng.permutation(250) for _ in range(2))]
    shuffled = [np.empty_like(run) for run in runs]
    for run, order, stored in zip(runs, own, shuffled, strict=True):
        stored[order if order is not None else slice(None)] = run
    how: dict[str, Any] = {"mode": mode, "corr": corr}
    found, expected = mcc.score(shuffled, rows=own, **how), mcc.score(runs, **how)
    np.testing.assert_array_equal(found.in_sample, expected.in_sample)
    np.testing.assert_array_equal(found.out_of_sample, expected.out_of_sample)
    few = [np.flatnonzero(np.arange(250) % 3)] * 3
    found, expected = mcc.score(runs, rows=few, **how), mcc.score([z[few[0]] for z in runs], **how)
    np.testing.assert_array_equal(found.out_of_sample, expected.out_of_sample)


def test_runs_of_other_widths_are_scored_over_what_they_share() -> None:
    runs = [family(1, d)[0] for d in (2, 4, 3)]
    found = mcc.score(runs)
    assert np.isfinite(found.in_sample).sum(axis=1).tolist() == [2, 2, 3]
    assert found.k == 3
    assert found.pair_out[0] == pytest.approx(mcc.score(runs[:2]).mcc_out)
    assert np.isfinite(found.curve_out).all()


@pytest.mark.parametrize("width", [1, 3, 5, 8])
def test_sources_without_a_match_are_counted_and_scored_as_zero(width: int) -> None:
    sources = family(1, 5)[0]
    rng = np.random.default_rng(1)
    runs = [(sources @ rng.standard_normal((5, width))) ** 3 for _ in range(3)]
    found = mcc.score(runs, against=sources)
    unmatched = max(0, 5 - width)
    assert found.unmatched == unmatched
    inside = halves.inside(N)
    for pair, run in enumerate(runs):
        inner = table(run[inside], sources[inside], "pearson")
        outer = table(run[~inside], sources[~inside], "pearson")
        i, j = linear_sum_assignment(-inner)
        best = np.zeros(5), np.zeros(5)  # a source without a match stays at 0
        best[0][j], best[1][j] = inner[i, j], outer[i, j]
        assert found.pair_in_all is not None
        assert found.pair_out_all is not None
        assert found.pair_in_all[pair] == pytest.approx(best[0].mean())
        assert found.pair_out_all[pair] == pytest.approx(best[1].mean())
    assert any("sources have no match" in text for text in found.warnings) == (unmatched > 0)
    if not unmatched:
        assert (found.mcc_in_all, found.mcc_out_all) == (found.mcc_in, found.mcc_out)


def test_all_directions_of_the_sources_are_those_that_weak_could_find() -> None:
    sources = family(1, 6)[0]
    thin = mcc.score([sources[:, :2], sources[:, :4]], mode="weak", against=sources)
    assert (thin.k, thin.unmatched) == (2, 4)  # as many pairs as the narrowest run has
    assert thin.mcc_out_all == pytest.approx(2 / 6)
    assert mcc.score([sources], mode="weak", against=sources, cca_dim=3).unmatched == 0
    twice = np.column_stack([sources, sources[:, 0]])
    assert mcc.score([sources], mode="weak", against=twice).unmatched == 0
    for mode in ("affine", "orthogonal"):  # every source has a prediction
        assert mcc.score([sources[:, :2]], mode=mode, against=sources).unmatched == 0
    among = mcc.score([sources, sources[:, ::-1] + 0.0])
    assert (among.unmatched, among.mcc_in_all, among.mcc_out_all) == (None, None, None)


@pytest.mark.parametrize("mode", MODES)
def test_dead_coordinates_count_as_zero_and_are_counted(mode: str) -> None:
    a, b = family(2, 4, noise=0.1)
    a[:, 2] = 0.1
    found = mcc.score([a, b], mode=mode, cca_dim=4)
    assert np.isfinite(found.in_sample).all()
    assert found.dead.tolist() == [1, 0]
    assert any("1 dead" in text for text in found.warnings)
    if mode == "strong":
        assert found.in_sample[0, -1] == 0
    dead = mcc.score([np.zeros((N, 4)), b], mode=mode)
    assert dead.mcc_in == dead.mcc_out == 0


@pytest.mark.parametrize("corr", CORRS)
def test_a_run_of_rank_0_has_no_canonical_pair_and_counts_as_0(corr: mcc.Corr) -> None:
    a, b = family(2, 4, noise=0.1)
    dead = np.full((N, 4), 0.1)
    found = mcc.score([dead, a], mode="weak", corr=corr)
    assert (found.k, found.mcc_in, found.mcc_out) == (0, 0, 0)
    assert any("20 is brought down to 0, the smallest rank" in text for text in found.warnings)
    found = mcc.score([dead, a, b], mode="weak", corr=corr)
    first = mcc.score([a, b], mode="weak", corr=corr)
    assert found.k == 1
    np.testing.assert_allclose(found.pair_in, [0, 0, first.in_sample[0, 0]])
    to_truth = mcc.score([dead], mode="weak", corr=corr, against=a)
    assert (to_truth.unmatched, to_truth.mcc_out_all) == (4, 0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("corr", CORRS)
@pytest.mark.parametrize("half", ["inside", "outside"])
def test_a_coordinate_that_is_dead_in_one_half_has_correlation_0_there(
    mode: str, corr: mcc.Corr, half: str
) -> None:
    a, b = family(2, 3, noise=0.0)
    inside = halves.inside(N)
    a = b.copy() + 1.0
    a[inside if half == "inside" else ~inside, 1] = 3.0
    found = mcc.score([a, b], mode=mode, corr=corr)
    assert found.dead.tolist() == [1, 0]
    assert np.isfinite(found.in_sample).all()
    assert np.isfinite(found.out_of_sample).all()
    if mode == "strong":
        values = {"inside": found.in_sample, "outside": found.out_of_sample}
        assert sorted(values[half][0]) == pytest.approx([0, 1, 1])


def test_a_cca_dim_above_the_smallest_rank_is_brought_down_and_said() -> None:
    a, b = family(2, 4)
    a[:, 3] = a[:, 0] + a[:, 1]
    found = mcc.score([a, b], mode="weak", cca_dim=20)
    assert found.k == 3
    assert any("rank 3 of 4" in text for text in found.warnings)
    assert any("20 is brought down to 3" in text for text in found.warnings)
    np.testing.assert_allclose(
        found.out_of_sample, mcc.score([a[:, :3], b], mode="weak").out_of_sample, atol=1e-9
    )


@pytest.mark.parametrize("mode", MODES)
def test_fewer_rows_than_coordinates_are_scored_with_a_warning(mode: str) -> None:
    runs = family(2, 30, n=40)
    found = mcc.score(runs, mode=mode)
    assert any("20 in-sample rows for 30 coordinates" in text for text in found.warnings)
    assert np.isfinite(found.out_of_sample).all()
    if mode == "weak":
        assert found.mcc_in == pytest.approx(1)  # and out-of-sample it is not
        assert found.mcc_out < 0.9


@pytest.mark.parametrize("mode", MODES)
def test_a_grid_is_scored_position_by_position(mode: str) -> None:
    rng = np.random.default_rng(0)
    grids = [rng.standard_normal((100, 3, 2, 2)) for _ in range(3)]
    grids[1][:, :, 1, 0] = grids[0][:, :, 1, 0]
    found = mcc.score(grids, mode=mode)
    assert found.positions.tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    for position, (i, j) in enumerate(np.ndindex(2, 2)):
        alone = mcc.score([grid[:, :, i, j] for grid in grids], mode=mode)
        rows = found.positions == position
        np.testing.assert_allclose(found.out_of_sample[rows], alone.out_of_sample, atol=1e-12)
    assert found.pair_out[(found.positions == 2) & (found.pairs == [0, 1]).all(axis=1)] == (
        pytest.approx(1)
    )


@pytest.mark.parametrize("corr", CORRS)
def test_runs_of_other_rows_and_rows_that_are_not_finite_are_refused(corr: mcc.Corr) -> None:
    a, b = family(2, 3)
    with pytest.raises(IdkitError, match="run 1 has 150 rows, run 0 has 200"):
        mcc.score([a, b[:150]], corr=corr)
    b[3, 1] = np.nan
    with pytest.raises(IdkitError, match="run 1 has NaN or infinity in 1 of 200 rows"):
        mcc.score([a, b], corr=corr)


def test_grids_of_other_sizes_are_refused() -> None:
    with pytest.raises(IdkitError, match="position by position"):
        mcc.score([np.zeros((9, 3, 2, 2)), np.zeros((9, 3, 2, 1))])


@given(st.integers(1, 6))
def test_the_effective_number_of_coordinates_counts_those_that_vary_alike(active: int) -> None:
    z = np.random.default_rng(0).standard_normal((20_000, 6))
    z[:, active:] *= 1e-3
    assert mcc.score([z, z]).active == pytest.approx([active, active], rel=0.01)


@pytest.mark.parametrize("split", ["random", "first"])
def test_the_split_and_its_seed_are_the_only_chance_there_is(split: halves.Split) -> None:
    runs = family(3, 3)
    one, two, other = (mcc.score(runs, split=split, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.out_of_sample, two.out_of_sample)
    assert (one.mcc_out == other.mcc_out) == (split == "first")


def test_scores_of_several_modes_are_those_of_each_alone() -> None:
    runs = family(3, 4)
    for mode, found in mcc.scores(runs, modes=MODES).items():
        alone = mcc.score(runs, mode=mode)
        np.testing.assert_array_equal(found.in_sample, alone.in_sample)
        np.testing.assert_array_equal(found.out_of_sample, alone.out_of_sample)


def test_one_run_has_nothing_to_be_compared_with() -> None:
    with pytest.raises(IdkitError, match="at least two runs"):
        mcc.score(family(1, 3))


def test_a_mode_that_does_not_exist_and_no_components_are_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'strong'"):
        mcc.score(family(2, 3), mode="stron")
    with pytest.raises(UsageError, match="cca-dim is 0"):
        mcc.score(family(2, 3), cca_dim=0)
