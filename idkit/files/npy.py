"""One array with numpy's own header: the `.npy` file, and each member of an NPZ.

numpy's reader parses the header. What is ours, and why: its length is checked before it is read
(numpy reads it first), numpy 2's scalars in it are undone (numpy writes but does not read them),
and the values are views of the mapped file, whose size is held against the header.
"""

import io
import math
import re
import sys
import tokenize
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import IO, Any

import numpy as np
from numpy.lib import format as numpy_format
from numpy.typing import NDArray

from idkit.errors import DamagedError, IdkitError
from idkit.files.contents import Content
from idkit.files.foreign import of_objects
from idkit.files.members import Member, check_size, count_bytes, frozen, refuse, view

MAGIC = numpy_format.MAGIC_PREFIX
ONLY = "array"  # what the array of an `.npy` file is called
UTF8 = (3, 0)  # the version whose header is encoded so; numpy reads it by a private function
READERS = {  # by version, with the bytes of the header's length
    (1, 0): (2, numpy_format.read_array_header_1_0),
    (2, 0): (4, numpy_format.read_array_header_2_0),
    UTF8: (4, numpy_format.read_array_header_2_0),
}
MOST_NOTHINGS = 1 << 20  # elements of no size, such as texts of no characters
MAX_HEADER = 1 << 20  # numpy's own default is 10 kB; a megabyte is still parsed in a second
NUMPY_SCALAR = re.compile(rb"\b(?:np|numpy)\.\w+\(([^()]*)\)|\bdtype\(([^()]*)\)")
NUMPY_TRUTH = re.compile(rb"\b(?:np|numpy)\.(True|False)_\b")
UNREADABLE = (
    ValueError,
    TypeError,
    SyntaxError,
    LookupError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    RecursionError,
    tokenize.TokenError,
)


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


def read_header(stream: IO[bytes], what: str) -> Header:
    """Has numpy parse a header, reading no further.

    Args:
        stream: at the beginning of the array.
        what: the array, for messages.

    Raises:
        DamagedError: when it is not a header.
    """
    start = stream.read(numpy_format.MAGIC_LEN)
    version = tuple(start[len(MAGIC) :])
    if not start.startswith(MAGIC) or version not in READERS:
        raise DamagedError(f"{what} does not begin like an .npy array")
    width, parse = READERS[version]
    length = int.from_bytes(stream.read(width), "little")
    if length > MAX_HEADER:
        raise DamagedError(f"{what} claims an .npy header of {length} bytes: damaged")
    text = stream.read(length)
    if len(text) < length:
        raise DamagedError(f"{what} ends inside its .npy header: truncated")
    try:
        if version == UTF8:
            text = text.decode().encode("ascii", "backslashreplace")
        shape, fortran, dtype = _parsed(text, width, parse)
        _check(shape, dtype)
    except UNREADABLE:
        raise DamagedError(f"{what} has a damaged .npy header") from None
    return Header(dtype, shape, fortran, len(start) + width + length)


def member(
    header: Header,
    label: str,
    key: str | None,
    *,
    found: int,
    load: Callable[[], NDArray[Any]],
    pieces: Callable[[int], Iterator[NDArray[Any]]] | None = None,
) -> Member:
    """The array behind a header, once its size has been held against the bytes that are there.

    Args:
        header: its header.
        label: the file, for messages.
        key: the array of the file; None for its only one.
        found: how many bytes follow the header for it.
        load: gives the values.
        pieces: gives them flat, piece by piece (see `Member`).
    """
    if header.dtype.hasobject:
        error = IdkitError(of_objects(label, key, header.shape))
        return Member(header.dtype.name, header.shape, refuse(error))
    what = label if key is None else f"{label}:{key}"
    claimed = count_bytes(what, header.shape, header.dtype.itemsize)
    check_size(what, header.shape, claimed=claimed, found=found)
    if header.dtype.kind == "U":
        load = _checked(load, what)
    return Member(header.dtype.name, header.shape, load, pieces, header.fortran)


def parts(name: str, whole: Member, dtype: np.dtype[Any]) -> dict[str, Member]:
    """The fields of a structured array as arrays of their own, `NAME.FIELD`."""
    if dtype.fields is None or dtype.hasobject:
        return {}
    load = cache(whole.load)

    def field(key: str, dtype: np.dtype[Any]) -> Member:
        shape = whole.shape + dtype.shape
        return Member(dtype.base.name, shape, lambda: frozen(load()[key]), part=True)

    return {f"{name}.{key}": field(key, each[0]) for key, each in dtype.fields.items()}


def members(content: Content) -> dict[str, Member]:
    """The one array of an `.npy` file, mapped, under the name `array`, with its fields."""
    header = read_header(content.stream(), content.label)
    claimed = header.dtype.itemsize * math.prod(header.shape)
    end = header.length + claimed
    more = content.buffer[end : end + len(MAGIC)] == MAGIC  # numpy reads the first

    def load() -> NDArray[Any]:
        return view(
            content, header.dtype, header.shape, start=header.length, fortran=header.fortran
        )

    found = claimed if more else content.size - header.length
    whole = member(header, content.label, None, found=found, load=load)
    return {ONLY: whole} | parts(ONLY, whole, header.dtype)


def write(stream: IO[bytes], array: NDArray[Any]) -> None:
    """Writes header and values.

    Args:
        stream: where to.
        array: C-ordered and little-endian, so that equal arrays give equal bytes.
    """
    numpy_format.write_array(stream, array, allow_pickle=False)


def _parsed(
    text: bytes, width: int, parse: Callable[..., tuple[tuple[int, ...], bool, np.dtype[Any]]]
) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    def parsed(text: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
        stream = io.BytesIO(len(text).to_bytes(width, "little") + text)
        return parse(stream, max_header_size=MAX_HEADER)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that Python 2 wrote it, or that a type has a newer name
        try:
            return parsed(text)
        except ValueError:
            plain = NUMPY_TRUTH.sub(rb"\1", NUMPY_SCALAR.sub(rb"\1\2", text))
            if plain == text:
                raise
            return parsed(plain)


def _check(shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """What numpy's reader leaves to the reading of the values."""
    if not all(type(length) is int and length >= 0 for length in shape):
        raise ValueError("lengths are counts")
    if dtype.subdtype is not None or (dtype.itemsize == 0 and math.prod(shape) > MOST_NOTHINGS):
        raise ValueError("elements that are arrays, or a claim that costs the file nothing")


def _checked(load: Callable[[], NDArray[Any]], what: str) -> Callable[[], NDArray[Any]]:
    """Text is made of characters: numpy maps any number, and fails at the first look at it."""

    def checked() -> NDArray[Any]:
        array = load()
        flat = array.reshape(-1, order="A")
        codes = flat.view(np.dtype(np.uint32).newbyteorder(array.dtype.byteorder))
        if codes.size and codes.max() > sys.maxunicode:
            raise DamagedError(f"{what} holds text of characters that do not exist: damaged")
        return array

    return checked
