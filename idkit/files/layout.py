"""How is a text laid out: what separates its cells, what names them, where do the rows begin?"""

from collections.abc import Sequence
from dataclasses import dataclass

from idkit.errors import IdkitError
from idkit.files import header, separator
from idkit.files.cells import as_number, clip, is_integer, is_word
from idkit.files.contents import Content
from idkit.files.lines import (
    BLANKS,
    COMMENT,
    Record,
    lines,
    split_blanks,
    split_delimited,
    without_remark,
)

SAMPLE = 20  # lines that tell the layout


@dataclass(frozen=True)
class Layout:
    """The layout of a text.

    Attributes:
        separator: between cells; `BLANKS` for any run of blanks and tabs.
        skipped: lines above the first row.
        width: cells of a row.
        names: of the columns, as the text has them, empty where one has none; None where the text
            names no column at all.
        quotes: whether cells between blanks are quoted.
        words: whether rows begin with a word, of text between blanks or in a single column.
        promised: how many rows the first line promises, as that of word2vec; None for no promise.
    """

    separator: str
    skipped: int
    width: int
    names: tuple[str, ...] | None = None
    quotes: bool = False
    words: bool = False
    promised: int | None = None


def find(content: Content) -> Layout:
    """The layout of a text.

    Raises:
        IdkitError: when it has no rows.
    """
    comments, sample = _beginning(content)
    skipped = sample[0][0] - 1 if sample else 0
    text = [line for _, line in sample]
    declared = separator.declared(text[0]) if text else None
    if declared is not None:
        skipped, text = skipped + 1, text[1:]
    vectors = _word_vectors(text)
    if vectors is not None:
        return Layout(BLANKS, skipped + 1, vectors[1] + 1, words=True, promised=vectors[0])
    plain = [line for line in text if not line.startswith(COMMENT)]
    if not plain:
        raise IdkitError(f"{content.label} is not a table: it has no rows below ''")
    between = declared or separator.find(plain)
    return _of_rows(content.label, between, skipped, plain, comments)


def _of_rows(
    label: str, between: str, skipped: int, text: Sequence[str], comments: list[tuple[int, str]]
) -> Layout:
    """The layout where the separator is known: names, width, and what the rows begin with.

    Args:
        label: what messages call the file.
        between: the separator.
        skipped: lines above the text.
        text: some lines, without comments between them.
        comments: those above, with the numbers of their lines.
    """
    quotes = separator.has_quotes(text)
    records = _split(label, text, between, skipped, quotes=quotes)
    rows = [record.cells for record in records]
    names = _names(rows, grid=between != BLANKS)
    if names is not None:
        skipped, rows = records[0].line or 0, rows[1:]
    if not rows:
        start = clip(text[0].strip())
        raise IdkitError(f"{label} is not a table: it has no rows below '{start}'")
    width = len(names or rows[0])
    words = (between == BLANKS or width == 1) and any(is_word(row[0]) for row in rows)
    if names is None:
        while words and comments and _begins_with_word(comments[-1][1], width):
            skipped = comments.pop()[0] - 1  # the word is the sign of a comment
        names = _commented(comments, between, width)
    return Layout(between, skipped, width, names, quotes, words)


def _beginning(content: Content) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """The comments above the first row, and some lines from that on, with their numbers."""
    comments: list[tuple[int, str]] = []
    sample: list[tuple[int, str]] = []
    for number, line in enumerate(lines(content), start=1):
        if not sample and line.lstrip().startswith(COMMENT):
            comments.append((number, line.strip()))
        elif line.strip():
            sample.append((number, line))
        if len(sample) == SAMPLE:
            break
    return comments, sample


def _split(
    label: str, text: Sequence[str], between: str, skipped: int, *, quotes: bool
) -> list[Record]:
    first = skipped + 1
    if between == BLANKS:
        found = split_blanks(text, quotes=quotes, first=first)
    else:
        found = split_delimited(text, between, first=first, strict=False)
    try:
        stripped = [Record(line, [cell.strip() for cell in cells]) for line, cells in found]
    except ValueError as error:
        raise IdkitError(f"{label} is not a table: {error}") from None
    if between != BLANKS:
        return stripped
    return [Record(line, without_remark(cells)) for line, cells in stripped]


def _names(rows: Sequence[Sequence[str]], *, grid: bool) -> tuple[str, ...] | None:
    """The names in the first of some rows, one for each column; None where it holds values."""
    first, others = rows[0], rows[1:]
    width = len(others[0]) if others else len(first)
    peers = [row for row in others if len(row) == width]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    if len(first) == width - 1 and all(row[-1] == "" for row in peers):
        after, peers = ("",), [row[:-1] for row in peers]  # a separator at the end of each row
    elif len(first) == width - 1:
        before, peers = ("",), [row[1:] for row in peers]  # as R names columns
    elif len(first) != width:
        peers = []
    named = header.names_columns(first, peers, grid=grid)
    return (*before, *first, *after) if named else None


def _commented(
    comments: Sequence[tuple[int, str]], between: str, width: int
) -> tuple[str, ...] | None:
    """The names in the last comment above the rows, as numpy.savetxt(header=...) writes them."""
    if not comments:
        return None
    text = comments[-1][1].lstrip(COMMENT)
    for each in (between, ","):
        names = separator.cells(text, each)
        names[:1] = [name or COMMENT for name in names[:1]]  # the column is called `#`
        named = header.count(names) or not any(as_number(name) is not None for name in names)
        if named and len(names) == width == len(set(names)):
            return tuple(names)
    return None


def _word_vectors(text: Sequence[str]) -> tuple[int, int] | None:
    """Words and dimensions of word2vec's first line; None where the first line is another."""
    first, second = ([separator.cells(line, BLANKS) for line in text[:2]] + [[], []])[:2]
    if len(first) != 2 or not all(map(is_integer, first)):
        return None
    count, width = map(int, first)
    if not 0 < width < len(second) or (width == 1 and not is_word(second[0])):
        return None  # two columns of numbers look like this, too
    return (count, width) if not any(map(is_word, second[-width:])) else None


def _begins_with_word(line: str, width: int) -> bool:
    cells = separator.cells(line, BLANKS)
    return len(cells) == width and all(as_number(cell) is not None for cell in cells[1:])
