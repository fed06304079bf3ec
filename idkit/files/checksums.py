"""Do the numbers of a file still add up to what they were when it was written?

A zip has checksums of its own; safetensors and metadata have none, and neither notices a number
that was changed on purpose.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Row = Mapping[str, Any]


def of_array(array: NDArray[Any]) -> str:
    """The CRC-32 of type, shape and values, in hexadecimal; byte order and layout do not matter."""
    plain = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    head = f"{plain.dtype.str} {plain.shape}".encode()
    return f"{zlib.crc32(plain.reshape(-1).view(np.uint8).data, zlib.crc32(head)):08x}"


def of_row(row: Row, names: Sequence[str]) -> str:
    """The CRC-32 of some entries of a row of a table, in hexadecimal."""
    text = json.dumps([row.get(name) for name in names], allow_nan=False)
    return f"{zlib.crc32(text.encode()):08x}"


def of(arrays: Mapping[str, NDArray[Any]], table: Sequence[Row]) -> dict[str, Any]:
    """What a sealed file bears.

    Args:
        arrays: by name.
        table: rows of plain JSON.

    Returns:
        `arrays`, the checksum of each; `names`, the entries of the table that are numbers, or
        lists of numbers, in some row; `rows`, the checksum of these in each row. Names and words
        may be changed by whoever likes other ones; what is added to a row later is not covered.
    """
    names = sorted({name for row in table for name, entry in row.items() if _numeric(entry)})
    return {
        "arrays": {name: of_array(array) for name, array in arrays.items()},
        "names": names,
        "rows": [of_row(row, names) for row in table],
    }


def _numeric(entry: Any) -> bool:
    if isinstance(entry, list):
        return bool(entry) and all(each is None or _numeric(each) for each in entry)
    return isinstance(entry, int | float)
