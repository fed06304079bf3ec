"""Which columns of a table are coordinates, by their names and by what they hold?"""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files.cells import clip, is_missing, is_word, other_notation
from idkit.files.sheet import Sheet

OWN = ("u", "split")  # of latents/1 and data/1
AXES = frozenset("xyz")
FEWEST = 3  # rows that can count: two integers do it by chance
LARGEST = 2.0**53  # beyond it float64 does not hold every integer
LISTED = 6  # columns in a note
NAMELESS = re.compile(r"Unnamed: \d+(\.\d+)?(_level_\d+)?|\.\.\.\d+")  # pandas, R's tibble
SEPARATOR = re.compile(r"[\W_]+")
CLASSES_OF_X = re.compile(r"[yY]([_ ](true|pred|train|test))?")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+|\d*\.\d*e[+-]?\d+)", re.ASCII | re.IGNORECASE)
ROW_NAMES = {
    *("id", "ids", "uid", "uuid", "idx", "index", "key", "keys", "name", "names", "barcode"),
    *("row", "rows", "rowname", "rownames", "sample", "samples", "obs", "observation", "item"),
    *("word", "words", "token", "tokens", "subject", "patient", "image", "file"),
}
CLASSES = {
    *("label", "labels", "class", "classes", "target", "targets", "category", "categories"),
    *("cluster", "clusters", "group", "groups", "digit", "fold", "batch", "segment", "seed"),
    *("type", "species", "donor", "replicate", "leiden", "louvain", "kmeans", "hdbscan"),
}

COUNTS = {"n", "num", "number", "nr", "nb", "count"}  # n_words is a number, no word


class Role(StrEnum):
    """What a column is; the value is what a note says of it."""

    COORDINATE = "a coordinate"
    COUNT = "counts rows"
    INTEGERS = "integers"
    TEXT = "text"
    DAMAGED = "numbers with something else among them"


def roles(sheet: Sheet, *, apart: str | None = None) -> list[Role]:
    """What each column is.

    A column is no coordinate where it holds text; or integers without a name, or under the name of
    row names or classes (`sample_id`, `label`); or where it counts rows, unless all columns do, or
    its name is x, y or z. Decimals are always coordinates. Integers called y are classes, unless
    x or z are there, too.

    Args:
        sheet: the table.
        apart: a column that a user says to name the rows.
    """
    found = [_role(sheet, j) for j in range(len(sheet.names))]
    if apart in sheet.place:
        place = sheet.place[apart]
        found[place] = Role.INTEGERS if sheet.numeric[place] else Role.TEXT
    if Role.COORDINATE in found or Role.DAMAGED in found:
        return found
    counted = [role == Role.COUNT and not is_nameless(sheet, j) for j, role in enumerate(found)]
    return [Role.COORDINATE if c else role for c, role in zip(counted, found, strict=True)]


def chosen(found: Sequence[Role], wanted: Iterable[int]) -> list[Role]:
    """The same where a user names the coordinates; other columns of numbers are then kept apart."""
    kept: list[Role] = [Role.INTEGERS if role == Role.COORDINATE else role for role in found]
    for column in wanted:
        kept[column] = Role.COORDINATE
    return kept


def notes(sheet: Sheet, found: Sequence[Role]) -> list[str]:
    """What a user should know of the choice."""
    said = []
    left = [j for j, role in enumerate(found) if role not in (Role.COORDINATE, Role.DAMAGED)]
    if left:
        listed = [f"{_called(sheet, j)} ({found[j]})" for j in left[:LISTED]]
        more = f" and {len(left) - LISTED} more" if len(left) > LISTED else ""
        said.append(f"left out, as no coordinates: {', '.join(listed)}{more}")
    taken = [j for j, role in enumerate(found) if role == Role.COORDINATE]
    whole = [j for j in taken if sheet.integral[j]]
    if not sheet.headed and len(whole) == 1 < len(taken):
        said.append(f"{sheet.called(whole[0])} holds integers, but is taken as a coordinate")
    bare = [j for j in taken if sheet.headed and is_nameless(sheet, j)]
    if bare:
        said.append(f"{sheet.called(bare[0])} has no name, but is taken as a coordinate")
    return said


def _called(sheet: Sheet, column: int) -> str:
    return f"column {column + 1}" if is_nameless(sheet, column) else clip(sheet.called(column))


def is_nameless(sheet: Sheet, column: int) -> bool:
    """Whether a column has no name where others have one."""
    name = sheet.names[column]
    return sheet.headed and (sheet.nameless[column] or NAMELESS.fullmatch(name) is not None)


def refuse(sheet: Sheet, column: int, label: str) -> IdkitError:
    """The error for a coordinate that is text, or that has a cell which is no number."""
    if _is_text(sheet, column):
        return IdkitError(f"{label}: {sheet.called(column)} holds text, not numbers")
    cells = sheet.text(column)
    row = next(i for i, cell in enumerate(cells) if is_word(cell))
    line, form = sheet.line(row), other_notation(cells[row])
    where = "" if line is None else f" (line {line})"
    cure = ": correct it, or name other columns as the coordinates"
    if form is not None:
        cure = f", with {form}: write numbers as -1234.5 or 1e-3"
    return IdkitError(
        f"{label}: {sheet.called(column)} holds numbers, but row {row + 1} has "
        f"'{clip(cells[row])}'{where}{cure}"
    )


def merely_counts(sheet: Sheet, column: int) -> bool:
    """Whether a column has no name, and counts rows."""
    return is_nameless(sheet, column) and bool(sheet.integral[column]) and _counts(sheet, column)


def _counts(sheet: Sheet, column: int) -> bool:
    """Whether a column is an integer, the next, and so on."""
    values = sheet.numbers[:, column]
    small = len(values) >= FEWEST and _are_all_small(values)
    return small and bool(np.all(np.diff(values) == 1))


def _role(sheet: Sheet, column: int) -> Role:
    name = sheet.names[column]
    if not sheet.numeric[column]:
        return Role.TEXT if _is_text(sheet, column) else Role.DAMAGED
    if not sheet.integral[column]:
        return Role.COORDINATE
    if is_nameless(sheet, column):
        return Role.COUNT if _counts(sheet, column) else Role.INTEGERS
    if name in OWN:
        small = _are_all_small(sheet.numbers[:, column])
        return Role.INTEGERS if small else Role.COORDINATE
    if _names_rows_or_classes(name) or _is_y_of_classes(name, sheet.names):
        return Role.INTEGERS
    counts = _counts(sheet, column) and not _is_axis(sheet, name)
    return Role.COUNT if counts else Role.COORDINATE


def _is_text(sheet: Sheet, column: int) -> bool:
    """Whether a column is text, not numbers with an error among them.

    `inf` and `1e5` are numbers, but may be words, too: they decide nothing.
    """
    cells = [cell for cell in sheet.text(column) if not is_missing(cell)]
    words = [cell for cell in cells if is_word(cell)]
    foreign = sum(other_notation(word) is not None for word in words)
    named = is_nameless(sheet, column) or _names_rows_or_classes(sheet.names[column])
    if named and len(words) > foreign:
        return True
    numbers = sum(NUMBER.fullmatch(cell) is not None for cell in cells)
    return not words or len(words) - foreign > numbers + foreign


def _names_rows_or_classes(name: str) -> bool:
    """Whether a name is that of row names or classes by its last word: `id` of `sampleID`."""
    words = SEPARATOR.split(CAMEL.sub(" ", name).lower().strip())
    return words[-1] in ROW_NAMES | CLASSES and words[0] not in COUNTS


def _is_y_of_classes(name: str, others: Sequence[str]) -> bool:
    """Whether a name is that of classes in scikit-learn, and not of the y of a point."""
    return CLASSES_OF_X.fullmatch(name) is not None and not AXES & _others(name, others)


def _is_axis(sheet: Sheet, name: str) -> bool:
    """Whether a column is the x of a point, not the X that R gives to row names."""
    lower = name.lower() in AXES
    return name in AXES or (lower and bool(AXES & _others(name, sheet.names)))


def _others(name: str, names: Sequence[str]) -> set[str]:
    return {other.lower() for other in names if other != name}


def _are_all_small(values: NDArray[np.float64]) -> bool:
    """Whether none is missing, and float64 is exact for all."""
    return bool(np.all(np.abs(values) < LARGEST))
