"""The rows of a text whose layout is known."""

import itertools
from collections.abc import Iterator, Sequence

from idkit.errors import IdkitError
from idkit.files.cells import is_word
from idkit.files.contents import Content
from idkit.files.layout import Layout
from idkit.files.lines import (
    BLANKS,
    COMMENT,
    Record,
    lines,
    split_blanks,
    split_delimited,
    without_remark,
)


def run_through(content: Content, layout: Layout) -> Iterator[Record]:
    """The rows of a text, each with as many cells as there are columns.

    Raises:
        IdkitError: when a line has more cells or fewer; the message names it.
    """
    wanted = itertools.islice(lines(content), layout.skipped, None)
    first = layout.skipped + 1
    if layout.separator == BLANKS:
        found = split_blanks(wanted, quotes=layout.quotes, first=first)
    else:
        found = split_delimited(wanted, layout.separator, first=first)
    try:
        for record in found:
            if record.cells[0].startswith(COMMENT) and _is_remark(record.cells, layout):
                continue
            if len(record.cells) == layout.width:
                yield record
            else:
                yield Record(record.line, _mended(record, layout, content.label))
    except ValueError as error:
        raise IdkitError(f"{content.label} is not a table: {error}") from None


def _is_remark(cells: Sequence[str], layout: Layout) -> bool:
    """Whether a row that begins with the sign of a comment is one, and not a word or a name."""
    if layout.words and layout.separator == BLANKS:
        numbers = cells[1 - layout.width :]
        return len(cells) < layout.width or any(map(is_word, numbers))
    fits = len(cells) == layout.width
    return not (fits and (layout.words or (layout.separator != BLANKS and layout.width > 1)))


def _mended(record: Record, layout: Layout, label: str) -> list[str]:
    """The cells of a row that has more of them than columns, where it is clear why."""
    cells, extra = record.cells, len(record.cells) - layout.width
    if layout.words and layout.separator == BLANKS and extra > 0:  # `new york`
        return [" ".join(cells[: extra + 1]), *cells[extra + 1 :]]
    if layout.separator == BLANKS and len(without_remark(cells)) == layout.width:
        return cells[: layout.width]
    if extra > 0 and not any(cell.strip() for cell in cells[layout.width :]):
        return cells[: layout.width]
    above = "the header has" if layout.names is not None else "the first row has"
    raise IdkitError(
        f"{label} is not a table: line {record.line} has {len(cells)} cells, {above} {layout.width}"
    )
