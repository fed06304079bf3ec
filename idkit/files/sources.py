"""From what a user typed to the bytes behind it: a file, `FILE:KEY`, or `-`."""

import difflib
import mmap
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path

from idkit.errors import IdkitError, UsageError
from idkit.files import conversions
from idkit.files.contents import Content
from idkit.files.conversions import by_python

STDIN = "-"
ANNEX = "annex/objects/"  # where git-annex keeps what it has fetched
DESCRIPTORS_LEFT = 16  # for what opens files while many are mapped
MAPPED_FROM = 1 << 20  # smaller files are read whole: a mapping holds a file descriptor


def split_key(source: str) -> tuple[str, str | None]:
    """The file and the array of `FILE:KEY`; a file whose own name holds the colon wins.

    >>> split_key("-:z"), split_key("runs/a.npz")
    (('-', 'z'), ('runs/a.npz', None))
    """
    if _exists(source):
        return source, None
    colons = [at for at, letter in enumerate(source) if letter == ":"]
    for at in reversed(colons):  # keys, too, may hold a colon
        if source[:at] == STDIN or _exists(source[:at]):
            return source[:at], source[at + 1 :]
    return source, None


def single_stdin(sources: Iterable[str]) -> None:
    """Makes sure that standard input is named once at most.

    Args:
        sources: the inputs as the user typed them.

    Raises:
        UsageError: when `-` stands among them twice.
    """
    times = sum(split_key(source)[0] == STDIN for source in sources)
    if times > 1:
        raise UsageError(f"'-' is given {times} times, but standard input can be read only once")


def open_content(path: str) -> Content:
    """The bytes behind a path or `-`.

    Raises:
        IdkitError: when there is nothing to read; the text says what stands there instead.
        UsageError: when `-` is a terminal.
    """
    if path == STDIN:
        return Content("standard input", STDIN, _not_empty("standard input", _stdin()))
    try:
        buffer = _bytes_of(path)
        return Content(path, Path(path).name, _not_empty(path, buffer))
    except FileNotFoundError:
        raise IdkitError(_missing(path)) from None
    except IsADirectoryError:
        raise IdkitError(_folder(path)) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise IdkitError(f"cannot read {path}: {_reason(error)}") from None


def _stdin() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("'-' reads from a pipe or a file, but standard input is a terminal")
    return sys.stdin.buffer.read()


def _bytes_of(path: str) -> mmap.mmap | bytes:
    with open(path, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_size < MAPPED_FROM:
            return file.read()
        _keep_descriptors_free(file.fileno())
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _keep_descriptors_free(descriptor: int) -> None:
    """Before a mapping takes one more: near the limit, takes as many as the system grants."""
    import resource  # not on every system

    most, granted = resource.getrlimit(resource.RLIMIT_NOFILE)
    following = os.dup(descriptor)  # the lowest that is free
    os.close(following)
    if following + DESCRIPTORS_LEFT > most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (granted, granted))


def _exists(path: str) -> bool:
    """Whether something is there, a link that leads nowhere included."""
    return os.path.lexists(path)


def _not_empty(label: str, buffer: mmap.mmap | bytes) -> mmap.mmap | bytes:
    if len(buffer) == 0:
        hint = ": did the command before the pipe fail?" if label == "standard input" else ""
        raise IdkitError(f"{label} is empty (0 bytes){hint}")
    return buffer


def _missing(path: str) -> str:
    folder = Path(path).parent
    if Path(path).is_symlink():
        target = str(Path(path).readlink())
        fetch = ": 'git annex get' fetches it" if ANNEX in target else ""
        return f"{path} is a link to {target}, which is not there{fetch}"
    if not folder.is_dir():
        return f"no such file: {path} (there is no folder {folder})"
    near = difflib.get_close_matches(Path(path).name, _names_in(folder), n=1)
    return f"no such file: {path}" + (f": did you mean '{folder / near[0]}'?" if near else "")


def _folder(path: str) -> str:
    """What a folder is, or which of its files the user may have meant."""
    names = _names_in(Path(path))
    if not {".zarray", ".zgroup", "zarr.json"}.isdisjoint(names):
        return by_python(path, "is a folder of zarr", conversions.ZARR)
    if "saved_model.pb" in names:
        return f"{path} is a model of TensorFlow: save what it predicts by numpy.save"
    known = (".npz", ".npy", ".safetensors", ".csv", ".tsv")
    found = [name for name in names if name.endswith(known)]
    return f"{path} is a folder" + (f": did you mean '{Path(path) / found[0]}'?" if found else "")


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
