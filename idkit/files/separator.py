"""What separates the cells of a text?"""

import re
from collections.abc import Sequence

from idkit.files.cells import as_number, is_missing, other_notation
from idkit.files.lines import BLANKS, Record, split_blanks, split_delimited, without_remark

TAB = "\t"
SEPARATORS = "\t;,"  # in the order in which they are tried: cells hold commas most often
DECLARED = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # Excel's first line
IN_QUOTES = re.compile(r'\s*"([^"\\]|\\.|"")*"(\s|$)')


def declared(line: str) -> str | None:
    """The separator that a first line `sep=;` names; None for any other line."""
    found = DECLARED.fullmatch(line)
    return found[1] if found else None


def find(sample: Sequence[str]) -> str:
    """The separator between cells, judged by the first lines.

    It is a tab where lines agree in how many they have; else what separates a line below the first
    into numbers, but for the first cell; else what gives most cells.

    >>> find(["a;b", "0,5;1"]), find(["a b", "1,2"]), find(["1.0  2.0"]) == BLANKS
    (';', ',', True)
    """
    quoted = has_quotes(sample)
    between = _two(sample, BLANKS)
    tabs = _columns(sample, TAB)
    if tabs > 1 and not (tabs < len(between[-1]) and all(map(_is_number, between[-1]))):
        return TAB
    for shorter in (0, 1):  # a header may have one name less than there are columns
        for separator in SEPARATORS:
            if _fits(_two(sample, separator), shorter, quoted=quoted):
                return separator
        if _fits(between, shorter, quoted=quoted):
            return BLANKS
    if len(between[0]) > 1 and all(map(_is_number, between[0])):
        return BLANKS
    if TAB in sample[0].strip(" "):
        return TAB
    return max(",;", key=lambda separator: _columns(sample, separator))


def has_quotes(sample: Sequence[str]) -> bool:
    """Whether cells between blanks are quoted: the first one is, as R writes them."""
    return any(IN_QUOTES.match(line) for line in sample[:2])


def cells(line: str, separator: str) -> list[str]:
    """The cells of a single line."""
    if separator == BLANKS:
        found = list(split_blanks([line], quotes=has_quotes([line])))
        found = [Record(record.line, without_remark(record.cells)) for record in found]
    elif separator in line:
        found = list(split_delimited([line], separator, strict=False))
    else:
        return [line.strip()]
    return [cell.strip() for cell in found[0].cells] if found else []


def _two(sample: Sequence[str], separator: str) -> list[list[str]]:
    """The cells of the first line, and of one below it that has a number among them.

    The number is not in the first cell, which may name the row. A line with as many cells as the
    first is best, as names may hold blanks; then one with one more.
    """
    head, second = (cells(line, separator) for line in [*sample[:2], ""][:2])
    if len(sample) == 1:
        return [head]
    if _has_number(second) and len(second) == len(head):
        return [head, second]
    others = [row for row in (cells(line, separator) for line in sample[1:]) if _has_number(row)]
    return [head, min(others, key=lambda row: abs(len(row) - len(head) - 0.25), default=second)]


def _has_number(row: Sequence[str]) -> bool:
    return any(as_number(cell) is not None for cell in row[1:])


def _fits(lines: Sequence[Sequence[str]], shorter: int, *, quoted: bool) -> bool:
    """Whether the last of the lines has numbers in all cells but the first, as many as the others.

    Args:
        lines: the cells of one or two lines.
        shorter: how many cells less the first of two lines has.
        quoted: whether names are in quotes, as R writes them.
    """
    header, row = lines[0], lines[-1]
    if len(lines) == 1 or shorter == 0:
        fewer = len(header) == len(row) and shorter == 0
    else:  # a single name is more likely that of a single column, of words with blanks or commas
        fewer = len(header) == len(row) - 1 and (len(header) > 1 or quoted)
    values = [cell for cell in row[1:] if not is_missing(cell)]
    some = values or [cell for cell in header[1:] if as_number(cell) is not None]
    return fewer and bool(some) and all(map(_is_number, values))


def _is_number(cell: str) -> bool:
    return as_number(cell) is not None or other_notation(cell) is not None


def _columns(sample: Sequence[str], separator: str) -> int:
    """The number of cells where the first two lines agree in it; else 1."""
    counts = {len(cells(line, separator)) for line in sample[:2]}
    return min(counts) if len(counts) == 1 else 1
