"""safetensors: read, validated and written by the format's own library.

What is ours, and why: values are views of the mapped file (the library's numpy reader copies them,
and knows neither bfloat16 nor float8), and there is one metadata key (the library writes several in
random order). The format has no checksums: what can be damaged unseen is a value.
"""

import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from idkit.errors import DamagedError, IdkitError
from idkit.files.contents import Content
from idkit.files.limits import Allowance
from idkit.files.members import Arrays, Member, count_bytes, frozen, refuse, view
from idkit.files.narrow import BY_CODE, Narrow
from idkit.files.numbers import blocks

META = "idkit"
METADATA = "__metadata__"
LENGTH_BYTES = 8  # before the header, its length
MAX_HEADER = 100_000_000  # the library's own limit
NUMPY = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "U16": "<u2",
    "I16": "<i2",
    "U32": "<u4",
    "I32": "<i4",
    "U64": "<u8",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "C64": "<c8",
}
WIDE_BYTES = 4  # of a float32
BITS = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6}  # packed, and not read


def read(content: Content) -> tuple[Arrays, str | None]:
    """The arrays of a safetensors file, mapped, and its metadata as text.

    Types that numpy does not have are widened to float32 (exactly) when they are touched.

    Raises:
        DamagedError: when the library finds that the header and the file do not agree.
    """
    start = LENGTH_BYTES + _header_length(content)
    allowance = Allowance(content.size)
    members = {}
    try:
        with _header_alone(content) as path, safe_open(path, framework="numpy") as opened:
            metadata = opened.metadata() or {}
            for name in opened.offset_keys():  # they fill the file without holes, in this order
                tensor = opened.get_slice(name)
                dtype, shape = tensor.get_dtype(), tuple(tensor.get_shape())
                what = f"{content.label}:{name}"
                bits = _bits(what, dtype)
                members[name] = _member(content, what, dtype, shape, start, allowance)
                start += math.prod(shape) * bits // 8
    except SafetensorError as error:
        reason = (
            str(error).removeprefix("Error while deserializing header: ").split(", expected")[0]
        )
        raise DamagedError(
            f"{content.label} is a truncated or damaged safetensors file: {reason}"
        ) from None
    return Arrays(members), metadata.get(META)


def write(stream: IO[bytes], arrays: Mapping[str, NDArray[Any]], meta: str) -> None:
    """Writes a safetensors file: the same bytes for the same content.

    Args:
        stream: a file or a pipe.
        arrays: C-ordered and little-endian.
        meta: the metadata, as text.

    Raises:
        IdkitError: when an array has a type that the format does not know.
    """
    for name, array in arrays.items():
        if array.dtype not in map(np.dtype, NUMPY.values()):
            raise IdkitError(f"safetensors cannot hold '{name}' ({array.dtype}): write an .npz")
    stream.write(save(dict(arrays), {META: meta}))


def _header_length(content: Content) -> int:
    return int.from_bytes(content.buffer[:LENGTH_BYTES], "little")


@contextmanager
def _header_alone(content: Content) -> Iterator[str]:
    """The path of a sparse file of the same header and length: all that the library looks at.

    It opens by name, but the content may have come through a pipe, and its name may lead to another
    file by now.
    """
    with _without_a_name() as file:
        file.write(content.buffer[: LENGTH_BYTES + min(_header_length(content), MAX_HEADER)])
        file.truncate(content.size)
        file.flush()
        yield f"/dev/fd/{file.fileno()}"


def _without_a_name() -> IO[bytes]:
    in_memory = getattr(os, "memfd_create", None)  # on Linux; needs no folder to write into
    return tempfile.TemporaryFile() if in_memory is None else open(in_memory("idkit"), "w+b")


def _bits(what: str, dtype: str) -> int:
    """The bits of an element."""
    stored = BY_CODE[dtype].stored if dtype in BY_CODE else NUMPY.get(dtype)
    if stored is None and dtype not in BITS:  # a later library's
        raise IdkitError(f"{what} holds {dtype}, which idkit does not read: save float32")
    return BITS[dtype] if stored is None else 8 * np.dtype(stored).itemsize


def _member(
    content: Content,
    what: str,
    dtype: str,
    shape: tuple[int, ...],
    start: int,
    allowance: Allowance,
) -> Member:
    if dtype in BITS:
        return Member(dtype, shape, refuse(IdkitError(f"{what} holds {dtype}: save float32")))
    narrow = BY_CODE.get(dtype)
    stored = np.dtype(NUMPY[dtype] if narrow is None else narrow.stored)
    count_bytes(what, shape, stored.itemsize)
    mapped = partial(view, content, stored, shape, start=start, fortran=False)
    if narrow is None:
        return Member(stored.name, shape, mapped)
    return Member(
        narrow.name,
        shape,
        partial(_widened, mapped, narrow, what, allowance),
        partial(_widened_pieces, mapped, narrow),
    )


def _widened(
    mapped: Callable[[], NDArray[Any]], narrow: Narrow, what: str, allowance: Allowance
) -> NDArray[Any]:
    stored = mapped()
    allowance.take(what, packed=stored.nbytes, count=stored.size * WIDE_BYTES)
    return frozen(narrow.widen(stored))


def _widened_pieces(
    mapped: Callable[[], NDArray[Any]], narrow: Narrow, count: int
) -> Iterator[NDArray[Any]]:
    yield from map(narrow.widen, blocks(mapped().reshape(-1), values=count))
