"""To how many decimals are these numbers known?"""

from collections.abc import Iterable
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT = 12  # of the 16 digits of a float64, those that arithmetic leaves alone


def decimals(values: Iterable[float]) -> int:
    """The most decimals that any of the values has in its shortest text.

    A printed table gives its own precision back (0.6270 and 0.5828 have four decimals); of
    numbers computed to the last bit, 12 significant digits of the largest are kept.

    Args:
        values: finite numbers.

    Returns:
        A count of decimals, negative where only tens, hundreds, ... are known.

    >>> decimals([0.627, 0.5828, 1.0]), decimals([0.1 + 0.2, 100.0])
    (4, 9)
    """
    finite = [float(value) for value in values]
    written = max((_decimals(value) for value in finite), default=0)
    largest = max((abs(value) for value in finite), default=0.0)
    if largest == 0:
        return written
    return min(written, SIGNIFICANT - 1 - int(np.floor(np.log10(largest))))


def differences(
    a: NDArray[np.float64], b: NDArray[np.float64], *, decimals: int
) -> NDArray[np.float64]:
    """The differences a - b, rounded to the precision of both.

    In binary 0.3 - 0.2 and 0.2 - 0.1 are two numbers; rounded they are the tie that they were in
    print.

    Args:
        a: shape (n,).
        b: shape (n,).
        decimals: what to round to, as `decimals` finds it.

    Returns:
        Shape (n,); equal differences are equal floats, and none is -0.
    """
    return np.round(a - b, decimals) + 0.0


def _decimals(value: float) -> int:
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
