"""What does a cell of a table of text hold: a number, nothing, or a word?"""

import math
import re

Cell = str | float | None
CLIPPED = 40  # characters of a cell in a message
MISSING = frozenset(("", "na", "n/a", "#n/a", "<na>", "nan", "none", "null"))
DECIMAL_COMMA = "a decimal comma"
NOTATIONS = {  # of numbers as other programs and languages write them, which float() refuses
    "Fortran's exponent": r"[+-]?((\d+\.?\d*|\.\d+)[dD][+-]?\d+|\d*\.\d+[+-]\d{3})",
    DECIMAL_COMMA: r"[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+([eE][+-]?\d+)?",
    "commas between thousands": r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?",
    "blanks between thousands": "[+-]?\\d{1,3}([ '\u00a0\u2009\u202f]\\d{3})+([.,]\\d*)?",
    "a percent sign": "[+-]?\\d+([.,]\\d+)?[ \u00a0]?%",
    "a dash for its minus sign": "[\u2010-\u2015\u2212](\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?",
    "an imaginary part": r"\(?[+-]?[\d.]+([eE][+-]?\d+)?[+-][\d.]+([eE][+-]?\d+)?[ji]\)?",
}
OTHER = {what: re.compile(pattern) for what, pattern in NOTATIONS.items()}
INTEGER = re.compile(r"[+-]?\d+", re.ASCII)


def as_number(cell: Cell) -> float | None:
    """The number that a cell holds; None for text and for what is not defined.

    >>> as_number("1e3"), as_number("1_000"), as_number("-nan")
    (1000.0, None, None)
    """
    if not isinstance(cell, str):
        return cell
    try:
        number = float(cell)
    except ValueError:
        return None
    return None if math.isnan(number) or "_" in cell else number


def is_nan(text: str) -> bool:
    """Whether a cell is the floating-point value that is no number, as `nan` or `-nan`."""
    try:
        return math.isnan(float(text))
    except ValueError:
        return False


def is_missing(text: str) -> bool:
    """Whether a cell is empty, or a word for a number that is not there."""
    return text.lower() in MISSING or is_nan(text)


def is_word(text: str) -> bool:
    """Whether a cell is neither a number nor missing."""
    return as_number(text) is None and not is_missing(text)


def is_integer(text: str) -> bool:
    """Whether a cell is written as an integer: digits alone.

    >>> is_integer("-12"), is_integer("12.0")
    (True, False)
    """
    return INTEGER.fullmatch(text) is not None


def other_notation(text: str) -> str | None:
    """What keeps a cell from being read, where it is a number as other programs write it.

    >>> other_notation("1.0D-03"), other_notation("0,85"), other_notation("85%")
    ("Fortran's exponent", 'a decimal comma', 'a percent sign')
    """
    if text[-1:].isalpha() and text[-1] not in "ij":
        return None
    return next((what for what, form in OTHER.items() if form.fullmatch(text)), None)


def clip(text: object) -> str:
    """The beginning of some text on one line, for a message."""
    words = " ".join(str(text).split())
    return words if len(words) <= CLIPPED else words[: CLIPPED - 1] + "…"
