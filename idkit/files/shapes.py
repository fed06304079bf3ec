"""What of the arrays of a file is not as `idkit.schemas` declares it."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.declare import RAGGED, Array
from idkit.files.fields import Axes
from idkit.files.members import Member, describe_shape

KINDS = {"b": "truth values", "iu": "integers", "f": "floating-point numbers"}
TEXTS, WIDE = ("str", "bytes"), "bfloat16"  # which numpy's own names of types do not cover
ROUNDING = 1e-9  # of a mean of numbers up to 1, on whatever machine it was taken
Lengths = Mapping[str, NDArray[np.int64]]


def misfits(
    name: str, declared: Array, member: Member, axes: Axes, *, least: int = 0
) -> Iterator[str]:
    """What is wrong with the type and the shape of an array; learns the axes that it gives.

    Args:
        name: what messages call it.
        declared: what it must be.
        member: type and shape.
        axes: the lengths that are known; the others are added.
        least: the shortest that an axis may be, 0 or 1.
    """
    if least and 0 in member.shape:
        yield f"'{name}' is empty, it has shape {describe_shape(member.shape)}"
    if kind(member.dtype) not in declared.kinds:
        wanted = KINDS.get(declared.kinds, "numbers")
        yield f"'{name}' holds {member.dtype}, expected {wanted}"
    names = declared.shape
    fixed = [length for length in names if length != "..."]
    shape = member.shape[: len(fixed)] if "..." in names else member.shape
    agree = len(shape) <= len(fixed) if "..." in names else len(shape) == len(fixed)
    for axis, length in zip(fixed, shape, strict=False):
        agree &= length == (axes.setdefault(axis, length) if isinstance(axis, str) else axis)
    if not agree:
        known = {axis: axes[axis] for axis in fixed if isinstance(axis, str) and axis in axes}
        told = ", ".join(f"{axis} = {length}" for axis, length in known.items())
        wanted = " x ".join(map(str, names)) or "one value"
        yield (
            f"'{name}' has shape {describe_shape(member.shape)}, expected {wanted}"
            + (f" with {told}" if told else "")
        )


def kind(dtype: str) -> str:
    """The kind of `numpy.dtype` of a stored type; empty for one that numpy does not know.

    >>> kind("float16"), kind("bfloat16"), kind("str96"), kind("F8_E5M2")
    ('f', 'f', 'U', '')
    """
    if dtype == WIDE:
        return "f"
    for text in TEXTS:
        if dtype.startswith(text):
            return "U" if text == "str" else "S"
    try:
        return np.dtype(dtype).kind
    except TypeError:
        return ""


def bounded(declared: Array) -> bool:
    """Whether the values of an array are bound to anything."""
    free = declared.low == -math.inf and declared.high == math.inf and not declared.known
    return declared.finite or declared.ragged or not free or declared.below is not None


def outliers(
    name: str, declared: Array, array: NDArray[Any], axes: Axes, own: Lengths
) -> Iterator[str]:
    """What is wrong with the values of an array of the declared type and shape.

    Args:
        name: what messages call it.
        declared: what they must be.
        array: the values.
        axes: the lengths of the axes.
        own: the lengths, pair by pair, of those that differ between pairs.
    """
    if not declared.ragged:
        yield from _outside(name, declared, array, axes)
        if declared.distinct:
            yield from _repeated(name, array)
        return
    ragged = [str(axis) for axis in declared.shape if axis in RAGGED]
    if not all(axis in own for axis in ragged):
        return  # nothing says how long they are, and whoever needs it asks for what does
    for axis in ragged:
        if own[axis].min(initial=1) < 1 or own[axis].max(initial=0) < axes[axis]:
            yield f"'{name}' is not as long as its longest pair, or holds a pair that is empty"
    used = ~np.isnan(array) if array.dtype.kind == "f" else array != -1
    wanted = np.prod([own[axis] for axis in ragged], axis=0)
    for pair in np.flatnonzero(_counts(used) != wanted):
        yield f"'{name}' does not end where its pair {pair} ends"
    if len(ragged) == 1 and declared.below is None:  # as the scores of many pairs: all at once
        inside = np.arange(array.shape[1]) < own[ragged[0]][:, None]
        yield from _outside(name, declared, array[inside], {})
        return
    for p, row in enumerate(array):
        ends = {axis: int(lengths[p]) for axis, lengths in own.items()}
        inner = row[tuple(slice(ends[axis]) for axis in ragged)]
        yield from _outside(name, declared, inner, ends)
        if declared.distinct:
            yield from _repeated(name, inner[None])


def unlike(
    name: str, declared: Array, array: NDArray[Any], entry: Mapping[str, Any]
) -> Iterator[str]:
    """What a field says otherwise of the values of an array that are as declared.

    Args:
        name: what messages call the array.
        declared: says which field that is.
        array: the values.
        entry: the fields next to it.
    """
    said = entry.get(declared.gives or "")
    if said is None:
        return
    if array.dtype.kind != "f":
        found, what = float(array.sum()), "sum"
    else:
        each = np.nanmean(array, axis=1) if declared.ragged else array
        found, what = float(each.mean()), "mean"
    if not abs(found - said) <= ROUNDING:
        yield f"'{name}' has the {what} {found:.6g}, but '{declared.gives}' is {said:.6g}"


def components(correlations: NDArray[Any]) -> NDArray[np.int64]:
    """How many components each pair has, shape (P,), of correlations (P, k) padded with NaN."""
    return _counts(~np.isnan(correlations))


def _counts(used: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many values of each pair there are, shape (P,)."""
    return np.asarray(np.count_nonzero(used.reshape(len(used), -1), axis=1))


def _outside(name: str, declared: Array, array: NDArray[Any], axes: Axes) -> Iterator[str]:
    """What is wrong with values none of which is padding."""
    low, high = declared.low, declared.high
    most = axes.get(high, math.inf) if isinstance(high, str) else high
    bad = (array < low) | (array > most)
    wanted = f"from {low:g} to {most:g}" if most < math.inf else f"at least {low:g}"
    if declared.below in axes:
        bad |= array >= axes[str(declared.below)]
        wanted = f"from {low:g} to {axes[str(declared.below)] - 1}"
    if declared.known:
        bad |= ~np.isin(array, declared.known)
        wanted = " or ".join(f"{value:g}" for value in declared.known)
    if (declared.finite or declared.ragged) and array.dtype.kind == "f":
        bad |= ~np.isfinite(array)
        wanted = wanted if bounded(replace(declared, finite=False, ragged=False)) else "finite"
    if bad.any():
        yield f"'{name}' holds {array[bad].ravel()[0]!s}, expected {wanted}"


def _repeated(name: str, rows: NDArray[Any]) -> Iterator[str]:
    """Whether a row, of shape (n, m), holds a value twice."""
    ascending = np.sort(rows, axis=1)
    same = ascending[:, 1:] == ascending[:, :-1]
    if same.any():
        yield f"'{name}' holds {ascending[:, 1:][same][0]} twice where values must differ"
