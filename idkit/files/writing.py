"""Writing arrays and metadata, in the format that the extension names."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.errors import UsageError
from idkit.files import npz, safetensor
from idkit.files.outputs import STDOUT, writing
from idkit.files.validation import sealed

WRITABLE = "biufcSU"  # kinds of numpy.dtype: numbers, truth values and text
RESERVED = {npz.META, safetensor.METADATA}
WRITERS = {".npz": npz.write, ".safetensors": safetensor.write}


def write(
    path: str, arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any], *, force: bool = False
) -> None:
    """Writes arrays and metadata; equal content gives equal bytes.

    Args:
        path: ends in `.npz` or `.safetensors`; `-` is safetensors on standard output.
        arrays: by name; numbers of any shape, order and endianness.
        meta: what JSON can hold, as from `metadata`.
        force: whether a file that exists may be replaced.

    Raises:
        IdkitError: when it cannot be written; then the folder is as it was.
        UsageError: when the extension is another, or standard output is a terminal.
    """
    check_extension(path)
    if taken := RESERVED & arrays.keys():
        raise ValueError(f"an array cannot be called {' or '.join(sorted(taken))}")
    writer = WRITERS.get(Path(path).suffix.lower(), safetensor.write)
    plain = {name: _plain(name, array) for name, array in sorted(arrays.items())}
    text = _json(sealed(plain, json.loads(_json(meta))))
    with writing(path, force=force) as stream:
        writer(stream, plain, text)


def check_extension(path: str | None) -> None:
    """Makes sure, before long work, that a path says in which format to write.

    Raises:
        UsageError: when it does not.
    """
    special = path is None or path == STDOUT or path.startswith("/dev/")
    if path is not None and not special and Path(path).suffix.lower() not in WRITERS:
        raise UsageError(f"cannot tell the format of '{path}': end it in .npz or .safetensors")


def _json(meta: Mapping[str, Any]) -> str:
    """Metadata as text: equal for equal content."""
    return json.dumps(meta, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_scalar)


def _plain(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """C order and little-endian, so that equal arrays are equal bytes."""
    if array.dtype.kind not in WRITABLE:
        raise TypeError(f"array '{name}' holds {array.dtype}, which no artefact can hold")
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _scalar(value: object) -> Any:
    """A number of numpy's as one of Python's, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} does not go into metadata")
