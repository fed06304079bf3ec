"""One member of a zip: mapped where it is stored, else unpacked; held against its checksum.

What is ours, and why: zipfile would copy stored members, and lets bzip2 unpack gigabytes at once.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from idkit.errors import DamagedError, IdkitError
from idkit.files.contents import Content

LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, lengths of the name and of the extra field
ENCRYPTED = 1  # a bit of the flags
SIGNATURE = b"PK\x03\x04"
LZMA_HEADER = struct.Struct("<xxHBI")  # length of the rest; lc, lp and pb in one; dictionary size
LZMA_PACKED, LZMA_LC, LZMA_LP = 225, 9, 5  # values of all three together, of lc, of lp
try:
    from lzma import LZMAError as LZMAError
except ImportError:  # some Pythons are built without it; zipfile, too, does without
    LZMAError = zlib.error  # type: ignore[assignment, misc]
DAMAGE = (zipfile.BadZipFile, zlib.error, LZMAError, struct.error, EOFError, OSError, ValueError)


@dataclass(frozen=True, eq=False)
class Entry:
    """One member of a zip.

    Attributes:
        content: the file.
        archive: the same file to zipfile.
        info: what the directory says of the member.
        what: the member, for messages.
    """

    content: Content = field(repr=False)
    archive: zipfile.ZipFile = field(repr=False)
    info: zipfile.ZipInfo
    what: str

    @property
    def stored(self) -> bool:
        """Whether the member lies in the file as it is."""
        return self.info.compress_type == zipfile.ZIP_STORED

    @property
    def begin(self) -> int:
        """Where the bytes of the member begin; all of them lie inside the file.

        Raises:
            DamagedError: when they do not.
        """
        at = self.info.header_offset
        head = bytes(self.content.buffer[at : at + LOCAL_HEADER.size])
        if len(head) < LOCAL_HEADER.size or not head.startswith(SIGNATURE):
            raise self._damaged("does not lie inside the file")
        _, name_length, extra_length = LOCAL_HEADER.unpack(head)
        begin: int = at + LOCAL_HEADER.size + name_length + extra_length
        inside = begin + self.info.compress_size <= self.content.size
        if not inside or (self.stored and self.info.compress_size != self.info.file_size):
            raise self._damaged("does not lie inside the file")
        return begin

    def open(self) -> IO[bytes]:
        """The member's bytes, unpacked; to read some takes no more memory than they do.

        Raises:
            IdkitError: when the member is encrypted, or packed by a method that zipfile lacks.
            DamagedError: when it is not where the directory says.
        """
        begin = self.begin
        if self.info.flag_bits & ENCRYPTED:
            raise IdkitError(f"{self.what} is encrypted: unpack it first")
        try:
            plain = self.archive.open(self.info)  # compares the name with the directory's
            return self._bounded(self.content.stream(begin, begin + self.info.compress_size), plain)
        except RuntimeError:
            raise IdkitError(
                f"{self.what} uses zip method {self.info.compress_type}, which this Python does "
                "not have: save it with numpy.savez"
            ) from None
        except DAMAGE:
            raise self._damaged("does not lie inside the file") from None

    @contextmanager
    def unpacking(self) -> Iterator[None]:
        """Where bytes are read.

        Raises:
            DamagedError: when they do not unpack.
        """
        try:
            yield
        except DAMAGE:
            raise self._damaged("does not unpack") from None

    def verify(self) -> None:
        """Holds a stored member against its checksum, in bounded memory.

        Raises:
            DamagedError: when they differ.
        """
        begin = self.begin
        if self.content.crc32(begin, begin + self.info.file_size) != self.info.CRC:
            raise self._damaged("does not match its checksum")

    def pieces(self, start: int, stop: int, count: int) -> Iterator[bytes]:
        """The bytes from `start` to `stop`, unpacked, so many at once; at the end, the checksum.

        Raises:
            IdkitError: as `open`.
            DamagedError: when the checksum is another.
        """
        at = found = 0
        with self.open() as stream, self.unpacking():
            while at < self.info.file_size:
                end = start if at < start else stop if at < stop else self.info.file_size
                piece = stream.read(min(count, end - at))
                if not piece:
                    raise EOFError
                found = zlib.crc32(piece, found)
                if start <= at < stop:
                    yield piece
                at += len(piece)
        if found != self.info.CRC:
            raise self._damaged("does not match its checksum")

    def _bounded(self, packed: io.BufferedReader, plain: IO[bytes]) -> IO[bytes]:
        """What to read: zipfile's stream, unless it compares checksums early or has no bound."""
        if self.stored:
            return packed
        if self.info.compress_type == zipfile.ZIP_BZIP2:
            import bz2

            return bz2.BZ2File(packed)
        if self.info.compress_type == zipfile.ZIP_LZMA:
            import lzma

            return lzma.LZMAFile(packed, format=lzma.FORMAT_RAW, filters=[_lzma_filter(packed)])
        return plain

    def _damaged(self, how: str) -> DamagedError:
        return DamagedError(f"{self.what} {how}: truncated or damaged")


def _lzma_filter(packed: io.BufferedReader) -> dict[str, int]:
    """How a member was packed, as its first bytes say."""
    import lzma

    _, packed_three, dictionary = LZMA_HEADER.unpack(packed.read(LZMA_HEADER.size))
    if packed_three >= LZMA_PACKED:
        raise ValueError("no such literal, position and alignment bits")
    rest, lc = divmod(packed_three, LZMA_LC)
    pb, lp = divmod(rest, LZMA_LP)
    return {"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": dictionary}
