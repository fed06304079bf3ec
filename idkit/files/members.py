"""The arrays inside a file: their type and shape at once, their values when they are touched."""

import math
import mmap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from idkit.errors import DamagedError, IdkitError
from idkit.files.contents import Content

LISTED = 12  # names in a message
MAX_DIMENSIONS = 64  # what numpy 2 can hold
MAX_BYTES = 2**63 - 1


@dataclass(frozen=True)
class Member:
    """One array of a file.

    Attributes:
        dtype: the type in which it is stored, as `float32` or `bfloat16`.
        shape: the length along each axis.
        load: gives the values; raises IdkitError where idkit does not read that type, or they are
            damaged.
        pieces: gives the values flat, so many at once at most, in the order of the file, and keeps
            none of them; None where `load` only maps them.
        fortran: whether the first index runs fastest in the pieces.
        part: whether it is a field of another array of the file.
    """

    dtype: str
    shape: tuple[int, ...]
    load: Callable[[], NDArray[Any]] = field(repr=False)
    pieces: Callable[[int], Iterator[NDArray[Any]]] | None = field(default=None, repr=False)
    fortran: bool = False
    part: bool = False


class Arrays(Mapping[str, NDArray[Any]]):
    """The arrays of a file by name, each loaded (or mapped) on first use and kept.

    Attributes:
        members: type and shape of each, without its values.
        notes: what a user should know of how the file was read.
        columns: names of the columns of the matrix of a table; empty for other files.
    """

    def __init__(
        self,
        members: Mapping[str, Member],
        notes: Iterable[str] = (),
        columns: Iterable[str] = (),
    ) -> None:
        self.members = dict(sorted(members.items()))
        self.notes = tuple(notes)
        self.columns = tuple(columns)
        self._loaded: dict[str, NDArray[Any]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._loaded:
            self._loaded[name] = self.members[name].load()
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def listed(self) -> str:
        """The names, for a message."""
        names = list(self.members)
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        return f"it holds {', '.join(names[:LISTED]) or 'no arrays'}{more}"


def count_bytes(what: str, shape: tuple[int, ...], itemsize: int) -> int:
    """The bytes that an array of this shape takes.

    Args:
        what: the array, for the message.
        shape: the length along each axis, as a file declares it.
        itemsize: bytes of one element.

    Raises:
        IdkitError: when no machine could hold it; nothing has been allocated.
    """
    if len(shape) > MAX_DIMENSIONS or math.prod(max(n, 1) for n in shape) * itemsize > MAX_BYTES:
        raise IdkitError(f"{what} claims an impossible shape: {describe_shape(shape)}")
    return math.prod(shape) * itemsize


def check_size(what: str, shape: tuple[int, ...], *, claimed: int, found: int) -> None:
    """Holds what a header claims against what the file has.

    Raises:
        DamagedError: when they differ.
    """
    if claimed != found:
        raise DamagedError(
            f"{what} claims {describe_shape(shape)} = {describe_bytes(claimed)}, "
            f"the file holds {describe_bytes(found)}: truncated or damaged"
        )


def view(
    content: Content, dtype: np.dtype[Any], shape: tuple[int, ...], *, start: int, fortran: bool
) -> NDArray[Any]:
    """An array over bytes of the file, without copying them.

    Args:
        content: the file.
        dtype: the type of an element.
        shape: the length along each axis; its bytes have been checked to be there.
        start: where the first element begins.
        fortran: whether the first index runs fastest.

    Returns:
        A read-only array.
    """
    count = math.prod(shape)
    if count * dtype.itemsize == 0:
        return frozen(np.ndarray(shape, dtype))
    flat: NDArray[Any] = np.frombuffer(content.buffer, dtype, count, start)
    return frozen(flat.reshape(shape, order="F" if fortran else "C"))


def frozen(array: NDArray[Any]) -> NDArray[Any]:
    """The same array, read-only."""
    array.flags.writeable = False
    return array


def refuse(error: IdkitError) -> Callable[[], NoReturn]:
    """A `Member.load` for values that idkit does not read."""

    def load() -> NoReturn:
        raise error

    return load


def mapping_of(array: NDArray[Any]) -> mmap.mmap | None:
    """The file mapping that an array looks into, if it does."""
    base: object = array
    while base is not None:
        if isinstance(base, mmap.mmap):
            return base
        base = base.obj if isinstance(base, memoryview) else getattr(base, "base", None)
    return None


def describe_shape(shape: tuple[int, ...]) -> str:
    """A shape for a message.

    >>> describe_shape((1000, 8, 8))
    '1000 x 8 x 8'
    """
    text = " x ".join(str(length) for length in shape[:8]) or "one value"
    return text if len(text) <= 80 and len(shape) <= 8 else text[:60] + " x ..."


def describe_bytes(count: int) -> str:
    """A number of bytes for a message.

    >>> describe_bytes(80), describe_bytes(4_000_000)
    ('80 bytes', '4 MB')
    """
    if count < 1000:
        return f"{count} bytes"
    power = min(int(math.log10(count)) // 3, 6)
    return f"{count / 1000**power:.3g} {('kB', 'MB', 'GB', 'TB', 'PB', 'EB')[power - 1]}"
