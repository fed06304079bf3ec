"""Opening a file: what kind it is, and what it holds."""

import difflib
import json
import math
from collections.abc import Sequence
from typing import Any

from idkit.errors import IdkitError, UsageError
from idkit.files import documents, matrices, npy, npz, safetensor, tables
from idkit.files.artefact import Artefact
from idkit.files.contents import Content
from idkit.files.kinds import Kind, recognise
from idkit.files.members import Arrays
from idkit.files.sources import open_content, split_key
from idkit.files.tables import Table
from idkit.files.validation import checked
from idkit.schemas import MADE_BY

TEXT = (Kind.CSV, Kind.JSON)
LONGEST_NUMBER = 40  # digits of an integer in metadata; those of idkit's have 19


def read(
    source: str,
    *,
    schema: str | None = None,
    columns: Sequence[str] | None = None,
    apart: str | None = None,
) -> Artefact:
    """Opens any file of arrays: safetensors, NPZ, npy, or a table, told apart by content.

    Args:
        source: a path, `FILE:KEY`, or `-` for standard input.
        schema: what it must be where it is one of idkit's own; files from elsewhere pass.
        columns: which columns of a table are the coordinates; None for those that `matrices`
            finds.
        apart: a column of a table that names its rows, and so is no coordinate.

    Returns:
        The artefact. Nothing large has been read: a big file of arrays is mapped.

    Raises:
        IdkitError: when there is no such file or array, or the file is damaged or something else.
        UsageError: when columns are named of what is no table.
    """
    path, key = split_key(source)
    content = open_content(path)
    return _artefact(content, recognise(content), key, schema, columns=columns, apart=apart)


def read_table(source: str) -> Table:
    """Opens any table of text: CSV, TSV, text between blanks, JSON, or JSON lines.

    Raises:
        IdkitError: when there is no such file, or it is not a table with a header.
    """
    content = open_content(source)
    kind = recognise(content)
    if kind not in TEXT:
        raise IdkitError(f"{content.label} is a file of arrays ({kind}), not a table")
    table = tables.parse(content, kind)
    if not table.headed:
        raise IdkitError(f"{content.label} has no header: name the columns in its first line")
    return table


def read_any(source: str, *, schema: str | None = None) -> Artefact | Table:
    """Opens whatever it is: text as a table (`read_table`), all else as arrays (`read`)."""
    path, key = split_key(source)
    content = open_content(path)
    kind = recognise(content)
    if kind in TEXT:
        return tables.parse(content, kind)
    return _artefact(content, kind, key, schema)


def _artefact(
    content: Content, kind: Kind, key: str | None, schema: str | None, **of_table: Any
) -> Artefact:
    arrays, text = _contents(content, kind, key=key, **of_table)
    meta = {} if text is None else _meta(content.label, text)
    found = meta.get("schema")
    if schema is not None and found is not None and found != schema:
        maker = MADE_BY.get(schema, "another idkit")
        raise IdkitError(f"{content.label} is {found}, not {schema} ('{maker}' makes that)")
    if key is not None and key not in arrays:
        near = difflib.get_close_matches(key, arrays, n=1)
        hint = f": did you mean '{near[0]}'?" if near else ""
        raise IdkitError(f"{content.label} has no array '{key}'{hint} ({arrays.listed()})")
    if found is not None:
        arrays = checked(content.label, meta, arrays)
    return Artefact(content.label, content.name, kind, found, meta, arrays, key, content)


def _contents(
    content: Content, kind: Kind, *, columns: Sequence[str] | None = None, **of_table: Any
) -> tuple[Arrays, str | None]:
    if kind in TEXT:
        return _of_table(content, kind, columns=columns, **of_table), None
    if columns is not None:
        raise UsageError(f"{content.label} is {kind}, no table: leave out --columns")
    if kind is Kind.SAFETENSORS:
        return safetensor.read(content)
    if kind is Kind.NPZ:
        return npz.read(content)
    return Arrays(npy.members(content)), None


def _of_table(content: Content, kind: Kind, **of_table: Any) -> Arrays:
    """The arrays of a table; the keywords are those of `matrices.arrays`."""
    if kind is Kind.JSON and documents.has_rows(content):
        raise IdkitError(
            f"{content.label} is JSON: arrays come as .npz, .safetensors, .npy or .csv"
        )
    return matrices.arrays(tables.parse(content, kind), **of_table)


def _meta(label: str, text: str) -> dict[str, Any]:
    try:
        meta = json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError):
        raise IdkitError(f"{label} has metadata under 'idkit' that is not JSON") from None
    if not isinstance(meta, dict) or not isinstance(meta.get("schema"), str):
        raise IdkitError(f"{label} has metadata under 'idkit' that names no schema")
    return meta


def _whole(text: str) -> int | float:
    """An integer; infinity for what no integer is, which takes long to read and is refused."""
    return int(text) if len(text) <= LONGEST_NUMBER else math.inf
