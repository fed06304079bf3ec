"""The embedded data set: real, whole, and always split the same way."""

import hashlib

import numpy as np
from sklearn.datasets import load_digits

from idkit import shelf
from idkit.data import IMAGES, SYNTHETIC, TEST, TRAIN, Dataset, Recipe, digits


def test_digits_are_the_real_ones_in_full_contrast() -> None:
    dataset, bunch = digits.load(), load_digits()
    assert dataset.x.shape == (1797, 1, 8, 8)
    assert dataset.x.dtype == np.uint8
    assert dataset.u is not None
    assert np.array_equal(dataset.u, bunch.target)
    assert np.array_equal(np.round(dataset.x[:, 0] / 255 * 16), bunch.images)
    assert (dataset.x.min(), dataset.x.max()) == (0, 255)
    assert dataset.labels == 10


def test_the_split_is_part_of_the_data() -> None:
    split = digits.load().split
    assert split is not None
    assert (int((split == TRAIN).sum()), int((split == TEST).sum())) == (1437, 360)
    digest = hashlib.sha256(split.tobytes()).hexdigest()
    assert digest.startswith("15858c949506dcf4"), (
        "the fixed split has changed: every result with it"
    )


def test_every_digit_is_in_both_parts() -> None:
    dataset = digits.load()
    assert dataset.u is not None
    for part in ("train", "test"):
        assert set(dataset.u[dataset.rows(part)]) == set(range(10))


def test_rows_of_a_split_are_in_their_own_order_and_all_of_them_without_one() -> None:
    dataset = digits.load()
    train, test = dataset.rows("train"), dataset.rows("test")
    assert np.array_equal(np.sort(np.concatenate([train, test])), dataset.rows("all"))
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()
    whole = Dataset("mine", dataset.x)
    for part in ("train", "test", "all"):
        assert np.array_equal(whole.rows(part), np.arange(1797))
    assert whole.labels == 0


def test_every_data_set_has_a_recipe_that_can_be_followed() -> None:
    recipes = [shelf.take("data", name, "RECIPE") for name in shelf.names("data")]
    for recipe in (*recipes, IMAGES, SYNTHETIC, Recipe()):
        assert recipe.arch in shelf.names("nets")
        assert recipe.likelihood in shelf.names("densities/likelihoods")
        assert (recipe.epochs is None) != (recipe.steps is None)
        assert "" in recipe.lr
        assert set(recipe.lr) <= {"", *shelf.names("nets")}
