"""Arrays as numbers to compute with: in floating point, and block by block."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files.contents import release
from idkit.files.members import mapping_of

BLOCK = 1 << 20  # elements: 8 MB in float64


def as_floats(array: NDArray[Any], label: str) -> NDArray[np.floating[Any]]:
    """An array in float32 or float64, whichever holds its values.

    Args:
        array: any shape; real numbers or truth values.
        label: what it is, for the message.

    Returns:
        The array itself where it is float32 or float64 in this machine's byte order. float16,
        truth values and integers of up to 16 bits become float32; wider integers float64.

    Raises:
        IdkitError: when the array holds something else than real numbers.

    >>> as_floats(np.array([1, 2], dtype=np.int8), "labels").dtype
    dtype('float32')
    """
    if array.dtype.kind not in "biuf":
        raise IdkitError(f"{label} holds {array.dtype.name}, not real numbers")
    wanted = np.result_type(array.dtype, np.float32)
    return array.astype(np.float64 if wanted.itemsize > 8 else wanted, copy=False)


def blocks(array: NDArray[Any], *, values: int = BLOCK) -> Iterator[NDArray[Any]]:
    """The rows of an array in consecutive blocks, in bounded memory.

    What a mapped file took of memory is let go behind each block, so that a file larger than
    memory can be run through.

    Args:
        array: shape (n, ...).
        values: how many elements a block has at most; it always has a row.

    Yields:
        Views of shape (m, ...), one after the other.
    """
    rows = max(1, values * len(array) // max(array.size, 1))
    mapping = mapping_of(array)
    for start in range(0, len(array), rows):
        yield array[start : start + rows]
        if mapping is not None:
            release(mapping)
