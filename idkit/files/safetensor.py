"""safetensors: a JSON header with one metadata key, then the values."""

import json
import struct
from collections.abc import Mapping
from functools import partial
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files.contents import Content
from idkit.files.members import (
    Arrays,
    Member,
    check_size,
    count_bytes,
    describe_bytes,
    frozen,
    refuse,
    view,
)

META = "idkit"  # the one metadata key; the format's own writers order several keys at random
METADATA = "__metadata__"
LENGTH = struct.Struct("<Q")
MAX_HEADER = 100_000_000  # the limit of the format's own reader
BFLOAT16 = "BF16"  # the upper half of a float32; numpy has no such type
DTYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
    BFLOAT16: "<u2",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "C64": "<c8",
}
NAMES = {np.dtype(code): name for name, code in DTYPES.items() if name != BFLOAT16}


class Entry(NamedTuple):
    """One tensor of the header: type, shape, and where its bytes lie after the header."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read(content: Content) -> tuple[Arrays, str | None]:
    """The arrays of a safetensors file, mapped, and its metadata as text.

    bfloat16 is widened to float32 (exactly) when it is touched.

    Raises:
        IdkitError: when the header and the file do not agree.
    """
    start, header = _header(content)
    metadata = header.pop(METADATA, {})
    entries = {name: _entry(f"{content.label}:{name}", value) for name, value in header.items()}
    _check_layout(content, entries, content.size - start)
    members = {name: _member(content, name, entry, start) for name, entry in entries.items()}
    text = metadata.get(META) if isinstance(metadata, dict) else None
    return Arrays(members), text if isinstance(text, str) else None


def write(stream: IO[bytes], arrays: Mapping[str, NDArray[Any]], meta: str) -> None:
    """Writes a safetensors file: the same bytes for the same content.

    Args:
        stream: a file or a pipe.
        arrays: C-ordered and little-endian.
        meta: the metadata, as text.

    Raises:
        IdkitError: when an array has a type that the format does not know.
    """
    header: dict[str, Any] = {METADATA: {META: meta}}
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))  # all stay aligned
    end = 0
    for name in names:
        begin, end = end, end + arrays[name].nbytes
        header[name] = {
            "dtype": _type_name(name, arrays[name]),
            "shape": list(arrays[name].shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % LENGTH.size)
    stream.write(LENGTH.pack(len(text)) + text)
    for name in names:
        stream.write(arrays[name].reshape(-1).view(np.uint8).data)


def _type_name(name: str, array: NDArray[Any]) -> str:
    if array.dtype not in NAMES:
        raise IdkitError(f"safetensors cannot hold '{name}' ({array.dtype}): write an .npz")
    return NAMES[array.dtype]


def _header(content: Content) -> tuple[int, dict[str, Any]]:
    """Where the values begin, and the parsed header."""
    (length,) = LENGTH.unpack(content.buffer[: LENGTH.size])
    if length > min(MAX_HEADER, content.size - LENGTH.size):
        raise IdkitError(
            f"{content.label} claims a safetensors header of {describe_bytes(length)}, "
            f"the file has {describe_bytes(content.size)}: truncated or damaged"
        )
    text = content.buffer[LENGTH.size : LENGTH.size + length]
    try:
        header = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise IdkitError(f"{content.label} has a damaged safetensors header") from None
    if not isinstance(header, dict):
        raise IdkitError(f"{content.label} has a safetensors header that is not an object")
    return LENGTH.size + length, header


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name twice")
    return fields


def _entry(what: str, value: Any) -> Entry:
    try:
        entry = Entry(value["dtype"], tuple(value["shape"]), *value["data_offsets"])
    except (TypeError, KeyError):
        raise IdkitError(f"{what} has a damaged safetensors entry") from None
    counts = (*entry.shape, entry.begin, entry.end)
    if not isinstance(entry.dtype, str) or not all(type(n) is int and n >= 0 for n in counts):
        raise IdkitError(f"{what} has a damaged safetensors entry")
    return entry


def _check_layout(content: Content, entries: Mapping[str, Entry], found: int) -> None:
    """The tensors must fill the bytes after the header, without overlap or hole."""
    at = 0
    for name, entry in sorted(entries.items(), key=lambda item: item[1][2:]):
        what = f"{content.label}:{name}"
        if entry.begin != at or entry.end < entry.begin:
            raise IdkitError(
                f"{what} lies at bytes {entry.begin} to {entry.end}, expected from {at}: damaged"
            )
        if entry.end > found:
            raise IdkitError(
                f"{what} ends at byte {entry.end}, the file holds {found} after its header: "
                "truncated or damaged"
            )
        at = entry.end
    if at != found:
        raise IdkitError(
            f"{content.label} describes {describe_bytes(at)} of values and holds "
            f"{describe_bytes(found)}: damaged"
        )


def _member(content: Content, name: str, entry: Entry, start: int) -> Member:
    what = f"{content.label}:{name}"
    if entry.dtype not in DTYPES:
        reason = f"{what} holds {entry.dtype}, which idkit does not read: save float32"
        return Member(entry.dtype, entry.shape, refuse(reason))
    dtype = np.dtype(DTYPES[entry.dtype])
    claimed = count_bytes(what, entry.shape, dtype.itemsize)
    check_size(what, entry.shape, claimed=claimed, found=entry.end - entry.begin)
    stored = partial(view, content, dtype, entry.shape, start=start + entry.begin, fortran=False)
    if entry.dtype == BFLOAT16:
        return Member("bfloat16", entry.shape, lambda: _widen(stored()))
    return Member(dtype.name, entry.shape, stored)


def _widen(upper: NDArray[np.uint16]) -> NDArray[np.float32]:
    """bfloat16 to float32: sixteen zero bits below."""
    wide = upper.astype(np.uint32)
    wide <<= 16  # in place: it stays an array when it has no axes
    return frozen(wide.view(np.float32))
