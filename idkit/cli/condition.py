"""A condition on the columns of a table, at which a script is to stop: 'mcc_out < 0.8'."""

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from idkit import shelf
from idkit.errors import IdkitError, UsageError

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}
FORM = re.compile(rf"\s*(\w+)\s*({'|'.join(OPERATORS)})\s*(\S+)\s*")


@dataclass(frozen=True)
class Condition:
    """`column comparison number`."""

    column: str
    comparison: str
    number: float

    def __str__(self) -> str:
        """As the user would write it."""
        return f"{self.column} {self.comparison} {self.number:g}"

    def failing(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows for which the condition holds.

        Raises:
            IdkitError: when the column is undefined in a row, so that nothing can be said.
        """
        for row in rows:
            if row[self.column] is None:
                raise IdkitError(f"'{self}' cannot be decided: {self.column} is undefined here")
        return [row for row in rows if OPERATORS[self.comparison](row[self.column], self.number)]


def parse(text: str, columns: Sequence[str]) -> Condition:
    """Reads a condition.

    Args:
        text: as `mcc_out < 0.8`; comparisons are < <= > >= == !=.
        columns: the columns that can be named.

    Raises:
        UsageError: when it is none.

    >>> parse("mcc_out<0.8", ["mcc_out"])
    Condition(column='mcc_out', comparison='<', number=0.8)
    """
    found = FORM.fullmatch(text)
    if found is None:
        raise UsageError(f"cannot read the condition '{text}': write COLUMN < NUMBER")
    column, comparison, number = found.groups()
    shelf.check(column, columns, what="column")
    try:
        value = float(number)
    except ValueError:
        raise UsageError(f"'{number}' in the condition '{text}' is not a number") from None
    if not math.isfinite(value):  # no score is below nan, every one is below inf
        raise UsageError(f"'{number}' in the condition '{text}' is not a finite number")
    return Condition(column, comparison, value)
