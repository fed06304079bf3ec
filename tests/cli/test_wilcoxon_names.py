"""`idkit wilcoxon`: cells, families and blocks are what their texts say, to the last digit."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idkit import cli, files
from idkit.stats.cells import tabulate
from idkit.stats.naming import Entry, exact, name

Capture = pytest.CaptureFixture[str]
OPTIONS = ("--value", "mcc", "--pair", "id")
Rows = Sequence[tuple[str, str, float]]  # model, id, mcc


def as_csv(folder: Path, rows: Rows) -> str:
    path = folder / "table.csv"
    lines = ["model,id,mcc", *(f"{model},{one},{mcc!r}" for model, one, mcc in rows)]
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def as_json(folder: Path, rows: Rows) -> str:
    path = folder / "table.json"
    objects = (f'{{"model": "{m}", "id": {one}, "mcc": {mcc!r}}}' for m, one, mcc in rows)
    path.write_text(f"[{', '.join(objects)}]")
    return str(path)


each_form = pytest.mark.parametrize("write", [as_csv, as_json])


def rows_of(capsys: Capture, *words: str) -> list[dict[str, Any]]:
    assert cli.run(["wilcoxon", *words, "--json", "-q"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["rows"]
    return found


def refusal(capsys: Capture, *words: str) -> str:
    assert cli.run(["wilcoxon", *words]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert len(said.err) <= 300 + len("idkit wilcoxon: ")
    return said.err


def two(ids: Sequence[str], others: Sequence[str]) -> Rows:
    """Models a and b over ids; a is higher by .1 and ever more."""
    a = [("a", one, 0.6 + 0.01 * i) for i, one in enumerate(ids)]
    return [*a, *(("b", one, 0.5) for one in others)]


@each_form
@pytest.mark.parametrize("digits", [13, 15, 16, 17, 18, 25, 39, 60])
def test_ids_that_differ_in_the_last_digit_are_different_cells(
    tmp_path: Path, capsys: Capture, write: Callable[[Path, Rows], str], digits: int
) -> None:
    base = 10 ** (digits - 1) + 1
    ids = [str(base + i) for i in range(8)]
    (row,) = rows_of(capsys, write(tmp_path, two(ids, ids)), *OPTIONS)
    assert (row["n"], row["p"]) == (8, 2 / 2**8)
    apart = [str(base + 8 + i) for i in range(8)]
    said = refusal(capsys, write(tmp_path, two(ids, apart)), *OPTIONS)
    assert "a and b share no id" in said
    assert ids[0][:30] in said
    assert "average" not in said


def test_leading_zeros_are_part_of_an_id(tmp_path: Path, capsys: Capture) -> None:
    ids = ["0012", "12", "012", "007", "7", "00"]
    (row,) = rows_of(capsys, as_csv(tmp_path, two(ids, ids)), *OPTIONS)
    assert row["n"] == 6
    said = refusal(capsys, as_csv(tmp_path, two(["0012", "0013"], ["12", "13"])), *OPTIONS)
    assert "share no id (0012, 0013 | 12, 13)" in said


def test_decimals_of_equal_value_are_one_cell(tmp_path: Path, capsys: Capture) -> None:
    ids = ["0.1", "1", "1000", "0", "1e-05", "2.50"]
    others = ["0.10", "1.0", "1e3", "-0.0", "0.00001", "2.5"]
    (row,) = rows_of(capsys, as_csv(tmp_path, two(ids, others)), *OPTIONS)
    assert row["n"] == 6
    long = ["0.12345678901234567890", "0.12345678901234567891"]
    (row,) = rows_of(capsys, as_csv(tmp_path, two(long, [f"{one}0" for one in long])), *OPTIONS)
    assert row["n"] == 2


def test_text_of_json_and_numbers_of_json_have_their_names(tmp_path: Path, capsys: Capture) -> None:
    ids = ['"0012"', "12", '"x"', "0.1", "9007199254740993", "9007199254740992"]
    others = ['"0012"', '"12"', '"x"', "0.10", "9007199254740993", "9007199254740992"]
    (row,) = rows_of(capsys, as_json(tmp_path, two(ids, others)), *OPTIONS)
    assert row["n"] == 6


@each_form
def test_families_and_blocks_are_not_merged_either(
    tmp_path: Path, capsys: Capture, write: Callable[[Path, Rows], str]
) -> None:
    ids = [str(123456789012345678 + i) for i in range(3)]
    rows = [("m", one, 0.5 + 0.01 * i) for i, one in enumerate(ids)]
    table = write(tmp_path, [*rows, *(("n", one, 0.4) for one in ids)])
    found = rows_of(capsys, table, "--value", "mcc", "--by", "id", "--pair", "model")
    assert [(row["a"], row["b"]) for row in found] == [
        (ids[0], ids[1]),
        (ids[0], ids[2]),
        (ids[1], ids[2]),
    ]
    by_blocks = rows_of(capsys, table, *OPTIONS, "--block", "id")
    assert by_blocks[0]["p_block"] == 2 / 2**3


def test_a_family_called_none_or_na_stays(tmp_path: Path, capsys: Capture) -> None:
    rows = [
        (m, f"c{i}", 0.5 + 0.1 * j) for i in range(6) for j, m in enumerate(("none", "NA", "x"))
    ]
    found = rows_of(capsys, as_csv(tmp_path, rows), *OPTIONS)
    assert [(row["a"], row["b"]) for row in found] == [("none", "NA"), ("none", "x"), ("NA", "x")]


def test_none_among_numbers_is_called_none(tmp_path: Path, capsys: Capture) -> None:
    rows = [("a", "0.5", 0.1), ("a", "none", 0.2), ("b", "0.5", 0.3), ("b", "none", 0.4)]
    found = rows_of(
        capsys, as_csv(tmp_path, rows), "--value", "mcc", "--by", "id", "--pair", "model"
    )
    assert [(row["a"], row["b"], row["n"]) for row in found] == [("0.5", "none", 2)]
    gone = [("a", "none", 0.2), ("a", "none", 0.3), ("b", "1", 0.3)]
    assert "model=a has more than one row in the cell id=none" in refusal(
        capsys, as_csv(tmp_path, gone), *OPTIONS
    )


def test_integers_of_scores_are_exact(tmp_path: Path, capsys: Capture) -> None:
    sizes = [2**31 - 2, 2**31 - 1]  # a file holds none larger
    groups = [
        {"data": "x", "model": model, "arch": "mlp", "d_z": d_z, "mcc_out": mcc}
        for model, mcc in (("a", 0.5), ("b", 0.4))
        for d_z in sizes
    ]
    path = str(tmp_path / "s.npz")
    files.write(path, {}, files.metadata("idkit.scores/1", "mcc", [], groups=groups))
    (row,) = rows_of(capsys, path)
    assert row["n"] == 2


def test_a_digit_group_is_text(tmp_path: Path, capsys: Capture) -> None:
    (row,) = rows_of(capsys, as_csv(tmp_path, two(["1_0", "x"], ["1_0", "x"])), *OPTIONS)
    assert row["n"] == 2
    assert "share no id" in refusal(capsys, as_csv(tmp_path, two(["1_0"], ["10"])), *OPTIONS)
    path = tmp_path / "v.csv"
    path.write_text("model,id,mcc\na,1,1_000\nb,1,2\n")
    assert "mcc of model=a in id=1 is '1_000'" in refusal(capsys, str(path), *OPTIONS)


def test_commas_in_names_do_not_make_two_cells_one() -> None:
    table: dict[str, list[Entry]] = {
        "model": ["a", "a", "b", "b"],
        "p": ["x, q=y", "x", "x, q=y", "x"],
        "q": ["z", "y, q=z", "z", "y, q=z"],
        "mcc": [0.1, 0.2, 0.3, 0.4],
    }
    cells = tabulate(table, value="mcc", by="model", pair=["p", "q"])
    assert cells.values.tolist() == [[0.1, 0.3], [0.2, 0.4]]


@given(st.integers(0, 10**40), st.text("0123456789", max_size=30), st.integers(0, 9))
def test_decimals_have_one_name_if_and_only_if_they_are_equal(
    whole: int, digits: str, more: int
) -> None:
    one, other, next_ = f"{whole}.{digits}", f"{whole}.{digits}000", f"{whole}.{digits}{more}"
    names = [name(exact(float(text), text)) for text in (one, other, next_)]
    assert names[0] == names[1]
    assert (names[0] == names[2]) == (more == 0)
    if not digits.strip("0"):
        assert name(exact(float(whole), str(whole))) == names[0]
