"""From scores and tables to one long table, a row for each number to compare."""

from typing import TYPE_CHECKING, Any

from idkit.cli import scoring
from idkit.errors import IdkitError
from idkit.schemas import SCORED
from idkit.stats.advice import FILE
from idkit.stats.naming import Entry, exact

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from idkit.files import Artefact, Table

SOURCE = FILE  # a column that every table gets: the input that a row comes from

Row = dict[str, Any]
Columns = dict[str, list[Entry]]


def columns(opened: "Sequence[Artefact | Table]", *, values: "Container[str]") -> Columns:
    """All inputs below each other.

    Args:
        opened: scores, or tables from anywhere.
        values: the columns of numbers to compare: what is undefined there is None. All other cells
            may name something, and are as the file has them.

    Returns:
        Every column of every input, empty (None) in the rows of an input that lacks it; and
        `file`, unless the inputs have a column of that name, with the base name of the input, or
        with the whole path where base names are not distinct.

    Raises:
        IdkitError: when an input is neither.
    """
    names = [one.name for one in opened]
    sources = names if len(set(names)) == len(names) else [one.label for one in opened]
    rows = [
        {**row, SOURCE: row.get(SOURCE, source)}
        for one, source in zip(opened, sources, strict=True)
        for row in _rows(one, values)
    ]
    known = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in known}


def _rows(opened: "Artefact | Table", values: "Container[str]") -> list[Row]:
    from idkit.files import Table

    if isinstance(opened, Table):
        if not opened.headed:
            raise IdkitError(f"{opened.label} has no header: name the columns in its first line")
        cells = {name: _cells(opened, name, values) for name in opened.columns}
        return [dict(zip(cells, line, strict=True)) for line in zip(*cells.values(), strict=True)]
    if opened.schema not in SCORED:
        what = f"is {opened.schema}" if opened.schema else "holds arrays, not a table"
        raise IdkitError(
            f"{opened.label} {what}: give scores ('idkit mcc -o' makes them), or a table as .csv, "
            ".tsv or JSON"
        )
    scalars = (str, int, float, type(None))
    how = scoring.options(opened.meta.get("command"))
    return [
        {name: entry for name, entry in group.items() if isinstance(entry, scalars)}
        | {name: entry for name, entry in how.items() if scoring.bears(name, group)}
        for group in opened.meta["groups"]
    ]


def _cells(table: "Table", name: str, values: "Container[str]") -> "Sequence[Entry]":
    entries = table.columns[name]
    if name in values:
        return entries
    return [exact(*cell) for cell in zip(entries, table.written(name), strict=True)]
