"""Observations: what may be one, and what a model takes for the pictures it was trained on."""

import hashlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from idkit import grey_levels, observations
from idkit.errors import IdkitError

SHAPE = (3, 8, 8)
LEVELS = np.random.default_rng(0).integers(0, 256, (40, *SHAPE)).astype(np.uint8)
FORMS: dict[str, Any] = {  # how other libraries store the same pictures
    "0 to 255": lambda k: k.astype(np.float64),
    "0 to 1": lambda k: k / 255,
    "-0.5 to 0.5": lambda k: k / 255 - 0.5,
    "-1 to 1": lambda k: k / 127.5 - 1,
}


def described(x: NDArray[Any], likelihood: str | None = "gaussian") -> dict[str, Any]:
    """The metadata of a model that was trained on x."""
    read, _ = observations.read(x, "x.npz")
    about = observations.describe(read, np.arange(len(read)))
    return {"shape": list(read.shape[1:]), "x": about, "likelihood": likelihood}


def as_trained(x: NDArray[Any], meta: dict[str, Any]) -> tuple[NDArray[Any], tuple[str, ...]]:
    read, told = observations.read(x, "new.npz")
    found, more = observations.as_trained(read, meta, name="new", model="m")
    return found, (*told, *more)


# Forms of grey levels


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_a_form_is_known_and_its_levels_come_back(name: str, dtype: type[np.floating]) -> None:
    x = FORMS[name](LEVELS).astype(dtype)
    assert grey_levels.form(x) == name
    assert np.array_equal(grey_levels.levels(x, name), LEVELS)
    np.testing.assert_allclose(grey_levels.stored(LEVELS, name), FORMS[name](LEVELS), atol=1e-7)


@given(st.integers(0, 2**32))
def test_what_lies_between_the_levels_has_no_form(seed: int) -> None:
    x = np.random.default_rng(seed).random((10, 3, 4, 4))
    for picture in (x, 255 * x, x - 0.5, 2 * x - 1, 16 * x, x * 300):
        assert grey_levels.form(picture) is None


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (np.array([[0, 1]], np.uint8), None),  # black and nearly black, or black and white
        (np.array([[0, 2]], np.int64), "0 to 255"),
        (np.array([[0, 256]]), None),
        (np.array([[-1, 255]]), None),
        (np.array([[0.0, 1.0]]), "0 to 1"),
        (np.array([[0.0, 300.0]]), None),
        (np.zeros((0, 2)), None),
    ],
)
def test_forms_at_their_bounds(x: NDArray[Any], expected: str | None) -> None:
    assert grey_levels.form(x) == expected


# What is read


@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.uint16, np.float32, np.float64])
def test_whole_numbers_of_images_are_read_as_bytes(dtype: type[np.number]) -> None:
    x, told = observations.read(LEVELS.astype(dtype), "x.npz")
    assert x.dtype == np.uint8
    assert np.array_equal(x, LEVELS)
    assert "is read as grey levels" in " ".join(told)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(8, 8), (5, 12)])
def test_channels_last_are_put_first(channels: int, size: tuple[int, int]) -> None:
    last = np.random.default_rng(0).integers(0, 256, (6, *size, channels)).astype(np.uint8)
    x, told = observations.read(last, "x.npz")
    assert x.shape == (6, channels, *size)
    assert np.array_equal(x[2, channels - 1], last[2, ..., channels - 1])
    assert f"images of {size[0]} x {size[1]} pixels, channels last" in " ".join(told)


@pytest.mark.parametrize(
    "x",
    [
        LEVELS,
        np.zeros((4, 3, 3, 3), np.uint8),
        np.zeros((4, 1, 8, 1), np.uint8),
        np.zeros((4, 2, 4, 4), np.uint8),
        np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32),
        np.arange(12, dtype=np.float32).reshape(4, 3) * 20,  # counts: not certainly pictures
        (LEVELS[:, :, :4] / 255).astype(np.float32),
    ],
)
def test_what_is_as_it_should_be_stays(x: NDArray[Any]) -> None:
    found, told = observations.read(x, "x.npz")
    assert told == ()
    assert found.dtype == x.dtype
    assert np.array_equal(found, x)
    assert observations.as_trained(found, described(x), name="x", model="m")[1] == ()


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((5, 8, 8)), "x[:, None] makes grey images"),
        (np.zeros(5), "shape (5,)"),
        (np.full((5, 2), np.nan), "5 of 5 rows hold NaN"),
        (np.full((5, 2), "a"), "expected numbers"),
    ],
)
def test_what_is_no_observation_is_refused(x: NDArray[Any], message: str) -> None:
    with pytest.raises(IdkitError) as caught:
        observations.read(x, "x.npz")
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


# What a model takes for its own


def stored() -> dict[str, NDArray[Any]]:
    """The same pictures in every form."""
    forms = {name: form(LEVELS) for name, form in FORMS.items()}
    whole = {"bytes": LEVELS, "int64": LEVELS.astype(np.int64)}
    last = {"last": np.moveaxis(LEVELS, 1, -1), "last, 0 to 1": np.moveaxis(LEVELS / 255, 1, -1)}
    return {**forms, **whole, **last}


@pytest.mark.parametrize("trained", stored())
@pytest.mark.parametrize("given", stored())
def test_equal_pictures_are_equal_whatever_their_form(trained: str, given: str) -> None:
    own, _ = observations.read(stored()[trained], "own.npz")
    found, told = as_trained(stored()[given], described(stored()[trained]))
    assert (found.dtype, found.shape) == (own.dtype, own.shape)
    np.testing.assert_allclose(found, own, atol=1e-6 if own.dtype == np.float32 else 0)
    as_it_is = (
        given == "bytes" if own.dtype == np.uint8 else given == trained.removeprefix("last, ")
    )
    assert (told == ()) == as_it_is


@pytest.mark.parametrize("trained", ["bytes", "0 to 1", "-1 to 1"])
@pytest.mark.parametrize(
    "x",
    [
        LEVELS * np.float64(2),
        np.round(LEVELS / 255 * 16),
        np.round(LEVELS / 255 * 16).astype(np.uint8),
        LEVELS * 257.0,
        LEVELS / 255 * 1000 + 0.123,
        -3 - LEVELS / 255,
    ],
)
def test_pictures_of_another_scale_are_refused(trained: str, x: NDArray[Any]) -> None:
    with pytest.raises(IdkitError, match=r"new holds \w+, .* m was trained on .* give numbers"):
        as_trained(x, described(stored()[trained]))


def test_pictures_between_the_levels_fit_their_own_range_only() -> None:
    smooth = np.random.default_rng(0).random((40, *SHAPE))
    meta = described(smooth)
    assert meta["x"]["levels"] is None
    found, told = as_trained(smooth[::2] * 0.9, meta)
    assert told == ()
    np.testing.assert_allclose(found, smooth[::2] * 0.9, rtol=1e-6)
    for other in (LEVELS, 255 * smooth, smooth / 300):
        with pytest.raises(IdkitError, match="was trained on float32"):
            as_trained(other, meta)
    with pytest.raises(IdkitError, match="was trained on uint8, 0 to 255"):
        as_trained(smooth, described(LEVELS))


def test_masks_are_numbers_of_one_scale() -> None:
    masks = (LEVELS > 127).astype(np.uint8)
    for x in (masks.astype(np.float32), masks.astype(int)):
        found, _ = as_trained(x, described(masks))
        assert found.dtype == np.uint8
        assert np.array_equal(found, masks)
        found, _ = as_trained(masks, described(x))
        assert np.array_equal(found, masks)
    for x, other in ((LEVELS, masks), (masks, LEVELS)):
        with pytest.raises(IdkitError, match=r"m was trained on uint8, 0 to \d+: give"):
            as_trained(x, described(other))


@pytest.mark.parametrize("trained", ["int64", "0 to 1"])
@pytest.mark.parametrize("given", ["bytes", "0 to 255", "0 to 1", "int64"])
def test_flat_pictures_are_known_by_their_levels(trained: str, given: str) -> None:
    flat = {name: x.reshape(len(x), -1) for name, x in stored().items()}
    own, _ = observations.read(flat[trained], "own.npz")
    found, _ = as_trained(flat[given], described(flat[trained]))
    np.testing.assert_allclose(found, own, atol=1e-6)


def test_numbers_are_refused_where_most_are_far_outside_only() -> None:
    x = np.random.default_rng(0).normal(size=(500, 4))
    meta = described(x)
    for same in (x + 1, 3 * x, x[:3]):
        assert as_trained(same, meta)[1] == ()
    outlier = x.copy()
    outlier[0, 0] = 500
    (text,) = as_trained(outlier, meta)[1]
    assert "are they in the same units?" in text
    for other in (1000 * x, x + 1e4):
        with pytest.raises(IdkitError, match="m was trained on float32"):
            as_trained(other, meta)
    assert "same units" in " ".join(as_trained(x / 1000, meta)[1])


def test_the_same_values_are_the_same_data_whatever_the_range() -> None:
    x = np.random.default_rng(0).normal(size=(50, 4))
    x[40:] *= 1e5  # rows that were not trained on
    about = observations.describe(x.astype(np.float32), np.arange(40))
    assert about["most"] < 5
    meta = {"shape": [4], "x": about, "likelihood": "gaussian"}
    assert as_trained(x, meta)[1] == ()


def test_models_of_earlier_versions_say_nothing_of_their_data() -> None:
    old: dict[str, Any] = {"shape": list(SHAPE), "likelihood": "gaussian"}
    found, told = as_trained(LEVELS / 255, old)
    assert told == ()
    assert found.dtype == np.float32
    found, _ = as_trained(LEVELS / 255, {**old, "likelihood": "logistic"})  # which reads bytes only
    assert np.array_equal(found, LEVELS)
    last = {**old, "shape": [8, 8, 3]}  # as it was stored, and read
    found, _ = as_trained(np.moveaxis(LEVELS, 1, -1), last)
    assert np.array_equal(found, np.moveaxis(LEVELS, 1, -1))


@given(st.integers(1, 50), st.integers(1, 5))
def test_the_hash_is_that_of_all_values(n: int, d: int) -> None:
    x = np.random.default_rng(n).normal(size=(n, d)).astype(np.float32)
    assert observations.digest(x) == hashlib.sha256(x.tobytes()).hexdigest()
    assert observations.digest(x[:, ::-1]) == hashlib.sha256(x[:, ::-1].tobytes()).hexdigest()
