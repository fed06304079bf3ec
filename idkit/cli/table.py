"""A table on a terminal of any width: whole words, all columns, as many decimals as there is room.

Where it does not fit, in this order: paths stand below it; texts are wrapped between words; numbers
lose decimals; lines between columns go; what is the same in every row stands above it; and in the
end each row is a list of its columns.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

PATH = "path"  # the column that names files
DECIMALS = (4, 3, 2)  # as many as there is room for
SMALL = {4: 1e-3, 3: 1e-3, 2: 1e-2}  # below, a number is written with an exponent
UNDEFINED = "-"
NUMBERS = re.compile(r"[-\d.,\s]*\d[-\d.,\s]*(?:to[-\d.,\s]*)?")  # a cell of some numbers
FRACTION = re.compile(r"(?<![\w.])(\d*\.\d+)(?![\w.])")

Row = Mapping[str, Any]
Cells = dict[str, list[str]]  # by the name of their column


@dataclass(frozen=True)
class Looks:
    """How a table is drawn.

    Attributes:
        lined: whether lines are drawn between columns.
        decimals: of its numbers, at most.
    """

    lined: bool
    decimals: int

    def width(self, columns: Sequence[int]) -> int:
        """The width of a table whose columns are as wide as given."""
        between = 3 * len(columns) + 1 if self.lined else 2 * (len(columns) - 1)
        return sum(columns) + between


LOOKS = (*(Looks(lined=True, decimals=d) for d in DECIMALS), Looks(lined=False, decimals=2))


def fitted(rows: Sequence[Row], title: str, width: int) -> "Iterator[RenderableType | str]":
    """A table as what to print one after the other: tables, or lines of text.

    Args:
        rows: one mapping a row, all with the same keys, of printable text and plain numbers.
        title: a heading.
        width: letters of a line of the terminal.
    """
    if not rows:
        return
    whole = _cells(rows, DECIMALS[0])
    if LOOKS[0].width([_widest(name, cells) for name, cells in whole.items()]) <= width:
        yield _table(whole, rows, title, LOOKS[0], width)
        return
    below = [row[PATH] for row in rows if row.get(PATH) is not None]
    rows = [{name: row[name] for name in row if name != PATH} for row in rows]
    yield from _narrow(rows, title, width)
    yield from below  # half a path in a cell cannot be copied


def _narrow(rows: Sequence[Row], title: str, width: int) -> "Iterator[RenderableType | str]":
    looks = _looks(rows, width)
    if looks is None:
        yield from _filled(title.split(), " ", width)
        title = ""
        same = [n for n in rows[0] if len(rows) > 1 and _is_told_once([row[n] for row in rows])]
        yield from _filled([f"{name}: {_cell(rows[0][name])}" for name in same], ", ", width)
        rows = [{name: row[name] for name in row if name not in same} for row in rows]
        looks = _looks(rows, width)
    if looks is not None and rows[0]:
        yield _table(_cells(rows, looks.decimals), rows, title, looks, width)
        return
    length = max((len(name) for name in rows[0]), default=0)
    for number, row in enumerate(rows if rows[0] else ()):
        if number or len(rows) > 1:
            yield ""
        yield from (f"{name:{length}}  {_cell(value)}" for name, value in row.items())


def _filled(parts: Sequence[str], glue: str, width: int) -> list[str]:
    """Parts in lines that fit; none is cut, however long."""
    lines: list[str] = []
    for part in parts:
        if lines and _length(lines[-1] + glue + part) <= width - len(glue.rstrip()):
            lines[-1] += glue + part
        else:
            lines.append(part)
    return [line + glue.rstrip() for line in lines[:-1]] + lines[-1:]


def _looks(rows: Sequence[Row], width: int) -> Looks | None:
    """The first looks in which every column is as wide as its longest word."""
    for looks in LOOKS:
        cells = _cells(rows, looks.decimals)
        if looks.width([_narrowest(n, c, rows, looks) for n, c in cells.items()]) <= width:
            return looks
    return None


def _table(cells: Cells, rows: Sequence[Row], title: str, looks: Looks, width: int) -> "Table":
    from rich import box
    from rich.table import Table

    table = Table(
        title=title or None,
        title_justify="left",
        header_style="bold",
        box=box.HEAVY_HEAD if looks.lined else None,
        padding=(0, 1) if looks.lined else (0, 2, 0, 0),
        pad_edge=looks.lined,
    )
    for name, room in _share(cells, rows, looks, width).items():
        justify: Literal["left", "right"] = "right" if _is_numeric(name, rows) else "left"
        table.add_column(name, justify=justify, width=room)
    for row in zip(*cells.values(), strict=True):
        table.add_row(*row)
    return table


def _share(cells: Cells, rows: Sequence[Row], looks: Looks, width: int) -> dict[str, int]:
    """The width of each column: the widest texts are wrapped until all fit."""
    room = {name: _widest(name, column) for name, column in cells.items()}
    least = {name: _narrowest(name, column, rows, looks) for name, column in cells.items()}
    while looks.width(list(room.values())) > width:
        spare = [name for name in room if room[name] > least[name]]
        room[max(spare, key=lambda name: room[name])] -= 1
    return room


def _cells(rows: Sequence[Row], decimals: int) -> Cells:
    """The texts of all cells; the numbers of a column have equally many decimals."""
    cells = {}
    for name in rows[0]:
        column = [row[name] for row in rows]
        floats = [value for value in column if isinstance(value, float)]
        most = max((_decimals(value, decimals) for value in floats), default=0)
        cells[name] = [
            _float(value, most, decimals) if isinstance(value, float) else _cell(value)
            for value in column
        ]
        if _is_written_out(cells[name]):
            cells[name] = [
                FRACTION.sub(lambda found: _rounded(found[0], decimals), text)
                for text in cells[name]
            ]
    return cells


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return _float(value, _decimals(value, DECIMALS[0]), DECIMALS[0])
    return UNDEFINED if value is None else str(value)


def _is_written_out(texts: Sequence[str]) -> bool:
    """Whether a column of text is one of results, as `.705` or `.61 to .72`: no names of things."""
    known = [text for text in texts if text != UNDEFINED]
    numbers = all(NUMBERS.fullmatch(text) for text in known)
    return numbers and any(text[0] == "." or len(FRACTION.findall(text)) > 1 for text in known)


def _decimals(value: float, most: int) -> int:
    """How many decimals a number needs, zeros at its end left out."""
    if 0 < abs(value) < SMALL[most]:
        return 0
    return len(f"{value:.{most}f}".rstrip("0").partition(".")[2])


def _float(value: float, decimals: int, most: int) -> str:
    if 0 < abs(value) < SMALL[most]:
        return f"{value:.{0 if most == DECIMALS[-1] else 1}e}"
    return f"{value:.{decimals}f}"


def _rounded(text: str, decimals: int) -> str:
    """A fraction with fewer decimals; `.705` keeps no zero before its point.

    >>> _rounded(".7051", 2), _rounded("0.25", 3)
    ('.71', '0.25')
    """
    if len(text.partition(".")[2]) <= decimals:
        return text
    shown = str(Decimal(text).quantize(Decimal(1).scaleb(-decimals)))
    return shown.removeprefix("0") if text.startswith(".") else shown


def _is_numeric(name: str, rows: Sequence[Row]) -> bool:
    return any(isinstance(row[name], int | float) for row in rows)


def _is_told_once(column: Sequence[Any]) -> bool:
    """Whether a column says the same of every row, and is no result."""
    return not isinstance(column[0], float) and all(value == column[0] for value in column)


def _widest(name: str, column: Sequence[str]) -> int:
    return max(map(_length, (name, *column)))


def _narrowest(name: str, column: Sequence[str], rows: Sequence[Row], looks: Looks) -> int:
    """The least width of a column, in which no word and no number is cut."""
    whole = _is_numeric(name, rows) or (looks.lined and _is_written_out(column))
    words = [word for text in column for word in ([text] if whole else text.split())]
    return max(map(_length, [*name.split(), *words]), default=0)


def _length(text: str) -> int:
    """The width of a text in letters of a terminal."""
    from rich.cells import cell_len

    return cell_len(text)
