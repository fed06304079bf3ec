"""NPZ: numpy's zip of arrays, with idkit's metadata as a text array among them."""

import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files import npy
from idkit.files.contents import CHUNK, Content
from idkit.files.members import Arrays, Member, describe_bytes, frozen, view

META = "idkit"  # the member that holds the metadata
SUFFIX = ".npy"
LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, lengths of the name and of the extra field
SIGNATURE = b"PK\x03\x04"
DATE = (1980, 1, 1, 0, 0, 0)  # zip's first day: no clock goes into the bytes
ALIGNMENT = 64  # of the values in the file, so that mapped arrays are aligned
ALIGNMENT_FIELD = 0xD935  # the extra field that zip tools skip as padding
ZIP64_FIELD_BYTES = 20
BOMB_BYTES = 1 << 28  # latents do not deflate a hundredfold; a bomb does
BOMB_RATIO = 100
DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)


def read(content: Content) -> tuple[Arrays, str | None]:
    """The arrays of an NPZ file and its metadata as text.

    Members that are stored are mapped; deflated ones are unpacked when they are touched.

    Raises:
        IdkitError: when the zip is damaged, or declares more than it holds.
    """
    try:
        archive = zipfile.ZipFile(content.stream())
        entries = [entry for entry in archive.infolist() if entry.filename.endswith(SUFFIX)]
        found = {name(entry): _member(content, archive, entry) for entry in entries}
    except DAMAGE:
        raise IdkitError(f"{content.label} is a truncated or damaged zip (NPZ) file") from None
    if not found:
        raise IdkitError(f"{content.label} is {_foreign(archive)}")
    if len(found) < len(entries):
        raise IdkitError(f"{content.label} holds two arrays of one name: damaged")
    meta = found.get(META)
    if meta is None or meta.shape != () or not meta.dtype.startswith("str"):
        return Arrays(found), None
    del found[META]
    return Arrays(found), str(meta.load())


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


def name(entry: zipfile.ZipInfo) -> str:
    """The array's name of a zip member."""
    return entry.filename.removesuffix(SUFFIX)


def _padding(start: int) -> bytes:
    """An extra field that moves the member's first byte to a multiple of ALIGNMENT."""
    fixed = start + ZIP64_FIELD_BYTES + 6
    return struct.pack("<HHH", ALIGNMENT_FIELD, 2 + -fixed % ALIGNMENT, ALIGNMENT) + bytes(
        -fixed % ALIGNMENT
    )


def _member(content: Content, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Member:
    what = f"{content.label}:{name(entry)}"
    if entry.flag_bits & 1:
        raise IdkitError(f"{what} is encrypted: unpack it first")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise IdkitError(f"{what} uses zip method {entry.compress_type}: save with numpy.savez")
    begin = _begin(content, entry, what)
    with archive.open(entry) as stream:
        header = npy.read_header(stream, what)
    found = entry.file_size - header.length
    if entry.compress_type == zipfile.ZIP_STORED:
        start = begin + header.length
        return npy.member(
            header,
            what,
            found=found,
            load=lambda: view(
                content, header.dtype, header.shape, start=start, fortran=header.fortran
            ),
        )
    if entry.file_size > max(BOMB_BYTES, BOMB_RATIO * entry.compress_size):
        raise IdkitError(
            f"{what} claims to unpack {describe_bytes(entry.compress_size)} to "
            f"{describe_bytes(entry.file_size)}: refused as a zip bomb; save it with numpy.savez"
        )
    return npy.member(header, what, found=found, load=lambda: _unpack(archive, entry, header, what))


def _begin(content: Content, entry: zipfile.ZipInfo, what: str) -> int:
    """Where the bytes of a member begin; all of them lie inside the file."""
    head = bytes(content.buffer[entry.header_offset : entry.header_offset + LOCAL_HEADER.size])
    signature, name_length, extra_length = LOCAL_HEADER.unpack(head)
    begin: int = entry.header_offset + LOCAL_HEADER.size + name_length + extra_length
    stored = entry.compress_type == zipfile.ZIP_STORED
    inside = signature == SIGNATURE and begin + entry.compress_size <= content.size
    if not inside or (stored and entry.compress_size != entry.file_size):
        raise IdkitError(f"{what} does not lie inside the file: truncated or damaged")
    return begin


def _unpack(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, header: npy.Header, what: str
) -> NDArray[Any]:
    flat: NDArray[np.uint8] = np.empty(entry.file_size - header.length, np.uint8)
    at = 0
    try:
        with archive.open(entry) as stream:
            stream.read(header.length)
            while piece := stream.read(CHUNK):  # to the end, where zipfile compares the checksum
                flat[at : at + len(piece)] = np.frombuffer(piece, np.uint8)
                at += len(piece)
    except DAMAGE:
        at = -1
    if at != len(flat):
        raise IdkitError(f"{what} does not unpack: truncated or damaged")
    array: NDArray[Any] = flat.view(header.dtype)
    return frozen(array.reshape(header.shape, order="F" if header.fortran else "C"))


def _foreign(archive: zipfile.ZipFile) -> str:
    held = archive.namelist()
    if any(entry.endswith("data.pkl") for entry in held):
        return (
            "a PyTorch file (pickle inside), which idkit never unpickles: "
            "save the tensors as .safetensors or .npz"
        )
    return f"a zip file without .npy arrays (it holds {', '.join(held[:3]) or 'nothing'})"
