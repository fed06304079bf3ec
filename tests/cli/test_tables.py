"""Tables of text as users give them to the commands: what is scored, and what they are told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from idkit import files
from idkit.cli import run
from idkit.errors import ExitCode

Row = dict[str, Any]
Z = np.random.default_rng(0).laplace(size=(200, 3))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def rows(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[Row]]:
    def ask(*words: str) -> list[Row]:
        assert run([*words, "--json"]) == ExitCode.DONE
        made: list[Row] = json.loads(capsys.readouterr().out)["rows"]
        return made

    return ask


def noise(k: int, **more: Any) -> pd.DataFrame:
    z = np.random.default_rng(k).normal(size=(200, 5))
    return pd.DataFrame(z, columns=list("abcde")).assign(**more)


WRITERS: dict[str, Callable[[int], object]] = {
    "an index": lambda k: noise(k).to_csv(f"{k}.csv"),
    "an index with a name": lambda k: noise(k).to_csv(f"{k}.csv", index_label="row"),
    "labels": lambda k: noise(k, label=np.arange(200) % 10).to_csv(f"{k}.csv", index=False),
    "sample ids": lambda k: noise(k, sample_id=range(500, 700)).to_csv(f"{k}.csv", index=False),
    "a count": lambda k: noise(k, t=range(3, 203)).to_csv(f"{k}.csv", index=False, sep="\t"),
    "text": lambda k: noise(k, gene=[f"g{i}" for i in range(200)]).to_csv(f"{k}.csv", index=False),
    "no header": lambda k: noise(k).to_csv(f"{k}.csv", header=False),
    "JSON": lambda k: noise(k, target=np.arange(200) % 3).to_json(f"{k}.csv", double_precision=15),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_noise_is_scored_as_noise_whatever_columns_stand_beside_it(
    writer: str, rows: Callable[..., list[Row]]
) -> None:
    for k in range(3):
        WRITERS[writer](k)
        np.save(f"{k}.npy", noise(k).to_numpy())
    (right,) = rows("mcc", "0.npy", "1.npy", "2.npy")
    (found,) = rows("mcc", "0.csv", "1.csv", "2.csv")
    assert found["mcc_out"] == pytest.approx(right["mcc_out"], abs=1e-9)
    assert found["mcc_out"] < 0.15  # with an index it was .385


def test_what_is_left_out_is_named_once_for_all_files(capsys: pytest.CaptureFixture[str]) -> None:
    for k in range(3):
        noise(k, label=np.arange(200) % 10).to_csv(f"{k}.csv")
    assert run(["mcc", "0.csv", "1.csv", "2.csv"]) == ExitCode.DONE
    told = [line for line in capsys.readouterr().err.splitlines() if "left out" in line]
    assert [line.partition(": ")[2] for line in told] == [
        "left out, as no coordinates: column 1 (counts rows), column 'label' (integers)"
    ]
    assert "0.csv and 2 other files: " in told[0]


def test_columns_are_what_a_user_names(rows: Callable[..., list[Row]]) -> None:
    for k in range(2):
        noise(k, label=np.arange(200) % 10).to_csv(f"{k}.csv")
        np.save(f"{k}.npy", noise(k, label=np.arange(200) % 10)[["b", "label"]].to_numpy())
    (right,) = rows("mcc", "0.npy", "1.npy")
    for words in (["--columns", "b,label"], ["--columns", "b", "--columns", "label"]):
        (found,) = rows("mcc", "0.csv", "1.csv", *words)
        assert found["mcc_out"] == right["mcc_out"]
    (right,), (found,) = rows("align", "0.npy", "1.npy"), rows("align", "0.csv", "1.csv", *words)
    assert found["mcc_out"] == right["mcc_out"]


def test_columns_are_those_of_the_ground_truth_where_it_is_one_of_the_files(
    rows: Callable[..., list[Row]],
) -> None:
    for k in range(3):
        noise(k).to_csv(f"{k}.csv")
    pd.DataFrame(Z[:, :2], columns=["s1", "s2"]).to_csv("s.csv")
    (row,) = rows("mcc", "0.csv", "1.csv", "2.csv", "--to", "0.csv", "--columns", "a,b")
    assert (row["k"], row["pairs"]) == (2, 2)
    (row,) = rows("mcc", "0.csv", "1.csv", "--to", "s.csv", "--columns", "a,b,c")
    assert (row["k"], row["pairs"]) == (2, 2)


def test_columns_go_into_the_command_of_the_scores() -> None:
    for k in range(2):
        noise(k).to_csv(f"{k}.csv")
    assert run(["mcc", "0.csv", "1.csv", "--columns", "a,b", "-o", "s.npz"]) == ExitCode.DONE
    assert "--columns a,b" in files.read("s.npz").meta["command"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        ("a.npy b.npy --columns a", ExitCode.USAGE, "a.npy is npy, no table: leave out --columns"),
        ("0.csv 1.csv --columns a,f", ExitCode.BAD_INPUT, "0.csv has no column 'f'"),
        ("0.csv 1.csv --columns ,", ExitCode.USAGE, "name the coordinates by --columns a,b"),
        ("0.csv:f 1.csv", ExitCode.BAD_INPUT, "0.csv has no column 'f' (it has a, b, c, d, e)"),
        ("0.csv:a 1.csv --columns a", ExitCode.USAGE, "name the coordinates by --columns a,b"),
        ("bad.csv 1.csv", ExitCode.BAD_INPUT, "'b' holds numbers, but row 8 has '1.0D-03' (line 9"),
    ],
)
@pytest.mark.parametrize("command", ["mcc", "align"])
def test_what_cannot_be_is_refused_in_one_line(
    command: str, words: str, code: ExitCode, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for k in range(2):
        noise(k).to_csv(f"{k}.csv")
        np.save(f"{'ab'[k]}.npy", Z)
    bad = noise(0).astype(str)
    bad.loc[7, "b"] = "1.0D-03"
    bad.to_csv("bad.csv")
    assert run([command, *words.split()]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert message in printed.err
    assert printed.err.count("\n") == 1


def test_the_same_latents_in_nine_layouts(rows: Callable[..., list[Row]]) -> None:
    z = [Z + 1e-6 * np.random.default_rng(k).normal(size=Z.shape) for k in range(9)]  # nine runs
    frames = [pd.DataFrame(each, columns=["a", "b", "c"]) for each in z]
    names = [f"w{i}" for i in range(len(Z))]
    frames[0].set_index(pd.Index(names)).to_csv("0.csv")
    frames[1].to_csv("1.csv", index=False, header=False)
    frames[2].to_csv("2.csv", sep=";", index=False, quoting=2)
    pd.DataFrame(z[3]).to_csv("3.csv", index=False)
    frames[4].to_json("4.json", double_precision=15)
    np.savetxt("5.txt", z[5])
    np.savetxt("6.txt", z[6], header="a b c", fmt="%12.9f")
    for k, first in ((7, "200 3\n"), (8, "")):
        lines = zip(names, z[k].tolist(), strict=True)
        words = [f"{name} {' '.join(map(str, row))}\n" for name, row in lines]
        Path(f"{k}.txt").write_text(first + "".join(words))
    found = rows("mcc", *(path.name for path in sorted(Path().iterdir())), "--pairs")
    assert len(found) == 36
    assert min(row["mcc_out"] for row in found) == pytest.approx(1, abs=1e-9)


class TestWilcoxon:
    TABLE = pd.DataFrame(
        [
            {"model": model, "data": data, "mcc": (7 * data + 3 * m) % 11 / 16}
            for data in range(8)
            for m, model in enumerate(("none", "vae", "NA"))
        ]
    )
    ASK = ("--value", "mcc", "--pair", "data")

    def test_the_same_test_in_every_layout(self, rows: Callable[..., list[Row]]) -> None:
        self.TABLE.to_csv("right.csv", index=False)
        right = rows("wilcoxon", "right.csv", *self.ASK)
        assert {(row["a"], row["b"]) for row in right} == {
            ("none", "vae"),
            ("none", "NA"),
            ("vae", "NA"),
        }
        self.TABLE.to_csv("index.csv")
        self.TABLE.to_csv("semicolons.csv", sep=";", index=False)
        self.TABLE.to_csv("quotes.csv", sep=";", index=False, quoting=1)
        self.TABLE.to_csv("blanks.txt", sep=" ", index=False)
        self.TABLE.to_csv("windows.csv", index=False, lineterminator="\r\n", encoding="utf-8-sig")
        self.TABLE.to_json("columns.json")
        for orient in ("index", "split", "table", "records"):
            self.TABLE.to_json(f"{orient}.json", orient=orient)
        self.TABLE.to_json("lines.json", orient="records", lines=True)
        for path in sorted(Path().iterdir()):
            assert rows("wilcoxon", str(path), *self.ASK) == right, path

    def test_an_index_is_not_advised_to_tell_cells_apart(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.TABLE.assign(seed=range(24)).to_csv("t.csv")
        assert run(["wilcoxon", "t.csv", "--value", "mcc", "--pair", "seed"]) == ExitCode.BAD_INPUT
        self.TABLE.assign(seed=1, fold=range(24)).to_csv("t.csv")
        assert run(["wilcoxon", "t.csv", "--value", "mcc", "--pair", "seed"]) == ExitCode.BAD_INPUT
        said = capsys.readouterr().err
        assert "(as data)" in said
        assert "nameless" not in said

    @pytest.mark.parametrize(
        ("how", "message"),
        [
            ({"header": False}, "t.csv has no header: name the columns in its first line"),
            ({"sep": ";", "decimal": ","}, "separated by ';' and column 'mcc' has decimal commas"),
        ],
    )
    def test_what_cannot_be_read(
        self, how: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.TABLE.to_csv("t.csv", index=False, **how)
        assert run(["wilcoxon", "t.csv", *self.ASK]) == ExitCode.BAD_INPUT
        assert message in capsys.readouterr().err


def test_training_data_without_their_index(capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame(Z, columns=["a", "b", "c"]).to_csv("x.csv")
    train = "train --data x.csv --model vae --arch mlp3 --dz 2 --steps 2 --compile off"
    assert run(train.split()) == ExitCode.DONE
    assert "x.csv: left out, as no coordinates: column 1 (counts rows)" in capsys.readouterr().err
    (model,) = Path("runs").glob("*/model.safetensors")
    assert files.read(str(model)).meta["shape"] == [3]


def test_a_figure_of_points_in_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame(Z[:, :2], columns=["x", "y"], index=[f"w{i}" for i in range(200)]).to_csv("u.csv")
    assert run(["plot", "latents", "u.csv"]) == ExitCode.DONE
    assert "u.csv: left out, as no coordinates: column 1 (text)" in capsys.readouterr().err


def test_what_kind_of_text_it_is(rows: Callable[..., list[Row]]) -> None:
    np.savetxt("a.txt", Z)
    np.savetxt("b.csv", Z, delimiter=",")
    found = rows("info", "a.txt", "b.csv")
    assert [row["format"] for row in found] == ["text between blanks", "CSV or TSV"]
    assert [[column["array"] for column in row["arrays"]] for row in found] == [["1", "2", "3"]] * 2
