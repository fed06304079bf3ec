"""From a wide table, one column a family and one row a cell, to a long one."""

from collections.abc import Sequence

from idkit.cli.scoring import GROUP
from idkit.errors import IdkitError
from idkit.shelf import nearest
from idkit.stats.advice import FILE, clip, listed, measured
from idkit.stats.kinds import LIKE, LOOSE, MODES
from idkit.stats.naming import Entry

FAMILY = "model"  # names the families where the files are compared
ROW = "row"  # names a cell where no column does
ABOUT = frozenset(  # columns that name a cell also where they hold numbers
    [
        *(*GROUP, *MODES, *LIKE, *LOOSE, FILE, ROW, "", "unnamed: 0"),
        *("arch", "dataset", "dz", "dim", "seed", "fold", "run", "rep", "repeat", "replicate"),
        *("id", "index", "no", "number", "cell", "block", "group", "subject", "trial"),
    ]
)

Columns = dict[str, list[Entry]]


def families(columns: Columns, *, pair: Sequence[str] | None) -> list[str]:
    """The columns that would hold the numbers of a family each, were the table wide.

    Columns of numbers whose names are not those of settings. Of these, where two or more hold
    decimals, only such: whole numbers beside them are taken for names.

    Args:
        columns: the table, as it was read: numbers are numbers, and None where there is none.
        pair: the columns that name a cell, where the user has said so: whole numbers, too, are then
            those of a family.
    """
    numeric = [
        one
        for one, entries in columns.items()
        if any(entry is not None for entry in entries)
        and not any(isinstance(entry, str) for entry in entries)
    ]
    free = [
        one
        for one in numeric
        if one.strip().lower() not in ABOUT and (pair is None or one not in pair)
    ]
    decimals = [one for one in free if measured(columns[one])]
    return decimals if pair is None and len(decimals) > 1 else free


def check_long(columns: Columns, *, value: str, by: str, pair: Sequence[str] | None) -> None:
    """Makes sure that a table is not a wide one.

    Raises:
        IdkitError: when it looks like one; the message shows the long form.
    """
    known = families(columns, pair=pair)
    if value not in columns and by not in columns and len(known) > 1:
        raise IdkitError(
            f"no column is '{value}' or '{by}': if {listed(known)} are families, one a column, add "
            f"--wide (the long form has the columns CELL,{by},{value}); else name columns by "
            "--value, --by and --pair"
        )


def melt(
    columns: Columns, known: Sequence[str], *, value: str, by: str, pair: Sequence[str] | None
) -> tuple[Columns, list[str]]:
    """One row for each cell and family.

    Args:
        columns: the wide table.
        known: the columns that hold the numbers of a family each.
        value: what the column of numbers is to be called.
        by: what the column of families is to be called; `file` compares the files, and the
            families are part of the cell.
        pair: the columns that name a cell; None for all that hold no family's numbers, or the
            number of the row if there are none.

    Returns:
        The long table, and the columns that name a cell.

    Raises:
        IdkitError: when there are fewer than two families, or the table is long already.
    """
    lacking = [one for one in pair or () if one not in columns]
    if lacking:
        raise IdkitError(
            f"there is no column '{clip(lacking[0])}' for the cells{nearest(lacking[0], columns)} "
            f"(the table has {listed(columns)})"
        )
    family = FAMILY if by == FILE else by
    rest = [one for one in columns if one not in known and one != FILE]
    for one in (family, value):
        if one in rest:
            raise IdkitError(f"there is a column '{clip(one)}', as in a long table: omit --wide")
    if len(known) < 2:
        raise IdkitError(
            f"--wide takes at least two columns of numbers, one a family, of {listed(columns)} "
            f"there is {listed(known) or 'none'}"
        )
    count = len(columns[known[0]])
    kept = {one: columns[one] for one in (*rest, FILE) if one in columns}
    cell = [one for one in rest if one not in MODES] if pair is None else list(pair)
    if not cell:
        cell, kept[ROW] = [ROW], list(range(1, count + 1))
    long: Columns = {one: entries * len(known) for one, entries in kept.items()}
    long[family] = [one for one in known for _ in range(count)]
    long[value] = [number for one in known for number in columns[one]]
    return long, [*cell, family] if by == FILE else cell
