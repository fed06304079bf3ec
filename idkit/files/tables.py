"""Tables of text: CSV, TSV, a JSON document with `rows`, or JSON lines."""

import csv
import io
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from idkit.errors import IdkitError
from idkit.files.contents import Content
from idkit.files.kinds import Kind

Cell = str | float | None
UNDEFINED = frozenset(("", "na", "n/a", "nan", "none", "null"))


@dataclass(frozen=True, eq=False)
class Table:
    """A table by columns.

    Attributes:
        label: what messages call it: the path as the user typed it, or `standard input`.
        columns: by name, in the order of the file, all of one length. A column of text stays
            text; in a column of numbers a cell that is empty, NA, NaN or null is None.
        kind: the format that was found.
        content: the bytes of the file.
        texts: the cells of each column as the file has them; None where there is nothing.
    """

    label: str
    columns: dict[str, list[Cell]]
    kind: Kind
    content: Content = field(repr=False)
    texts: dict[str, list[str | None]] = field(repr=False, default_factory=dict)

    @property
    def name(self) -> str:
        """The base name of the file; `-` for standard input."""
        return self.content.name

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole file, in hexadecimal; computed on first use."""
        return self.content.sha256

    def written(self, name: str) -> list[str | None]:
        """The cells of a column exactly as the file has them, without space around them.

        Numbers of JSON that are whole keep all their digits; a cell that is empty or null is None.
        """
        return self.texts[name]


def parse(content: Content, kind: Kind) -> Table:
    """The table in some text.

    Raises:
        IdkitError: when the text is not a table; the message names the line.
    """
    text = _decoded(content)
    columns = _json_columns if kind is Kind.JSON else _csv_columns
    found, texts = columns(text, content.label)
    return Table(content.label, found, kind, content, texts)


def as_number(cell: Cell) -> float | None:
    """The number that a cell holds; None for text and for what is not defined."""
    if not isinstance(cell, str):
        return cell
    try:
        number = float(cell)
    except ValueError:
        return None
    return None if math.isnan(number) or "_" in cell else number


def clip(text: object) -> str:
    """The beginning of some text on one line, for a message."""
    words = " ".join(str(text).split())
    return words if len(words) <= 40 else words[:39] + "…"


def _decoded(content: Content) -> str:
    try:
        return bytes(content.buffer).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise IdkitError(f"{content.label} is not UTF-8 text (byte {error.start})") from None


Columns = tuple[dict[str, list[Cell]], dict[str, list[str | None]]]


def _csv_columns(text: str, label: str) -> Columns:
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = "\t" if "\t" in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        lines = [
            (reader.line_num, line) for line in reader if len(line) > 1 or "".join(line).strip()
        ]
    except csv.Error as error:
        raise IdkitError(f"{label} is not a table: line {reader.line_num}: {error}") from None
    if len(lines) < 2:
        raise IdkitError(f"{label} is not a table: it has no rows below '{clip(first.strip())}'")
    _check_separator([line for _, line in lines], label)
    names = _header([cell.strip() for cell in lines[0][1]], label)
    for number, line in lines[1:]:
        if len(line) != len(names):
            raise IdkitError(
                f"{label} is not a table: line {number} has {len(line)} cells, "
                f"the header has {len(names)}"
            )
    columns = [
        [cell.strip() for cell in cells]
        for cells in zip(*(line for _, line in lines[1:]), strict=True)
    ]
    typed = {name: _typed(cells) for name, cells in zip(names, columns, strict=True)}
    return typed, {
        name: [cell or None for cell in cells] for name, cells in zip(names, columns, strict=True)
    }


def _check_separator(lines: list[list[str]], label: str) -> None:
    """One column whose every line falls apart at ';' into equally many parts is several columns."""
    parts = [",".join(line).split(";") for line in lines]  # decimal commas split lines, too
    named = len(lines[0]) == 1 and len(parts[0]) > 1 and all(map(str.strip, parts[0]))
    if named and len(set(map(len, parts))) == 1:
        raise IdkitError(
            f"{label} looks as if its columns are separated by ';': separate them by commas or "
            "tabs, with a point in decimal numbers"
        )


def _header(names: list[str], label: str) -> list[str]:
    if all(as_number(name) is not None for name in names):
        raise IdkitError(f"{label} has no header: name the columns in its first line")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise IdkitError(f"{label} has two columns named '{clip(twice[0])}'")
    return names


def _typed(cells: Iterable[str]) -> list[Cell]:
    """Numbers where every cell is one or undefined, else text."""
    stripped = [cell.strip() for cell in cells]
    numbers = [as_number(cell) for cell in stripped]
    if all(
        number is not None or cell.lower() in UNDEFINED
        for number, cell in zip(numbers, stripped, strict=True)
    ):
        return list(numbers)
    return [cell or None for cell in stripped]


def _json_rows(text: str, label: str) -> list[dict[str, Any]]:
    try:
        document = _loads(text)
    except ValueError:
        return _json_lines(text, label)
    rows = document.get("rows", [document]) if isinstance(document, dict) else document
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise IdkitError(f"{label} is JSON without a list of objects under 'rows'")
    return rows


def _json_lines(text: str, label: str) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                rows.append(dict(_loads(line)))
            except (ValueError, TypeError):
                raise IdkitError(f"{label} is not JSON: see line {number}") from None
    return rows


def _loads(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_Whole, parse_constant=lambda _: None)
    except RecursionError:
        raise ValueError("nested too deeply") from None


class _Whole(float):
    """A whole number of JSON, with its digits."""

    def __new__(cls, digits: str) -> "_Whole":
        number = super().__new__(cls, digits)
        number.digits = digits
        return number

    digits: str


def _json_columns(text: str, label: str) -> Columns:
    rows = _json_rows(text, label)
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [_cell(row.get(name)) for row in rows] for name in names}
    return columns, {name: [_text(cell) for cell in cells] for name, cells in columns.items()}


def _text(cell: Cell) -> str | None:
    if isinstance(cell, _Whole):
        return cell.digits
    return repr(cell) if isinstance(cell, float) else cell and cell.strip()


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str | float):
        return value
    return json.dumps(value, sort_keys=True)
