"""Which columns of a table are coordinates: by their names and by what they hold."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from idkit import files
from idkit.errors import IdkitError, UsageError

Z = np.random.default_rng(0).normal(size=(6, 2)).round(3)
COUNT = [0, 1, 2, 3, 4, 5]
LABELS = [3, 1, 3, 2, 1, 2]
WORDS = ["the", "of", "to", "and", "in", "is"]
HERE = "columns of Z"
Read = Callable[..., files.Artefact]
Column = Sequence[Any]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write(table: Mapping[str, Column], /, key: str = "", **how: Any) -> files.Artefact:
        """A table of Z, as `a` and `b`, between other columns."""
        both = {"a": Z[:, 0].tolist(), "b": Z[:, 1].tolist()}
        named = [both if name == HERE else {name: cells} for name, cells in table.items()]
        held = {name: cells for each in named for name, cells in each.items()}
        pd.DataFrame(held).to_csv(tmp_path / "t.csv", index=False, na_rep="NA")
        return files.read(f"{tmp_path}/t.csv{key}", **how)

    return write


def with_z(name: str, cells: Column, *, last: bool = False) -> dict[str, Column]:
    return {HERE: (), name: cells} if last else {name: cells, HERE: ()}


LEFT_OUT: dict[str, tuple[str, Column]] = {
    "integers as row names": ("id", [7, 3, 9, 1, 4, 8]),
    "a name in capitals": ("ID", [7, 3, 9, 1, 4, 8]),
    "a name in two words": ("sample_id", LABELS),
    "a name in camel case": ("cellId", LABELS),
    "a name with a blank": ("Class label", LABELS),
    "classes": ("label", LABELS),
    "classes as whole decimals": ("label", [3.0, 1.0, 3.0, 2.0, 1.0, 2.0]),
    "one class": ("class", [1, 1, 1, 1, 1, 1]),
    "classes with a missing one": ("target", [3, 1, None, 2, 1, 2]),
    "y without x": ("y", LABELS),
    "y_true": ("y_true", LABELS),
    "a count from 0": ("step", COUNT),
    "a count from 1": ("t", [n + 1 for n in COUNT]),
    "a count from 1990": ("year", [n + 1990 for n in COUNT]),
    "R's X": ("X", [n + 1 for n in COUNT]),
    "pandas' index, read and written": ("Unnamed: 0", [7, 3, 9, 1, 4, 8]),
    "words": ("gene", WORDS),
    "words that look like numbers": ("gene", ["nan", "inf", "the", "1e5", "NA", "infinity"]),
    "words, a third of them numbers": ("gene", ["1999", "of", "to", "7", "in", "is"]),
    "row names, most of them numbers": ("word", ["1999", "2000", "2001", "to", "7", "8"]),
    "codes that look like Fortran": ("code", ["1d2", "d12", "x", "y", "z", "w"]),
}


@pytest.mark.parametrize("case", LEFT_OUT)
@pytest.mark.parametrize("last", [False, True])
def test_what_is_no_coordinate_is_left_out_and_named(case: str, last: bool, read: Read) -> None:
    name, cells = LEFT_OUT[case]
    artefact = read(with_z(name, cells, last=last))
    assert np.array_equal(artefact.array("z"), Z)
    (note,) = artefact.notes
    assert note.startswith("left out, as no coordinates: column")
    assert f"'{name}'" in note or "column 1 " in note or "column 3 " in note


STAYS: dict[str, tuple[str, Column]] = {
    "decimals called target": ("target", [0.5, 1.0, 2.0, 3.0, 4.0, 5.0]),
    "decimals called id": ("id", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
    "decimals without a name": ("Unnamed: 0", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]),
    "integers under another name": ("counts", LABELS),
    "a number of words": ("n_words", LABELS),
    "integers called x": ("x", LABELS),
    "a count called x": ("x", COUNT),
    "a count backwards": ("t", COUNT[::-1]),
    "a count in steps of two": ("t", [2 * n for n in COUNT]),
    "u that is no label": ("u", [0.5, 1, 2, 3, 4, 5]),
}


@pytest.mark.parametrize("case", STAYS)
def test_other_numbers_are_coordinates(case: str, read: Read) -> None:
    name, cells = STAYS[case]
    artefact = read(with_z(name, cells))
    assert np.array_equal(artefact.array("z"), np.column_stack([cells, Z]))
    assert len(artefact.notes) == (case == "decimals without a name")


@pytest.mark.parametrize("names", [("x", "y"), ("y", "x"), ("x", "y", "z"), ("X", "Y"), ("z", "y")])
def test_points_are_coordinates_whatever_y_means_elsewhere(
    names: Sequence[str], read: Read
) -> None:
    columns: dict[str, Column] = {name: [n + k for n in COUNT] for k, name in enumerate(names)}
    for cells in (columns, dict.fromkeys(names, LABELS)):
        assert read(cells).array("z").tolist() == np.array(list(cells.values())).T.tolist()


class TestCounts:
    def test_a_column_alone_is_a_coordinate(self, read: Read) -> None:
        artefact = read({"t": COUNT})
        assert artefact.array("z")[:, 0].tolist() == COUNT
        assert artefact.notes == ()

    def test_nor_is_one_left_out_where_all_count(self, read: Read) -> None:
        columns = {"s": COUNT, "t": [n + 4 for n in COUNT]}
        assert read(columns).array("z").T.tolist() == list(columns.values())

    def test_two_rows_count_nothing(self, read: Read) -> None:
        assert read({"a": [1, 2], "b": [0.5, 1.5]}).array("z").shape == (2, 2)

    def test_in_a_file_without_a_header(self, tmp_path: Path) -> None:
        np.savetxt(tmp_path / "t", np.column_stack([COUNT, Z]), fmt="%.6g")
        artefact = files.read(str(tmp_path / "t"))
        assert np.array_equal(artefact.array("z"), Z)
        assert artefact.arrays["index"].tolist() == COUNT
        assert artefact.notes == ("left out, as no coordinates: column 1 (counts rows)",)

    def test_integers_in_a_file_without_a_header_stay_with_a_note(self, tmp_path: Path) -> None:
        np.savetxt(tmp_path / "t", np.column_stack([Z, LABELS]), fmt="%.6g")
        artefact = files.read(str(tmp_path / "t"))
        assert artefact.array("z").shape == (6, 3)
        assert artefact.notes == ("column 3 holds integers, but is taken as a coordinate",)


class TestArraysOfTheirOwn:
    def test_text_and_labels(self, read: Read) -> None:
        arrays = read({"id": [7, 3, 9, 1, 4, 8], HERE: (), "gene": WORDS, "u": LABELS}).arrays
        assert arrays["gene"].tolist() == WORDS
        assert arrays["u"].tolist() == LABELS
        assert arrays["id"].tolist() == [7, 3, 9, 1, 4, 8]
        assert {arrays[name].dtype for name in ("u", "id")} == {np.dtype(np.int64)}

    def test_row_names_without_a_name(self, tmp_path: Path) -> None:
        for index, name in ((WORDS, "names"), ([7, 3, 9, 1, 4, 8], "index"), (COUNT, "index")):
            pd.DataFrame(Z, index=index).to_csv(tmp_path / "t.csv")
            artefact = files.read(str(tmp_path / "t.csv"))
            assert artefact.arrays[name].tolist() == index
            assert np.array_equal(artefact.array("z"), Z)

    def test_a_column_of_that_name_comes_first(self, tmp_path: Path) -> None:
        frame = pd.DataFrame(Z, index=WORDS, columns=["a", "b"]).assign(names=WORDS[::-1])
        frame.to_csv(tmp_path / "t.csv")
        assert files.read(str(tmp_path / "t.csv")).arrays["names"].tolist() == WORDS[::-1]

    def test_ids_of_18_digits_are_exact(self, read: Read) -> None:
        ids = [10**17 + n for n in LABELS[:1] + COUNT[1:]]
        assert read(with_z("id", ids)).arrays["id"].tolist() == ids

    def test_ids_that_no_integer_holds_are_text(self, read: Read) -> None:
        for ids in (["0012", "12", "3", "4", "5", "6"], [str(10**30 + n) for n in COUNT]):
            assert read(with_z("id", ids)).arrays["id"].tolist() == ids

    def test_a_column_by_its_name(self, read: Read) -> None:
        columns = {"id": COUNT, HERE: (), "gene": WORDS, "bad": ["1", "2", "3", "4", "5", "5x"]}
        for key, cells in (("a", Z[:, 0].tolist()), ("gene", WORDS), ("id", COUNT)):
            artefact = read(columns, f":{key}")
            assert artefact.array("z").tolist() == cells
            assert artefact.notes == ()
        with pytest.raises(IdkitError, match="'bad' holds numbers, but row 6 has '5x'"):
            read(columns, ":bad").array()
        with pytest.raises(IdkitError, match="no column 'genes': did you mean 'gene'"):
            read(columns, ":genes")

    def test_a_column_of_labels_alone(self, read: Read) -> None:
        assert read({"label": LABELS}).array("u").tolist() == LABELS
        assert read({"kind": WORDS}).array("u").tolist() == WORDS

    def test_nothing_but_labels_is_refused(self, read: Read) -> None:
        with pytest.raises(IdkitError, match=r"no column that is a coordinate \(id: integers, la"):
            read({"id": LABELS, "label": LABELS})
        assert read({"id": COUNT, "label": LABELS}, ":label").array().tolist() == LABELS


class TestColumns:
    def test_are_what_a_user_names(self, read: Read) -> None:
        artefact = read({"t": COUNT, HERE: (), "label": LABELS}, columns=["label", "a", "t"])
        assert np.array_equal(artefact.array("z"), np.column_stack([LABELS, Z[:, 0], COUNT]))
        assert artefact.notes == ()
        assert artefact.arrays["b"].tolist() == Z[:, 1].tolist()

    def test_a_bad_column_that_is_not_named_does_no_harm(self, read: Read) -> None:
        columns = with_z("bad", ["1", "2", "3", "4", "5", "5x"])
        assert np.array_equal(read(columns, columns=["a", "b"]).array("z"), Z)

    def test_of_a_file_without_a_header_are_numbered(self, tmp_path: Path) -> None:
        np.savetxt(tmp_path / "t", np.column_stack([COUNT, Z]))
        assert np.array_equal(files.read(f"{tmp_path}/t", columns=["2", "3"]).array("z"), Z)

    def test_one_that_names_the_rows_is_kept_apart(self, read: Read) -> None:
        ids = [70, 30, 90, 10, 40, 80]
        artefact = read(with_z("gene", ids), apart="gene")
        assert np.array_equal(artefact.array("z"), Z)
        assert artefact.arrays["gene"].tolist() == ids

    @pytest.mark.parametrize(
        ("columns", "error", "message"),
        [
            (["c"], IdkitError, r"no column 'c' \(it has a, b, gene\)"),
            (["a", "genes"], IdkitError, "no column 'genes': did you mean 'gene'"),
            (["a", "gene"], IdkitError, "column 'gene' holds text, not numbers"),
            ([], UsageError, "name the coordinates by --columns a,b"),
        ],
    )
    def test_that_cannot_be_are_refused(
        self, columns: list[str], error: type[IdkitError], message: str, read: Read
    ) -> None:
        with pytest.raises(error, match=message):
            read(with_z("gene", WORDS, last=True), columns=columns).array("z")

    def test_are_those_of_tables_alone(self, tmp_path: Path) -> None:
        np.save(tmp_path / "z.npy", Z)
        with pytest.raises(UsageError, match=r"z\.npy is npy, no table: leave out --columns"):
            files.read(f"{tmp_path}/z.npy", columns=["a"])

    def test_and_a_key_exclude_each_other(self, read: Read) -> None:
        with pytest.raises(UsageError, match="or one by FILE:KEY"):
            read(with_z("gene", WORDS), ":a", columns=["a"])


FORMS = {
    "1.0D-03": "Fortran's exponent",
    "1.5-103": "Fortran's exponent",
    "0,85": "a decimal comma",
    "1,234.5": "commas between thousands",
    "1 000": "blanks between thousands",
    "1\u202f000": "blanks between thousands",
    "85 %": "a percent sign",
    "\u22120.5": "a dash for its minus sign",
    "(1.5e+00+2.5e+00j)": "an imaginary part",
}


@pytest.mark.parametrize("cell", FORMS)
@pytest.mark.parametrize("times", [1, 2, 4])
def test_a_coordinate_in_another_notation_is_refused_at_its_row(
    cell: str, times: int, read: Read
) -> None:
    cells = ["0.5", "NA", *[cell] * times, "1", "2", "3"][: len(Z)]
    with pytest.raises(IdkitError, match="column 'c' holds numbers, but row 3 has") as caught:
        read(with_z("c", cells)).array("z")
    assert f"(line 4), with {FORMS[cell]}: write" in str(caught.value)


@pytest.mark.parametrize("cell", ["0x1F", "1_000", "-", "*****", "diverged", "0.5.1"])
def test_nor_is_one_left_out_that_is_nearly_all_numbers(cell: str, read: Read) -> None:
    cells = ["0.5", "NA", cell, "1", "2", "3"]
    with pytest.raises(IdkitError, match=r"'c' holds numbers, but row 3 has .* \(line 4\): corr"):
        read(with_z("c", cells)).array("z")


def test_a_column_wholly_in_another_notation_is_refused_too(read: Read) -> None:
    with pytest.raises(IdkitError, match=r"'c' holds numbers, but row 1 has '0,5' \(line 2\)"):
        read(with_z("c", ["0,5", "1,5", "2,5", "3,5", "4,5", "5,5"])).array("z")
