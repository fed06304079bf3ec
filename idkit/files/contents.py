"""The bytes of one input, mapped where the file is large."""

import errno
import hashlib
import io
import mmap
import zlib
from collections.abc import Iterator
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

    def stream(self, start: int = 0, stop: int | None = None) -> io.BufferedReader:
        """A new binary stream over the bytes from `start` to `stop`, which copies none of them."""
        return io.BufferedReader(_BufferReader(self.buffer, start, stop))

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[memoryview]:
        """The bytes from `start` to `stop` in consecutive pieces, in bounded memory."""
        end = self.size if stop is None else stop
        with memoryview(self.buffer) as view:
            for begin in range(start, end, CHUNK):
                with view[begin : min(begin + CHUNK, end)] as chunk:
                    yield chunk
                release(self.buffer)

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of all bytes, in hexadecimal; computed on first use, in bounded memory."""
        digest = hashlib.sha256()
        for chunk in self.chunks():
            digest.update(chunk)
        return digest.hexdigest()

    def crc32(self, start: int, stop: int) -> int:
        """The CRC-32 of the bytes from `start` to `stop`, in bounded memory."""
        found = 0
        for chunk in self.chunks(start, stop):
            found = zlib.crc32(chunk, found)
        return found


def release(buffer: mmap.mmap | bytes) -> None:
    """Lets go of the memory that a mapping has taken; reading on takes it again from the file."""
    if isinstance(buffer, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        buffer.madvise(mmap.MADV_DONTNEED)


class _BufferReader(io.RawIOBase):
    """A file over a part of a buffer: zipfile wants one, and `mmap` is not quite a file."""

    def __init__(self, buffer: mmap.mmap | bytes, start: int, stop: int | None) -> None:
        self._buffer = buffer
        self._start = start
        self._stop = len(buffer) if stop is None else stop
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        end = self._stop - self._start
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: end}[whence]
        if start + offset < 0:
            raise OSError(errno.EINVAL, "seek before the beginning")
        self._at = start + offset
        return self._at

    def readinto(self, target: "memoryview | bytearray") -> int:  # type: ignore[override]
        begin = self._start + self._at
        piece = self._buffer[begin : min(begin + len(target), self._stop)]
        target[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)
