"""Locks by name in a folder that several processes, and machines, work in.

    runs/.partial/digits-vae-mlp-dz20/812-9c1f-4f2a.holder   a process; its time is a heartbeat
    runs/.partial/digits-vae-mlp-dz20/s3.lock                what it has locked: a hard link to that

Nothing but the creation of a name that is not there yet is relied on, which network file systems,
too, do for one process only; `flock` they may ignore. A lock of a process that was killed is taken
over: at once where it ran on this machine, which knows its process id and when that was started;
of another machine (or container) once its heartbeat is STALE seconds old by the file server's own
clock. Machines that share a folder may therefore sleep or lose it for less than that.
"""

import errno
import functools
import json
import os
import socket
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from idkit.errors import IdkitError

BEAT = 30.0  # seconds between two heartbeats
STALE = 300.0  # seconds without one, after which a process of another machine has ended
HALF = 20.0  # seconds, after which what a file still does not say was never written
TRIES = 100  # a folder that others make and remove as often meanwhile cannot be kept
PAUSE = 0.01  # seconds until the next try, while another process tidies up
Result = TypeVar("Result")
LOCK, HOLDER, BREAKING = ".lock", ".holder", ".breaking"
NO_LINKS = {errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV}


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock.

    Attributes:
        token: its name among all holders; it begins with the process id and the machine.
        host: the name of its machine; empty where it was killed before it could write that.
        pid: its process id there.
        start: when it was started, as its system counts.
        machine: the machine since its last boot, and the namespace of the process id; empty where
            the system does not tell, so that only heartbeats count.
        about: what it says of its work.
    """

    token: str
    host: str
    pid: int
    start: str
    machine: str
    about: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """As a message names it."""
        return f"process {self.pid} on {self.host}" if self.host else "another process"

    def runs(self) -> bool | None:
        """Whether the process is still there; None where only its heartbeat can tell."""
        here = self.machine and self.machine == this_machine()
        return _is_running(self.pid, self.start) if here else None


class Locks:
    """The locks that this process holds in a folder; a context, at whose end it holds none."""

    def __init__(self, folder: Path, about: Mapping[str, Any] | None = None) -> None:
        """Remembers where they are.

        Args:
            folder: made when it is needed, and removed when nothing is left in it.
            about: what other processes may know of the work, as JSON can hold it.
        """
        self.folder = folder
        token = f"{os.getpid()}-{_mark(this_machine())}-{os.urandom(8).hex()}"
        self._me = Holder(
            token,
            socket.gethostname(),
            os.getpid(),
            _start_of(os.getpid()) or "",
            this_machine(),
            about or {},
        )
        self._own = folder / f"{token}{HOLDER}"
        self._held: set[Path] = set()
        self._beaten: set[Path] = {self._own}
        self._ended = threading.Event()
        self._heart: threading.Thread | None = None

    def __enter__(self) -> "Locks":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _where: TracebackType | None,
    ) -> None:
        self._ended.set()
        for lock in list(self._held):
            self._remove(lock)
        with suppress(OSError):
            self._own.unlink()

    def prepare(self) -> None:
        """Finds out before long work whether locks can be kept there.

        Raises:
            IdkitError: when no file can be kept there.
        """
        self._tried(lambda: True)

    def take(self, name: str) -> Holder | None:
        """Takes a lock if it is to be had.

        Returns:
            None when it is ours now; else who holds it.

        Raises:
            IdkitError: when no file can be kept there.
        """
        lock = self.folder / f"{name}{LOCK}"
        found = self._tried(lambda: self._create(lock) or self._look(lock))
        if isinstance(found, Holder):
            return found
        self._held.add(lock)
        self._beat_on()
        return None

    def _tried(self, attempt: Callable[[], Result | None]) -> Result:
        """What an attempt gives that needs the folder, which others remove when they leave it."""
        for _ in range(TRIES):
            try:
                self._settle()
                if found := attempt():
                    return found
            except FileNotFoundError:
                pass
            except OSError as error:
                raise IdkitError(
                    f"cannot keep a lock in {self.folder}: {error.strerror or error}: give "
                    "another --out"
                ) from None
            time.sleep(PAUSE)
        raise IdkitError(
            f"cannot make the folder {self.folder}, or keep a file in it: give another --out"
        )

    def release(self, name: str) -> None:
        """Gives a lock back."""
        self._remove(self.folder / f"{name}{LOCK}")

    def holder(self, name: str) -> Holder | None:
        """Which other process holds a lock; None where nobody does, or one that has ended."""
        lock = self.folder / f"{name}{LOCK}"
        with suppress(OSError):
            found = _read(lock)
            if found.token != self._me.token and self._is_alive(found, lock):
                return found
        return None

    def sweep(self) -> None:
        """Removes what processes that have ended left of their locks."""
        for lock in self._files(LOCK):
            with suppress(OSError):
                self._look(lock)
        for path in (*self._files(BREAKING), *self._files(HOLDER)):
            with suppress(OSError):
                if not self._is_alive(_read(path), path):
                    path.unlink()

    def alone(self) -> bool:
        """Whether no other process has said that it is at work in the folder."""
        return all(path == self._own for path in self._files(HOLDER))

    def _files(self, ending: str) -> list[Path]:
        return sorted(self.folder.glob(f"*{ending}"))

    def _settle(self) -> None:
        """Makes sure that the file that says who we are is there."""
        if self._own.exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self._own, "x", encoding="utf-8") as stream:
            json.dump({**self._me.__dict__, "about": dict(self._me.about)}, stream)

    def _create(self, lock: Path) -> bool:
        """Creates a file that says who we are, if there is none of its name."""
        try:
            os.link(self._own, lock)
            return True
        except FileExistsError:  # the first answer of a server may have been lost on the way
            return lock.samefile(self._own)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
        try:
            with open(lock, "xb") as stream:
                stream.write(self._own.read_bytes())
        except FileExistsError:
            return False
        self._beaten.add(lock)
        return True

    def _look(self, lock: Path) -> Holder | None:
        """Who holds a lock; what a process that has ended left of it is removed."""
        found = _read(lock)
        if self._is_alive(found, lock):
            return found
        self._break(lock, found)
        return None

    def _break(self, lock: Path, dead: Holder) -> None:
        """Removes the lock of a process that has ended, and never one that came after it.

        Only one process may do that for each lock of each holder: the one that creates the mark.
        """
        self._settle()
        mark = lock.with_name(f"{dead.token}-{lock.stem}{BREAKING}")
        if not self._create(mark):
            if not self._is_alive(_read(mark), mark):  # killed in the midst of this
                mark.unlink(missing_ok=True)
            return
        try:
            if _read(lock).token == dead.token:
                lock.unlink()
        finally:
            self._remove(mark)

    def _remove(self, lock: Path) -> None:
        """Removes a lock of ours; one that was taken over from us stays."""
        self._held.discard(lock)
        self._beaten.discard(lock)
        with suppress(OSError):
            if _read(lock).token == self._me.token:
                lock.unlink()

    def _is_alive(self, holder: Holder, path: Path) -> bool:
        """Whether a process still runs, or has been heard of not long ago."""
        runs = holder.runs()  # of one that is stopped, too, and has no heartbeat
        if runs is not None and (holder.host or not runs):
            return runs
        return self._now() - path.stat().st_mtime < (STALE if holder.host else HALF)

    def _now(self) -> float:
        """The time by the clock that files get theirs from, which may be a server's."""
        self._settle()
        os.utime(self._own)
        return self._own.stat().st_mtime

    def _beat_on(self) -> None:
        if self._heart is None:
            self._heart = threading.Thread(target=self._beats, daemon=True)
            self._heart.start()

    def _beats(self) -> None:
        while not self._ended.wait(BEAT):
            for path in list(self._beaten):
                with suppress(OSError):  # a server that is away comes back, or we are given up
                    os.utime(path)


@functools.cache
def this_machine() -> str:
    """This machine since its last boot, and the namespace of its process ids; empty if unknown."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    with suppress(OSError):
        space = Path("/proc/self/ns/pid").readlink()
        return f"{boot.read_text(encoding='ascii').strip()} {space}"
    return _told("sysctl", "-n", "kern.bootsessionuuid")  # macOS


def _read(path: Path) -> Holder:
    """What a file says of a process."""
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        told = json.loads(text)
        return Holder(**{name: told[name] for name in Holder.__annotations__})
    except (ValueError, KeyError, TypeError):  # of one that was killed as it wrote
        pid, machine, *_ = (*path.stem.split("-"), "")
        known = path.suffix == HOLDER and pid.isdecimal() and machine == _mark(this_machine())
        where = (int(pid), "", this_machine()) if known else (0, "", "")
        return Holder(f"{path.stat().st_ino}", "", *where)


def _mark(machine: str) -> str:
    """A few digits that tell one machine from another."""
    return f"{zlib.crc32(machine.encode()):08x}"


def _is_running(pid: int, start: str) -> bool | None:
    """Whether a process of this machine runs; None where the system does not tell."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another user's
        pass
    found = _start_of(pid)
    return None if found is None else found != "" and start in ("", found)


def _start_of(pid: int) -> str | None:
    """When a process was started, empty for one that has ended; None where that is not told."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return _told("ps", "-o", "lstart=", "-p", str(pid)) or None
    state, *numbers = text.rpartition(")")[2].split()
    return "" if state in "ZX" else numbers[18]


def _told(*words: str) -> str:
    """What a command of the system says; empty where there is none."""
    if os.name != "posix":
        return ""
    try:
        env = {**os.environ, "LC_ALL": "C"}
        done = subprocess.run(words, capture_output=True, env=env, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode(errors="replace").strip()
