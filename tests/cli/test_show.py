"""What is shown: nothing that a terminal obeys, nothing too long, and every caveat in JSON, too."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idkit import files
from idkit.cli import run, show

NASTY = "\x1b]0;title\x07\x1b[31m\x9b2J\r\u202e\u2028x\ty"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
TRAIN = "train --data x.npz --model vae --arch mlp3 --dz 2 --steps 3"
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


def document(capsys: Capture, line: str, code: int = 0) -> tuple[dict[str, Any], list[str]]:
    """The one document that a command prints, and the lines of its stderr."""
    capsys.readouterr()
    assert run(line.split() if "'" not in line else _words(line)) == code
    captured = capsys.readouterr()
    found: dict[str, Any] = json.loads(captured.out)
    return found, captured.err.splitlines()


def _words(line: str) -> list[str]:
    import shlex

    return shlex.split(line)


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
    assert run(["wilcoxon", "wide.csv", "--value", "nothing"]) == 3
    assert run(["mcc", "a.npy", "x" * 800 + ".npy"]) == 3
    for line in capsys.readouterr().err.splitlines():
        assert 100 < len(line) <= 300
        assert line.startswith(("idkit wilcoxon: ", "idkit mcc: "))


# JSON


@pytest.mark.parametrize(
    ("line", "code", "note"),
    [
        ("mcc a.npy b.npy", 0, "no interval: it is over seeds and needs 3, found 2"),
        ("mcc a.npy b.npy --fail-if 'mcc_out > 0'", 1, "mcc_out > 0 holds: "),
        ("align a.npy b.npy", 0, "matched by position"),
        ("wilcoxon t.csv --value mcc --by model --pair data", 0, "a is higher than b"),
        (f"{TRAIN} --batch-size 50", 0, "note: --batch-size 50 is cut to 20"),
        ("synth linear --rows 9 -o s.npz", 0, "condition numbers of the mixing matrices: "),
    ],
)
def test_the_document_holds_what_is_said_of_the_result(
    line: str, code: int, note: str, capsys: Capture
) -> None:
    loud, said = document(capsys, f"{line} --json", code)
    assert any(text.find(note) >= 0 for text in loud["notes"]), loud["notes"]
    assert [text for text in said if text in loud["notes"]] == loud["notes"]
    again = " --force" if "-o" in line or "train" in line else ""
    quiet, nothing = document(capsys, f"{line} --json -q{again}", code)
    assert quiet["notes"] == loud["notes"]
    assert nothing == []


def test_what_is_only_news_is_not_in_the_document(capsys: Capture) -> None:
    found, said = document(capsys, f"{TRAIN} --json")
    assert any(text.startswith("training x-vae") for text in said)
    assert not any("training x-vae" in text for text in found["notes"])


@pytest.mark.parametrize("line", ["info a.npy", "data list", "data verify digits"])
def test_every_document_has_notes(line: str, capsys: Capture) -> None:
    found, said = document(capsys, f"{line} --json")
    assert list(found)[:4] == ["schema", "version", "rows", "notes"]
    assert found["notes"] == said


def test_a_result_that_nothing_follows_from_is_printed_all_the_same(capsys: Capture) -> None:
    found, said = document(capsys, "mcc a.npy b.npy --json --fail-if 'ci_low < 0.5'", 3)
    assert found["rows"][0]["ci_low"] is None
    assert said[-1] == "idkit mcc: 'ci_low < 0.5' cannot be decided: ci_low is undefined here"


def test_seeds_that_failed_are_in_the_document(capsys: Capture) -> None:
    np.savez("x.npz", x=np.full((20, 3), 1e30, np.float32))
    found, said = document(capsys, f"{TRAIN} --json -q", 5)
    assert found["rows"][0]["status"] == "failed"
    assert [f"idkit train: {text}" for text in found["notes"]] == said


def test_an_error_is_no_document(capsys: Capture) -> None:
    assert run(["mcc", "a.npy", "none.npy", "--json"]) == 3
    assert capsys.readouterr().out == ""


def test_what_synth_writes_is_a_row(capsys: Capture) -> None:
    found, _ = document(capsys, "synth tcl --per-segment 9 --segments 4 -o t.npz --json")
    assert found["schema"] == "idkit.made/1"
    assert found["rows"] == [
        {
            "kind": "tcl",
            "data": "tcl-persegment9-segments4",
            "n": 36,
            "d_x": 5,
            "d_s": 5,
            "d_z": None,
            "labels": 4,
            "path": "t.npz",
        }
    ]
    found, _ = document(capsys, "synth permuted --from a.npy -o p.npz --json")
    (row,) = found["rows"]
    assert (row["kind"], row["n"], row["d_z"], row["d_x"]) == ("permuted", 40, 3, None)


def test_what_plot_writes_is_a_row(capsys: Capture) -> None:
    found, _ = document(capsys, "plot latents a.npy b.npy -o l.svg --json")
    size = Path("l.svg").stat().st_size
    row = {"kind": "latents", "path": "l.svg", "format": "svg", "bytes": size, "files": 2}
    assert (found["schema"], found["rows"]) == ("idkit.figures/1", [row])


def test_what_is_trained_into_one_file_is_a_row(capsys: Capture) -> None:
    found, _ = document(capsys, f"{TRAIN} --json -o m.npz")
    (row,) = found["rows"]
    assert (row["seed"], row["status"], row["path"]) == (1, "trained", "m.npz")


@pytest.mark.parametrize(
    "line",
    [
        "synth tcl",
        "plot latents a.npy -o -",
        f"{TRAIN} -o -",
        "mcc a.npy b.npy -o -",
        "align a.npy b.npy -o -",
        "wilcoxon t.csv -o -",
    ],
)
def test_a_file_and_a_document_are_not_both_on_stdout(line: str, capsys: Capture) -> None:
    assert run([*line.split(), "--json"]) == 2
    assert "add -o FILE" in capsys.readouterr().err
