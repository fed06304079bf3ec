"""Standard streams that are closed, full or of a small alphabet bear on no exit code but one."""

import json
import os
import pty
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from idkit import files
from tests.conftest import command

FULL = Path("/dev/full")
TRAIN = "train --data x.npz --model vae --arch mlp3 --dz 2 --steps 3"
Ran = subprocess.CompletedProcess[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("a", "b", "naïve run"):
        np.save(name, rng.standard_normal((40, 3)))
    np.savez("x.npz", x=rng.standard_normal((20, 3)).astype(np.float32))
    return tmp_path


def shell(line: str, **env: str) -> Ran:
    """Runs a line of bash in which `idkit` is this one."""
    script = f'idkit() {{ {shlex.join(command([]))} "$@"; }}; set -o pipefail; {line}'
    return subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        check=False,
        env=os.environ | env,
        encoding="utf-8",
        errors="surrogateescape",
    )


CODES = {
    "mcc a.npy b.npy --json": 0,
    "mcc a.npy b.npy --fail-if 'mcc_out > 0'": 1,
    "mcc --what": 2,
    "mcc a.npy none.npy": 3,
    "synth linear --rows 20": 0,
    "--help": 0,
}


@cache
def usual(line: str) -> Ran:
    """What a command does where nothing is closed."""
    return shell(f"idkit {line} | cat")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("line", CODES)
def test_a_closed_stream_is_silent_and_changes_no_code(line: str, closed: str) -> None:
    done = shell(f"idkit {line} {closed}")
    assert done.returncode == usual(line).returncode == CODES[line]
    assert done.stdout == ("" if closed != "2>&-" else usual(line).stdout)
    assert done.stderr == ("" if closed != ">&-" else usual(line).stderr)


@pytest.mark.skipif(not FULL.exists(), reason="there is no full disk here")
@pytest.mark.parametrize("line", CODES)
def test_a_full_disk_behind_stderr_changes_no_code(line: str) -> None:
    done = shell(f"idkit {line} 2>/dev/full")
    assert (done.returncode, done.stdout) == (CODES[line], usual(line).stdout)


@pytest.mark.skipif(not FULL.exists(), reason="there is no full disk here")
@pytest.mark.parametrize("line", CODES)
def test_a_full_disk_behind_stdout_is_told(line: str) -> None:
    code, done = CODES[line], shell(f"idkit {line} >/dev/full")
    assert done.returncode == (code if code > 1 else 3)
    last = done.stderr.splitlines()[-1]
    assert ("cannot write to standard output: No space left on device" in last) == (code < 2)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_no_file_takes_the_place_of_a_closed_stream(closed: str) -> None:
    assert shell(f"idkit mcc a.npy b.npy -o s.npz {closed}").returncode == 0
    assert shell("idkit mcc a.npy b.npy -o t.npz -q").returncode == 0
    assert Path("s.npz").read_bytes() == Path("t.npz").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&- 2>&-", "2>/dev/full"])
@pytest.mark.parametrize("threads", [1, 2])
def test_training_goes_on_without_streams(closed: str, threads: int) -> None:
    if "full" in closed and not FULL.exists():
        pytest.skip("there is no full disk here")
    assert shell(f"idkit {TRAIN} --seed 1-2 --threads {threads} {closed}").returncode == 0
    made = sorted(Path("runs").glob("*/model.safetensors"))
    assert [files.read(str(path)).meta["seed"] for path in made] == [1, 2]


@pytest.mark.parametrize("gone", [1, 2])
@pytest.mark.parametrize("line", ["mcc a.npy b.npy --fail-if 'mcc_out > 0'", "mcc none.npy"])
def test_a_reader_that_has_gone_changes_no_code(line: str, gone: int) -> None:
    reader, writer = os.pipe()
    os.close(reader)  # nobody will ever read
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    streams["stdout" if gone == 1 else "stderr"] = writer
    done = subprocess.run(command(shlex.split(line)), check=False, **streams)  # type: ignore[call-overload]
    os.close(writer)
    assert done.returncode == usual(line).returncode > 0


def test_a_letter_that_stdout_does_not_have_is_escaped() -> None:
    done = shell("idkit mcc 'naïve run.npy' b.npy --pairs", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert r"na\xefve run.npy" in done.stdout.splitlines()[1].split("\t")
    done = shell("idkit mcc 'naïve' b.npy", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (3, "idkit mcc: no such file: na\\xefve\n")


def test_json_is_the_same_in_every_alphabet() -> None:
    line = "idkit mcc 'naïve run.npy' b.npy --pairs --json"
    ascii_, unicode = (shell(line, PYTHONIOENCODING=e).stdout for e in ("ascii", "utf-8"))
    assert ascii_ == unicode
    assert json.loads(ascii_)["rows"][0]["a"] == "naïve run.npy"


@pytest.mark.skipif(sys.platform == "darwin", reason="names of files are UTF-8 there")
@pytest.mark.parametrize("env", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0"}])
def test_a_name_that_is_no_text_can_be_given_on(env: dict[str, str]) -> None:
    name = os.fsdecode(b"run\xff.npy")
    Path("a.npy").rename(name)
    done = shell(f"idkit mcc {shlex.quote(name)} b.npy --pairs -q", **env)
    assert done.returncode == 0
    assert name in done.stdout.splitlines()[1].split("\t")
    assert shell("idkit plot latents run*.npy -q", **env).returncode == 0


@pytest.mark.parametrize("line", ["synth tcl -h", "data list -q", f"{TRAIN} -q"])
def test_a_locale_without_letters_is_enough(line: str) -> None:
    done = shell(f"idkit {line}", LC_ALL="C", PYTHONUTF8="0")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_that_is_closed_is_no_fault() -> None:
    main, side = pty.openpty()
    process = subprocess.Popen(
        command(["mcc", "a.npy", "b.npy", "--fail-if", "mcc_out > 0"]), stdout=side, stderr=side
    )
    os.close(side)
    os.close(main)
    assert process.wait() == 1
