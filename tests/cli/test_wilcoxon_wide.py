"""`idkit wilcoxon --wide`: a table with one column a family is read, or recognised."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from idkit import cli, files

Capture = pytest.CaptureFixture[str]
RNG = np.random.default_rng(0)
A, B, C = (np.round(RNG.uniform(0, 1, 12), 3).tolist() for _ in range(3))
DATA = [f"d{i // 3}" for i in range(12)]
SEED = [i % 3 for i in range(12)]
USUAL: dict[str, Sequence[Any]] = {"dataset": DATA, "seed": SEED, "vae": A, "ivae": B, "pca": C}


def write(path: Path, columns: dict[str, Sequence[Any]]) -> str:
    with path.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return str(path)


def document(capsys: Capture, *words: str) -> dict[str, Any]:
    assert cli.run(["wilcoxon", *words, "--json", "-q"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refusal(capsys: Capture, code: int, *words: str) -> str:
    assert cli.run(["wilcoxon", *words]) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert len(said.err) < 320
    return said.err


def check(found: dict[str, Any], cells: int = 12) -> None:
    rows = found["rows"]
    assert [(row["a"], row["b"]) for row in rows] == [
        ("vae", "ivae"),
        ("vae", "pca"),
        ("ivae", "pca"),
    ]
    for row, (a, b) in zip(rows, ((A, B), (A, C), (B, C)), strict=True):
        d = np.round(np.array(a) - np.array(b), 3)[:cells]
        assert row["n"] == cells
        if len(set(np.abs(d).tolist())) == cells:
            assert row["p"] == pytest.approx(stats.wilcoxon(d, method="exact").pvalue)
    assert found["friedman"]["cells"] == cells


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--pair", "dataset,seed"],
        ["--by", "algorithm", "--value", "accuracy"],
        ["--by", "algorithm", "--pair", "seed,dataset"],
    ],
)
def test_a_wide_table_is_the_long_one(tmp_path: Path, capsys: Capture, options: list[str]) -> None:
    wide = write(tmp_path / "wide.csv", USUAL)
    found = document(capsys, wide, "--wide", *options)
    check(found)
    count = len(DATA)
    long: dict[str, Sequence[Any]] = {
        "dataset": DATA * 3,
        "seed": SEED * 3,
        "model": [m for m in ("vae", "ivae", "pca") for _ in range(count)],
        "mcc": [*A, *B, *C],
    }
    other = document(
        capsys,
        write(tmp_path / "long.csv", long),
        *("--value", "mcc", "--by", "model", "--pair", "dataset,seed"),
    )
    assert other["rows"] == found["rows"]


@pytest.mark.parametrize("form", ["document", "records", "lines"])
def test_it_may_be_json(tmp_path: Path, capsys: Capture, form: str) -> None:
    rows = [dict(zip(USUAL, row, strict=True)) for row in zip(*USUAL.values(), strict=True)]
    text = {"document": json.dumps({"rows": rows}), "records": json.dumps(rows)}
    path = tmp_path / "wide.json"
    path.write_text(text.get(form, "\n".join(map(json.dumps, rows))))
    check(document(capsys, str(path), "--wide"))


@pytest.mark.parametrize(
    "names",
    [
        {"dataset": DATA, "seed": SEED},
        {"name": [f"c{i}" for i in range(12)]},
        {"epoch": list(range(12))},
        {"d_z": list(range(12))},
        {"id": [10**17 + i for i in range(12)]},
        {"": list(range(12))},
        {},
    ],
)
def test_what_names_a_cell_is_told_from_what_is_compared(
    tmp_path: Path, capsys: Capture, names: dict[str, Sequence[Any]]
) -> None:
    path = write(tmp_path / "w.csv", {**names, "vae": A, "ivae": B, "pca": C})
    check(document(capsys, path, "--wide"))
    assert cli.run(["wilcoxon", path, "--wide"]) == 0
    said = capsys.readouterr().err
    shown = ", ".join(names) or "row"  # which a nameless column that counts rows is, too
    assert f"families: vae, ivae, pca; a cell is named by {shown}\n" in said


def test_an_empty_cell_is_left_out(tmp_path: Path, capsys: Capture) -> None:
    path = write(tmp_path / "w.csv", {**USUAL, "pca": ["NA", "", *C[2:]]})
    rows = document(capsys, path, "--wide")["rows"]
    assert [row["n"] for row in rows] == [12, 10, 10]


def test_whole_numbers_can_be_compared(tmp_path: Path, capsys: Capture) -> None:
    errors: dict[str, Sequence[Any]] = {
        "task": DATA,
        "fold": SEED,
        "a": list(range(12)),
        "b": [2 * i for i in range(12)],
    }
    (row,) = document(capsys, write(tmp_path / "w.csv", errors), "--wide")["rows"]
    assert (row["a"], row["b"], row["n"], row["zeros"]) == ("a", "b", 12, 1)


def test_a_mode_in_a_wide_table_is_a_test_of_its_own(tmp_path: Path, capsys: Capture) -> None:
    columns: dict[str, Sequence[Any]] = {
        "cell": [i // 2 for i in range(12)],
        "mode": ["x", "y"] * 6,
        "vae": A,
        "pca": C,
    }
    rows = document(capsys, write(tmp_path / "w.csv", columns), "--wide")["rows"]
    assert [(row["mode"], row["n"]) for row in rows] == [("x", 6), ("y", 6)]


def test_files_are_compared_over_cells_and_families(tmp_path: Path, capsys: Capture) -> None:
    new = write(tmp_path / "new.csv", USUAL)
    old = write(tmp_path / "old.csv", {**USUAL, "vae": B, "ivae": C, "pca": A})
    (row,) = document(capsys, new, old, "--wide", "--by", "file")["rows"]
    assert (row["a"], row["b"], row["n"]) == ("new.csv", "old.csv", 36)


def test_a_wide_table_is_recognised_and_the_advice_works(tmp_path: Path, capsys: Capture) -> None:
    path = write(tmp_path / "w.csv", USUAL)
    for words in ([], ["--pair", "dataset,seed"], ["--by", "who"], ["--value", "mcc"]):
        said = refusal(capsys, 3, path, *words)
        assert "if vae, ivae, pca are families, one a column, add --wide" in said
        assert "(the long form has the columns CELL," in said
        check(document(capsys, path, *words, "--wide"))


def test_a_long_table_is_not_taken_for_a_wide_one(tmp_path: Path, capsys: Capture) -> None:
    long = write(
        tmp_path / "l.csv", {"model": ["a", "b"], "d_z": [1, 1], "x": [1.5, 2], "y": [1, 2.5]}
    )
    assert "no column 'mcc_out' for the values" in refusal(capsys, 3, long)
    assert "there is a column 'model', as in a long table: omit --wide" in refusal(
        capsys, 3, long, "--wide"
    )
    one = write(tmp_path / "o.csv", {"who": ["a", "b"], "fold": [1, 1], "accuracy": [0.5, 0.6]})
    assert "by --pair" in refusal(capsys, 2, one)
    assert "at least two columns of numbers, one a family" in refusal(capsys, 3, one, "--wide")
    assert "no column 'cell' for the cells" in refusal(capsys, 3, one, "--wide", "--pair", "cell")


def test_scores_are_never_wide(tmp_path: Path, capsys: Capture) -> None:
    path = str(tmp_path / "s.npz")
    files.write(path, {}, files.metadata("idkit.scores/1", "mcc", [], groups=[]))
    assert "holds arrays: --wide reads tables of text" in refusal(capsys, 3, path, "--wide")


def test_the_file_of_tests_names_the_numbers(tmp_path: Path) -> None:
    out = str(tmp_path / "t.npz")
    path = write(tmp_path / "w.csv", USUAL)
    assert cli.run(["wilcoxon", path, "--wide", "--value", "accuracy", "-o", out, "-q"]) == 0
    meta = files.read(out).meta
    assert (meta["value"], meta["pair"]) == ("accuracy", ["dataset", "seed"])
    assert "--wide" in meta["command"]


def test_a_thousand_cells_of_ten_families_are_read(tmp_path: Path, capsys: Capture) -> None:
    rng = np.random.default_rng(1)
    columns = {f"m{i}": rng.uniform(size=1000).tolist() for i in range(10)}
    rows = document(capsys, write(tmp_path / "w.csv", columns), "--wide")["rows"]
    assert len(rows) == 45
    assert {row["n"] for row in rows} == {1000}
