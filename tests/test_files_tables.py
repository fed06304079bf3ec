"""Tables of text: the same table from CSV, TSV, JSON and JSON lines, and as arrays."""

import csv
import io
import json
import math
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idkit import files
from idkit.errors import IdkitError
from idkit.files.tables import Cell

TABLE: dict[str, list[Cell]] = {
    "model": ["vae", "ivae", "vade"],
    "d_z": [10.0, 20.0, 50.0],
    "mcc": [0.5, None, 0.75],
}
FINITE = st.floats(allow_nan=False, allow_infinity=False)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1).filter(
    lambda word: word.strip() == word and word[0] not in "{[#" and not _is_number(word)
)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return word.lower() in {"na", "n/a", "nan", "none", "null"}
    return True


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Cell]]:
    """Columns of numbers or of words, at least one of each, with cells that are not defined."""
    rows = draw(st.integers(1, 5))
    names = draw(st.lists(WORDS, min_size=2, max_size=5, unique=True))
    columns: dict[str, list[Cell]] = {}
    for number, name in enumerate(names):
        kinds: list[st.SearchStrategy[Cell]] = [FINITE, WORDS]
        kind = kinds[number] if number < len(kinds) else draw(st.sampled_from(kinds))
        others = st.lists(st.none() | kind, min_size=rows - 1, max_size=rows - 1)
        columns[name] = [draw(kind), *draw(others)]
    return columns


def rows_of(columns: Mapping[str, Sequence[Cell]]) -> list[dict[str, Cell]]:
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def as_csv(columns: Mapping[str, Sequence[Cell]], delimiter: str = ",") -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(columns), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows_of(columns))
    return stream.getvalue()


def as_tsv(columns: Mapping[str, Sequence[Cell]]) -> str:
    return as_csv(columns, "\t")


def as_document(columns: Mapping[str, Sequence[Cell]]) -> str:
    return json.dumps({"schema": "idkit.scores/1", "rows": rows_of(columns)}, indent=1)


def as_list(columns: Mapping[str, Sequence[Cell]]) -> str:
    return json.dumps(rows_of(columns))


def as_lines(columns: Mapping[str, Sequence[Cell]]) -> str:
    return "\n".join(json.dumps(row) for row in rows_of(columns)) + "\n"


FORMATS = (as_csv, as_tsv, as_document, as_list, as_lines)
each_format = pytest.mark.parametrize("text_of", FORMATS)


def parsed(text: str | bytes) -> dict[str, list[Cell]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return files.read_table(str(path)).columns


@given(tables())
def test_what_was_written_is_read_from_every_format(columns: dict[str, list[Cell]]) -> None:
    for text_of in FORMATS:
        assert parsed(text_of(columns)) == columns, text_of.__name__


@each_format
def test_columns_keep_their_order(text_of: Callable[[Mapping[str, Sequence[Cell]]], str]) -> None:
    assert list(parsed(text_of(TABLE))) == list(TABLE)


@each_format
def test_standard_input_is_a_table(
    text_of: Callable[[Mapping[str, Sequence[Cell]]], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = text_of(TABLE).encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    table = files.read_table("-")
    assert (table.label, table.name) == ("standard input", "-")
    assert table.columns == TABLE


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a,b\n1,x\n", {"a": [1.0], "b": ["x"]}),
        ("a, b \n 1 , x \n", {"a": [1.0], "b": ["x"]}),
        ("\ufeffa,b\r\n1,2\r\n", {"a": [1.0], "b": [2.0]}),
        ("a,b\n\n1,2\n\n", {"a": [1.0], "b": [2.0]}),
        ("a\n1\n\n2\n", {"a": [1.0, 2.0]}),
        ("a,b\n1,\n,\n", {"a": [1.0, None], "b": [None, None]}),
        ("a\nnan\nNA\nnull\n2\n", {"a": [None, None, None, 2.0]}),
        ("holm\nnone\nall\n", {"holm": ["none", "all"]}),
        ("a\n1_000\n2\n", {"a": ["1_000", "2"]}),
        ("a\n1e3\n-.5\ninf\n", {"a": [1000.0, -0.5, math.inf]}),
        ('a,b\n"x, y","two\nlines"\n', {"a": ["x, y"], "b": ["two\nlines"]}),
        ("a,b\tc\n1,2\t3\n", {"a,b": ["1,2"], "c": [3.0]}),
        ('[{"a": 1}, {"b": "x"}]', {"a": [1.0, None], "b": [None, "x"]}),
        ('{"a": 1, "b": "x"}', {"a": [1.0], "b": ["x"]}),
        ('[{"a": true, "b": [1, {"c": null}]}]', {"a": ["true"], "b": ['[1, {"c": null}]']}),
        ('[{"a": NaN}]', {"a": [None]}),
        ('{"a": 1}\n\n{"a": 2}\n', {"a": [1.0, 2.0]}),
    ],
)
def test_known_texts(text: str, columns: dict[str, list[Cell]]) -> None:
    assert parsed(text) == columns


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells, the header has 2"),
        ('a,b\n"x\ny",2\n1\n', "line 4 has 1 cells"),
        ("a,b\n", "it has no rows below 'a,b'"),
        ("0.1,0.2\n0.3,0.4\n", "has no header: name the columns in its first line"),
        ("a,b,a\n1,2,3\n", "two columns named 'a'"),
        ('{"rows": []}', "is JSON without a list of objects under 'rows'"),
        ('{"rows": {"a": 1}}', "is JSON without a list of objects under 'rows'"),
        ("[1, 2]", "is JSON without a list of objects under 'rows'"),
        ('{"a": 1}\n{"a": \n', "is not JSON: see line 2"),
        ('{"a": 1}\n3\n', "is not JSON: see line 2"),
        ("[" * 100_000, "is not JSON: see line 1"),
    ],
)
def test_what_is_no_table_is_refused_with_the_line(text: str, message: str) -> None:
    with pytest.raises(IdkitError, match=message) as caught:
        parsed(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\n0012\n 12 \n", ["0012", "12"]),
        ("a\n0.1\n0.10\n1e-1\n", ["0.1", "0.10", "1e-1"]),
        ("a,b\n123456789012345678,1\n,2\n", ["123456789012345678", None]),
        ("a\nnone\nNone\n0.5\n", ["none", "None", "0.5"]),
        ('a,b\n"x, y",1\n', ["x, y"]),
        ("a b\n1_000 2\n1e3 2\n", ["1_000", "1e3"]),
        ('[{"a": 123456789012345678}, {"a": null}, {}]', ["123456789012345678", None, None]),
        ('[{"a": "0012"}, {"a": 12}, {"a": 12.0}]', ["0012", "12", "12.0"]),
        ('[{"a": 0.10}, {"a": 1e-7}, {"a": true}]', ["0.1", "1e-07", "true"]),
        ('{"a": 100000000000000000000000000000}\n', ["100000000000000000000000000000"]),
    ],
)
def test_cells_as_they_are_written(text: str, written: list[str | None], tmp_path: Path) -> None:
    (tmp_path / "t").write_text(text)
    assert files.read_table(str(tmp_path / "t")).written("a") == written


def test_words_for_nothing_are_words_where_no_number_is(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("model,aug,mcc,sd\nnone,none,0.5,nan\nNA,none,none,nan\n")
    table = files.read_any(str(tmp_path / "t"))
    assert isinstance(table, files.Table)
    assert table.columns == {
        "model": ["none", "NA"],
        "aug": ["none", "none"],
        "mcc": [0.5, None],
        "sd": [None, None],
    }


def test_half_a_surrogate_pair_can_be_printed() -> None:
    columns = parsed('[{"a\\udc80": "x\\ud800", "b": "\\ud83d\\ude00"}]')
    assert columns == {"a\\udc80": ["x\\ud800"], "b": ["\U0001f600"]}


def test_infinity_is_no_missing_number() -> None:
    assert parsed('[{"a": Infinity}, {"a": -Infinity}, {"a": NaN}]') == {
        "a": [math.inf, -math.inf, None]
    }


def test_a_table_without_a_header_is_opened_but_has_no_names(tmp_path: Path) -> None:
    (tmp_path / "t").write_text("0.1,0.2\n0.3,0.4\n")
    table = files.read_any(str(tmp_path / "t"))
    assert isinstance(table, files.Table)
    assert not table.headed
    assert table.columns == {"1": [0.1, 0.3], "2": [0.2, 0.4]}


def test_arrays_are_not_a_table(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(IdkitError, match=r"a file of arrays \(npy\), not a table"):
        files.read_table(str(tmp_path / "a.npy"))


def test_either_is_told_by_content(tmp_path: Path) -> None:
    np.save(tmp_path / "a", np.zeros(3))
    (tmp_path / "b").write_text(as_csv(TABLE))
    assert isinstance(files.read_any(str(tmp_path / "a.npy")), files.Artefact)
    assert isinstance(files.read_any(str(tmp_path / "b")), files.Table)


class TestAsArrays:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "a.csv"

    def test_columns_of_numbers_are_the_matrix_z(self, path: Path) -> None:
        z = np.random.default_rng(0).normal(size=(20, 3))
        path.write_text(as_csv(dict(zip("abc", z.T.tolist(), strict=True))))
        artefact = files.read(str(path))
        assert list(artefact.arrays) == ["z"]
        assert np.array_equal(artefact.array("x"), z)

    def test_labels_and_text_stand_beside_it(self, path: Path) -> None:
        path.write_text("id,a,u,b,split\nx,1,3,2,0\ny,3,4,4,1\n")
        arrays = files.read(str(path)).arrays
        assert {name: array.tolist() for name, array in arrays.items()} == {
            "id": ["x", "y"],
            "split": [0, 1],
            "u": [3, 4],
            "z": [[1, 2], [3, 4]],
        }
        assert arrays["u"].dtype == np.int64

    def test_an_auxiliary_that_is_no_label_stays_a_coordinate(self, path: Path) -> None:
        path.write_text("a,u\n1,0.5\n")
        assert files.read(str(path)).array("z").tolist() == [[1, 0.5]]

    @pytest.mark.parametrize("value", ["inf", "1e300", "nan"])
    def test_nor_is_one_that_no_integer_holds(self, value: str, path: Path) -> None:
        path.write_text(f"a,u\n1,1\n1,{value}\n")
        assert list(files.read(str(path)).arrays) == ["z"]

    def test_text_under_the_name_of_the_matrix_is_refused(self, path: Path) -> None:
        path.write_text("a,z\n1,x\n")
        with pytest.raises(IdkitError, match="column 'z' holds text, not numbers"):
            files.read(str(path))

    def test_an_undefined_number_is_nan(self, path: Path) -> None:
        path.write_text("a,b\n1,\n2,3\n")
        assert np.isnan(files.read(str(path)).array("z")).tolist() == [[False, True], [False] * 2]
