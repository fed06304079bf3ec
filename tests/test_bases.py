"""Directions that a Gram matrix loses, against QR and SVD of the rows themselves."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import linalg, stats

from idkit import alignment, bases, comparison, gram, halves
from idkit.metrics import mcc

Floats = NDArray[np.float64]
N = 2500
INSIDE = halves.inside(N)
LOST = [1e-4, 1e-6, 1e-8, 1e-10]  # the Gram matrix resolves the first of them only


def collinear(small: float, runs: int = 2, d: int = 5, offset: float = 0.0) -> list[Floats]:
    """Runs that share one thing: how far their last coordinate is off a mixture of the others."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal(N)
    made = []
    for _ in range(runs):
        z = rng.standard_normal((N, d))
        off = shared + 0.3 * rng.standard_normal(N)
        z[:, -1] = z[:, :-1] @ rng.standard_normal(d - 1) + small * off
        made.append(z * rng.uniform(1e-3, 1e3, d) + offset)
    return made


def whitened(z: Floats) -> Floats:
    """All rows in a basis that is orthonormal on the in-sample rows, by QR and SVD."""
    centred = (z - z[INSIDE].mean(axis=0)) / z[INSIDE].std(axis=0)
    r = linalg.qr(centred[INSIDE], mode="economic")[1]
    _, singular, loadings = linalg.svd(r, full_matrices=False)
    kept = singular > singular[0] * N * np.finfo(float).eps
    return np.asarray(centred @ (loadings[kept].T / singular[kept]))


def canonical(a: Floats, b: Floats, corr: str) -> tuple[Floats, Floats]:
    """Correlations of the canonical variates on each half."""
    x, y = whitened(a), whitened(b)
    left, _, right = linalg.svd(x[INSIDE].T @ y[INSIDE], full_matrices=False)
    x, y = x @ left, y @ right.T
    measure = stats.pearsonr if corr == "pearson" else stats.spearmanr
    inner, outer = (
        np.array([abs(measure(u, v).statistic) for u, v in zip(x[rows].T, y[rows].T, strict=True)])
        for rows in (INSIDE, ~INSIDE)
    )
    best = np.argsort(-inner, kind="stable")
    return inner[best], outer[best]


@pytest.mark.parametrize("small", LOST)
@pytest.mark.parametrize("corr", ["pearson", "spearman"])
def test_weak_finds_what_qr_and_svd_of_the_rows_find(small: float, corr: mcc.Corr) -> None:
    a, b = collinear(small)
    found = mcc.score([a, b], mode="weak", corr=corr)
    inner, outer = canonical(a, b, corr)
    assert found.in_sample[0, 0] > 0.88  # what they share
    assert found.out_of_sample[0, 0] > 0.88
    np.testing.assert_allclose(found.in_sample[0], inner, atol=1e-6 + 1e-15 / small)
    np.testing.assert_allclose(found.out_of_sample[0], outer, atol=1e-4 + 1e-15 / small)


@pytest.mark.parametrize("offset", [1e2, 1e5])
def test_an_offset_hides_only_what_it_rounds_away(offset: float) -> None:
    a, b = (z / z.std(axis=0) + offset for z in collinear(1e-7))
    found = mcc.score([a, b], mode="weak")
    assert found.k == 5
    assert found.out_of_sample[0, 0] == pytest.approx(canonical(a, b, "pearson")[1][0], abs=1e-3)


def test_the_company_of_other_runs_and_their_types_does_not_matter() -> None:
    a, b = collinear(1e-8)
    rng = np.random.default_rng(1)
    plain = rng.standard_normal((N, 3)).astype(np.float32)
    dead = np.column_stack([a[:, :3], np.full(N, 7.0), a[:, 3:]])
    alone = mcc.score([a, b], mode="weak", cca_dim=2)
    among = mcc.score([plain, dead, b], mode="weak", cca_dim=2)
    np.testing.assert_allclose(among.in_sample[2], alone.in_sample[0], atol=1e-6)
    expected = mcc.score([plain, b.astype(np.float32)], mode="weak", cca_dim=2)
    np.testing.assert_allclose(among.in_sample[1], expected.in_sample[0], atol=0.05)
    own = np.random.default_rng(2).permutation(N)
    stored = np.empty_like(a)
    stored[own] = a
    matched = mcc.score([stored, b], mode="weak", cca_dim=2, rows=[own, None])
    np.testing.assert_array_equal(matched.in_sample, alone.in_sample)


@pytest.mark.parametrize("small", LOST)
def test_affine_predicts_from_directions_that_a_gram_matrix_loses(small: float) -> None:
    a, b = collinear(small)
    b = np.column_stack([(a[:, -1] - whole(a)) / small, b[:, 0]])
    found = mcc.score([a, b], mode="affine")
    assert found.in_sample[0, 0] == pytest.approx(1, abs=1e-4)
    assert found.out_of_sample[0, 0] == pytest.approx(1, abs=1e-4)


def whole(z: Floats) -> Floats:
    """The part of the last coordinate that the others explain, in-sample."""
    x = np.column_stack([z[:, :-1], np.ones(N)])
    return np.asarray(x @ linalg.lstsq(x[INSIDE], z[INSIDE, -1])[0])


@pytest.mark.parametrize("mode", ["weak", "affine"])
@pytest.mark.parametrize("small", [1e-6, 1e-8])
def test_a_map_goes_through_the_runs_own_coordinates_and_other_rows(
    mode: str, small: float
) -> None:
    a, b = collinear(small)
    b = b if mode == "weak" else np.column_stack([(a[:, -1] - whole(a)) / small, b[:, 0]])
    (found,) = alignment.fit([a, b], [(0, 1)], mode=mode)
    z = found.move(a)
    measured = [abs(np.corrcoef(x, y)[0, 1]) for x, y in zip(z[INSIDE].T, b[INSIDE].T, strict=True)]
    scored = mcc.score([a, b], mode=mode)
    if mode == "affine":  # a coordinate is matched with its prediction
        assert sorted(measured) == pytest.approx(sorted(scored.in_sample[0]), abs=1e-5)
    before = comparison.compare([a, b], modes=[mode])[mode]
    rows = np.flatnonzero(~INSIDE)
    other = alignment.transferred(before, [found], [a[rows], b[rows]])
    np.testing.assert_allclose(other.score.out_of_sample, scored.out_of_sample, atol=1e-4)


def test_a_basis_is_orthonormal_on_the_rows_and_goes_back() -> None:
    z = collinear(1e-9)[0]
    moments = gram.of([z], INSIDE).inside
    found = bases.needed(["weak"], [z], [None], INSIDE, moments).found[0]
    rows = found[np.flatnonzero(INSIDE)]
    np.testing.assert_allclose(rows.T @ rows, np.eye(5), atol=1e-6)
    np.testing.assert_allclose(
        found[:] @ found.back + found.origin, z, atol=1e-12 * np.abs(z).max()
    )


@pytest.mark.parametrize(
    "z",
    [
        np.random.default_rng(0).standard_normal((N, 5)),
        collinear(1e-8)[0].astype(np.float32),
        collinear(1e-8)[0].astype(np.float32).astype(np.float64),
        np.round(collinear(1e-8)[0]).astype(np.int64),
        np.column_stack([np.eye(5)[np.arange(N) % 5], np.ones(N)]),
        np.random.default_rng(0).standard_normal((N, 2)) @ np.ones((2, 4)),
        np.zeros((N, 3)),
    ],
    ids=["usual", "float32", "float32 in float64", "integers", "one-hot", "exact", "dead"],
)
@pytest.mark.parametrize("mode", ["weak", "affine", "strong"])
def test_where_moments_resolve_all_there_is_no_basis_is_made(z: NDArray[Any], mode: str) -> None:
    moments = gram.of([z], INSIDE).inside
    assert bases.needed([mode], [z], [None], INSIDE, moments).found == {}
    if mode == "strong":
        fine = collinear(1e-8)
        moments = gram.of(fine, INSIDE).inside
        assert bases.needed([mode], fine, [None] * 2, INSIDE, moments).found == {}


def test_fewer_rows_than_coordinates_need_no_basis() -> None:
    z = np.random.default_rng(0).standard_normal((40, 60))
    inside = halves.inside(40)
    moments = gram.of([z], inside).inside
    assert bases.needed(["weak"], [z], [None], inside, moments).found == {}


def test_what_is_left_out_is_said_with_the_precision_of_the_type() -> None:
    def said(dtype: str, small: float) -> str:
        runs = [z.astype(dtype) for z in collinear(small)]
        (text,) = [t for t in mcc.score(runs, mode="weak").warnings if t.startswith("run 0: rank")]
        return text

    assert "rank 4 of 5 coordinates: agreement in directions below 3e-06" in said("float32", 1e-9)
    assert "rank 4 of 5 coordinates: agreement in directions below 3e-13" in said("float64", 0.0)
    dead = [np.column_stack([z, np.zeros(N)]) for z in collinear(1.0)]
    texts = mcc.score(dead, mode="weak").warnings
    assert "run 0: rank 5 of 6 coordinates" in texts


@pytest.mark.parametrize(("kind", "below"), [("float16", 1e-3), ("bfloat16", 8e-3)])
def test_coarse_types_resolve_no_more_than_their_rounding(kind: str, below: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((N, 3))

    def stored(z: Floats) -> NDArray[Any]:
        if kind == "float16":
            return z.astype(np.float16)
        bits = z.astype(np.float32).view(np.uint32)
        return ((bits + 0x8000) & 0xFFFF0000).astype(np.uint32).view(np.float32)

    exact = stored(np.column_stack([x, x.sum(axis=1)]))  # collinear but for rounding
    half = gram.of([exact], INSIDE).inside
    assert half.smallest(0) == pytest.approx(below, rel=0.05)
    assert half.rank(0) == 3
    apart = stored(np.column_stack([x, x.sum(axis=1) + 30 * below * rng.standard_normal(N)]))
    assert gram.of([apart], INSIDE).inside.rank(0) == 4
