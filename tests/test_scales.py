"""The scale of observations: told where it hinders, brought to 1, and undone."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from idkit import scales
from idkit.errors import IdkitError
from idkit.scales import Scale

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(400, 5)).astype(np.float32)
PICTURES = RNG.integers(0, 256, (30, 3, 4, 4)).astype(np.uint8)


@given(
    arrays(np.float32, (20, 3), elements=st.floats(-1e6, 1e6, width=32)),
    st.sampled_from([np.float32, np.uint8]),
)
def test_columns_are_scaled_as_scikit_learn_does(x: NDArray[Any], dtype: Any) -> None:
    x = x.astype(np.float32) if dtype is np.float32 else (np.abs(x) % 256).astype(np.uint8)
    found = scales.fit(x)
    expected = StandardScaler().fit(x.astype(np.float64))
    np.testing.assert_allclose(found.mean, expected.mean_, rtol=1e-9, atol=1e-9)
    varies = x.min(0) < x.max(0)
    np.testing.assert_allclose(found.scale[varies], x.astype(np.float64).std(0)[varies], rtol=1e-9)
    assert (found.scale[~varies] == 1).all()
    scaled = found.apply(x)
    assert scaled.dtype == np.float32
    assert (np.abs(scaled[:, ~varies]) < 1e-6).all()
    np.testing.assert_allclose(
        found.undo(scaled), x, rtol=1e-5, atol=1e-5 * (1 + found.scale.max())
    )


def test_images_are_scaled_by_channel() -> None:
    scaled = scales.fit(PICTURES).apply(PICTURES)
    np.testing.assert_allclose(scaled.mean((0, 2, 3)), np.zeros(3), atol=1e-6)
    np.testing.assert_allclose(scaled.std((0, 2, 3)), np.ones(3), rtol=1e-6)
    np.testing.assert_allclose(scales.fit(PICTURES).undo(scaled), PICTURES, atol=1e-4)


def test_rows_are_scaled_alike_however_many_there_are() -> None:
    x = np.tile(NORMAL * 1e3 + 7, (800, 1))  # several blocks
    found = scales.fit(x)
    assert np.array_equal(found.apply(x)[1000:1010], found.apply(x[1000:1010]))


def test_a_scale_is_stored_exactly() -> None:
    made = scales.fit(NORMAL * np.float32(1e-7))
    read = scales.of({"standardize": json.loads(json.dumps(made.meta))}, (5,), "m")
    assert read is not None
    assert np.array_equal(read.mean, made.mean)
    assert np.array_equal(read.scale, made.scale)
    assert scales.of({}, (5,), "m") is None


@pytest.mark.parametrize(
    "told",
    [
        5,
        {},
        {"mean": [0.0] * 5},
        {"mean": [0.0] * 5, "scale": [1.0] * 4},
        {"mean": [0.0] * 4, "scale": [1.0] * 4},
        {"mean": [0.0] * 5, "scale": [1.0] * 4 + [0.0]},
        {"mean": [0.0] * 5, "scale": "abcde"},
        {"mean": [float("nan")] * 5, "scale": [1.0] * 5},
        {"mean": [[0.0]] * 5, "scale": [1.0] * 5},
    ],
)
def test_a_damaged_scale_is_refused(told: Any) -> None:
    with pytest.raises(IdkitError, match="m: 'standardize' does not hold"):
        scales.of({"standardize": told}, (5,), "m")


@pytest.mark.parametrize(
    ("x", "found"),
    [
        (np.round(np.abs(NORMAL) * 60).clip(0, 255), "x goes from 0 to 2"),
        (NORMAL * np.array([1e-3, 1, 1, 1, 1e6], np.float32), "is from 0.00"),
        (NORMAL + np.float32(1000), "x goes from 99"),
        (NORMAL / np.float32(1e4), "x goes from -0.0"),
        (PICTURES.astype(np.float32), "channels is "),
        ((PICTURES // 16).astype(np.uint8), "x (uint8) goes to 15, bytes are read as grey levels"),
    ],
)
def test_what_cannot_be_trained_well_is_told_with_its_scale(x: NDArray[Any], found: str) -> None:
    text = scales.remark(x, 0.1)
    assert found in text
    assert "--standardize" in text
    assert len(text) < 290
    if x.dtype != np.uint8:
        assert scales.remark(scales.fit(x).apply(x), 0.1) == ""
        assert scales.remark(x, None) == ""


@pytest.mark.parametrize(
    "x",
    [
        NORMAL,
        NORMAL * np.float32(2) + np.array([3, 0, 0, 0, -3], np.float32),
        PICTURES,
        PICTURES.astype(np.float32) / 255,
        (PICTURES.astype(np.float32) / 255).reshape(30, -1) * (RNG.random((30, 48)) < 0.2),
        np.zeros((4, 3), np.float32),
        np.zeros((4, 3), np.uint8),
        NORMAL[:1],
    ],
)
def test_usual_data_are_not_remarked_on(x: NDArray[Any]) -> None:
    assert scales.remark(x.astype(np.uint8 if x.dtype == np.uint8 else np.float32), 0.1) == ""


def test_a_constant_column_stays_finite() -> None:
    x = np.full((7, 2), 0.1, np.float32)  # whose mean in float64 is not quite 0.1
    found = scales.fit(x)
    assert np.isfinite(found.apply(x)).all()
    assert np.abs(found.apply(x)).max() < 1e-6
    assert isinstance(found, Scale)
