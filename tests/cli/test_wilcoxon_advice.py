"""`idkit wilcoxon`: whatever it advises works when it is followed to the letter."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from idkit import cli, files

Capture = pytest.CaptureFixture[str]


def scores(path: Path, models: Sequence[str], above: float = 0.0) -> str:
    groups = [
        {"data": "x", "model": m, "arch": "mlp", "d_z": d, "settings": None, "mode": "weak"}
        | {"corr": "pearson", "k": d, "mcc_out": 0.5 + above + i / 10 + d / 100}
        for i, m in enumerate(models)
        for d in range(6)
    ]
    files.write(str(path), {}, files.metadata("idkit.scores/1", "mcc", [], groups=groups))
    return str(path)


def table(path: Path, **columns: Sequence[Any]) -> str:
    rows = zip(*columns.values(), strict=True)
    path.write_text("\n".join(",".join(map(str, row)) for row in [tuple(columns), *rows]))
    return str(path)


def refusal(capsys: Capture, *words: str) -> str:
    assert cli.run(["wilcoxon", *words]) in (2, 3)
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    return said.err


def followed(capsys: Capture, advice: str, *words: str) -> list[dict[str, Any]]:
    """The tests that come out when the options in some advice are added to a command."""
    options = re.findall(r"(--[a-z]+) ([^\s;:)]+)", advice)
    assert options, advice
    kept, given = list(words), dict(options)
    for option in given:
        if option in kept:
            del kept[kept.index(option) : kept.index(option) + 2]
    assert cli.run(["wilcoxon", *kept, *(w for one in options for w in one), "--json", "-q"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["rows"]
    return found


@pytest.mark.parametrize("pair", [[], ["--pair", "d_z"], ["--pair", "data,d_z,mode"]])
def test_two_files_of_the_same_models_are_compared_by_file(
    tmp_path: Path, capsys: Capture, pair: list[str]
) -> None:
    new = scores(tmp_path / "new.npz", ("vae", "ivae"))
    old = scores(tmp_path / "old.npz", ("vae", "ivae"), above=0.1)
    said = refusal(capsys, new, old, *pair)
    assert "--by file" in said
    assert "--pair file" not in said
    (row,) = followed(capsys, said, new, old, *pair)
    assert (row["a"], row["b"], row["n"]) == ("new.npz", "old.npz", 12)


@pytest.mark.parametrize("pair", [[], ["--pair", "d_z"]])
def test_two_files_of_one_model_are_compared_by_file(
    tmp_path: Path, capsys: Capture, pair: list[str]
) -> None:
    new, old = scores(tmp_path / "new.npz", ("vae",)), scores(tmp_path / "old.npz", ("vae",), 0.1)
    said = refusal(capsys, new, old, *pair)
    assert "names 1: vae; to compare the files: --by file" in said
    (row,) = followed(capsys, said, new, old, *pair)
    assert (row["a"], row["b"], row["n"]) == ("new.npz", "old.npz", 6)


def test_one_file_of_one_model_gets_no_advice_that_cannot_work(
    tmp_path: Path, capsys: Capture
) -> None:
    said = refusal(capsys, scores(tmp_path / "s.npz", ("vae",)))
    assert "--by" not in said


def test_columns_that_tell_rows_apart_are_those_that_do(tmp_path: Path, capsys: Capture) -> None:
    path = table(
        tmp_path / "t.csv",
        model=["a"] * 8 + ["b"] * 8,
        dataset=["x", "y"] * 8,
        seed=[0, 0, 1, 1, 2, 2, 3, 3] * 2,
        host=[f"h{i}" for i in range(16)],  # tells all apart, and leaves no common cell
        loss=[0.1 * i for i in range(16)],
        mcc=[0.01 * i * i for i in range(16)],
    )
    words = [path, "--value", "mcc", "--pair", "dataset"]
    said = refusal(capsys, *words)
    assert "average them first, or name the columns" in said
    assert "part of the cell (as seed)\n" in said
    (row,) = followed(capsys, "--pair dataset,seed", *words)
    assert row["n"] == 8


def test_rows_that_nothing_tells_apart_are_averaged(tmp_path: Path, capsys: Capture) -> None:
    path = table(tmp_path / "t.csv", model="aab", d_z=[1, 1, 1], mcc_out=[0.5, 0.6, 0.7])
    assert refusal(capsys, path).endswith("in the cell d_z=1: average them first\n")
    followed_path = table(tmp_path / "f.csv", model="ab", d_z=[1, 1], mcc_out=[0.55, 0.7])
    assert cli.run(["wilcoxon", followed_path, "-q"]) == 0


def test_a_column_in_which_families_never_meet_is_named(tmp_path: Path, capsys: Capture) -> None:
    path = table(
        tmp_path / "t.csv",
        model=["a"] * 6 + ["b"] * 6,
        data=list("uvwxyz") * 2,
        d_z=[10] * 6 + [20] * 6,
        mcc_out=[0.1 * i for i in range(12)],
    )
    said = refusal(capsys, path)
    assert "a and b share no d_z (10 | 20); without d_z they meet: --pair data\n" in said
    (row,) = followed(capsys, said, path)
    assert row["n"] == 6


def test_numbers_that_are_missing_are_said_to_be(tmp_path: Path, capsys: Capture) -> None:
    path = table(tmp_path / "t.csv", model="ab", d_z=[1, 1], mcc_out=["NA", 0.5])
    said = refusal(capsys, path)
    assert "no cell has two of the families a, b: mcc_out is empty in 1 of 2 rows" in said


def test_columns_of_a_cell_can_be_named(tmp_path: Path, capsys: Capture) -> None:
    path = table(tmp_path / "t.csv", model="ab", fold=[1, 1], mcc_out=[0.1, 0.5])
    assert "by --pair (the table has model, fold, mcc_out, file)" in refusal(capsys, path)
    (row,) = followed(capsys, "--pair fold", path)
    assert row["n"] == 1


def test_a_shift_for_power_is_named(tmp_path: Path, capsys: Capture) -> None:
    path = scores(tmp_path / "s.npz", ("vae", "ivae"))
    said = refusal(capsys, path, "--power")
    (row,) = followed(capsys, said.partition(": add ")[2], path, "--power")
    assert row["n"] == 6


def test_blocks_are_of_columns_of_the_cell(tmp_path: Path, capsys: Capture) -> None:
    path = table(
        tmp_path / "t.csv",
        model=["a"] * 6 + ["b"] * 6,
        d_z=[1, 2, 3, 4, 5, 6] * 2,
        lab=list("pqpqpqqpqpqp"),
        mcc_out=[0.1 * i for i in range(12)],
    )
    assert "block by columns that are part of the cell" in refusal(capsys, path, "--block", "lab")
    (row,) = followed(capsys, "--block d_z", path)
    assert row["p_block"] == 2 / 2**6


def test_a_message_about_a_table_of_long_names_is_short(tmp_path: Path, capsys: Capture) -> None:
    long = [c * 400 for c in "abcdefgh"]
    path = table(
        tmp_path / "t.csv", model=long[:2] * 2, d_z=long[2:6], mcc_out=[0.1, 0.2, 0.3, 0.4]
    )
    assert len(refusal(capsys, path)) <= 300 + len("idkit wilcoxon: ")
    wide = table(tmp_path / "w.csv", **{name: [0.1 * i, 0.5] for i, name in enumerate(long)})
    assert len(refusal(capsys, wide)) <= 300 + len("idkit wilcoxon: ")
    twice = table(tmp_path / "d.csv", model=long[:2] * 2, d_z=long[2:3] * 4, mcc_out=[1, 2, 3, 4])
    assert len(refusal(capsys, twice)) <= 300 + len("idkit wilcoxon: ")
