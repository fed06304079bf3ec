"""Standard streams that are as they may be: closed, full, or of an alphabet without accents.

What happens to a stream bears on no exit code but one: a full disk behind standard output, where
the product is lost.
"""

import codecs
import errno
import io
import os
import select
import stat
import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

STDIN, STDOUT, STDERR = 0, 1, 2
CLOSED: Final = {errno.EPIPE, errno.EBADF}  # its reader has gone, which is no fault of ours
ESCAPE, BYTES = "backslashreplace", "idkit-bytes"  # what becomes of what cannot be encoded


class Outlet(io.RawIOBase):
    """A descriptor that takes all that is written to it, and goes on when nothing goes through.

    Attributes:
        error: why nothing goes through any more; None while it does.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.error: OSError | None = None

    def writable(self) -> bool:
        """It always is."""
        return True

    def fileno(self) -> int:
        """The descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it leads to a terminal."""
        return os.isatty(self._descriptor)

    def write(self, data: "ReadableBuffer") -> int:
        """Writes some of the bytes, or forgets them all."""
        view = memoryview(data).cast("B")
        while self.error is None:
            try:
                return os.write(self._descriptor, view)
            except BlockingIOError:  # a pipe that another process made so
                select.select([], [self._descriptor], [])
            except OSError as error:
                self.error = error
        return len(view)

    @property
    def full(self) -> OSError | None:
        """The error of what has no room for more; None for what was closed."""
        if self.error is None or self.error.errno in CLOSED:
            return None
        device = stat.S_ISCHR(os.fstat(self._descriptor).st_mode)
        hung_up = device and self.error.errno == errno.EIO  # a terminal that was closed
        return None if hung_up else self.error


def guard() -> None:
    """Puts outlets behind standard output and standard error."""
    for descriptor in (STDIN, STDOUT, STDERR):
        _occupy(descriptor)
    sys.stdout = _text(STDOUT, sys.stdout)
    sys.stderr = _text(STDERR, sys.stderr)


def finish() -> OSError | None:
    """Writes what is still held back.

    Returns:
        Why standard output could not take all; None where it could, or was closed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    outlet = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return outlet.full if isinstance(outlet, Outlet) else None


def _occupy(descriptor: int) -> None:
    """Opens a closed standard stream to nowhere, that no file of ours may take its place."""
    try:
        os.fstat(descriptor)
    except OSError:
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != descriptor:
            os.dup2(nowhere, descriptor)
            os.close(nowhere)
        os.set_inheritable(descriptor, True)


def _text(descriptor: int, given: TextIO | None) -> io.TextIOWrapper:
    """A text stream like the one given, which may be closed."""
    outlet = Outlet(descriptor)
    exact = descriptor == STDOUT and not outlet.isatty()  # the name of a file may be any bytes
    return io.TextIOWrapper(
        io.BufferedWriter(outlet),
        encoding=getattr(given, "encoding", None) or "utf-8",
        errors=BYTES if exact else ESCAPE,
        line_buffering=descriptor == STDERR or outlet.isatty(),
    )


def _bytes_or_escapes(error: UnicodeError) -> tuple[str | bytes, int]:
    """The bytes of a file's name that stand in it as surrogates; escapes of other letters."""
    if isinstance(error, UnicodeEncodeError):
        letter = ord(error.object[error.start])
        if 0xDC80 <= letter <= 0xDCFF:  # as os.fsdecode has made them
            return bytes([letter - 0xDC00]), error.start + 1
    return codecs.backslashreplace_errors(error)


codecs.register_error(BYTES, _bytes_or_escapes)
