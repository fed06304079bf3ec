"""What may be a label, and by which number a model knows it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from idkit import labels
from idkit.data import Dataset
from idkit.errors import IdkitError

INT64 = st.integers(-(2**63), 2**63 - 1)
WORDS = st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=1, max_size=8)


def dataset(u: NDArray[Any], split: NDArray[np.uint8] | None = None) -> Dataset:
    return Dataset("mine", np.zeros((len(u), 2), np.float32), u, split=split)


@given(st.one_of(*(st.lists(of, min_size=1, max_size=30) for of in (INT64, WORDS))), st.data())
def test_labels_are_numbered_by_value_and_go_back(values: list[Any], data: st.DataObject) -> None:
    u = np.array(values)
    found = dataset(u).values
    assert found == sorted(set(values))
    numbers = labels.numbered(u, found, label="mine", model="m")
    assert [found[number] for number in numbers] == values
    some = u[data.draw(st.lists(st.integers(0, len(u) - 1), min_size=1))]  # not all values in it
    assert [found[n] for n in labels.numbered(some, found, label="mine", model="m")] == list(some)


def test_values_are_those_of_the_training_rows() -> None:
    made = dataset(np.array([5, 9, 5, 7]), np.array([0, 0, 0, 1], np.uint8))
    assert (made.values, made.labels) == ([5, 9], 2)


@pytest.mark.parametrize(
    ("u", "expected"),
    [
        (np.array([3, 1], np.int8), np.array([3, 1])),
        (np.array([[3], [1]]), np.array([3, 1])),
        (np.array([True, False]), np.array([1, 0])),
        (np.array([-1, 1]), np.array([-1, 1])),
        (np.array([-2, -1, 0]), np.array([-2, -1, 0])),
        (np.array([2**64 - 1, 0], np.uint64), np.array([2**64 - 1, 0], np.uint64)),
        (np.array(["é", "-1"]), np.array(["é", "-1"])),
        (np.array(["é".encode(), b"b"]), np.array(["é", "b"])),
    ],
)
def test_integers_and_text_are_labels(u: NDArray[Any], expected: NDArray[Any]) -> None:
    found = labels.read(u, "mine.npz")
    assert found.dtype.kind == expected.dtype.kind
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("u", "found", "cure"),
    [
        (np.array([0.0, 1, 2]), "whole numbers", "u.astype(int)"),
        (np.array([0.5, 1, 2]), "3 different numbers", "np.digitize"),
        (np.array([0, np.nan, np.inf]), "2 of 3 rows hold NaN or infinity", "leave them out"),
        (np.array([0, 1, -1]), "-1 in 1 of 3 rows", "leave them out"),
        (np.array([-1, -1]), "-1 in 2 of 2 rows", "u.astype(str)"),
        (np.eye(3), "one-hot", "u.argmax(axis=1)"),
        (np.eye(3, dtype=bool), "one-hot", "u.argmax(axis=1)"),
        (np.full((2, 4), 0.25), "probabilities", "u.argmax(axis=1)"),
        (np.zeros((2, 3), int), "shape (2, 3)", "one label for each row"),
        (np.array([[-1.0, 2], [0.5, 0.5]]), "shape (2, 2)", "one label for each row"),
        (np.zeros(2, complex), "complex128", "u.astype(str)"),
        (np.array(["2020-01-01"], "M8[D]"), "datetime64[D]", "u.astype(str)"),
        (np.array(["a", ""]), "empty in 1 of 2 rows", "leave them out"),
        (np.array([b"\xff"]), "not UTF-8", "store text"),
    ],
)
def test_what_is_no_label_is_named_with_its_cure(u: NDArray[Any], found: str, cure: str) -> None:
    with pytest.raises(IdkitError) as caught:
        labels.read(u, "mine.npz")
    assert str(caught.value).startswith("mine.npz: 'u'")
    assert found in str(caught.value)
    assert cure in str(caught.value)
    assert len(str(caught.value)) <= 300


def test_an_unseen_label_is_named() -> None:
    with pytest.raises(IdkitError, match=r"new has label 'dog', m was trained on 'ant', 'bee': le"):
        labels.numbered(np.array(["ant", "dog"]), ["ant", "bee"], label="new", model="m")
    with pytest.raises(IdkitError, match=r"new has labels 1, 2, m was trained on '1', '2': store"):
        labels.numbered(np.array([1, 2]), ["1", "2"], label="new", model="m")
