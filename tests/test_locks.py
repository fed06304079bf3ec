"""Locks that hold where `flock` does not, and end with their process however that ends."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from idkit import locks
from idkit.errors import IdkitError
from idkit.locks import BEAT, HALF, STALE, Holder, Locks

CODE = """
import pathlib, sys
from idkit.locks import Locks
with Locks(pathlib.Path(sys.argv[1]), {"work": 7}) as locks:
    print(locks.take("s1"), flush=True)
    sys.stdin.read()
"""


@pytest.fixture(params=["links", "no links"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, also on a file system without hard links."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    if request.param == "no links":
        monkeypatch.setattr(os, "link", refuse)
    return tmp_path / "locks"


@contextmanager
def another(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has locked `s1`."""
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "None\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def rewrite(folder: Path, age: float, **changes: Any) -> None:
    """Makes the files of locks those of another process, silent for some seconds."""
    for path in folder.iterdir():
        told = json.loads(path.read_text())
        if path.stat().st_nlink == 1 or path.suffix == locks.HOLDER:
            path.write_text(json.dumps({**told, **changes}))
        then = time.time() - age
        os.utime(path, (then, then))


def test_a_lock_is_one_processs_until_it_gives_it_back(folder: Path) -> None:
    with Locks(folder) as ours, Locks(folder) as theirs:
        assert ours.take("s1") is None
        held = theirs.take("s1")
        assert held is not None
        assert held.pid == os.getpid()
        assert (ours.holder("s1"), theirs.holder("s1")) == (None, held)
        assert theirs.take("s2") is None
        ours.release("s1")
        assert theirs.holder("s1") is None
        assert theirs.take("s1") is None
        assert ours.take("s1") is not None
    assert left(folder) == []


def test_a_lock_is_another_processs_while_that_lives(folder: Path) -> None:
    with another(folder) as process, Locks(folder) as ours:
        held = ours.take("s1")
        assert held is not None
        assert (held.pid, held.about) == (process.pid, {"work": 7})
        process.send_signal(signal.SIGSTOP)  # has no heartbeat, and lives
        rewrite(folder, 2 * STALE)
        assert ours.take("s1") is not None
        process.send_signal(signal.SIGCONT)
        process.communicate("")
        assert ours.take("s1") is None
    assert left(folder) == []


@pytest.mark.skipif(not locks.this_machine(), reason="this system does not tell of processes")
def test_a_lock_of_a_killed_process_is_free_at_once(folder: Path) -> None:
    with another(folder) as process, Locks(folder) as ours:
        process.kill()
        deadline = time.monotonic() + 60
        while ours.holder("s1") is not None:  # it is dead once the system says so, reaped or not
            assert time.monotonic() < deadline
        assert ours.take("s1") is None
        ours.sweep()
        assert len(left(folder)) == 2  # our own
    assert left(folder) == []


def test_a_process_id_that_another_process_has_by_now_is_another_process(folder: Path) -> None:
    with Locks(folder) as theirs, Locks(folder) as ours:
        theirs.take("s1")
        rewrite(folder, 0, start="1")
        assert ours.take("s1") is None


@pytest.mark.parametrize("machine", ["another", ""])
def test_a_process_elsewhere_is_judged_by_its_heartbeat(folder: Path, machine: str) -> None:
    with Locks(folder) as theirs, Locks(folder) as ours:
        theirs.take("s1")
        rewrite(folder, STALE - 60, machine=machine, token="t" * 16)
        assert ours.take("s1") is not None
        rewrite(folder, STALE + 60)
        assert ours.holder("s1") is None
        assert ours.take("s1") is None
        theirs.release("s1")  # it was only away: what is ours by now stays ours
        assert theirs.take("s1") is not None


def test_a_heartbeat_is_a_heartbeat(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "BEAT", 0.01)
    with Locks(folder) as ours:
        ours.take("s1")
        os.utime(folder / "s1.lock", (0, 0))
        deadline = time.monotonic() + 60
        while (folder / "s1.lock").stat().st_mtime == 0:
            assert time.monotonic() < deadline
    assert STALE > 3 * BEAT  # two of them may be lost


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"{}", b"\xff"])
def test_what_a_killed_process_had_not_yet_written_counts_by_its_time(
    folder: Path, content: bytes
) -> None:
    folder.mkdir()
    lock = folder / "s1.lock"
    lock.write_bytes(content)
    with Locks(folder) as ours:
        held = ours.take("s1")
        assert held is not None
        assert str(held) == "another process"
        then = time.time() - HALF - 60
        os.utime(lock, (then, then))
        assert ours.take("s1") is None
    assert left(folder) == []


@pytest.mark.skipif(not locks.this_machine(), reason="this system does not tell of processes")
def test_a_process_that_was_killed_before_it_could_say_who_it_is_has_ended(folder: Path) -> None:
    with another(folder) as process, Locks(folder) as ours:
        (holder,) = folder.glob(f"{process.pid}-*.holder")
        holder.write_bytes(b"")
        (folder / "s1.lock").unlink()
        assert not ours.alone()
        ours.sweep()
        assert not ours.alone()
        process.kill()
        process.communicate()
        ours.sweep()
        assert ours.alone()


def test_one_of_many_takes_over_the_lock_of_the_dead(folder: Path) -> None:
    for _ in range(20):
        with Locks(folder) as dead:
            dead.take("s1")
            rewrite(folder, 0, start="1", token="dead")
            many = [Locks(folder) for _ in range(8)]
            barrier = threading.Barrier(len(many))
            found: list[Holder | None] = []

            def race(
                locks: Locks, barrier: threading.Barrier = barrier, found: Any = found
            ) -> None:
                barrier.wait()
                found.append(locks.take("s1"))

            threads = [threading.Thread(target=race, args=(each,)) for each in many]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert [held for held in found if held is None] == [None]
            assert len(found) == len(many)
            many[0].sweep()
            for each in many:
                each.__exit__(None, None, None)
        assert left(folder) == []


def test_whoever_was_killed_in_the_midst_of_a_take_over_is_taken_over_from(folder: Path) -> None:
    with Locks(folder) as dead:
        dead.take("dead-s1")
        (folder / "dead-s1.lock").rename(folder / "dead-s1.breaking")
        dead.take("s1")
        rewrite(folder, 0, start="1", token="dead")
        with Locks(folder) as ours:
            assert ours.take("s1") is None
            ours.sweep()
    assert left(folder) == []


def test_a_place_where_no_folder_can_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = Path("/proc") / "nothing"  # making a folder there says that /proc is missing
    for folder in (tmp_path / "file" / "locks", *([nowhere] if Path("/proc").is_dir() else [])):
        with (
            Locks(folder) as ours,
            pytest.raises(IdkitError, match=r"cannot (make|keep) .*give another --out"),
        ):
            ours.prepare()
