"""Tables of text: CSV, TSV, text between blanks, JSON documents, JSON lines."""

from dataclasses import dataclass, field
from functools import cached_property

from idkit.errors import IdkitError
from idkit.files import coordinates, documents, layout, records, sheet
from idkit.files.cells import DECIMAL_COMMA, Cell, clip, is_word, other_notation
from idkit.files.contents import Content
from idkit.files.kinds import Kind
from idkit.files.lines import BLANKS, lines
from idkit.files.sheet import Sheet

__all__ = ["Cell", "Table", "parse"]


@dataclass(frozen=True, eq=False)
class Table:
    """A table by columns.

    Attributes:
        label: what messages call it: the path as the user typed it, or `standard input`.
        kind: the format that was found.
        content: the bytes of the file.
        sheet: the cells.
    """

    label: str
    kind: Kind
    content: Content = field(repr=False)
    sheet: Sheet = field(repr=False)

    @property
    def name(self) -> str:
        """The base name of the file; `-` for standard input."""
        return self.content.name

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole file, in hexadecimal; computed on first use."""
        return self.content.sha256

    @property
    def headed(self) -> bool:
        """Whether the file names its columns; they are called 1, 2, ... where it does not."""
        return self.sheet.headed

    @cached_property
    def columns(self) -> dict[str, list[Cell]]:
        """The columns by name, in the order of the file, all of one length.

        One without a name that merely counts rows, as pandas writes it, is not among them.
        """
        return {
            name: self.column(name)
            for place, name in enumerate(self.sheet.names)
            if not coordinates.merely_counts(self.sheet, place)
        }

    def column(self, name: str) -> list[Cell]:
        """The cells of a column.

        Where all of them are numbers or missing (empty, NA, NaN, none or null, in any case), a
        missing one is None. In a column of text they are words as they stand, and None only where
        a cell is empty.
        """
        place = self.sheet.place[name]
        if not self.sheet.numeric[place]:
            return [cell or None for cell in self.sheet.text(place)]
        return [None if cell != cell else cell for cell in self.sheet.numbers[:, place].tolist()]

    def written(self, name: str) -> list[str | None]:
        """The cells of a column exactly as the file has them, without blanks around.

        Two cells of equal value may differ here, as 0012 and 12, or 0.1 and 0.10. Of JSON,
        integers come digit by digit, other numbers as Python prints them. None is an empty cell
        or a null.
        """
        return [cell or None for cell in self.sheet.text(self.sheet.place[name])]


def parse(content: Content, kind: Kind) -> Table:
    """The table in some text.

    Raises:
        IdkitError: when the text is not a table; the message names the line.
    """
    if kind is Kind.JSON:
        found = documents.parse("".join(lines(content)), content.label)
        width = len(found.names) if found.names is not None else len(found.rows[0])
        cells = sheet.build(content.label, found.names, width, found.records)
        return Table(content.label, kind, content, cells)
    laid = layout.find(content)
    cells = sheet.build(
        content.label, laid.names, laid.width, lambda: records.run_through(content, laid)
    )
    if laid.promised not in (None, len(cells)):
        raise IdkitError(
            f"{content.label} has {len(cells)} rows, its first line promises {laid.promised}: "
            "get the whole file, or correct the line"
        )
    if laid.separator == ";":
        _check_points(content.label, cells)
    kind = Kind.TEXT if laid.separator == BLANKS else kind
    return Table(content.label, kind, content, cells)


def _check_points(label: str, cells: Sheet) -> None:
    """Refuses decimal commas, which go with semicolons: 1,234 may be either of two numbers."""
    for j, numeric in enumerate(cells.numeric):
        words = [] if numeric else [cell for cell in cells.text(j) if is_word(cell)]
        if words and all(other_notation(word) == DECIMAL_COMMA for word in words):
            line = cells.line(cells.text(j).index(words[0]))
            raise IdkitError(
                f"{label}: its columns are separated by ';' and {cells.called(j)} has decimal "
                f"commas (line {line}: '{clip(words[0])}'): write decimal points"
            )
