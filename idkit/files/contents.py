"""The bytes of one input, mapped where the file is large."""

import errno
import hashlib
import io
import mmap
from dataclasses import dataclass, field
from functools import cached_property

CHUNK = 1 << 22  # bytes held at once while running through a file


@dataclass(frozen=True, eq=False)
class Content:
    """The bytes of one input, mapped where the file is large.

    Attributes:
        label: what messages call it: the path as typed, or `standard input`.
        name: the base name of the file, or `-`.
        buffer: the bytes, read-only.
    """

    label: str
    name: str
    buffer: mmap.mmap | bytes = field(repr=False)

    @property
    def size(self) -> int:
        """The number of bytes."""
        return len(self.buffer)

    def stream(self) -> io.BufferedReader:
        """A new binary stream over the bytes, which copies none of them."""
        return io.BufferedReader(_BufferReader(self.buffer))

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of all bytes, in hexadecimal; computed on first use, in bounded memory."""
        digest = hashlib.sha256()
        with memoryview(self.buffer) as view:
            for start in range(0, self.size, CHUNK):
                digest.update(view[start : start + CHUNK])
                release(self.buffer)
        return digest.hexdigest()


def release(buffer: mmap.mmap | bytes) -> None:
    """Lets go of the memory that a mapping has taken; reading on takes it again from the file."""
    if isinstance(buffer, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        buffer.madvise(mmap.MADV_DONTNEED)


class _BufferReader(io.RawIOBase):
    """A file over a buffer: zipfile wants one, and `mmap` is not quite a file."""

    def __init__(self, buffer: mmap.mmap | bytes) -> None:
        self._buffer = buffer
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._buffer)}[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, "seek before the beginning")
        self._at = start + offset
        return self._at

    def readinto(self, target: "memoryview | bytearray") -> int:  # type: ignore[override]
        piece = self._buffer[self._at : self._at + len(target)]
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
