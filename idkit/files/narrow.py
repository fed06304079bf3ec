"""Floating-point types that numpy does not have, widened exactly to float32."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.unsignedinteger]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Narrow:
    """A type narrower than float32.

    Attributes:
        name: as PyTorch calls it.
        stored: numpy's type of as many bits.
        widen: the numbers that such bits stand for, as a new array.
    """

    name: str
    stored: str
    widen: Callable[[Codes], Floats]


def _upper_half_of_float32(codes: Codes) -> Floats:
    wide = np.asarray(codes.astype(np.uint32))
    wide <<= 16  # in place: it stays an array when it has no axes
    return wide.view(np.float32)


def _upper_half_of_float16(codes: Codes) -> Floats:
    wide = np.asarray(codes.astype(np.uint16))
    wide <<= 8
    return np.asarray(wide.view(np.float16).astype(np.float32))


def _exponents(codes: Codes) -> Floats:
    """Powers of two without a sign, from 2^-127 on; the last code is NaN."""
    return np.asarray(_powers_of_two()[codes])


@cache
def _powers_of_two() -> Floats:
    values = np.ldexp(1.0, np.arange(-127, 129))
    values[0xFF] = np.nan
    return values.astype(np.float32)


def _finite(fraction: int, bias: int, *nan: int) -> Callable[[Codes], Floats]:
    """Sign, exponent and so many bits of fraction in 8 bits, without infinities."""

    @cache
    def table() -> Floats:
        codes = np.arange(256)
        exponent, below = (codes & 0x7F) >> fraction, codes & (1 << fraction) - 1
        leading = np.where(exponent > 0, 1 << fraction, 0)  # zero: a subnormal number
        magnitude = np.ldexp(leading + below, np.maximum(exponent, 1) - bias - fraction)
        values = np.where(codes & 0x80, -magnitude, magnitude)
        values[list(nan)] = np.nan
        return np.asarray(values, np.float32)

    return lambda codes: np.asarray(table()[codes], np.float32)


BY_CODE = {  # what safetensors calls them
    "BF16": Narrow("bfloat16", "<u2", _upper_half_of_float32),
    "F8_E5M2": Narrow("float8_e5m2", "u1", _upper_half_of_float16),
    "F8_E4M3": Narrow("float8_e4m3fn", "u1", _finite(3, 7, 0x7F, 0xFF)),
    "F8_E4M3FNUZ": Narrow("float8_e4m3fnuz", "u1", _finite(3, 8, 0x80)),
    "F8_E5M2FNUZ": Narrow("float8_e5m2fnuz", "u1", _finite(2, 16, 0x80)),
    "F8_E8M0": Narrow("float8_e8m0fnu", "u1", _exponents),
}
