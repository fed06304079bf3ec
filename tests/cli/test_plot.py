"""`idkit plot` as a user drives it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from idkit import cli, files, shelf

Idkit = Callable[..., subprocess.CompletedProcess[str]]
PNG = b"\x89PNG"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder with the latents of two runs and some scores."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for seed in (1, 2):
        about = {"data": "digits", "model": "vae", "arch": "mlp", "d_z": 3, "seed": seed}
        meta = files.metadata("idkit.latents/1", "embed", [], **about)
        files.write(f"{seed}.npz", {"z": rng.standard_normal((40, 3))}, meta)
    correlations = -np.sort(-rng.random((1, 3)))
    arrays = {"0/pairs": np.array([[0, 1]]), "0/in": correlations, "0/out": correlations}
    row = {"data": "digits", "model": "vae", "arch": "mlp", "d_z": 3, "mode": "strong", "runs": 2}
    meta = files.metadata("idkit.scores/1", "mcc", [], groups=[row])
    files.write("scores.npz", arrays, meta)
    return tmp_path


def refused(folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and message of a command that must leave nothing behind."""
    before = sorted(folder.iterdir())
    code = cli.run(["plot", *words])
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("idkit plot: ")
    assert said.err.count("\n") == 1
    assert sorted(folder.iterdir()) == before
    return code, said.err


@pytest.mark.parametrize(
    ("name", "magic"), [("a.png", PNG), ("b.PDF", b"%PDF"), ("c.svg", b"<?xml")]
)
def test_the_extension_decides_the_format(
    name: str, magic: bytes, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["plot", "curve", "scores.npz", "-o", name]) == 0
    assert (folder / name).read_bytes().startswith(magic)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"wrote {name}\n")


def test_without_a_name_the_figure_bears_that_of_its_kind(folder: Path, idkit: Idkit) -> None:
    done = idkit("plot", "box", "scores.npz")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "wrote box.png\n")
    assert (folder / "box.png").read_bytes().startswith(PNG)


def test_a_figure_goes_through_a_pipe(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "idkit", "plot", "matrix", "-", "-o", "-"],
        input=(folder / "scores.npz").read_bytes(),
        capture_output=True,
        check=True,
        env={**os.environ, "MPLBACKEND": "module://no.such"},
    )
    assert done.stdout.startswith(PNG)
    assert done.stderr == b""


def test_the_same_command_twice_gives_the_same_bytes(folder: Path) -> None:
    for name in ("a.svg", "b.svg"):
        assert cli.run(["plot", "latents", "1.npz", "2.npz", "-o", name, "--title", "two"]) == 0
    assert (folder / "a.svg").read_bytes() == (folder / "b.svg").read_bytes()


def test_an_existing_figure_is_replaced_only_on_demand(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.png").write_text("precious")
    code, said = refused(folder, capsys, "curve", "scores.npz", "-o", "a.png")
    assert (code, "--force" in said) == (3, True)
    assert (folder / "a.png").read_text() == "precious"
    assert cli.run(["plot", "curve", "scores.npz", "-o", "a.png", "--force"]) == 0
    assert (folder / "a.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["curve", "scores.npz", "-o", "a.jpg"], 2, ".png or .pdf or .svg"),
        (["curve", "scores.npz", "-o", "a"], 2, ".png or .pdf or .svg"),
        (["curve", "scores.npz", "-o", "nowhere/a.png"], 3, "nowhere"),
        (["cruve", "scores.npz"], 2, "did you mean 'curve'"),
        (["curve"], 2, "FILE"),
        (["curve", "1.npz"], 3, "idkit mcc"),
        (["tests", "scores.npz"], 3, "idkit wilcoxon"),
        (["history", "1.npz"], 3, "idkit train"),
        (["latents", "scores.npz"], 3, "idkit embed"),
        (["latents", "1.npz", "3.npz"], 3, "3.npz"),
        (["latents", "-", "-"], 2, "-"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_one_line(
    words: list[str], code: int, said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found, text = refused(folder, capsys, *words)
    assert found == code
    assert said in text


def test_latents_from_anywhere_are_drawn(folder: Path) -> None:
    np.save("a.npy", np.random.default_rng(0).standard_normal((30, 2)))
    np.savez(
        "b.npz", mine=np.random.default_rng(1).standard_normal((30, 4)), other=np.zeros((3, 3))
    )
    assert cli.run(["plot", "latents", "a.npy", "b.npz:mine", "-o", "both.png"]) == 0
    assert (folder / "both.png").exists()


def test_every_figure_of_the_room_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["plot", "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for kind in shelf.names("plots"):
        assert any(line.split()[:1] == [kind] for line in lines)


def test_quiet_says_nothing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["plot", "curve", "scores.npz", "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    assert (folder / "curve.png").exists()


@pytest.mark.usefixtures("folder")
def test_text_labels_and_missing_ones_are_drawn_and_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    z = np.random.default_rng(0).standard_normal((40, 3))
    u = np.array(["a", "b"] * 20)
    np.savez("text.npz", z=z, u=u)
    np.savez("gap.npz", z=z, u=np.where(np.arange(40) == 7, np.nan, np.arange(40) % 2))
    assert cli.run(["plot", "latents", "text.npz", "-o", "text.png"]) == 0
    assert capsys.readouterr().err == "wrote text.png\n"
    assert cli.run(["plot", "latents", "gap.npz", "-o", "gap.png"]) == 0
    assert "gap.npz: 1 of 40 rows have no u, and are grey" in capsys.readouterr().err
