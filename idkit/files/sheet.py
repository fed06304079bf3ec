"""The cells of a table by columns: its numbers in one array, its words when they are asked for."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files.cells import as_number, clip, is_nan, is_word
from idkit.files.lines import Record

BLOCK = 1 << 17  # cells that are held as text at a time
USUALLY_MISSING = dict.fromkeys(("", "NA", "None", "null", "NULL", "<NA>", "N/A"), "nan")  # fast
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Sheet:
    """The cells of a table by columns.

    Attributes:
        names: one for each column, all different.
        nameless: whether the text has no name for a column.
        headed: whether the text names columns at all.
        numbers: shape (n, d), NaN where a cell is missing or no number.
        numeric: for each column, whether it holds numbers and missing cells only.
        places: where in a record the cell of each column is.
        records: runs through the rows.
    """

    names: tuple[str, ...]
    nameless: tuple[bool, ...]
    headed: bool
    numbers: Floats
    numeric: tuple[bool, ...]
    places: tuple[int, ...]
    records: Callable[[], Iterator[Record]] = field(repr=False)
    _texts: dict[int, list[str]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.numbers)

    @cached_property
    def place(self) -> dict[str, int]:
        """The number of the column of each name."""
        return {name: number for number, name in enumerate(self.names)}

    @cached_property
    def integral(self) -> NDArray[np.bool_]:
        """For each column whether it has numbers, and all of them are integers, as 3 or 3.0."""
        whole = np.array(self.numeric)
        some = np.zeros(len(whole), bool)
        rows = max(1, BLOCK // max(len(whole), 1))
        for start in range(0, len(self), rows):
            block = self.numbers[start : start + rows]
            missing = np.isnan(block)
            some |= ~missing.all(axis=0)
            whole &= (missing | ((block == np.rint(block)) & ~np.isinf(block))).all(axis=0)
        return whole & some

    def text(self, column: int) -> list[str]:
        """The cells of a column as they are written, without blanks around; one pass for all."""
        if column not in self._texts:
            words = [j for j, numeric in enumerate(self.numeric) if not numeric]
            self.load(words if column in words else [column])
        return self._texts[column]

    def load(self, columns: Iterable[int]) -> None:
        """Reads the text of several columns in one pass."""
        wanted = sorted(set(columns) - self._texts.keys())
        if wanted:
            held = _columns(self.records(), [self.places[j] for j in wanted])
            self._texts.update(zip(wanted, held, strict=True))

    def line(self, row: int) -> int | None:
        """The number in the file of the line that holds a row, which counts from 0."""
        return next(itertools.islice(self.records(), row, None)).line

    def called(self, column: int) -> str:
        """A column, for a message."""
        return f"column {column + 1}" if self.nameless[column] else f"column '{self.names[column]}'"


def build(
    label: str, names: Sequence[str] | None, width: int, records: Callable[[], Iterator[Record]]
) -> Sheet:
    """The columns of some rows.

    A column without a name and without a value, as a separator at the end of each line makes it,
    is none.

    Args:
        label: what messages call the file.
        names: of the columns, empty where one has none; None where none has.
        width: cells of each row.
        records: runs through the rows.

    Raises:
        IdkitError: when there are no rows, or two columns of one name.
    """
    given = tuple(names) if names is not None else ("",) * width
    numbers, numeric = _numbers(records(), width)
    if not len(numbers):
        raise IdkitError(f"{label} is not a table: it has no rows below its header")
    twice = [name for name, count in Counter(given).items() if name and count > 1]
    if twice:
        raise IdkitError(f"{label} has two columns named '{clip(twice[0])}'")
    bare = np.flatnonzero(numeric & np.isnan(numbers).all(axis=0)).tolist()
    kept = np.ones(width, bool)
    for j, cells in zip(bare, _columns(records(), bare) if bare else (), strict=True):
        numeric[j] = all(not cell or is_nan(cell) for cell in cells)  # else words, as `none`
        kept[j] = any(cells) or bool(given[j]) or (names is None and j < width - 1)
    places = np.flatnonzero(kept).tolist()
    return Sheet(
        names=_unique([given[j] for j in places], headed=names is not None),
        nameless=tuple(not given[j] or names is None for j in places),
        headed=names is not None,
        numbers=numbers if kept.all() else numbers[:, kept],
        numeric=tuple(numeric[kept].tolist()),
        places=tuple(places),
        records=records,
    )


def _unique(names: Sequence[str], *, headed: bool) -> tuple[str, ...]:
    """Names for all columns: the first without one is '', others are called as pandas does it."""
    if not headed:
        return tuple(str(j + 1) for j in range(len(names)))
    first = names.index("") if "" in names else None
    return tuple(name or ("" if j == first else f"Unnamed: {j}") for j, name in enumerate(names))


def _numbers(records: Iterator[Record], width: int) -> tuple[Floats, NDArray[np.bool_]]:
    """The numbers of all columns, and which columns have nothing but numbers and missing cells."""
    numeric = np.ones(width, bool)
    rows = max(1, BLOCK // max(width, 1))
    blocks = []
    while batch := [record.cells for record in itertools.islice(records, rows)]:
        blocks.append(_block(batch, numeric))
    return np.concatenate(blocks) if blocks else np.empty((0, width)), numeric


def _block(rows: Sequence[Sequence[str]], numeric: NDArray[np.bool_]) -> Floats:
    """The numbers of some rows; a column in which something else is found is none from here on."""
    block = np.full((len(rows), len(numeric)), np.nan)
    columns = np.flatnonzero(numeric).tolist()
    whole = len(columns) == len(numeric)
    wanted = rows if whole else [[row[j] for j in columns] for row in rows]
    values = _floats(itertools.chain.from_iterable(wanted))
    if values is not None:
        block[:, columns] = values.reshape(len(rows), len(columns))
        return block
    for place, cells in zip(columns, zip(*wanted, strict=True), strict=True):
        values = _floats(cells)
        if values is None:
            stripped = [cell.strip() for cell in cells]
            numeric[place] = not any(map(is_word, stripped))
            values = np.array([as_number(cell) for cell in stripped], np.float64)
        block[:, place] = values
    return block


def _floats(cells: Iterable[str]) -> Floats | None:
    """The numbers of cells that all hold one, or are missing as usual; else None."""
    held = list(cells)
    values = _converted(held)
    if values is None:
        return _converted([USUALLY_MISSING.get(cell, cell) for cell in held])
    return values


def _converted(cells: Sequence[str]) -> Floats | None:
    try:
        values = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    return None if "_" in "".join(cells) else values  # Python reads 1_000, tables do not


def _columns(records: Iterable[Record], places: Sequence[int]) -> list[list[str]]:
    held: list[list[str]] = [[] for _ in places]
    for record in records:
        for cells, place in zip(held, places, strict=True):
            cells.append(record.cells[place].strip())
    return held
