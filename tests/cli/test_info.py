"""`idkit info`, driven as a user would."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from idkit import files
from idkit.cli import run

Idkit = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def latents() -> str:
    """Latents with one constant column and three values that are not finite."""
    z = np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32)
    z[:, 1], z[0, 0], z[1, 0], z[2, 0] = 2.5, np.nan, np.inf, -np.inf
    z[3, 0], z[4, 0] = -7.0, 8.0
    meta = files.metadata(
        "idkit.latents/1",
        "embed --split test",
        [],
        data="digits",
        seed=3,
        settings={"beta": 4.0},
        seeds=[1, 2],
    )
    files.write("latents.npz", {"z": z, "u": np.arange(500) % 10}, meta)
    return "latents.npz"


def model() -> str:
    elbo = np.linspace(-90, -30, 20)
    weight = np.zeros((3, 2), np.float32)
    meta = files.metadata("idkit.model/1", "train", [files.read(latents())], model="vade")
    files.write("model.safetensors", {"encoder.weight": weight, "history/elbo": elbo}, meta)
    return "model.safetensors"


def table(lines: list[str]) -> list[dict[str, str]]:
    """The rows of the TSV table among some lines."""
    start = next(i for i, line in enumerate(lines) if line.startswith("array\t"))
    names = lines[start].split("\t")
    return [dict(zip(names, line.split("\t"), strict=True)) for line in lines[start + 1 :] if line]


def shown(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert run(["info", *words]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out.splitlines()


def rows(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    document = json.loads("\n".join(shown(capsys, *words, "--json")))
    assert (document["schema"], document["version"]) == (
        "idkit.info/1",
        files.metadata("", "", [])["version"],
    )
    found: list[dict[str, Any]] = document["rows"]
    return found


def by_name(row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {array["array"]: array for array in row["arrays"]}


def test_says_what_it_is_and_where_it_came_from(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, latents())
    size = Path("latents.npz").stat().st_size / 1000
    assert lines[0] == f"latents.npz: idkit.latents/1, NPZ, {size:.3g} kB"
    assert f"  sha256: {files.read('latents.npz').sha256}" in lines
    for line in ("command: embed --split test", "data: digits", "seed: 3", "settings.beta: 4.0"):
        assert f"  {line}" in lines
    assert "  seeds: 1, 2" in lines


def test_shows_the_arrays(capsys: pytest.CaptureFixture[str]) -> None:
    assert table(shown(capsys, latents())) == [
        {
            "array": "u",
            "dtype": "int64",
            "shape": "500",
            "min": "0",
            "max": "9",
            "nonfinite": "0",
            "constant": "",
        },
        {
            "array": "z",
            "dtype": "float32",
            "shape": "500 x 4",
            "min": "-7.0",
            "max": "8.0",
            "nonfinite": "3",
            "constant": "1",
        },
    ]


def test_shows_how_a_training_ended_and_what_went_in(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, model())
    assert f"  input: latents.npz (sha256 {files.read('latents.npz').sha256})" in lines
    history = next(row for row in table(lines) if row["array"] == "history/elbo")
    assert (history["last"], history["min"], history["max"]) == ("-30.0", "-90.0", "-30.0")
    assert "constant" not in history


def test_json_holds_all_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = rows(capsys, latents(), "latents.npz:u")
    assert first["file"] == "latents.npz"
    assert first["bytes"] == Path("latents.npz").stat().st_size
    assert first["meta"] == files.read("latents.npz").meta
    assert by_name(first)["z"] == {
        "array": "z",
        "dtype": "float32",
        "shape": [500, 4],
        "min": -7.0,
        "max": 8.0,
        "nonfinite": 3,
        "constant": 1,
        "last": None,
        "values": None,
        "unread": None,
    }
    assert list(by_name(second)) == ["u"]


def test_a_diverged_training_has_no_last_value(capsys: pytest.CaptureFixture[str]) -> None:
    history = {"history/elbo": np.array([-3.0, np.nan])}
    files.write("model.npz", history, files.metadata("idkit.model/1", "train", []))
    (row,) = rows(capsys, "model.npz")
    found = by_name(row)["history/elbo"]
    assert (found["last"], found["nonfinite"], found["max"]) == (None, 1, -3.0)


def test_files_from_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    np.save("a.npy", np.asfortranarray(np.arange(6, dtype=">f8").reshape(3, 2)))
    np.savez_compressed("b.npz", z=np.zeros(3, np.float16), o=np.array([{}]), t=np.array("text"))
    safetensors.numpy.save_file({"x": np.ones((2, 2), np.complex64)}, "c.safetensors")
    Path("d.csv").write_text("model,mcc\nvae,0.5\nivae,\nvae,inf\n")
    Path("e.json").write_text('{"rows": [{"mcc": 0.25, "p": null}]}')
    found = rows(capsys, "a.npy", "b.npz", "c.safetensors", "d.csv", "e.json")
    assert [row["schema"] for row in found] == [None] * 5
    kinds = ["npy", "NPZ", "safetensors", "CSV or TSV", "JSON"]
    assert [row["format"] for row in found] == kinds
    arrays = [by_name(row) for row in found]
    assert (arrays[0]["array"]["min"], arrays[0]["array"]["max"]) == (0, 5)
    assert "never unpickles" in arrays[1]["o"]["unread"]
    assert arrays[1]["z"]["dtype"] == "float16"
    assert arrays[1]["t"]["shape"] == []
    assert (arrays[2]["x"]["dtype"], arrays[2]["x"]["min"]) == ("complex64", None)
    assert (arrays[3]["model"]["dtype"], arrays[3]["model"]["values"]) == ("text", "vae, ivae")
    assert (arrays[3]["mcc"]["max"], arrays[3]["mcc"]["nonfinite"]) == (0.5, 2)
    assert (arrays[4]["mcc"]["min"], arrays[4]["p"]["nonfinite"]) == (0.25, 1)


def test_no_arrays_and_no_values(capsys: pytest.CaptureFixture[str]) -> None:
    files.write("a.npz", {"z": np.zeros((0, 4))}, files.metadata("idkit.latents/1", "embed", []))
    files.write("b.npz", {}, files.metadata("idkit.tests/1", "wilcoxon", [], rows=[{"p": 0.03}]))
    assert "  rows: 1 entries of p" in shown(capsys, "a.npz", "b.npz")
    first, second = rows(capsys, "a.npz", "b.npz")
    assert by_name(first)["z"]["min"] is None
    assert second["arrays"] == []


def test_metadata_cannot_play_tricks_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    meta = files.metadata("idkit.latents/1", "embed", [], data="\x1b[2Jgone\nseed: 7" + "x" * 999)
    files.write("a.npz", {"z\x1b[2J": np.zeros(3)}, meta)
    lines = shown(capsys, "a.npz")
    assert all(letter.isprintable() or letter == "\t" for line in lines for letter in line)
    assert "  seed: 7" not in lines
    assert max(map(len, lines)) < 200


def test_a_pipe_is_read(idkit: Idkit) -> None:
    latents()
    done = idkit("info", "-", "--json", stdin=Path("latents.npz").read_bytes())
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["rows"][0]["file"] == "standard input"


def test_a_terminal_gets_a_table(folder: Path) -> None:
    latents()
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "idkit", "info", "latents.npz"]
    subprocess.run(
        command, cwd=folder, stdout=theirs, check=True, env={**os.environ, "COLUMNS": "100"}
    )
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        text = terminal.read(100_000).decode()
    assert "\t" not in text
    assert "500 x 4" in text


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("gone.npz",), 3, "no such file: gone.npz"),
        (("latents.npz:y",), 3, "latents.npz has no array 'y'"),
        (("latents.npz", "bad.npz"), 3, "bad.npz is a PNG image"),
        (("-", "-"), 2, "'-' is given 2 times"),
        ((), 2, "Missing argument 'FILE'"),
    ],
)
def test_what_cannot_be_shown(
    words: tuple[str, ...], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    latents()
    Path("bad.npz").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(9))
    assert run(["info", *words]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"idkit info: {message}")
    assert captured.err.count("\n") == 1


def test_imports_no_more_than_it_needs(folder: Path) -> None:
    latents()
    script = (
        "import sys; from idkit.cli import run; run(['info', 'latents.npz']); "
        "print({'torch', 'scipy', 'sklearn', 'matplotlib'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stderr == "set()\n"
