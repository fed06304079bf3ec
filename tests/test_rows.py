"""Rows of several files are matched by their names, against a dictionary of the rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from idkit import files, rows
from idkit.errors import IdkitError
from idkit.row_names import Rows, carried

Array = NDArray[Any]
WORDS = np.array(["the", "of", "nan", "inf", "Zürich", "a b", "0012", "12"])
NUMBERS = np.arange(8, dtype=float)  # what the rows hold: told apart by one number each


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def held(name: str, n: int = 8, **arrays: Any) -> Rows:
    """A file of some rows, with what names them."""
    np.savez(f"{name}.npz", z=np.zeros((n, 2)), **arrays)
    return Rows(f"{name}.npz", files.read(f"{name}.npz"), "z", n)


def order(found: rows.Matched, file: int, n: int = 8) -> list[int]:
    """Which rows of a file are compared, in which order."""
    own = found.orders[file]
    return list(range(n)) if own is None else own.tolist()


@settings(max_examples=30)
@given(st.data())
def test_common_names_come_in_the_order_of_the_first_file(data: st.DataObject) -> None:
    pool = st.lists(st.text(max_size=5), unique=True, min_size=4, max_size=9)
    shared = [text for text in data.draw(pool) if not text.endswith("\0")]  # numpy strips those
    every = []
    for file in range(3):
        own = [f"own {file} {i}" for i in range(data.draw(st.integers(0, 3)))]
        every.append(data.draw(st.permutations(shared + own)))
    if len(shared) < 4:
        return
    found = rows.matched(
        [held(f"f{file}", len(names), words=np.array(names)) for file, names in enumerate(every)]
    )
    common = [name for name in every[0] if name in shared]
    for file, names in enumerate(every):
        assert [names[row] for row in order(found, file, len(names))] == common
    assert found.n == len(common)
    assert found.by == ("words",)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (np.arange(8), np.arange(8).astype("U2")),
        (np.arange(8), np.arange(8.0)),
        (np.arange(8, dtype=np.uint8), np.arange(8, dtype=">i8")),
        (WORDS, np.char.encode(WORDS, "utf-8")),
        (10**17 + np.arange(8), (10**17 + np.arange(8)).astype(np.uint64)),
        (np.array([2**63 + i for i in range(8)], np.uint64), [str(2**63 + i) for i in range(8)]),
    ],
    ids=["text", "floats", "bytes of integers", "bytes of text", "17 digits", "beyond int64"],
)
def test_a_name_is_the_same_in_every_type(one: Array, two: Sequence[Any]) -> None:
    turned = np.array([3, 1, 2, 0, 7, 6, 5, 4])
    found = rows.matched([held("a", id=one), held("b", id=np.asarray(two)[turned])])
    assert order(found, 1) == np.argsort(turned).tolist()
    assert found.orders[0] is None


def test_ids_that_floats_would_merge_stay_apart() -> None:
    ids = 10**17 + np.arange(8)  # float64 knows every sixteenth of these
    found = rows.matched([held("a", id=ids), held("b", id=ids[::-1])])
    assert order(found, 1) == list(range(8))[::-1]
    texts = np.array([f"{i:04d}" for i in range(8)])
    with pytest.raises(IdkitError, match="no row name in common"):
        rows.matched([held("a", id=np.arange(8)), held("b", id=texts)])


@pytest.mark.parametrize("name", ["words", "Words", "ID", "obs_names", "sample_ids", "index"])
def test_rows_in_one_order_need_no_index(name: str) -> None:
    named: dict[str, Any] = {name: WORDS}
    found = rows.matched([held("a", **named), held("b", **named)])
    assert found.orders == (None, None)
    assert found.by == (name,)
    assert str(found) == f"rows are matched by name ('{name}')"


@pytest.mark.parametrize(
    "column",
    [
        np.linspace(0, 1, 8),
        np.arange(8) > 3,
        np.arange(16).reshape(8, 2),
        np.arange(9),
        np.arange(8) // 2,
        np.array([0, 1, 2, 3, 4, 5, 6, np.nan]),
        np.array(["a", "b", "c", "d", "e", "f", "g", "a"]),
    ],
    ids=["decimals", "truth values", "two a row", "too many", "pairs", "nan", "a word twice"],
)
def test_what_is_no_name_of_the_rows_is_none_unless_it_is_demanded(column: Array) -> None:
    files_ = [held("a", id=column), held("b", id=column)]
    found = rows.matched(files_)
    assert (found.by, found.orders) == ((), (None, None))
    with pytest.raises(IdkitError, match=r"'id' of a\.npz does not name its rows: "):
        rows.matched(files_, "id")
    assert rows.matched(files_, "none").by == ()


def test_a_repeated_name_that_is_demanded_is_told_with_its_rows() -> None:
    twice = WORDS.copy()
    twice[6] = twice[1]
    with pytest.raises(IdkitError, match=r"'of' is in row 2 and in row 7 \(row 1 is the first\)"):
        rows.matched([held("a", token=WORDS), held("b", token=twice)], "token")
    with pytest.raises(IdkitError, match=r"no file has an array 'tok' .*it holds token, z"):
        rows.matched([held("a", token=WORDS), held("b", token=WORDS)], "tok")


@pytest.mark.parametrize("first", [WORDS, np.array(["x", "y"] * 4)], ids=["one word", "classes"])
def test_names_that_repeat_and_are_in_another_order_are_refused(first: Array) -> None:
    repeated = first.copy()
    repeated[5] = repeated[2]
    turned = repeated[[7, 6, 5, 4, 3, 2, 1, 0]]
    with pytest.raises(IdkitError, match="'words' repeats values, and is in another order in b"):
        rows.matched([held("a", words=repeated), held("b", words=turned)])
    assert rows.matched([held("a", words=repeated), held("b", words=repeated)]).warnings == ()
    assert rows.matched([held("a", words=repeated), held("b", words=turned)], "none").by == ()


def test_any_column_that_is_in_another_order_earns_a_warning() -> None:
    found = rows.matched([held("a", u=np.arange(8) % 3), held("b", u=np.arange(8)[::-1] % 3)])
    assert "'u' holds the same values in another order in b.npz than in a.npz" in found.warnings[0]
    found = rows.matched([held("a", u=np.arange(8) % 3), held("b", u=np.arange(8) % 2)])
    assert found.warnings == ()  # other values say nothing of the order


def test_the_array_that_all_files_have_is_best_and_a_count_of_the_rows_comes_last() -> None:
    turned = [3, 0, 1, 2, 4, 5, 6, 7]
    found = rows.matched(
        [
            held("a", index=np.arange(8), words=WORDS),
            held("b", index=np.arange(8), words=WORDS[turned]),
        ]
    )
    assert found.by == ("words",)
    only = rows.matched([held("a", index=np.arange(8)), held("b", 7, index=np.arange(7))])
    assert "by name ('index', which but counts the rows): 7 rows are in all files" in str(only)
    found = rows.matched([held("a", id=np.arange(8) + 5, keys=WORDS), held("b", keys=WORDS)])
    assert found.by == ("keys",)
    found = rows.matched([held("a", id=WORDS), held("b", keys=WORDS[turned])])
    assert found.by == ("id", "keys")
    assert order(found, 1) == np.argsort(turned).tolist()


def test_a_file_without_names_takes_the_order_of_the_first_that_has_some() -> None:
    turned = [3, 0, 1, 2, 4, 5, 6, 7]
    found = rows.matched([held("a"), held("b", words=WORDS[turned]), held("c", words=WORDS)])
    assert [order(found, file) for file in (0, 1)] == [list(range(8))] * 2
    assert order(found, 2) == turned
    assert "a.npz without row names, b.npz with ('words')" in found.warnings[0]
    alone = rows.matched([held("a"), held("b", words=WORDS[turned])])
    assert alone.by == ()
    assert alone.warnings[0].startswith("warning: a.npz without row names")
    with pytest.raises(IdkitError, match=r"b\.npz has 7 rows without names, a\.npz has 8"):
        rows.matched([held("a", words=WORDS), held("b", 7)])


def test_rows_that_not_all_files_have_are_counted() -> None:
    found = rows.matched([held("a", words=WORDS), held("b", 5, words=WORDS[[4, 3, 2, 1, 0]])])
    assert (found.n, order(found, 0), order(found, 1)) == (5, [0, 1, 2, 3, 4], [4, 3, 2, 1, 0])
    assert str(found).endswith("5 rows are in all files, left out are 3 of 8 of a.npz")


@pytest.mark.parametrize(("common", "text"), [(0, "no row name in common"), (3, "only 3 row name")])
def test_too_few_names_in_common_are_refused(common: int, text: str) -> None:
    other = np.array([*WORDS[:common], *(f"x{i}" for i in range(8 - common))])
    with pytest.raises(IdkitError, match=text) as raised:
        rows.matched([held("a", words=WORDS), held("b", words=other)])
    assert "--id none" in str(raised.value)
    assert len(str(raised.value)) < 280


def test_long_names_and_control_characters_are_clipped_in_messages() -> None:
    names = np.array(["\x1b[31m" + "x" * 500 + str(i) for i in range(8)])
    with pytest.raises(IdkitError) as raised:
        rows.matched([held("a", id=names), held("b", id=WORDS)])
    assert "\x1b" not in str(raised.value)
    assert len(str(raised.value)) < 280


def test_names_that_are_python_objects_are_said_to_be_unread() -> None:
    found = rows.matched([held("a", words=WORDS.astype(object)), held("b", words=WORDS)])
    assert "a.npz has 'words' as Python objects" in found.warnings[0]


def test_hashes_verify_rows_by_position() -> None:
    for name in "ab":
        files.write(f"{name}.npz", {"z": np.zeros((8, 2))}, made(rows="x"))
    known = [Rows(name, files.read(f"{name}.npz"), "z", 8) for name in "ab"]
    assert str(rows.matched(known)).endswith("by position, row identity verified by their hash")
    found = rows.matched([*known, held("c")])
    assert not found.verified
    assert "unverified" in str(found)


def made(**what: Any) -> dict[str, Any]:
    return files.metadata("idkit.latents/1", "embed", [], **what)


def test_arrays_of_names_are_carried_as_they_are() -> None:
    file = held("a", words=WORDS, u=np.arange(8), token=WORDS, id=np.arange(9), keys=np.eye(8))
    assert list(carried(file)) == ["words"]
    assert list(carried(file, "token")) == ["token", "words"]
