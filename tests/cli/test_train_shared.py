"""Several `idkit train` at work in one folder: each seed is trained once, and nothing is lost."""

import errno
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from idkit import files, runs
from idkit.cli import run
from tests.conftest import command

HELD = Path(__file__).parents[1] / "held.py"
LINE = "train --data mine.npz --model vae --arch mlp3 --dz 2 --batch-size 16"
SHORT = f"{LINE} --steps 60 --batch-seeds 1"
NAME = "mine-vae-mlp3-dz2-steps60-batchsize16"
PATIENCE = 120.0  # seconds until a test gives up: no measure of anything
MOST_KILLS = 30
Process = subprocess.Popen[str]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    np.savez("mine.npz", x=x)
    return tmp_path


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """Starts an idkit command; with `at`, its training stands still there, see tests/held.py."""
    started: list[Process] = []

    def begin(line: str, at: int | None = None) -> Process:
        process = subprocess.Popen(
            command(line.split()) if at is None else [sys.executable, str(HELD), *line.split()],
            env=os.environ | {"HELD_AT": str(at)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def hold(start: Callable[..., Process], line: str) -> Process:
    """A training that stands still with its first checkpoint until the file `go` is there."""
    process = start(f"{line} --save-seconds 0", at=1)
    wait_for(lambda: list(Path("runs").glob(".partial/*/s*.safetensors")), process)
    return process


def wait_for(happened: Callable[[], object], process: Process) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.005)


def contents(folder: str) -> dict[str, bytes]:
    """Every file below a folder, hidden ones, too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


@pytest.mark.slow
def test_one_seed_a_process_into_one_folder(start: Callable[..., Process]) -> None:
    processes = [start(f"{SHORT} --seed {seed}") for seed in range(1, 6)]
    for process in processes:
        process.communicate()
    assert [process.returncode for process in processes] == [0] * 5
    assert run([*SHORT.split(), "--seed", "1-5", "-q", "-o", "calm"]) == 0
    assert contents("runs") == contents("calm")


@pytest.mark.slow
def test_a_seed_that_another_command_trains_is_waited_for(start: Callable[..., Process]) -> None:
    first = hold(start, f"{SHORT} --seed 1-2 --batch-seeds 2")
    second = start(f"{SHORT} --seed 2-3 --json")
    assert second.stderr is not None
    said = [second.stderr.readline() for _ in range(2)]
    assert said[0] == f"training {NAME}: seed 3, 60 steps\n"
    assert said[1].startswith(f"waiting for seed 2, in training by process {first.pid} on ")
    assert Path(f"runs/{NAME}-s3/model.safetensors").exists()  # meanwhile the others are trained
    Path("go").touch()
    out, rest = second.communicate()
    assert second.returncode == 0
    assert all(line.startswith("warning: ") for line in rest.splitlines())
    assert [row["status"] for row in json.loads(out)["rows"]] == ["skipped", "trained"]
    first.communicate()
    assert first.returncode == 0
    assert sorted(contents("runs")) == [f"{NAME}-s{seed}/model.safetensors" for seed in (1, 2, 3)]


@pytest.mark.slow
def test_no_wait_skips_it_says_so_and_trains_the_others(
    start: Callable[..., Process], capsys: pytest.CaptureFixture[str]
) -> None:
    first = hold(start, f"{SHORT} --seed 1-2 --batch-seeds 2")
    before = contents("runs")
    for seeds in ("2-3", "2"):
        assert run([*SHORT.split(), "--seed", seeds, "--no-wait", "--json", "-q"]) == 5
        captured = capsys.readouterr()
        rows = {row["seed"]: row for row in json.loads(captured.out)["rows"]}
        assert rows[2] == {
            "seed": 2,
            "status": "elsewhere",
            "objective": None,
            "epochs": None,
            "seconds": None,
            "path": f"runs/{NAME}-s2/model.safetensors",
        }
        assert captured.err.startswith("idkit train: seed 2: skipped, another idkit train is ")
        assert captured.err.count("\n") == 1
    assert rows.keys() == {2}
    after = contents("runs")
    assert after.keys() - before.keys() == {f"{NAME}-s3/model.safetensors"}
    assert {name: after[name] for name in before} == before
    first.kill()


@pytest.mark.slow
def test_ctrl_c_works_while_waiting_and_the_other_goes_on(start: Callable[..., Process]) -> None:
    first = hold(start, f"{SHORT} --seed 1")
    second = start(f"{SHORT} --seed 1")
    assert second.stderr is not None
    assert second.stderr.readline().startswith("waiting for seed 1")
    second.send_signal(signal.SIGINT)
    out, said = second.communicate()
    assert (second.returncode, out) == (130, "")
    assert said == "idkit train: stopped: the same command goes on from here\n"
    Path("go").touch()
    first.communicate()
    assert first.returncode == 0


@pytest.mark.slow
def test_who_waits_takes_over_when_the_other_is_killed(start: Callable[..., Process]) -> None:
    first = hold(start, f"{SHORT} --seed 1")
    second = start(f"{SHORT} --seed 1")
    assert second.stderr is not None
    assert second.stderr.readline().startswith("waiting for seed 1")
    first.kill()  # and nobody has looked after it yet: it is a zombie
    _, said = second.communicate()
    assert second.returncode == 0
    (step,) = [line for line in said.splitlines() if "from step" in line]
    assert step.endswith("on: seed 1")
    assert run([*SHORT.split(), "-q", "-o", "calm"]) == 0
    assert contents("runs") == contents("calm")


@pytest.mark.slow
def test_force_waits_and_then_trains_again(start: Callable[..., Process]) -> None:
    first = hold(start, f"{SHORT} --seed 1-2 --batch-seeds 2")
    second = start(f"{SHORT} --seed 2-3 --force --json")
    assert second.stderr is not None
    while "waiting for seed 2" not in second.stderr.readline():
        pass
    Path("go").touch()
    out, _ = second.communicate()
    assert second.returncode == 0
    assert [row["status"] for row in json.loads(out)["rows"]] == ["trained", "trained"]
    first.communicate()
    assert first.returncode == 0


@pytest.mark.slow
def test_another_configuration_in_the_same_place_is_refused_meanwhile(
    start: Callable[..., Process], capsys: pytest.CaptureFixture[str]
) -> None:
    first = hold(start, f"{SHORT} --seed 1")
    np.savez("mine.npz", x=np.ones((64, 4), np.float32))
    assert run([*SHORT.split(), "--seed", "1"]) == 3
    error = capsys.readouterr().err
    assert f"runs/{NAME}-s1 is being trained by process {first.pid} on " in error
    assert "before mine.npz changed" in error
    assert run([*LINE.split(), "--steps", "3", "--seed", "1", "-q"]) == 0  # another group may
    first.kill()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes begin slowly here")
@pytest.mark.parametrize("chance", [0, 1])
def test_many_that_are_killed_at_random_train_each_seed_once(
    chance: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Logged(runs.Group):
        """A group that writes down what is finished, and in whose place."""

        def save(self, seed: int, arrays: runs.Arrays, command: str, failed_at: int | None) -> Path:
            with open("log", "a") as log:
                log.write(f"{seed}\n")
            return super().save(seed, arrays, command, failed_at)

    line = [*SHORT.split(), "--save-seconds", "0", "-q"]
    assert run([*line, "--seed", "1-8", "-o", "calm"]) == 0
    monkeypatch.setattr(runs, "Group", Logged)
    rng = random.Random(chance)

    def begin(seeds: str) -> int:
        """Starts a command in a copy of this process, which has loaded everything."""
        child = os.fork()
        if child:
            return child
        code = 70
        with suppress(BaseException):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(os.open("errors", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
            sys.stdout, sys.stderr = open(1, "w"), open(2, "w")  # noqa: SIM115 - until the end
            code = run([*line, "--seed", seeds])
            sys.stderr.flush()
        os._exit(code)

    ranges = [(first, rng.randint(first, 8)) for first in (1, 1, 2, 3, 5, 7)]
    lists = ["8,3,1", "1-8", *(f"{first}-{last}" for first, last in ranges)]
    working = {begin(seeds): seeds for seeds in lists}
    kills = 0
    while working:
        time.sleep(rng.random() / 20)
        if kills < MOST_KILLS:
            kills += 1
            os.kill(rng.choice(list(working)), signal.SIGKILL)
        while working:
            child, status = os.waitpid(-1, 0 if kills == MOST_KILLS else os.WNOHANG)
            if not child:
                break
            seeds = working.pop(child)
            if os.WIFSIGNALED(status):
                working[begin(seeds)] = seeds  # again, until it is complete
            else:
                assert os.WEXITSTATUS(status) == 0, Path("errors").read_text()
    finished = sorted(map(int, Path("log").read_text().split()))
    assert sorted(set(finished)) == list(range(1, 9))
    assert len(finished) <= 8 + kills  # only who was killed as it wrote the end writes it again
    assert contents("runs") == contents("calm")


def test_a_run_of_a_seed_is_made_even_where_locks_cannot_be_links(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "link", refuse)
    assert run([*LINE.split(), "--steps", "3", "-q"]) == 0
    (path,) = Path("runs").rglob("*.*")
    assert files.read(str(path)).schema == "idkit.model/1"
