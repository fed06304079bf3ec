"""A table of text as arrays: its coordinates as one matrix, the other columns one by one."""

import difflib
import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError, UsageError
from idkit.files import coordinates
from idkit.files.cells import clip, is_integer
from idkit.files.coordinates import Role
from idkit.files.members import Arrays, Member, frozen
from idkit.files.sheet import Sheet
from idkit.files.tables import Table

MATRIX = "z"
NAMES, INDEX = "names", "index"  # what row names without a name are called
INT64 = np.iinfo(np.int64)
LARGEST = 2.0**63
LISTED = 8  # columns in a message


def arrays(
    table: Table,
    *,
    key: str | None = None,
    columns: Sequence[str] | None = None,
    apart: str | None = None,
) -> Arrays:
    """A table as arrays: its coordinates, in their order, are the matrix `z` (n, d).

    Which columns are coordinates is for `coordinates.roles` to say; the others are arrays of their
    own under their names: text, or int64. Row names without a name are called `names`, or `index`
    where they are integers. A missing number is NaN.

    Args:
        table: the table.
        key: a column that is wanted as an array of its own, whatever it is.
        columns: the coordinates, instead of those that are found; the rest are arrays of their own.
        apart: a column that is no coordinate whatever it holds, as it names the rows.

    Returns:
        The arrays, with notes on what is no coordinate. The matrix raises IdkitError on first use
        where one of its cells is no number.

    Raises:
        IdkitError: when there is no such column, or none is a coordinate.
        UsageError: when both `key` and `columns` are given, or no column is.
    """
    sheet, label = table.sheet, table.label
    if columns is not None and (key is not None or not columns):
        raise UsageError(f"{label}: name the coordinates by --columns a,b, or one by FILE:KEY")
    found = coordinates.roles(sheet, apart=apart)
    wanted = [j for j, role in enumerate(found) if role in (Role.COORDINATE, Role.DAMAGED)]
    if columns is not None:
        wanted = [_place(sheet, name, label) for name in dict.fromkeys(columns)]
        found = coordinates.chosen(found, wanted)
    members = dict(_own(sheet, found))
    if members.pop(MATRIX, None) is not None and columns is None:
        raise IdkitError(f"{label}: column '{MATRIX}' holds text, not numbers")
    if wanted:
        shape = (len(sheet), len(wanted))
        members[MATRIX] = Member("float64", shape, lambda: _matrix(sheet, wanted, label))
    if key is not None and key not in members:
        members[key] = _column(sheet, _place(sheet, key, label), label)
    elif key is None and MATRIX not in members and len(members) != 1:
        raise IdkitError(_without_numbers(label, sheet, found))
    told = columns is None and key in (None, MATRIX)
    notes = coordinates.notes(sheet, found) if told else ()
    names = [sheet.names[j] for j in wanted] if sheet.headed and key in (None, MATRIX) else []
    return Arrays(members, notes, names)


def _place(sheet: Sheet, name: str, label: str) -> int:
    if name in sheet.place:
        return sheet.place[name]
    near = difflib.get_close_matches(name, sheet.names, n=1)
    hint = f": did you mean '{near[0]}'?" if near else ""
    raise IdkitError(f"{label} has no column '{clip(name)}'{hint} (it has {_listed(sheet.names)})")


def _matrix(sheet: Sheet, wanted: Sequence[int], label: str) -> NDArray[np.float64]:
    for column in wanted:
        if not sheet.numeric[column]:
            raise coordinates.refuse(sheet, column, label)
    whole = wanted == list(range(len(sheet.names)))
    return frozen(sheet.numbers if whole else np.ascontiguousarray(sheet.numbers[:, wanted]))


def _column(sheet: Sheet, column: int, label: str) -> Member:
    return Member("float64", (len(sheet),), lambda: _matrix(sheet, [column], label)[:, 0])


def _own(sheet: Sheet, found: Sequence[Role]) -> Iterator[tuple[str, Member]]:
    """The columns that are no coordinates, by the names of their arrays."""
    columns = [j for j, role in enumerate(found) if role not in (Role.COORDINATE, Role.DAMAGED)]
    exact = {j for j in columns if found[j] == Role.TEXT or sheet.integral[j]}
    sheet.load(exact)  # in one pass
    for column in columns:
        role, name = found[column], sheet.names[column]
        if coordinates.is_nameless(sheet, column) or (not sheet.headed and column == 0):
            name = NAMES if role == Role.TEXT else INDEX
            if name in sheet.place:
                continue
        if role == Role.TEXT:
            yield name, _text(sheet.text(column))
        elif column in exact:
            yield name, _held(_integers(sheet.text(column), sheet.numbers[:, column]))
        else:
            yield name, _held(sheet.numbers[:, column])


def _text(cells: Sequence[str]) -> Member:
    """Text; its array may be far larger than the file where one cell is long, so it can wait."""
    longest = np.dtype((np.str_, max(1, *map(len, cells))))
    return Member(longest.name, (len(cells),), lambda: frozen(np.array(cells, longest)))


def _held(array: NDArray[Any]) -> Member:
    return Member(array.dtype.name, array.shape, functools.partial(frozen, array))


def _integers(cells: Sequence[str], values: NDArray[np.float64]) -> NDArray[Any]:
    """Exactly as they are written: as text where 0012 is not 12, or int64 is too small."""
    if not all(map(is_integer, cells)):  # as 3.0
        return values.astype(np.int64) if np.abs(values).max() < LARGEST else values
    numbers = [int(cell) for cell in cells]
    padded = list(map(str, numbers)) != [cell.removeprefix("+") for cell in cells]
    if padded or not INT64.min <= min(numbers) <= max(numbers) <= INT64.max:
        return np.array(cells, np.str_)
    return np.array(numbers, np.int64)


def _without_numbers(label: str, sheet: Sheet, found: Sequence[Role]) -> str:
    if all(role == Role.TEXT for role in found):
        return f"{label} has no column of numbers ({_listed(sheet.names)})"
    held = [f"{name}: {role}" for name, role in zip(sheet.names, found, strict=True)]
    return f"{label} has no column that is a coordinate ({_listed(held)}): name one as {label}:KEY"


def _listed(names: Sequence[str]) -> str:
    known = [name for name in names if name]
    more = f" and {len(known) - LISTED} more" if len(known) > LISTED else ""
    return ", ".join(map(clip, known[:LISTED])) + more
