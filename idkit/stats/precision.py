"""To which digits are the differences of these numbers known?"""

import functools
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

SIGNIFICANT = 12  # of the 16 digits of a float64, those that arithmetic leaves as they are
SINGLE = int(np.finfo(np.float32).precision)  # 6, the same for a float32
TIES_OF_SINGLE = "ties at float32's precision"  # how a method names that
TINY = float(np.finfo(np.float64).tiny)  # 2e-308: below it a float64 has fewer digits
EXACT = Context(prec=1000)  # of the difference of any two float64, from 1e308 down to 5e-324


def single(values: NDArray[np.float64]) -> bool:
    """Whether numbers were float32 before they were float64.

    They were where every one is exactly a float32, and one of them is not a decimal that anybody
    would write: 0.3 as float32 is 0.30000001192092896. Integers, and short fractions such as 0.25,
    are the same in both types.

    Args:
        values: any shape; what is not finite is passed over.

    >>> single(np.float32([0.3, 0.25]).astype(np.float64)), single(np.array([0.5, 0.25]))
    (True, False)
    """
    finite = values[np.isfinite(values)]
    with np.errstate(over="ignore"):
        narrow = finite.astype(np.float32)
    if not (narrow == finite).all() or (np.rint(finite) == finite).all():
        return False
    return any(decimal(number) != _narrow(number) for number in finite.tolist())


def decimal(number: float) -> Decimal:
    """The shortest decimal that stands for a finite float64; below 2e-308 the number itself.

    >>> decimal(0.1), decimal(1e-310) < Decimal("1e-310")
    (Decimal('0.1'), True)
    """
    return Decimal(repr(number) if abs(number) >= TINY else number)


def differences(
    a: NDArray[np.float64], b: NDArray[np.float64], *, single: bool = False
) -> NDArray[np.float64]:
    """The differences a - b, each rounded to the precision of its own two values.

    Values are read as the shortest decimals that stand for them, 0.3 - 0.2 is exactly 0.1, and so
    a difference has no more decimals than its two values as they are written. Of these it keeps
    the first 12 digits of the larger value: the last digits of a float64 are rounding. No other
    value of a table bears on it.

    Args:
        a: shape (n,), finite.
        b: shape (n,), finite.
        single: whether the values are of float32's precision (see `single`): they are read as the
            shortest decimals of a float32, and 6 digits of the larger are kept.

    Returns:
        Shape (n,); equal differences are equal floats, and none is -0. Infinite where the
        difference is beyond the largest float64.

    >>> differences(np.array([0.3, 1e10]), np.array([0.2, 0.5])).tolist()
    [0.1, 9999999999.5]
    """
    read, digits = (_narrow, SINGLE) if single else (decimal, SIGNIFICANT)
    pairs = zip(a.tolist(), b.tolist(), strict=True)
    return np.array([_difference(x, y, read, digits) for x, y in pairs], dtype=np.float64) + 0.0


def mean(numbers: Sequence[float]) -> Fraction:
    """The mean of numbers that are read as decimals, without rounding.

    >>> float(mean([0.1, 0.2, 0.3])), float(mean([1e10, 0.25, -1e10]))
    (0.2, 0.08333333333333333)
    """
    total = functools.reduce(EXACT.add, map(decimal, numbers))
    return Fraction(total) / len(numbers)


def levels(rows: NDArray[np.float64], *, single: bool = False) -> NDArray[np.float64]:
    """The place of each value among the distinct values of its row.

    In ascending order a value that differs from the one below it by a difference of zero (as
    `differences` rounds it) is the same level, whatever the largest value of the row.

    Args:
        rows: shape (n, k), finite.
        single: as in `differences`.

    Returns:
        Shape (n, k), whole numbers from 0.

    >>> levels(np.array([[0.1 + 0.2, 1e10, 0.3, 0.25]])).tolist()
    [[1.0, 2.0, 1.0, 0.0]]
    """
    order = np.argsort(rows, axis=1, kind="stable")
    ordered = np.take_along_axis(rows, order, axis=1)
    steps = differences(ordered[:, 1:].ravel(), ordered[:, :-1].ravel(), single=single) != 0
    places = np.zeros(rows.shape)
    places[:, 1:] = np.cumsum(steps.reshape(len(rows), -1), axis=1)
    found = np.empty_like(places)
    np.put_along_axis(found, order, places, axis=1)
    return found


def _difference(a: float, b: float, read: Callable[[float], Decimal], digits: int) -> float:
    if a == b:
        return 0.0
    x, y = read(a), read(b)
    exact = EXACT.subtract(x, y)
    first = max(x.copy_abs(), y.copy_abs()).adjusted()  # the place of the first digit
    last = first - digits + 1
    unit = Decimal((0, (1,), last))
    return float(exact if _place(exact) >= last else exact.quantize(unit, ROUND_HALF_EVEN, EXACT))


def _place(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)  # finite
    return exponent


def _narrow(number: float) -> Decimal:
    return Decimal(str(np.float32(number)))
