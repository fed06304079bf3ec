"""What each family of maps must ignore, what it must not, and what it is by its definition."""

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import linalg
from sklearn.cross_decomposition import CCA

from idkit import gram, halves, maps, shelf
from idkit.gram import Grams, Halves
from idkit.maps import Map, Permutation

Floats = NDArray[np.float64]
FAMILIES = shelf.names("align")
N = 400


def drawn(d: int, seed: int = 0, n: int = N) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.standard_normal((n, d)) @ rng.standard_normal((d, d)))


def moments(*runs: Floats) -> Halves:
    return gram.of(runs, halves.inside(len(runs[0])))


def fit(family: str, a: Floats, b: Floats, components: int | None = None) -> tuple[Map, Halves]:
    both = moments(a, b)
    found: Map = shelf.take("align", family, "fit")(both.inside, 0, 1, components=components)
    return found, both


def agreement(family: str, a: Floats, b: Floats) -> float:
    """Mean out-of-sample correlation of the matched components."""
    found, both = fit(family, a, b)
    return float(found.correlations(both.outside, 0, 1).mean())


def rotation(d: int, seed: int = 0) -> Floats:
    return np.asarray(np.linalg.qr(np.random.default_rng(seed).standard_normal((d, d)))[0])


def monomial(d: int, seed: int = 0) -> Floats:
    """A permutation with signs and scales."""
    rng = np.random.default_rng(seed)
    return np.asarray(np.eye(d)[rng.permutation(d)] * rng.uniform(0.1, 9, d) * rng.choice([-1, 1]))


def similarity(d: int, seed: int = 0) -> Floats:
    return 3.0 * rotation(d, seed)


def linear(d: int, seed: int = 0) -> Floats:
    return drawn(d, seed, d) + 3 * np.eye(d)


IGNORED: dict[str, Callable[[int, int], Floats]] = {
    "strong": monomial,
    "orthogonal": similarity,
    "affine": linear,
    "weak": linear,
}


def test_every_family_is_tested() -> None:
    assert set(IGNORED) == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
@given(d=st.integers(1, 6), seed=st.integers(0, 50))
def test_a_family_ignores_its_own_maps_and_shifts(family: str, d: int, seed: int) -> None:
    a = drawn(d, seed)
    b = a @ IGNORED[family](d, seed + 1) + 7.0
    assert agreement(family, a, b) == pytest.approx(1, abs=1e-6)


def test_strong_does_not_ignore_a_rotation() -> None:
    a = np.random.default_rng(0).standard_normal((N, 4))
    assert agreement("strong", a, a @ rotation(4, 1)) < 0.95


def test_orthogonal_does_not_ignore_a_shear_nor_any_family_a_nonlinearity() -> None:
    a = np.random.default_rng(0).standard_normal((N, 2))
    assert agreement("orthogonal", a, a @ np.array([[1.0, 3.0], [0.0, 1.0]])) < 0.95
    for family in FAMILIES:
        assert agreement(family, a, a**2) < 0.5


@pytest.mark.parametrize("family", FAMILIES)
def test_unrelated_runs_agree_no_more_than_chance(family: str) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 20_000, 5))
    assert agreement(family, a, b) < 3 * np.sqrt(2 / np.pi / 10_000)


@pytest.mark.parametrize("degrees", [0, 10, 30, 45])
def test_strong_agreement_under_a_rotation_by_t_is_cos_t(degrees: float) -> None:
    t = np.radians(degrees)
    turn = np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])
    white = np.random.default_rng(0).standard_normal((400_000, 2))
    assert agreement("strong", white, white @ turn) == pytest.approx(np.cos(t), abs=5e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_variable_and_its_cube_are_correlated_by_the_root_of_six_tenths(family: str) -> None:
    z = np.random.default_rng(1).standard_normal((400_000, 1))
    assert agreement(family, z, z**3) == pytest.approx(np.sqrt(0.6), abs=5e-3)


@pytest.mark.parametrize("family", FAMILIES)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 50))
def test_correlations_are_those_of_the_matched_columns(
    family: str, d_a: int, d_b: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    a, b = drawn(d_a, seed), drawn(d_b, seed + 1)
    b[:, 0] += a @ rng.standard_normal(d_a)
    found, both = fit(family, a, b)
    left, right = a @ found.directions_a, b @ found.directions_b
    inside = halves.inside(N)
    for half, rows in ((both.inside, inside), (both.outside, ~inside)):
        expected = [
            abs(np.corrcoef(x[rows], y[rows])[0, 1]) for x, y in zip(left.T, right.T, strict=True)
        ]
        np.testing.assert_allclose(found.correlations(half, 0, 1), expected, atol=1e-8)
    inner = found.correlations(both.inside, 0, 1)
    assert (np.diff(inner) <= 1e-9).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_fewer_components_are_the_first_ones(family: str) -> None:
    a, b = drawn(5), drawn(5) @ drawn(5, 2, 5) + drawn(5, 3)
    every, both = fit(family, a, b)
    few, _ = fit(family, a, b, components=2)
    np.testing.assert_allclose(
        few.correlations(both.outside, 0, 1), every.correlations(both.outside, 0, 1)[:2], atol=1e-12
    )


@pytest.mark.parametrize("family", ["affine", "orthogonal", "weak"])
def test_moved_latents_stand_where_the_other_run_stands(family: str) -> None:
    a = drawn(4)
    b = a @ rotation(4, 3) + np.arange(4.0)
    found, _ = fit(family, a, b)
    np.testing.assert_allclose(found.move(a), b, atol=1e-6)


def test_a_planted_permutation_is_given_back_exactly_with_its_signs() -> None:
    rng = np.random.default_rng(0)
    a = drawn(7).astype(np.float32).astype(np.float64)
    order, signs = rng.permutation(7), rng.choice([-1.0, 1.0], 7)
    b = (a * signs)[:, order]
    found, _ = fit("strong", a, b)
    np.testing.assert_array_equal(found.move(a), b)


def test_moving_keeps_the_agreement_and_needs_no_second_permutation() -> None:
    a, noise = drawn(5), drawn(5, 9)
    b = a @ monomial(5, 4) + 0.3 * noise
    found, both = fit("strong", a, b)
    again, moved = fit("strong", found.move(a), b)
    assert isinstance(again, Permutation)
    np.testing.assert_array_equal(again.source, again.target)
    np.testing.assert_array_equal(again.signs, 1)
    np.testing.assert_allclose(
        again.correlations(moved.outside, 0, 1), found.correlations(both.outside, 0, 1), atol=1e-12
    )


@given(st.integers(1, 5), st.integers(0, 2**32 - 1))
def test_the_assignment_is_the_best_of_all_permutations(d: int, seed: int) -> None:
    correlations = np.random.default_rng(seed).uniform(-1, 1, (d, d))
    found = shelf.take("align", "strong", "fit")(given_correlations(correlations), 0, 1)
    best = max(
        np.abs(correlations)[range(d), list(order)].sum() for order in permutations(range(d))
    )
    half = given_correlations(correlations)
    assert found.correlations(half, 0, 1).sum() == pytest.approx(best, abs=1e-12)


def given_correlations(correlations: Floats) -> Grams:
    d_a, d_b = correlations.shape
    scatter = np.block([[np.eye(d_a), correlations], [correlations.T, np.eye(d_b)]])
    return Grams(10, (d_a, d_b), np.zeros(d_a + d_b), scatter)


def test_a_greedy_matcher_would_fall_short() -> None:
    half = given_correlations(np.array([[0.9, 0.8], [0.85, 0.1]]))
    found = shelf.take("align", "strong", "fit")(half, 0, 1)
    assert found.correlations(half, 0, 1).mean() == pytest.approx(0.825)  # greedy: 0.5


@pytest.mark.parametrize("family", FAMILIES)
def test_dead_coordinates_and_single_coordinates_are_no_trouble(family: str) -> None:
    a = drawn(3)
    a[:, 1] = 0.1
    found, both = fit(family, a, a)
    correlations = found.correlations(both.outside, 0, 1)
    assert np.isfinite(correlations).all()
    assert sorted(correlations.round(9))[-2:] == [1, 1]
    one, both = fit(family, a[:, :1], -a[:, :1])
    np.testing.assert_allclose(one.correlations(both.outside, 0, 1), [1])
    dead, both = fit(family, a[:, 1:2], a, components=1)
    np.testing.assert_array_equal(dead.correlations(both.outside, 0, 1), [0])


@pytest.mark.parametrize("family", FAMILIES)
def test_runs_of_other_widths_are_matched_as_far_as_they_go(family: str) -> None:
    a = drawn(5)
    found, both = fit(family, a[:, [4, 0]], a)
    correlations = found.correlations(both.outside, 0, 1)
    assert len(correlations) == (2 if family in ("strong", "weak") else 5)
    if family != "orthogonal":  # a rotation onto more dimensions is drawn to all of them
        np.testing.assert_allclose(correlations[:2], 1, atol=1e-9)
    assert found.move(a[:, [4, 0]]).shape == (N, 5)


def by_qr(a: Floats, b: Floats) -> Floats:
    """Canonical correlations from the data: Björck & Golub (1973)."""
    left, right = (
        linalg.qr((z - z.mean(axis=0)) / z.std(axis=0), mode="economic")[0] for z in (a, b)
    )
    return np.asarray(linalg.svdvals(left.T @ right))


@pytest.mark.parametrize("condition", [1e0, 1e2, 1e4, 1e5])
def test_weak_agrees_with_qr_on_the_data_for_ill_conditioned_latents(condition: float) -> None:
    d, rng = 12, np.random.default_rng(0)
    spectrum = np.geomspace(1, 1 / condition, d)
    shared = rng.standard_normal((1000, d))
    a = (shared + rng.standard_normal((1000, d))) @ rotation(d, 1) * spectrum @ rotation(d, 2)
    b = (shared + rng.standard_normal((1000, d))) @ rotation(d, 3) * spectrum @ rotation(d, 4)
    a += 100.0
    found, both = fit("weak", a, b)
    inside = halves.inside(1000)
    np.testing.assert_allclose(
        found.correlations(both.inside, 0, 1),
        by_qr(a[inside], b[inside]),
        atol=max(1e-12, 1e-15 * condition**2),
    )
    assert both.inside.rank(0) == d


@pytest.mark.parametrize("related", [True, False])
def test_few_canonical_pairs_of_many_are_those_of_all(related: bool) -> None:
    a, b = drawn(30), drawn(30, 1)
    b[:, :12] += 5 * a[:, :12] if related else 0.0
    every, both = fit("weak", a, b)
    few, _ = fit("weak", a, b, components=5)
    for half in (both.inside, both.outside):
        np.testing.assert_allclose(
            few.correlations(half, 0, 1), every.correlations(half, 0, 1)[:5], atol=1e-8
        )


def test_canonical_pairs_that_are_not_correlated_at_all_are_found_no_worse() -> None:
    inside = halves.inside(N)
    left = np.linalg.qr(drawn(24)[inside] - drawn(24)[inside].mean(axis=0))[0]
    a, b = np.zeros((2, N, 12))
    a[inside], b[inside] = left[:, :12], left[:, 12:]
    a[~inside], b[~inside] = drawn(12, 1)[~inside], drawn(12, 2)[~inside]
    found, both = fit("weak", a, b, components=3)
    assert np.abs(found.correlations(both.inside, 0, 1)).max() < 1e-9
    left, right = a[inside] @ found.directions_a, b[inside] @ found.directions_b
    np.testing.assert_allclose(np.linalg.norm(left, axis=0), 1, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(right, axis=0), 1, atol=1e-9)


def test_weak_agrees_with_the_iterative_cca_of_scikit_learn() -> None:
    d, k, rng = 10, 5, np.random.default_rng(0)
    shared = rng.standard_normal((2000, d)) * np.linspace(3, 0.5, d)
    a = shared @ drawn(d, 1, d) + 2 * rng.standard_normal((2000, d))
    b = shared @ drawn(d, 2, d) + 2 * rng.standard_normal((2000, d))
    inside = halves.inside(2000)
    theirs = CCA(n_components=k, max_iter=5000, tol=1e-9).fit(a[inside], b[inside])
    found, both = fit("weak", a, b, components=k)
    for half, rows in ((both.inside, inside), (both.outside, ~inside)):
        left, right = theirs.transform(a[rows], b[rows])
        expected = [abs(np.corrcoef(x, y)[0, 1]) for x, y in zip(left.T, right.T, strict=True)]
        ours = found.correlations(half, 0, 1)
        np.testing.assert_allclose(ours, expected, atol=5e-3)
        assert ours.mean() == pytest.approx(np.mean(expected), abs=1e-3)


def test_affine_is_least_squares() -> None:
    a, b = drawn(4), drawn(3) + drawn(4)[:, :3]
    inside = halves.inside(N)
    design = np.column_stack([a[inside], np.ones(inside.sum())])
    expected = np.linalg.lstsq(design, b[inside], rcond=None)[0]
    found, _ = fit("affine", a, b)
    np.testing.assert_allclose(found.move(a), np.column_stack([a, np.ones(N)]) @ expected)


def test_orthogonal_is_the_best_rotation() -> None:
    a, b = drawn(3), drawn(3, 1) + drawn(3)
    inside = halves.inside(N)
    centred = [z[inside] - z[inside].mean(axis=0) for z in (a, b)]
    found, _ = fit("orthogonal", a, b)
    expected, _ = linalg.orthogonal_procrustes(*centred)
    np.testing.assert_allclose(
        found.move(a), (a - a[inside].mean(axis=0)) @ expected + b[inside].mean(axis=0)
    )


def test_weak_keeps_the_spread_of_what_it_moves_and_affine_shrinks_it() -> None:
    a = drawn(3)
    b = drawn(3) + 2 * drawn(3, 5)
    inside = halves.inside(N)
    spread = {
        family: np.trace(np.cov(fit(family, a, b)[0].move(a)[inside].T))
        for family in ("weak", "affine")
    }
    assert spread["affine"] < spread["weak"]
    assert spread["weak"] == pytest.approx(np.trace(np.cov(b[inside].T)), rel=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_maps_of_several_widths_are_packed_and_unpacked(family: str) -> None:
    runs = [drawn(d, d) for d in (3, 5, 4)]
    pairs = [(0, 1), (1, 2), (0, 2)]
    both = moments(*runs)
    fitted: list[Map] = [shelf.take("align", family, "fit")(both.inside, a, b) for a, b in pairs]
    shapes = [
        (runs[a].shape[1], runs[b].shape[1], each.directions_a.shape[1])
        for (a, b), each in zip(pairs, fitted, strict=True)
    ]
    again = maps.unpack(maps.pack(fitted), shapes)
    for (a, b), one, two in zip(pairs, fitted, again, strict=True):
        np.testing.assert_array_equal(one.move(runs[a]), two.move(runs[a]))
        np.testing.assert_array_equal(
            one.correlations(both.outside, a, b), two.correlations(both.outside, a, b)
        )
