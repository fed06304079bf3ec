"""What separates the cells of a text, what names its columns, and what of it is no row."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from idkit import files
from idkit.errors import IdkitError

NAN = float("nan")
Z = [[0.5, -1.25], [2.0, 3.75], [-4.5, 0.125]]
Read = Callable[..., files.Artefact]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "text"


@pytest.fixture
def read(path: Path) -> Read:
    def write(text: str | bytes, key: str = "", **how: Any) -> files.Artefact:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return files.read(f"{path}{key}", **how)

    return write


TEXTS = {
    "commas": "a,b\n0.5,-1.25\n2,3.75\n-4.5,.125\n",
    "no header": "0.5,-1.25\n2,3.75\n-4.5,.125\n",
    "quotes": '"a";"b"\n"0.5";"-1.25"\n"2";"3.75"\n"-4.5";".125"\n',
    "semicolons": "a;b\n0.5;-1.25\n2;3.75\n-4.5;.125\n",
    "Excel": "\ufeffsep=;\r\na;b\r\n0.5;-1.25\r\n2;3.75\r\n-4.5;.125\r\n",
    "old Macintosh": "a,b\r0.5,-1.25\r2,3.75\r-4.5,.125\r",
    "no line end": "a,b\n0.5,-1.25\n2,3.75\n-4.5,.125",
    "blanks around": " a , b\n 0.5 , -1.25\n2 ,3.75\n -4.5, .125 \n",
    "quotes after blanks": '"a", "b"\n"0.5", "-1.25"\n"2", "3.75"\n"-4.5", ".125"\n',
    "a comma at each end": "a,b,\n0.5,-1.25,\n2,3.75,\n-4.5,.125,\n",
    "a comma at the end of rows": "a,b\n0.5,-1.25,\n2,3.75,\n-4.5,.125,\n",
    "an empty column": ",a,b\n,0.5,-1.25\n,2,3.75\n,-4.5,.125\n",
    "columns of blanks": "    a        b\n  0.5    -1.25\n    2     3.75\n -4.5     .125\n",
    "tabs and blanks": "0.5 \t -1.25\n 2\t  3.75\n-4.5  \t.125\n",
    "exponents": "5e-1 -1.25E0\n2.0e+00 375e-2\n-4.5 1.25e-01\n",
    "comments": "# made by hand\n# a b\n0.5 -1.25\n# half\n2 3.75 # note\n-4.5 .125\n# end\n",
    "comments above commas": "# seed 3\n\n# a,b\n0.5,-1.25\n2,3.75\n-4.5,.125\n# end\n",
    "Octave": "# name: z\n# rows: 3\n# columns: 2\n 0.5 -1.25\n 2 3.75\n -4.5 .125\n",
    "lists": "[[0.5, -1.25], [2, 3.75], [-4.5, 0.125]]",
    "lines of lists": "[0.5, -1.25]\n[2, 3.75]\n[-4.5, 0.125]\n",
    "lines of objects": '{"a": 0.5, "b": -1.25}\n{"a": 2, "b": 3.75}\n{"b": 0.125, "a": -4.5}\n',
    "an object of lists": '{"a": [0.5, 2, -4.5], "b": [-1.25, 3.75, 0.125]}',
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_matrix_in_many_layouts(text: str, read: Read) -> None:
    assert read(TEXTS[text]).array("z").tolist() == Z


ORIENTS = ("columns", "index", "split", "table", "values", "records")


@pytest.mark.parametrize("orient", ORIENTS)
def test_a_matrix_in_each_orientation_of_pandas(orient: str, read: Read) -> None:
    frame = pd.DataFrame(Z, columns=["a", "b"])
    assert read(frame.to_json(orient=orient)).array("z").tolist() == Z


@pytest.mark.parametrize("orient", ["columns", "split", "table"])
@pytest.mark.parametrize("index", [[7, 5, 9], ["x", "y", "z"]])
def test_row_names_in_each_orientation_that_has_them(
    orient: str, index: list[Any], read: Read
) -> None:
    artefact = read(pd.DataFrame(Z, columns=["a", "b"], index=index).to_json(orient=orient))
    names = "index" if orient == "table" or isinstance(index[0], int) else "names"
    assert artefact.array("z").tolist() == Z
    assert artefact.arrays[names].tolist() == index


FIRST_ROWS: dict[str, tuple[str, list[list[float]]]] = {
    "NaN in the first row": ("nan,1.5\n2.5,3\n", [[NAN, 1.5], [2.5, 3]]),
    "NA in the first row": ("1.5,NA\n2.5,3\n", [[1.5, NAN], [2.5, 3]]),
    "nothing in the first cell": (",1.5\n2.5,3\n", [[NAN, 1.5], [2.5, 3]]),
    "nothing but NaN": ("nan nan\n2.5 3\n", [[NAN, NAN], [2.5, 3]]),
    "0, 1, ... above decimals": ("0,1\n1.5,2\n2.5,3\n", [[1.5, 2], [2.5, 3]]),
    "0, 1, ... above integers": ("0,1,2\n3,1,4\n1,5,9\n", [[3, 1, 4], [1, 5, 9]]),
    "0 alone above decimals": ("0\n1.5\n2.5\n", [[1.5], [2.5]]),
    "0 alone above integers": ("0\n2\n1\n", [[0], [2], [1]]),
    "2, 5, ... above decimals": ("2,5\n1.512,2.125\n2.5,3.125\n", [[1.512, 2.125], [2.5, 3.125]]),
    "integers": ("3,1\n2,7\n1,8\n", [[3, 1], [2, 7], [1, 8]]),
    "0, 1, ... after a name": ("w,0,1\nx,1.5,2\ny,2.5,3\n", [[1.5, 2], [2.5, 3]]),
    "0, 1, ... after no name": (",0,1\n4,1.5,2\n2,2.5,3\n", [[1.5, 2], [2.5, 3]]),
    "words first": ("w,1.5,0.5\nx,2.5,3\n", [[1.5, 0.5], [2.5, 3]]),
    "words last": ("1.5,0.5,w\n2.5,3,x\n", [[1.5, 0.5], [2.5, 3]]),
    "a word and NaN first": ("w,nan,nan\nx,2.5,3\n", [[NAN, NAN], [2.5, 3]]),
    "a column called nan": ("a,nan\n2.5,3\n", [[2.5, 3]]),
}


@pytest.mark.parametrize("case", FIRST_ROWS)
def test_the_first_row_is_a_header_where_it_names_columns(case: str, read: Read) -> None:
    text, z = FIRST_ROWS[case]
    assert np.array_equal(read(text).array("z"), np.array(z), equal_nan=True)


def test_a_headerless_table_whose_first_row_has_nan_loses_no_row(read: Read) -> None:
    z = np.random.default_rng(0).normal(size=(200, 3))
    z[0, 1] = NAN
    text = "".join(",".join(map(str, row)) + "\n" for row in z.tolist())
    assert np.array_equal(read(text).array("z"), z, equal_nan=True)


class TestWordVectors:
    WORDS = (
        ",",
        "#",
        "# tag",
        "new york",
        '"',
        "'s",
        "nan",
        "inf",
        "1e5",
        "12",
        "a\u0085b",
        "x\u00a0y",
    )
    NUMBERS = np.random.default_rng(0).normal(size=(12, 3)).round(4)

    def text(self, first: str = "") -> str:
        rows = zip(self.WORDS, self.NUMBERS.tolist(), strict=True)
        return first + "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in rows)

    @pytest.mark.parametrize("first", ["", "12 3\n"], ids=["GloVe", "word2vec"])
    def test_words_are_names_and_numbers_coordinates(self, first: str, read: Read) -> None:
        artefact = read(self.text(first))
        assert artefact.arrays["names"].tolist() == list(self.WORDS)
        assert np.array_equal(artefact.array("z"), self.NUMBERS)

    @pytest.mark.parametrize("gap", ["\n", " \n"], ids=["", "a blank at each end"])
    def test_a_blank_at_the_end_of_lines_is_no_cell(self, gap: str, read: Read) -> None:
        assert read(self.text("12 3\n").replace("\n", gap)).array("z").shape == (12, 3)

    def test_one_dimension(self, read: Read) -> None:
        assert read("2 1\nthe 0.5\nof 0.25\n").array("z").tolist() == [[0.5], [0.25]]

    def test_two_columns_of_integers_are_no_word_vectors(self, read: Read) -> None:
        assert read("3 1\n5 2\n4 4\n").array("z").tolist() == [[3, 1], [5, 2], [4, 4]]

    def test_a_file_cut_short_is_refused(self, read: Read) -> None:
        with pytest.raises(IdkitError, match="has 12 rows, its first line promises 13"):
            read(self.text("13 3\n"))

    def test_a_line_cut_short_is_refused(self, read: Read) -> None:
        with pytest.raises(IdkitError, match="line 14 has 2 cells, the first row has 4"):
            read(self.text("13 3\n") + "end 0.5\n")


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("a;b\n0,5;1\n0,25;2\n", r"'a' has decimal commas \(line 2: '0,5'\)"),
            ("0,5;1,5\n0,25;2\n", r"column 1 has decimal commas \(line 1: '0,5'\)"),
            ("0,5 1,5\n0,25 2\n", "holds numbers, but row 1 has '0,5'.*with a decimal comma"),
            ("0.1 0.2\n0.3\n", "line 2 has 1 cells, the first row has 2"),
            ("a b\n0.1 0.2\n\n0.3 x\n", r"column 'b' holds numbers, but row 2 has 'x' \(line 4\)"),
            ("# a b\n# c d\n", "it has no rows below ''"),
        ],
    )
    def test_in_one_line(self, text: str, message: str, read: Read) -> None:
        with pytest.raises(IdkitError, match=message) as caught:
            read(text).array("z")
        assert "\n" not in str(caught.value)

    def test_text_in_other_encodings(self, read: Read) -> None:
        for encoding, message in (("utf-16-le", "UTF-16"), ("utf-16", "UTF-16")):
            with pytest.raises(IdkitError, match=message):
                read("a,b\n1,2\n".encode(encoding))
        with pytest.raises(IdkitError, match="UTF-8"):
            read("a,b\nM\u00fcller,2\n".encode("latin-1"))

    def test_results_in_json_are_no_latents(self, read: Read) -> None:
        document = {"schema": "idkit.scores/1", "rows": [{"mcc_out": 0.5}, {"mcc_out": 0.25}]}
        with pytest.raises(IdkitError, match="is JSON: arrays come as"):
            read(json.dumps(document))


def test_a_wide_table_is_read_in_linear_time(read: Read) -> None:
    """To count each name among all took 25 s at 50,000 columns, and four times that here."""
    width = 100_000
    names = ",".join(f"d{j}" for j in range(width))
    z = read(f"{names}\n{','.join(['0.5'] * width)}\n").array("z")
    assert z.shape == (1, width)
    assert (z == 0.5).all()


def test_a_cell_that_is_very_long_costs_no_memory_until_it_is_wanted(read: Read) -> None:
    """An array of text is as wide as its longest cell: here 20,000 rows of 400 kB."""
    rows = "".join(f"{'x' * (100_000 if i == 5 else 3)},{i % 7}.5\n" for i in range(20_000))
    artefact = read(f"text,a\n{rows}")
    assert artefact.array("z").shape == (20_000, 1)
    assert artefact.arrays.members["text"].dtype == "str3200000"
