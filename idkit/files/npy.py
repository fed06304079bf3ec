"""One array with numpy's own header: the `.npy` file, and each member of an NPZ."""

import ast
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files.contents import Content
from idkit.files.members import Member, check_size, count_bytes, refuse, view

MAGIC = b"\x93NUMPY"
LENGTH_BYTES = {1: 2, 2: 4, 3: 4}  # of the header's length, by format version
MAX_HEADER = 10_000  # what numpy itself is willing to parse
READABLE = "biufcSU"  # kinds of numpy.dtype; V is raw bytes, O is pickled
UNREADABLE = {
    "O": "pickled Python objects, which idkit never unpickles: save numbers",
    "V": "raw or structured bytes (bfloat16 saved as .npy?): save float32",
    "M": "dates: save numbers",
    "m": "time spans: save numbers",
}


@dataclass(frozen=True)
class Header:
    """What stands before the values.

    Attributes:
        dtype: the type of an element, with its byte order.
        shape: the length along each axis.
        fortran: whether the first index runs fastest.
        length: the bytes before the first value.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    fortran: bool
    length: int

    @property
    def readable(self) -> bool:
        """Whether the values are plain numbers, truth values or text."""
        return self.dtype.kind in READABLE


def read_header(stream: IO[bytes], what: str) -> Header:
    """Parses a header, reading no further.

    Args:
        stream: at the beginning of the array.
        what: the array, for messages.

    Raises:
        IdkitError: when it is not a header.
    """
    start = stream.read(8)
    width = LENGTH_BYTES.get(start[6]) if len(start) == 8 else None
    if start[:6] != MAGIC or width is None:
        raise IdkitError(f"{what} does not begin like an .npy array")
    length = int.from_bytes(stream.read(width), "little")
    if length > MAX_HEADER:
        raise IdkitError(f"{what} claims an .npy header of {length} bytes: damaged")
    text = stream.read(length)
    if len(text) < length:
        raise IdkitError(f"{what} ends inside its .npy header: truncated")
    try:
        fields = ast.literal_eval(text.decode("utf-8" if start[6] == 3 else "latin-1").strip())
        return _header(fields, 8 + width + length)
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError):
        raise IdkitError(f"{what} has a damaged .npy header") from None


def member(header: Header, what: str, *, found: int, load: Callable[[], NDArray[Any]]) -> Member:
    """The array behind a header, once its size has been held against the bytes that are there.

    Args:
        header: its header.
        what: the array, for messages.
        found: how many bytes follow the header.
        load: gives the values.
    """
    if not header.readable:
        reason = UNREADABLE.get(header.dtype.kind, f"{header.dtype}, which idkit does not read")
        return Member(header.dtype.name, header.shape, refuse(f"{what} holds {reason}"))
    claimed = count_bytes(what, header.shape, header.dtype.itemsize)
    check_size(what, header.shape, claimed=claimed, found=found)
    return Member(header.dtype.name, header.shape, load)


def members(content: Content) -> dict[str, Member]:
    """The one array of an `.npy` file, mapped, under the name `array`."""
    header = read_header(content.stream(), content.label)

    def load() -> NDArray[Any]:
        return view(
            content, header.dtype, header.shape, start=header.length, fortran=header.fortran
        )

    found = content.size - header.length
    return {"array": member(header, content.label, found=found, load=load)}


def write(stream: IO[bytes], array: NDArray[Any]) -> None:
    """Writes header and values.

    Args:
        stream: where to.
        array: C-ordered and little-endian, so that equal arrays give equal bytes.
    """
    np.lib.format.write_array(stream, array, allow_pickle=False)


def _header(fields: dict[str, Any], length: int) -> Header:
    descr, shape, fortran = fields["descr"], fields["shape"], fields["fortran_order"]
    sizes_are_counts = all(type(n) is int and n >= 0 for n in shape)
    if not (isinstance(shape, tuple) and sizes_are_counts and isinstance(fortran, bool)):
        raise ValueError("not a shape and an order")
    dtype = np.dtype(descr if isinstance(descr, str) else "V1")  # a list: structured
    if dtype.itemsize == 0 and math.prod(shape) > 0:
        raise ValueError("elements of no size")
    return Header(dtype, shape, fortran, length)
