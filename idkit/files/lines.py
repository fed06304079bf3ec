"""From the bytes of a text to its lines, and from lines to the cells of each."""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from idkit.errors import IdkitError
from idkit.files.contents import CHUNK, Content

BLANKS = " "  # as a separator: any run of blanks and tabs
COMMENT = "#"
QUOTED = re.compile(r'"((?:[^"\\]|\\.|"")*)"|([^\s"]\S*)')
ESCAPED = re.compile(r'\\(.)|"(")')


class Record(NamedTuple):
    """One row of a text.

    Attributes:
        line: its number in the file, from 1; that of its last line where a quoted cell holds
            line breaks. None where the text has no lines to speak of, as JSON.
        cells: as they are written, perhaps with blanks around.
    """

    line: int | None
    cells: list[str]


def lines(content: Content) -> Iterator[str]:
    """The lines of a UTF-8 text with their ends, in bounded memory.

    Lines end at LF, CR LF or CR, and nowhere else: word vectors have words with U+0085 in them.

    Raises:
        IdkitError: when some bytes are not UTF-8.
    """
    stream = io.TextIOWrapper(content.stream(), encoding="utf-8-sig", newline="")
    try:
        yield from stream
    except UnicodeDecodeError:
        byte = _undecodable(content)
        raise IdkitError(f"{content.label} is not UTF-8 text (byte {byte})") from None


def split_delimited(
    wanted: Iterable[str], separator: str, *, first: int = 1, strict: bool = True
) -> Iterator[Record]:
    """Records of cells between separators, as RFC 4180 has them; empty lines are none.

    Args:
        wanted: lines.
        separator: one character.
        first: the number of the first line in the file.
        strict: whether quotes must match.

    Raises:
        ValueError: when quotes do not match, or a cell is larger than 128 kB.
    """
    last = [""]
    reader = csv.reader(
        _remembered(wanted, last), delimiter=separator, strict=strict, skipinitialspace=True
    )
    try:
        for cells in reader:
            if len(cells) > 1 or last[0].strip():  # a cell alone is empty where it is quoted
                yield Record(reader.line_num + first - 1, cells)
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num + first - 1}: {error}") from None


def split_blanks(wanted: Iterable[str], *, quotes: bool, first: int = 1) -> Iterator[Record]:
    """Records of cells between blanks and tabs, as numpy.savetxt and R's write.table have them.

    Args:
        wanted: lines.
        quotes: whether cells may be quoted, and then hold blanks.
        first: the number of the first line in the file.
    """
    for number, line in enumerate(wanted, start=first):
        cells = _unquoted(line) if quotes else _tokens(line)
        if cells:
            yield Record(number, cells)


def without_remark(cells: list[str]) -> list[str]:
    """The cells up to one with which a comment begins, but for the first."""
    ends = (place for place, cell in enumerate(cells) if place and cell.startswith(COMMENT))
    return cells[: next(ends, len(cells))]


def _remembered(wanted: Iterable[str], last: list[str]) -> Iterator[str]:
    for last[0] in wanted:
        yield last[0]


def _tokens(line: str) -> list[str]:
    """Only blanks and tabs separate: words of word vectors hold other white space."""
    cells = line.rstrip("\r\n \t").replace("\t", " ").split(" ")
    return cells if "" not in cells else [cell for cell in cells if cell]


def _unquoted(line: str) -> list[str]:
    return [
        ESCAPED.sub(lambda found: found[1] or found[2], quoted) if quoted or not plain else plain
        for quoted, plain in QUOTED.findall(line)
    ]


def _undecodable(content: Content) -> int:
    """Where the first byte is that is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, content.size, CHUNK):
        kept = len(decoder.getstate()[0])
        last = start + CHUNK >= content.size
        try:
            decoder.decode(content.buffer[start : start + CHUNK], final=last)
        except UnicodeDecodeError as error:
            return start - kept + error.start
    return content.size
