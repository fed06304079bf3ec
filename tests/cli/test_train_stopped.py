"""`idkit train` stopped, killed and started twice: nothing is lost, and nothing is another."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from idkit import files
from idkit.cli import run
from idkit.errors import IdkitError
from tests.conftest import command

STEPS = 400
LINE = f"train --data mine.npz --model vade --arch mlp3 --steps {STEPS} --batch-size 16 --seed 1-3"
LONG = LINE.replace(str(STEPS), "1000000")
TWO = "--threads 2"
SAVING = "--save-seconds 0"
HELD = Path(__file__).parents[1] / "held.py"
PATIENCE = 120.0  # seconds until a test gives up: no measure of anything
Process = subprocess.Popen[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    np.savez("mine.npz", x=x)
    return tmp_path


@cache
def undisturbed(words: str) -> dict[str, bytes]:
    """What the command makes in one go, in this process."""
    assert run([*LINE.split(), *words.split(), "-q", "-o", "calm"]) == 0
    return contents("calm")


def calm(line: str = LINE) -> dict[str, bytes]:
    """What a command makes when nothing happens: two processes share seeds as two turns do."""
    return undisturbed("--batch-seeds 2" if TWO in line else "")


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """Starts an idkit command in a process group of its own, as a shell does.

    With `at`, its training stands still there until `go`, see tests/held.py.
    """
    started: list[Process] = []

    def begin(line: str, at: int | str | None = None) -> Process:
        go(forbidden=True)
        process = subprocess.Popen(
            command(line.split()) if at is None else [sys.executable, str(HELD), *line.split()],
            env=os.environ | {"HELD_AT": str(at)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def go(*, forbidden: bool = False) -> None:
    """Lets trainings that stand still go on, or the next ones stand still."""
    if forbidden:
        Path("go").unlink(missing_ok=True)
    else:
        Path("go").touch()


def wait_for(happened: Callable[[], object], process: Process) -> None:
    """Waits until something has happened, while a process runs."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


def checkpoints(folder: str = "runs") -> list[Path]:
    return list(Path(folder).glob(".partial/*/s*.safetensors"))


def steps_done() -> int:
    """The most steps that any checkpoint holds; 0 where there is none."""
    found = [0]
    for path in checkpoints():
        try:
            found.append(int(files.read(str(path)).arrays["step"]))
        except IdkitError:  # it has just been replaced
            continue
    return max(found)


def contents(folder: str) -> dict[str, bytes]:
    """Every file below a folder, hidden ones, too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
def test_what_is_killed_again_and_again_ends_as_if_undisturbed(
    start: Callable[..., Process],
) -> None:
    for steps in (1, STEPS // 4, STEPS // 2):
        process = start(f"{LINE} {SAVING}", at=steps)
        wait_for(lambda steps=steps: steps_done() >= steps, process)  # type: ignore[misc]
        process.kill()
        process.communicate()
        assert checkpoints()
    process = start(LINE, at="result")
    wait_for(lambda: list(Path("runs").glob("*/model.safetensors")), process)
    process.kill()  # between two of the three results
    process.communicate()
    process = start(LINE)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert contents("runs") == calm()


@pytest.mark.slow
def test_what_is_killed_before_anything_was_saved_ends_as_if_undisturbed(
    start: Callable[..., Process],
) -> None:
    process = start(LINE, at=1)
    wait_for(lambda: list(Path("runs").rglob("*.lock")), process)
    process.kill()
    process.communicate()
    assert run([*LINE.split(), "-q"]) == 0
    assert contents("runs") == calm()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "threads"),
    [
        (signal.SIGINT, 130, 1),
        (signal.SIGTERM, 143, 1),
        (signal.SIGINT, 130, 2),
        (signal.SIGHUP, 143, 2),  # the terminal is closed
    ],
)
def test_a_signal_saves_says_how_to_go_on_and_loses_nothing(
    number: signal.Signals, code: int, threads: int, start: Callable[..., Process]
) -> None:
    line = f"{LINE} --threads {threads}"
    process = start(f"{line} {SAVING}", at=1)
    wait_for(lambda: len(checkpoints()) == threads, process)
    if threads == 2:
        os.killpg(process.pid, number)  # Ctrl-C reaches every process of a terminal
    else:
        process.send_signal(number)
    go()
    out, errors = process.communicate()
    assert process.returncode == code
    assert out == ""
    assert errors.splitlines()[-1] == "idkit train: stopped: the same command goes on from here"
    assert "Traceback" not in errors
    assert checkpoints()
    assert run([*line.split(), "-q"]) == 0
    assert contents("runs") == calm(line)


def catches(process: Process, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return bool(int(status.partition("SigCgt:")[2].split()[0], 16) >> (number - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="handlers are not listed here")
@pytest.mark.parametrize(
    ("number", "code", "word"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "terminated"),
        (signal.SIGHUP, 143, "terminated"),
    ],
)
def test_a_signal_before_training_is_one_line_and_leaves_nothing(
    number: signal.Signals, code: int, word: str, start: Callable[..., Process]
) -> None:
    os.mkfifo("pipe")
    process = start("train --data pipe")  # which waits for somebody to write
    wait_for(lambda: catches(process, signal.SIGTERM) and catches(process, number), process)
    process.send_signal(number)
    out, errors = process.communicate()
    assert (process.returncode, out, errors) == (code, "", f"idkit train: {word}\n")
    assert sorted(path.name for path in Path().iterdir()) == ["mine.npz", "pipe"]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="handlers are not listed here")
def test_a_hangup_that_the_user_has_ignored_stays_ignored(start: Callable[..., Process]) -> None:
    os.mkfifo("pipe")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        process = start("train --data pipe")
    finally:
        signal.signal(signal.SIGHUP, before)
    wait_for(lambda: catches(process, signal.SIGTERM), process)
    assert not catches(process, signal.SIGHUP)
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGTERM)
    assert process.communicate() == ("", "idkit train: terminated\n")


@pytest.mark.slow
def test_one_file_is_whole_or_not_there(
    start: Callable[..., Process], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "scratch").mkdir()
    monkeypatch.setenv("TMPDIR", str(home / "scratch"))
    process = start(f"{LONG} --seed 1 --compile off -o m.npz {SAVING}")
    wait_for(lambda: list(Path("scratch").glob("*/.partial/*/s1.safetensors")), process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.splitlines()[-1] == (
        "idkit train: stopped: nothing is kept: -o FOLDER saves as it goes"
    )
    assert [path.name for path in Path().rglob("*") if path.is_file()] == ["mine.npz"]


@pytest.mark.slow
def test_workers_whose_parent_was_killed_end_and_leave_the_rest_to_the_next(
    start: Callable[..., Process],
) -> None:
    line = f"{LINE} {TWO}"
    process = start(f"{line} {SAVING}", at=1)
    wait_for(lambda: len(checkpoints()) == 2, process)
    process.kill()
    go()
    process.communicate()  # which ends once no worker holds the pipe any more
    assert run([*line.split(), "-q"]) == 0
    assert contents("runs") == calm(line)


@pytest.mark.slow
def test_two_processes_do_what_one_does(capsys: pytest.CaptureFixture[str]) -> None:
    expected = calm(TWO)
    capsys.readouterr()
    assert run([*LINE.split(), *TWO.split(), "--json", "-q"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["seed"], row["status"]) for row in rows] == [(s, "trained") for s in (1, 2, 3)]
    assert contents("runs") == expected


@pytest.mark.slow
def test_a_worker_that_is_killed_is_told_and_can_be_made_up_for(
    start: Callable[..., Process],
) -> None:
    line = f"{LINE} {TWO}"
    process = start(f"{line} {SAVING}", at=1)
    wait_for(lambda: len(checkpoints()) == 2, process)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if not children.exists():
        pytest.skip("this kernel does not list children")
    workers = [
        int(child)
        for child in children.read_text().split()
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    go()
    _, errors = process.communicate()
    assert process.returncode == 3
    assert "a worker process ended with code -9" in errors.splitlines()[-1]
    assert run([*line.split(), "-q"]) == 0
    assert contents("runs") == calm(line)


@pytest.mark.slow
def test_a_compiler_that_is_missing_costs_time_and_no_more(
    start: Callable[..., Process], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    line = LINE.replace(str(STEPS), "30")
    assert run([*line.split(), "--compile", "off", "-q", "-o", "calm"]) == 0
    monkeypatch.setenv("CXX", "/nonexistent")
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(home / "cache"))
    process = start(f"{line} --compile on")
    _, errors = process.communicate()
    assert process.returncode == 0
    (note,) = [line for line in errors.splitlines() if "not compiled" in line]
    assert "C++ compiler" in note
    assert contents("runs") == contents("calm")


def test_a_compiler_without_a_cache_costs_time_and_no_more(
    start: Callable[..., Process], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    line = LINE.replace(str(STEPS), "30")
    assert run([*line.split(), "--compile", "off", "-q", "-o", "calm"]) == 0
    (home / "cache").touch()
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(home / "cache"))
    process = start(f"{line} --compile on")
    _, errors = process.communicate()
    assert process.returncode == 0
    (note,) = [line for line in errors.splitlines() if "not compiled" in line]
    assert f"which is slower: {home}/cache cannot be written (File exists)" in note
    assert contents("runs") == contents("calm")
