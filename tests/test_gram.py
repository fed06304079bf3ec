"""Sums over rows against the definitions, on rows of every kind, and in bounded memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from idkit import gram, halves
from idkit.errors import IdkitError

Floats = NDArray[np.float64]
shapes = st.tuples(st.integers(4, 60), st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))


def centred(z: Floats) -> Floats:
    return np.asarray(z - z.mean(axis=0))


def drawn(n: int, d: int, seed: int = 0) -> Floats:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.standard_normal((n, d)) @ rng.standard_normal((d, d)))


def first(n: int) -> NDArray[np.bool_]:
    return halves.inside(n, split="first")


@given(shapes)
def test_blocks_are_the_centred_products_of_each_half(shape: tuple[int, int, int, int]) -> None:
    n, d_a, d_b, seed = shape
    a, b = drawn(n, d_a, seed), drawn(n, d_b, seed + 1)
    inside = halves.inside(n, seed=seed)
    both = gram.of([a, b], inside)
    for half, rows in ((both.inside, inside), (both.outside, ~inside)):
        assert half.n == rows.sum()
        np.testing.assert_allclose(half.means(1), b[rows].mean(axis=0), atol=1e-12)
        for i, x in enumerate((a, b)):
            for j, y in enumerate((a, b)):
                expected = centred(x[rows]).T @ centred(y[rows])
                np.testing.assert_allclose(half.block(i, j), expected, atol=1e-10)


def test_sums_do_not_depend_on_how_many_blocks_there_are() -> None:
    z = drawn(3 * gram.BLOCK_ROWS + 17, 4)
    found = gram.of([z], first(len(z))).inside
    rows = z[: len(z) // 2]
    np.testing.assert_allclose(found.block(0, 0), centred(rows).T @ centred(rows), rtol=1e-10)


@given(shapes, st.floats(0.3, 0.7))
def test_grams_of_shards_add_up(shape: tuple[int, int, int, int], share: float) -> None:
    n, d_a, d_b, seed = shape
    n += 8
    runs = [drawn(n, d_a, seed) + 5.0, drawn(n, d_b, seed + 1)]
    cut = min(max(int(share * n), 4), n - 4)
    shards = [[run[:cut] for run in runs], [run[cut:] for run in runs]]
    parts = [gram.of(shard, first(len(shard[0]))) for shard in shards]
    total = parts[0].inside + parts[0].outside + parts[1].inside + parts[1].outside
    assert total.n == n
    for i in range(2):
        np.testing.assert_allclose(total.means(i), runs[i].mean(axis=0), atol=1e-12)
        expected = centred(runs[0]).T @ centred(runs[i])
        np.testing.assert_allclose(total.block(0, i), expected, atol=1e-9)


def test_grams_of_other_columns_do_not_add() -> None:
    one, two = (gram.of([drawn(8, d)], first(8)).inside for d in (2, 3))
    with pytest.raises(ValueError, match="do not add"):
        one + two


@pytest.mark.parametrize("offset", [0.0, 1e3, 1e6, 1e8])
def test_an_offset_changes_no_correlation(offset: float) -> None:
    z = drawn(5000, 5)
    half = gram.of([z + offset, z], first(5000)).inside
    resolved = np.finfo(float).eps * offset  # what the offset leaves of the values themselves
    np.testing.assert_allclose(
        half.correlations(0, 0), half.correlations(1, 1), atol=1e-13 + 10 * resolved
    )


def test_columns_that_drift_and_rare_large_values_are_summed_right() -> None:
    n = 20_000
    drift = np.linspace(0, 1e4, n) + drawn(n, 1)[:, 0]
    rare = np.where(np.arange(n) % 9973 == 5, 1e6, 1e-3 * drawn(n, 1, 1)[:, 0])
    z = np.column_stack([drift, rare, drawn(n, 1, 2)[:, 0]])
    inside = halves.inside(n)
    found = gram.of([z], inside).inside.correlations(0, 0)
    np.testing.assert_allclose(found, np.corrcoef(z[inside].T), atol=1e-12)


@pytest.mark.parametrize("value", [0.0, 0.1, -3e7, 1e-30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_column_has_norm_zero_and_no_correlation(value: float, dtype: type) -> None:
    z: NDArray[np.floating] = drawn(5000, 3).astype(dtype)
    z[:, 1] = value
    half = gram.of([z], halves.inside(5000)).inside
    assert half.norms(0)[1] == 0
    assert not half.correlations(0, 0)[1].any()
    assert half.whitening(0).shape == (3, 2)
    assert half.means(0)[1] == pytest.approx(float(dtype(value)), rel=1e-12)


def test_a_column_that_is_constant_on_one_half_only_is_dead_there() -> None:
    z = drawn(5000, 2)
    inside = halves.inside(5000)
    z[inside, 0] = 0.1
    both = gram.of([z], inside)
    assert both.inside.norms(0)[0] == 0
    assert both.outside.norms(0)[0] > 0


def test_a_nearly_collapsed_column_is_not_dead() -> None:
    z = drawn(500, 3)
    z[:, 2] = 4.0 + 1e-7 * z[:, 2]
    half = gram.of([z, drawn(500, 3)], first(500)).inside
    expected = np.corrcoef(centred(z[:250]).T)
    np.testing.assert_allclose(half.correlations(0, 0), expected, atol=1e-6)
    assert half.rank(0) == 3


@given(st.integers(1, 5), st.integers(0, 3), st.integers(0, 99))
def test_whitened_columns_are_orthonormal_and_duplicates_do_not_count(
    d: int, twice: int, seed: int
) -> None:
    z = drawn(100, d, seed)
    z = np.column_stack([z, z[:, : min(twice, d)] * -2.0 + 1.0])
    half = gram.of([z], first(100)).inside
    white = half.whitening(0)
    assert white.shape == (z.shape[1], d) == (z.shape[1], half.rank(0))
    np.testing.assert_allclose(white.T @ half.block(0, 0) @ white, np.eye(d), atol=1e-8)


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1e9])
def test_the_rank_does_not_depend_on_the_units_of_a_column(scale: float) -> None:
    z = drawn(200, 4)
    scaled = z * np.array([1.0, scale, 1.0, 1.0])
    assert gram.of([scaled], first(200)).inside.rank(0) == 4


@pytest.mark.parametrize(
    "stored",
    [
        lambda z: np.asfortranarray(z),
        lambda z: z.astype(">f8"),
        lambda z: z[::-1][::-1],
        lambda z: np.repeat(z, 2, axis=1)[:, ::2],
    ],
    ids=["fortran", "big-endian", "negative strides", "strided"],
)
def test_how_an_array_lies_in_memory_does_not_matter(stored: object) -> None:
    z = drawn(3000, 4)
    plain = gram.of([z], first(3000)).inside.block(0, 0)
    np.testing.assert_array_equal(gram.of([stored(z)], first(3000)).inside.block(0, 0), plain)  # type: ignore[operator]


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "uint8", "int64", "bool"])
def test_every_real_type_is_summed_as_the_numbers_it_holds(dtype: str) -> None:
    z = (np.abs(drawn(500, 3)) * 3).astype(dtype)
    found = gram.of([z], first(500)).inside.block(0, 0)
    expected = gram.of([z.astype(np.float64)], first(500)).inside.block(0, 0)
    np.testing.assert_array_equal(found, expected)


def test_a_mapped_file_gives_the_same_numbers_as_memory(tmp_path: Path) -> None:
    z = np.tile(drawn(5000, 6).astype(np.float32), (300, 1))
    assert z.nbytes > gram.RELEASED_FROM
    np.save(tmp_path / "z.npy", z)
    mapped = np.load(tmp_path / "z.npy", mmap_mode="r")
    one, two = (gram.of([x, x], halves.inside(len(z))).outside.scatter for x in (z, mapped))
    np.testing.assert_array_equal(one, two)


def test_what_was_written_into_a_private_map_is_not_lost(tmp_path: Path) -> None:
    np.save(tmp_path / "z.npy", np.zeros((gram.RELEASED_FROM // 8, 1)))
    mine = np.load(tmp_path / "z.npy", mmap_mode="c")
    mine[:] = 7.0
    gram.of([mine], first(len(mine)))
    assert (mine == 7.0).all()


def test_an_order_reads_other_rows_in_place_of_each() -> None:
    rng = np.random.default_rng(3)
    a, b = drawn(3000, 3), drawn(3000, 2, 1)
    order = [rng.permutation(3000) for _ in range(2)]
    found = gram.of([a, b], first(3000), order=order).inside.block(0, 1)
    expected = gram.of([a[order[0]], b[order[1]]], first(3000)).inside.block(0, 1)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_rows_that_are_picked_are_those_of_a_file_that_holds_no_others(offset: float) -> None:
    a, b = drawn(3000, 3) + offset, drawn(4000, 2, 1)
    rng = np.random.default_rng(3)
    own = [rng.permutation(3000)[:2500], rng.permutation(4000)[:2500]]
    order = [rng.permutation(2500) for _ in range(2)]
    sorted_first = [a[own[0]], b[own[1]]]
    inside = halves.inside(2500)
    for shuffled in (None, order):
        found = gram.of([a, b], inside, rows=own, order=shuffled)
        expected = gram.of(sorted_first, inside, order=shuffled)
        for half, same in ((found.inside, expected.inside), (found.outside, expected.outside)):
            np.testing.assert_array_equal(half.scatter, same.scatter)
            np.testing.assert_array_equal(half.mean, same.mean)


def test_rows_that_are_not_picked_may_be_anything() -> None:
    z = drawn(10, 2)
    z[7] = np.nan
    gram.of([z], first(9), rows=[np.delete(np.arange(10), 7)])
    with pytest.raises(IdkitError, match="in 1 of 10 rows, first in row 8"):
        gram.of([z], first(9), rows=[np.arange(1, 10)])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_counted_and_named(value: float) -> None:
    z = drawn(3000, 3)
    z[[1500, 2999], [0, 2]] = value
    with pytest.raises(
        IdkitError, match=r"b\.npy has .* in 2 of 3000 rows, first in row 1501 \(row 1 "
    ):
        gram.of([drawn(3000, 3), z], first(3000), names=["a.npy", "b.npy"])


def test_values_beyond_float64_squared_are_refused() -> None:
    with pytest.raises(IdkitError, match="scale them down"):
        gram.of([drawn(100, 2) * 1e200], first(100))


def test_runs_of_other_rows_are_refused_by_name() -> None:
    with pytest.raises(IdkitError, match=r"b\.npz has 48 rows, a\.npz has 50: embed both"):
        gram.of([drawn(50, 2), drawn(48, 2)], first(50), names=["a.npz", "b.npz"])


@pytest.mark.parametrize("shape", [(9,), (9, 0), (9, 2, 2)])
def test_what_is_no_matrix_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(IdkitError, match="an array \\(rows, d_z\\) is needed"):
        gram.of([np.zeros(shape)], first(9))


@pytest.mark.parametrize("split", ["random", "first"])
@given(n=st.integers(4, 300), seed=st.integers(0, 5))
def test_halves_are_halves(split: halves.Split, n: int, seed: int) -> None:
    inside = halves.inside(n, split=split, seed=seed)
    assert inside.sum() == n // 2
    np.testing.assert_array_equal(inside, halves.inside(n, split=split, seed=seed))


def test_a_random_half_is_no_first_half_and_follows_its_seed() -> None:
    one, two = (halves.inside(1000, seed=seed) for seed in (0, 1))
    assert (one != two).any()
    assert 400 < (one & two).sum() * 2 < 600
    assert 0.4 < one[:500].mean() < 0.6


@pytest.mark.parametrize("n", [0, 3])
def test_too_few_rows_to_split_are_refused(n: int) -> None:
    with pytest.raises(IdkitError, match=f"{n} rows are too few"):
        halves.inside(n)


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    code = f"""
import resource, sys, numpy as np
from idkit import gram, halves
n, runs = int(sys.argv[1]), 6
out = np.lib.format.open_memmap({str(tmp_path / "z.npy")!r}, "w+", np.float32, (n, 64))
rng = np.random.default_rng(0)
for start in range(0, n, 4096):
    out[start:start + 4096] = rng.standard_normal(out[start:start + 4096].shape)
out.flush()
del out
z = [np.load({str(tmp_path / "z.npy")!r}, mmap_mode="r") for _ in range(runs)]
inside = halves.inside(n)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
gram.of(z, inside)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""
    grown = int(
        subprocess.run(
            [sys.executable, "-c", code, "300000"], capture_output=True, text=True, check=True
        ).stdout
    )
    assert grown < 64  # MB; the six runs are 460 MB


def test_the_same_numbers_whatever_the_number_of_threads() -> None:
    code = """
import numpy as np
from idkit.metrics import mcc
rng = np.random.default_rng(0)
shared = rng.standard_normal((3000, 90))
runs = [shared @ rng.standard_normal((90, 90)) + rng.standard_normal((3000, 90)) for _ in "abcd"]
found = mcc.scores(runs, modes=["strong", "weak", "affine", "orthogonal"])
print([(s.in_sample.tobytes().hex(), s.out_of_sample.tobytes().hex()) for s in found.values()])
"""
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "3")
    }
    assert len(outputs) == 1


@settings(max_examples=20)
@given(st.integers(0, 99))
def test_a_gram_is_itself_plus_nothing_lost(seed: int) -> None:
    z = drawn(40, 3, seed)
    both = gram.of([z], first(40))
    swapped = both.outside + both.inside
    np.testing.assert_allclose(
        swapped.block(0, 0), (both.inside + both.outside).block(0, 0), rtol=1e-10, atol=1e-10
    )
