"""From scores and tables to one long table, a row for each number to compare."""

from typing import TYPE_CHECKING, Any

from idkit.errors import IdkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idkit.files import Artefact, Table

SCORED = ("idkit.scores/1", "idkit.alignment/1")
GROUP = ("data", "model", "arch", "d_z", "settings")  # a cell's name, less the family's
KINDS = ("mode", "corr")  # these, too, where there is more than one of them
SOURCE = "file"  # a column that every table gets: the input that a row comes from

Row = dict[str, Any]
Columns = dict[str, list[Any]]


def columns(opened: "Sequence[Artefact | Table]") -> Columns:
    """All inputs below each other.

    Args:
        opened: scores, or tables from anywhere.

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
        for row in _rows(one)
    ]
    known = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in known}


def usual_cell(table: Columns, *, by: str) -> list[str]:
    """The columns of idkit's own that name a cell.

    Args:
        table: the columns there are.
        by: the column that names the family.

    Raises:
        UsageError: when there are none.
    """
    varying = [name for name in KINDS if len(set(table.get(name, ()))) > 1]
    usual = [name for name in (*GROUP, *varying) if name in table and name != by]
    if not usual:
        raise UsageError(
            f"name the columns that make a cell by --pair (the table has {', '.join(table)})"
        )
    return usual


def _rows(opened: "Artefact | Table") -> list[Row]:
    from idkit.files import Table

    if isinstance(opened, Table):
        lines = zip(*opened.columns.values(), strict=True)
        return [dict(zip(opened.columns, line, strict=True)) for line in lines]
    if opened.schema not in SCORED:
        what = f"is {opened.schema}" if opened.schema else "holds arrays, not a table"
        raise IdkitError(
            f"{opened.label} {what}: give scores ('idkit mcc -o' makes them), or a table as .csv, "
            ".tsv or JSON"
        )
    scalars = (str, int, float, type(None))
    return [
        {name: entry for name, entry in group.items() if isinstance(entry, scalars)}
        for group in opened.meta["groups"]
    ]
