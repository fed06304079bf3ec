"""Tables in JSON: the orientations of pandas, lists of rows, and JSON lines."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from idkit.errors import IdkitError
from idkit.files.contents import Content
from idkit.files.lines import Record, lines

ROWS = "rows"  # where documents of idkit keep their rows
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
SPLIT = {"columns", "data"}  # and perhaps `index`


@dataclass(frozen=True)
class Document:
    """The table of a JSON document.

    Attributes:
        names: of the columns, empty for row names; None where rows are lists without names.
        rows: cells as text: integers digit by digit, other numbers as Python prints them, what is
            null or not there empty, lists and objects as JSON.
    """

    names: tuple[str, ...] | None
    rows: list[list[str]]

    def records(self) -> Iterator[Record]:
        """Runs through the rows, which have no lines."""
        return (Record(None, row) for row in self.rows)


def has_rows(content: Content) -> bool:
    """Whether a document is of the form in which programs print results: an object with `rows`."""
    if content.buffer.find(f'"{ROWS}"'.encode()) < 0:
        return False
    try:
        whole = _loads("".join(lines(content)))
    except ValueError:
        return False
    return isinstance(whole, dict) and isinstance(whole.get(ROWS), list)


def parse(text: str, label: str) -> Document:
    """The table of a JSON document.

    Read are objects in a list, or below `rows`; JSON lines; the orientations of pandas' `to_json`
    (columns, index, split, table, values); and an object of lists, one for each column.

    Raises:
        IdkitError: when the text is no JSON, or no table.
    """
    try:
        whole = _loads(text)
    except ValueError:
        whole = _lines(text, label)
    found = next(filter(None, (reading(whole) for reading in READINGS)), None)
    if found is None or not found.rows:
        raise IdkitError(f"{label} is JSON without a list of objects under '{ROWS}'")
    return _encodable(found) if SURROGATE.search(text) else found


def _rows(whole: Any) -> Document | None:
    rows: Any = whole.get(ROWS) if isinstance(whole, dict) else whole
    return _of_objects(rows) if _all(rows, dict) else None


def _values(whole: Any) -> Document | None:
    if not _all(whole, list) or len(set(map(len, whole))) > 1 or not whole[0]:
        return None
    return Document(None, [[_written(cell) for cell in row] for row in whole])


def _table(whole: Any) -> Document | None:
    """`orient="table"`: a schema, and objects below `data`."""
    if not isinstance(whole, dict) or "schema" not in whole or not _all(whole.get("data"), dict):
        return None
    return _of_objects(whole["data"])


def _split(whole: Any) -> Document | None:
    """`orient="split"`: names of columns, names of rows, and rows without names."""
    if not isinstance(whole, dict) or not whole.keys() >= SPLIT or not _all(whole["data"], list):
        return None
    names, rows = whole["columns"], whole["data"]
    if not isinstance(names, list) or any(len(row) != len(names) for row in rows):
        return None
    index = whole.get("index", range(len(rows)))
    if not isinstance(index, list | range) or len(index) != len(rows):
        return None
    return _indexed([_written(name) for name in names], [_written(name) for name in index], rows)


def _by_columns(whole: Any) -> Document | None:
    """`orient="columns"`, pandas' own, or `orient="index"` where the outer names count rows."""
    if not isinstance(whole, dict) or set(whole) == {ROWS} or not _all([*whole.values()], dict):
        return None
    outer = list(whole)
    inner = list(dict.fromkeys(name for held in whole.values() for name in held))
    if _counts(outer) and not _counts(inner):
        return _of_objects(list(whole.values()))
    rows = [[whole[column].get(row) for column in outer] for row in inner]
    return _indexed(outer, inner, rows)


def _lists(whole: Any) -> Document | None:
    """An object of lists of one length."""
    if not isinstance(whole, dict) or not _all([*whole.values()], list):
        return None
    lengths = set(map(len, whole.values()))
    if len(lengths) > 1:
        return None
    rows = [[_written(cell) for cell in row] for row in zip(*whole.values(), strict=True)]
    return Document(tuple(whole), rows)


def _single(whole: Any) -> Document | None:
    """An object alone: one row, as of JSON lines with one line."""
    alone = isinstance(whole, dict) and whole and not isinstance(whole.get(ROWS), list | dict)
    return _of_objects([whole]) if alone else None


READINGS: Sequence[Callable[[Any], Document | None]] = (
    *(_rows, _values, _table, _split, _by_columns, _lists, _single),
)


def _indexed(names: list[str], index: list[str], rows: Sequence[Sequence[Any]]) -> Document:
    """Rows with names of their own, which come first unless they only count."""
    written = [[_written(cell) for cell in row] for row in rows]
    if _counts(index):
        return Document(tuple(names), written)
    return Document(("", *names), [[name, *row] for name, row in zip(index, written, strict=True)])


def _of_objects(rows: Sequence[Mapping[str, Any]]) -> Document:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return Document(tuple(names), [[_written(row.get(name)) for name in names] for row in rows])


def _lines(text: str, label: str) -> list[Any]:
    """JSON lines: objects, or lists."""
    rows: list[Any] = []
    for number, line in enumerate(text.split("\n"), start=1):  # U+2028 in a cell ends no line
        if line.strip():
            try:
                rows.append(_loads(line))
            except ValueError:
                raise IdkitError(f"{label} is not JSON: see line {number}") from None
            if not isinstance(rows[-1], dict | list) or not isinstance(rows[-1], type(rows[0])):
                raise IdkitError(f"{label} is not JSON: see line {number}")
    return rows


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _encodable(found: Document) -> Document:
    """The same without halves of surrogate pairs, which JSON can hold and no stream can print."""

    def plain(cell: str) -> str:
        return cell.encode("utf-8", "backslashreplace").decode()

    names = None if found.names is None else tuple(map(plain, found.names))
    return Document(names, [list(map(plain, row)) for row in found.rows])


def _constant(name: str) -> float | None:
    return None if name == "NaN" else float(name)


def _written(cell: Any) -> str:
    if cell is None:
        return ""
    return cell if isinstance(cell, str) else json.dumps(cell, sort_keys=True)


def _all(found: Any, kind: type) -> bool:
    return isinstance(found, list) and bool(found) and all(isinstance(each, kind) for each in found)


def _counts(names: Sequence[str]) -> bool:
    """Whether row names are those that pandas gives where there are none."""
    return list(names) == [str(number) for number in range(len(names))]
