"""What is shown: nothing that a terminal obeys, nothing too long."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idkit import files
from idkit.cli import run, show

NASTY = "\x1b]0;title\x07\x1b[31m\x9b2J\r\u202e\u2028x\ty"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in "abc":
        np.save(name, rng.standard_normal((40, 3)))
    np.savez("x.npz", x=rng.standard_normal((20, 3)).astype(np.float32))
    lines = [f"{m},{d},{0.1 * d + 0.01 * (m == 'a')}" for m in "ab" for d in range(8)]
    Path("t.csv").write_text("\n".join(["model,data,mcc", *lines, ""]))
    return tmp_path


# Terminals


@given(st.text())
def test_a_safe_text_is_one_line_that_no_terminal_obeys(text: str) -> None:
    shown = show.safe(text)
    assert not OBEYED.search(shown)
    assert "\n" not in shown
    assert (shown == text) == (not OBEYED.search(text) and not set("\n\u200e\u200f") & set(text))


def nasty_files() -> list[str]:
    """Latents, scores and tables whose every name is nasty."""
    rng = np.random.default_rng(0)
    names = {"data": f"d{NASTY}", "model": f"m{NASTY}", "arch": None, "d_z": 3}
    for seed in (1, 2, 3):
        meta = files.metadata(
            "idkit.latents/1", f"embed {NASTY}", (), seed=seed, settings={}, variant={}, **names
        )
        z = rng.standard_normal((40, 3)).astype(np.float32)
        files.write(f"n{seed}.npz", {"z": z, f"k{NASTY.replace(chr(13), '')}": z}, meta)
    cells = [f'"{m}{NASTY}",{d},{d}.{d + len(m)}' for m in ("a", "bb") for d in range(8)]
    Path("n.csv").write_text("\n".join(['model,"da\x1b[1mta",mcc', *cells, ""]), newline="")
    Path(f"f{NASTY.replace('/', '')}.npy").write_bytes(Path("a.npy").read_bytes())
    return [f"f{NASTY}.npy", "n1.npz", "n2.npz", "n3.npz"]


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize(
    "words",
    [
        ["info", "n1.npz"],
        ["info", "n.csv"],
        ["info", f"f{NASTY}.npy"],
        ["mcc", "n1.npz", "n2.npz", "n3.npz", "--fail-if", "mcc_out > 0"],
        ["mcc", f"f{NASTY}.npy", "b.npy", "--pairs"],
        ["mcc", "n1.npz", f"n2.npz:{NASTY}"],
        ["mcc", f"{NASTY}.npz", "b.npy"],
        ["mcc", f"--{NASTY}", "b.npy"],
        ["align", "n1.npz", "n2.npz", "-v"],
        ["wilcoxon", "n.csv", "--value", "mcc", "--by", "model", "--pair", "da\x1b[1mta"],
        ["wilcoxon", "n.csv", "--value", "none", "--by", NASTY],
        ["train", "--model", NASTY],
        ["plot", "latents", "n1.npz", "-o", f"{NASTY}.svg"],
        ["synth", "linear", "--name", NASTY, "-o", "d.npz"],
    ],
)
def test_what_names_hold_never_reaches_a_terminal(
    words: list[str], terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    nasty_files()
    if terminal:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setenv("NO_COLOR", "1")
        monkeypatch.setenv("TERM", "dumb")
    assert run(words) in (0, 1, 2, 3)
    captured = capsys.readouterr()
    for text in (captured.out, captured.err):
        assert not OBEYED.search(text if terminal else text.replace("\t", ""))
    if not terminal and words[0] in ("mcc", "wilcoxon") and captured.out:
        widths = {line.count("\t") for line in captured.out.splitlines()}
        assert len(widths) == 1


# Errors


def test_no_error_is_longer_than_300_letters(capsys: Capture) -> None:
    names = [f"column{n:03}" for n in range(90)]
    Path("wide.csv").write_text(",".join(names) + "\n" + ",".join("1" * 90) + "\n")
    assert run(["wilcoxon", "wide.csv", "--value", "nothing"]) == 2
    assert run(["mcc", "a.npy", "x" * 800 + ".npy"]) == 3
    for line in capsys.readouterr().err.splitlines():
        assert 100 < len(line) <= 300
        assert line.startswith(("idkit wilcoxon: ", "idkit mcc: "))
        assert "..." in line
