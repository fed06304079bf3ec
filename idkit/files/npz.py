"""NPZ: numpy's zip of arrays, with idkit's metadata as a text array among them.

Which members are arrays, and under which names, is decided as numpy's reader decides it.
"""

import math
import struct
import sys
import zipfile
from collections.abc import Iterator, Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from idkit.errors import DamagedError, IdkitError
from idkit.files import npy
from idkit.files.contents import CHUNK, Content
from idkit.files.foreign import zip_without_arrays
from idkit.files.limits import Allowance
from idkit.files.members import Arrays, Member, frozen, refuse, view
from idkit.files.zipped import DAMAGE, LOCAL_HEADER, Entry

META = "idkit"  # the member that holds the metadata
SUFFIX = ".npy"
RESOURCE_FORKS = ("__MACOSX/", "._")  # what macOS adds to a zip of files; no arrays
DATE = (1980, 1, 1, 0, 0, 0)  # zip's first day: no clock goes into the bytes
ALIGNMENT = 64  # of the values in the file, so that mapped arrays are aligned
ALIGNMENT_FIELD = 0xD935  # the extra field that zip tools skip as padding
ZIP64_FIELD_BYTES = 20
END = b"PK\x05\x06"  # of the directory
END_COUNTS = struct.Struct("<10xH")  # its members
COUNTED = 0xFFFF  # at most; a larger number stands elsewhere
LONGEST_PIECE = 1 << 26  # bytes
UNKNOWN = "void"  # the type of what cannot be read


def read(content: Content) -> tuple[Arrays, str | None]:
    """The arrays of an NPZ file and its metadata as text.

    Members that are stored are mapped; packed ones are unpacked when they are touched. Each is held
    against its checksum before it gives values. One that is no array does not spoil the others.

    Raises:
        DamagedError: when the zip is damaged, or its metadata are.
        IdkitError: when it holds no arrays.
    """
    archive = _archive(content)
    entries = _named(content, archive)
    packed = sum(each.info.compress_size for each in entries.values() if not each.stored)
    allowance = Allowance(packed)
    if not entries:
        raise IdkitError(zip_without_arrays(content.label, archive.namelist()))
    fields: dict[str, Member] = {}
    found: dict[str, Member] = {}
    for name, entry in entries.items():
        found[name], parts = _members(name, entry, allowance)
        fields |= parts
    meta = found.get(META)
    found = fields | found
    text = None if meta is None or meta.shape != () else meta.load()
    if text is None or text.dtype.kind != "U":
        return Arrays(found), None
    del found[META]
    return Arrays(found), _text(content.label, text)


def write(stream: IO[bytes], arrays: Mapping[str, NDArray[Any]], meta: str) -> None:
    """Writes an NPZ file: stored, members sorted, the same bytes for the same content.

    Args:
        stream: a seekable file at its beginning.
        arrays: C-ordered and little-endian.
        meta: the metadata, as text.
    """
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for key, array in sorted({**arrays, META: np.array(meta)}.items()):
            entry = zipfile.ZipInfo(key + SUFFIX, DATE)
            entry.create_system = 3  # Unix, wherever it is written
            entry.extra = _padding(stream.tell() + LOCAL_HEADER.size + len(entry.filename.encode()))
            with archive.open(entry, "w", force_zip64=True) as member:
                npy.write(member, array)


def _text(label: str, array: NDArray[Any]) -> str:
    """The metadata, whose bytes numpy takes for characters, whatever they are."""
    codes = np.frombuffer(array.tobytes(), array.dtype.byteorder.replace("|", "=") + "u4")
    if codes.max(initial=0) > sys.maxunicode:
        raise IdkitError(f"{label} has metadata under 'idkit' that is not text: damaged")
    return str(array)


def _padding(start: int) -> bytes:
    """An extra field that moves the member's first byte to a multiple of ALIGNMENT."""
    fixed = start + ZIP64_FIELD_BYTES + 6
    return struct.pack("<HHH", ALIGNMENT_FIELD, 2 + -fixed % ALIGNMENT, ALIGNMENT) + bytes(
        -fixed % ALIGNMENT
    )


def _archive(content: Content) -> zipfile.ZipFile:
    """The zip; its directory must have as many members as the file's end says.

    zipfile does not count them, and reads those that damage hides in a comment as none.
    """
    try:
        archive = zipfile.ZipFile(content.stream())
        end = content.buffer.rfind(END)
        *_, counted = END_COUNTS.unpack_from(content.buffer, end)
        if counted not in (len(archive.infolist()) & COUNTED, COUNTED):
            raise zipfile.BadZipFile("members are missing")
    except (*DAMAGE, RuntimeError):  # a version of zip that does not exist
        raise DamagedError(f"{content.label} is a truncated or damaged zip (NPZ) file") from None
    return archive


def _named(content: Content, archive: zipfile.ZipFile) -> dict[str, Entry]:
    """The members that are arrays, by name.

    As numpy has it: those that begin like an array, with the suffix or without; without it comes
    first. Of two members of one name, the last counts. What has the suffix and is no array stays,
    to say so when it is touched.
    """
    found: dict[str, Entry] = {}
    members = {info.filename: info for info in archive.infolist()}
    for filename in sorted(members, key=lambda filename: filename.endswith(SUFFIX)):
        name = filename.removesuffix(SUFFIX)
        entry = Entry(content, archive, members[filename], f"{content.label}:{name}")
        if name not in found and (_claims_to_be_array(filename) or _begins_like_array(entry)):
            found[name] = entry
    return found


def _claims_to_be_array(filename: str) -> bool:
    forks, hidden = RESOURCE_FORKS
    fork = filename.startswith(forks) or filename.split("/")[-1].startswith(hidden)
    return filename.endswith(SUFFIX) and not fork


def _begins_like_array(entry: Entry) -> bool:
    try:
        with entry.open() as stream, entry.unpacking():
            return stream.read(len(npy.MAGIC)) == npy.MAGIC
    except DamagedError:
        raise
    except IdkitError:  # encrypted, or packed in a way of its own
        return False


def _members(name: str, entry: Entry, allowance: Allowance) -> tuple[Member, dict[str, Member]]:
    """An array, and the fields of a structured one; what cannot be read says so when touched."""
    try:
        stream = entry.open()
    except DamagedError:  # the zip itself
        raise
    except IdkitError as error:
        return Member(UNKNOWN, (), refuse(error)), {}
    try:
        with stream, entry.unpacking():
            header = npy.read_header(stream, entry.what)
        whole = _member(name, entry, header, allowance)
    except IdkitError as error:
        return Member(UNKNOWN, (), refuse(error)), {}
    return whole, npy.parts(name, whole, header.dtype)


def _member(name: str, entry: Entry, header: npy.Header, allowance: Allowance) -> Member:
    dtype, shape, fortran, start = header.dtype, header.shape, header.fortran, header.length
    size = dtype.itemsize * math.prod(shape)

    def mapped() -> NDArray[Any]:
        entry.verify()
        return view(entry.content, dtype, shape, start=entry.begin + start, fortran=fortran)

    def unpacked() -> NDArray[Any]:
        allowance.take(entry.what, packed=entry.info.compress_size, count=size)
        flat: NDArray[np.uint8] = np.empty(size, np.uint8)
        at = 0
        for piece in entry.pieces(start, start + size, CHUNK):
            flat[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
            at += len(piece)
        return frozen(np.ndarray(shape, dtype, flat, order="F" if fortran else "C"))

    def pieces(count: int) -> Iterator[NDArray[Any]]:
        width = dtype.itemsize * max(1, min(count, LONGEST_PIECE // dtype.itemsize))
        for piece in entry.pieces(start, start + size, width):
            yield np.frombuffer(piece, dtype)

    return npy.member(
        header,
        entry.content.label,
        name,
        found=min(size, entry.info.file_size - start),  # as numpy, which leaves a rest alone
        load=mapped if entry.stored else unpacked,
        pieces=None if entry.stored or size == 0 else pieces,
    )
