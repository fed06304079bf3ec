"""Pictures of 256 grey levels, and the forms of numbers in which people store them."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

MOST = 255  # the level of white
BLOCK = 1 << 20  # values looked at together
ROUNDING = 0.1  # of a level: float16 holds k/255 that exactly


class Form(NamedTuple):
    """Level k is stored as `step` k + `black`."""

    step: float
    black: float


FORMS = {
    "0 to 255": Form(1.0, 0.0),
    "0 to 1": Form(1 / MOST, 0.0),
    "-0.5 to 0.5": Form(1 / MOST, -0.5),
    "-1 to 1": Form(2 / MOST, -1.0),
}
BYTES = "0 to 255"


def form(x: NDArray[Any]) -> str | None:
    """The form that pictures are certain to have, by their values.

    Args:
        x: numbers of any shape and type; none is NaN.

    Returns:
        A name in `FORMS`; None where values are between the levels of every form, or could be
        several: whole numbers no larger than 1 are levels or shares of white.
    """
    if not x.size:
        return None
    least, most = float(x.min()), float(x.max())
    if x.dtype.kind in "iu":
        return BYTES if least >= 0 and 1 < most <= MOST else None
    fitting = [name for name in FORMS if _reaches(name, least, most) and _fits(x, FORMS[name])]
    return fitting[0] if len(fitting) == 1 else None


def levels(x: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """The grey levels of pictures, of the shape of x.

    Args:
        x: pictures.
        name: their form.
    """
    if x.dtype == np.uint8:
        return x
    found = np.empty(x.shape, np.uint8)
    step, black = FORMS[name]
    for rows in _blocks(x):
        found[rows] = np.rint((x[rows].astype(np.float64) - black) / step)
    return found


def stored(grey: NDArray[np.uint8], name: str) -> NDArray[np.float32]:
    """Pictures of some grey levels in a form, float32.

    Args:
        grey: levels, of any shape.
        name: the form.
    """
    step, black = FORMS[name]
    table = np.arange(MOST + 1) * step + black
    return table.astype(np.float32)[grey]


def _reaches(name: str, least: float, most: float) -> bool:
    """Whether a range is one of a form: in its bounds, and beyond those of a narrower one."""
    step, black = FORMS[name]
    slack = ROUNDING * step
    inside = black - slack <= least and most <= black + MOST * step + slack
    return inside and (most > 1 if name == BYTES else (least < 0) == (black < 0))


def _fits(x: NDArray[Any], form: Form) -> bool:
    """Whether every value is a level."""
    for rows in _blocks(x):
        level = (x[rows].astype(np.float64) - form.black) / form.step
        if not (np.abs(level - np.rint(level)) <= ROUNDING).all():
            return False
    return True


def _blocks(x: NDArray[Any]) -> Iterator[slice]:
    """Rows that are looked at together."""
    count = max(1, BLOCK * len(x) // x.size)
    for start in range(0, len(x), count):
        yield slice(start, start + count)
