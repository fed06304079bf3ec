"""Is what the user asked for true of a shift, and how sure must it be?"""

import math
import re
from dataclasses import dataclass
from typing import Literal

from idkit.errors import UsageError

FORM = "[maybe] worse|better|different [by NUMBER]"
_PATTERN = re.compile(r"(maybe\s+)?(worse|better|different)(?:\s+by\s+(\S+))?")


@dataclass(frozen=True)
class Condition:
    """A statement about the shift a - b of two families.

    Attributes:
        direction: worse where a lies below b, better where above, different for either.
        by: the least difference that counts, at least 0.
        maybe: whether it is enough that the interval does not exclude it.
    """

    direction: Literal["worse", "better", "different"]
    by: float
    maybe: bool


def parse(text: str) -> Condition:
    """Reads `[maybe] worse|better|different [by NUMBER]`.

    Args:
        text: as `worse by 0.02`, `maybe worse by 0.02`, `different`; without `by`, the number
            is 0.

    Raises:
        UsageError: when it reads otherwise.

    >>> parse("maybe worse by 0.02")
    Condition(direction='worse', by=0.02, maybe=True)
    """
    match = _PATTERN.fullmatch(text.strip().lower())
    by = _size(match[3]) if match and match[3] else 0.0
    if not match or by is None:
        raise UsageError(f"cannot read the condition '{text}': its form is {FORM}")
    direction: Literal["worse", "better", "different"] = match[2]  # type: ignore[assignment]  # the pattern has these three only
    return Condition(direction=direction, by=by, maybe=bool(match[1]))


def holds(condition: Condition, low: float, high: float) -> bool:
    """Whether the condition is true of the interval of a shift.

    worse by m: the whole interval is below -m. maybe worse by m: some of it is, so that only an
    interval which rules the loss out passes (a test of non-inferiority). better: the mirror
    image. different: worse or better.

    Args:
        condition: what was asked for.
        low: lower end of the interval of a - b, may be -inf.
        high: upper end, may be inf.

    >>> holds(parse("worse by 0.02"), -0.05, 0.01), holds(parse("maybe worse by 0.02"), -0.05, 0.01)
    (False, True)
    """
    worse = (low if condition.maybe else high) < -condition.by
    better = (high if condition.maybe else low) > condition.by
    return {"worse": worse, "better": better, "different": worse or better}[condition.direction]


def _size(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
