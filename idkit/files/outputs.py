"""Writing: whole or not at all, never over a file that the user did not offer."""

import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from idkit.errors import IdkitError, UsageError
from idkit.files.processes import is_running, machine

STDOUT = "-"
TEMPORARY = ".idkit-{}.tmp"
OWNED = re.compile(r"\.idkit-(?P<machine>[0-9a-f]+)-(?P<process>\d+)-[0-9a-f]+\.tmp")
ABANDONED = 86_400.0  # seconds without a byte, after which whoever wrote has ended


def refuse_existing(path: str | None, *, force: bool) -> None:
    """Finds out before long work whether its result could be written.

    Args:
        path: where it shall go; None for nowhere, `-` for standard output.
        force: whether a file that exists may be replaced.

    Raises:
        IdkitError: when the file exists, or its folder is missing or closed to us.
        UsageError: when standard output is a terminal.
    """
    if path is None:
        return
    with _one_line(path):
        if path == STDOUT:
            _refuse_terminal(sys.stdout.isatty())
        elif _is_special(path):
            _refuse_terminal(_is_terminal(path))
        else:
            _refuse_target(Path(path), force=force)


def write_bytes(path: str, content: bytes, *, force: bool = False) -> None:
    """Writes a file whole or not at all.

    Args:
        path: where to; `-` is standard output.
        content: what to write.
        force: whether a file that exists may be replaced.

    Raises:
        IdkitError: when it cannot be written; then the folder is as it was.
        UsageError: when standard output is a terminal.
    """
    with writing(path, force=force) as stream:
        stream.write(content)


def sweep(folder: Path, *, nameless_after: float = 0) -> None:
    """Removes what killed commands left of unfinished files, and never what one is writing now.

    Those of this machine go as soon as their process has ended; those of another, whose processes
    are not seen, when they have not grown for a day.

    Args:
        folder: where the files are; one that is missing or closed to us is left alone.
        nameless_after: seconds after which those go that do not say whose they are, as those of
            idkit 0.1; none where no other command can be writing there.
    """
    with suppress(OSError):
        for leftover in folder.glob(TEMPORARY.format("*")):
            with suppress(OSError):  # another command has swept it, or it is not ours to remove
                if _is_abandoned(leftover, nameless_after):
                    leftover.unlink()


def _is_abandoned(path: Path, nameless_after: float) -> bool:
    owner = OWNED.fullmatch(path.name)
    here = owner is not None and owner["machine"] == machine()
    if owner is not None and here and not is_running(int(owner["process"])):
        return True
    after = nameless_after if owner is None else ABANDONED  # a number may be used again
    return time.time() - path.stat().st_mtime >= after


@contextmanager
def writing(path: str, *, force: bool) -> Iterator[IO[bytes]]:
    """A stream whose content stands under `path` once the block has ended without an error.

    Args:
        path: where to; `-` is standard output. A pipe or device is written to directly.
        force: whether a file that exists may be replaced.
    """
    refuse_existing(path, force=force)
    with _one_line(path):
        if path == STDOUT:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        elif _is_special(path):
            with open(path, "wb") as stream:
                yield stream
        else:
            with _replacing(Path(os.path.realpath(path)), force=force) as stream:
                yield stream


@contextmanager
def _one_line(path: str) -> Iterator[None]:
    """Turns what the system says into an error of idkit; a closed pipe stays one."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise IdkitError(f"cannot write {path}: {error.strerror or error}") from None


@contextmanager
def _replacing(path: Path, *, force: bool) -> Iterator[IO[bytes]]:
    """A new file beside `path` that takes its name at the end, or vanishes."""
    sweep(path.parent, nameless_after=ABANDONED)
    owner = f"{machine()}-{os.getpid()}-{os.urandom(6).hex()}"
    temporary = path.with_name(TEMPORARY.format(owner))
    try:
        with open(temporary, "xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        _refuse_target(path, force=force)  # it may have come up meanwhile
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _refuse_target(path: Path, *, force: bool) -> None:
    folder = path.parent
    if path.is_dir():
        raise IdkitError(f"{path} is a folder: name a file in it")
    if path.exists() and not force:
        raise IdkitError(f"{path} exists: --force replaces it")
    if not folder.is_dir():
        raise IdkitError(f"cannot write {path}: there is no folder {folder} (mkdir -p {folder})")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise IdkitError(f"cannot write {path}: the folder {folder} is not writable")


def _is_special(path: str) -> bool:
    """Whether a path leads to a pipe, a terminal or a device."""
    try:
        mode = Path(path).stat().st_mode
    except (OSError, ValueError):
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _is_terminal(path: str) -> bool:
    if not stat.S_ISCHR(Path(path).stat().st_mode):
        return False
    descriptor = os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        return os.isatty(descriptor)
    finally:
        os.close(descriptor)


def _refuse_terminal(is_terminal: bool) -> None:
    if is_terminal:
        raise UsageError(
            "the output is binary and standard output is a terminal: use -o FILE or a pipe"
        )
