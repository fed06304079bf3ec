"""What is an entry of a table called, so that equal ones have one name and others have two?"""

import math
import re
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal

Entry = str | int | float | Decimal | None
NOTHING = "-"  # what an empty field is called
LONGEST = 40  # digits of a whole number that is written out
_EVERY = Context(prec=100_000, Emax=MAX_EMAX, Emin=MIN_EMIN)  # digit of a text that is a number
_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)?(\.[0-9]*)?([eE][+-]?[0-9]+)?")


def exact(entry: str | float | None, written: str | None) -> Entry:
    """An entry that names something, without what reading it as a float64 would lose.

    Args:
        entry: a cell as it was read: text, a number, or None where it is empty or undefined.
        written: the same cell as the file has it; None where there is nothing.

    Returns:
        Text that was read as text. A decimal number as a number, whole ones with all their digits.
        What else looks like a number, as 0012 or inf, and the words for undefined, as they are
        written.

    >>> exact(12.0, "0012"), exact(123456789012345678.0, "123456789012345679"), exact(0.1, "0.10")
    ('0012', 123456789012345679, 0.1)
    >>> exact(None, "none"), exact(None, None)
    ('none', None)
    """
    if entry is None or isinstance(entry, str):
        return entry if written is None else written
    if written is None:
        return entry
    if not _NUMBER.fullmatch(written):
        return written
    number = Decimal(written)
    if number == number.to_integral_value() and number.adjusted() < LONGEST:
        return int(number)
    return entry if number == Decimal(repr(entry)) else number


def name(entry: Entry) -> str | None:
    """The name of an entry; None for an empty field.

    Numbers of equal value have one name, numbers of other values another: 12 digits where these
    are all, else every digit.

    >>> name(50.0), name(50), name(Decimal("50.00")), name("50"), name(0.1 + 0.2)
    ('50', '50', '50', '50', '0.30000000000000004')
    """
    if entry is None or isinstance(entry, str):
        return entry or None
    if isinstance(entry, bool):
        return str(entry).lower()
    if isinstance(entry, float) and not math.isfinite(entry):
        return str(entry)
    number = Decimal(repr(entry)) if isinstance(entry, float) else Decimal(entry)
    short = f"{float(number):.12g}"
    if number == 0:
        return "0"
    if Decimal(short) == number:
        return short
    whole = number == number.to_integral_value() and number.adjusted() < LONGEST
    return f"{number:.0f}" if whole else str(number.normalize(_EVERY))
