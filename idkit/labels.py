"""Labels of rows: what may be one, and by which number a model knows each value."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError

MISSING = -1  # how scikit-learn marks a row without a label
SHOWN = 4  # values in a message
LONGEST = 20  # letters of a value in a message
Values = Sequence[int] | Sequence[str]


def read(u: NDArray[Any], label: str) -> NDArray[Any]:
    """Labels as a file has them, in a type of their own: integers or text.

    Args:
        u: shape (n,), or (n, 1); integers of any value, truth values or text.
        label: the file, for the message.

    Returns:
        (n,): int64, uint64 where an integer needs it, or text.

    Raises:
        IdkitError: when they are no labels; the text says what was found, and the cure.
    """
    if u.ndim == 2 and u.shape[1] == 1:
        u = u[:, 0]
    what = f"{label}: 'u' has shape {u.shape} and type {u.dtype}"
    if u.ndim != 1:
        raise IdkitError(f"{what}: {_of_several_columns(u)}")
    if u.dtype.kind == "S":
        u = _decoded(u, label)
    if u.dtype.kind == "U":
        empty = int((np.char.str_len(u) == 0).sum())
        if empty:
            raise IdkitError(f"{label}: 'u' is empty in {empty} of {len(u)} rows: leave them out")
        return u
    if u.dtype.kind not in "biu":
        raise IdkitError(f"{what}: {_of_no_labels(u)}")
    wide = u.dtype.kind == "u" and u.size and int(u.max()) > np.iinfo(np.int64).max
    integers = u.astype(np.uint64 if wide else np.int64, copy=False)
    _refuse_missing(integers, label)
    return integers


def numbered(u: NDArray[Any], values: Values, *, label: str, model: str) -> NDArray[np.int64]:
    """The numbers by which a model knows labels: the places of their values.

    Args:
        u: labels, (n,), as from `read`.
        values: those that the model was trained on, in ascending order.
        label: where the labels are from, for the message.
        model: whose values these are.

    Returns:
        (n,), from 0 to the number of values.

    Raises:
        IdkitError: when a label is not among the values; the text names it.
    """
    places = {value: place for place, value in enumerate(values)}
    found, inverse = np.unique(u, return_inverse=True)
    unseen = [value for value in found.tolist() if value not in places]
    if unseen:
        text = [bool(few) and isinstance(few[0], str) for few in (unseen, values)]
        cure = "leave those rows out" if text[0] == text[1] else "store 'u' in the same type"
        raise IdkitError(
            f"{label} has {'label' if len(unseen) == 1 else 'labels'} {shown(unseen)}, {model} was "
            f"trained on {shown(values)}: {cure}"
        )
    numbers = np.array([places[value] for value in found.tolist()], np.int64)
    return numbers[inverse.reshape(-1)]


def shown(values: Values) -> str:
    """Values for a message: all of a few, else the first and how many there are.

    >>> shown([1, 2, 3]), shown(range(10))
    ('1, 2, 3', '0, 1, 2, 3, ... (10 values)')
    """
    listed = ", ".join(_clipped(value) for value in values[:SHOWN])
    return listed if len(values) <= SHOWN else f"{listed}, ... ({len(values)} values)"


def are_numbers(values: Values) -> bool:
    """Whether values are their own numbers, 0, 1, 2, ... without gaps."""
    return list(values) == list(range(len(values)))


def _clipped(value: int | str) -> str:
    if isinstance(value, int):
        return str(value)
    return f"'{value}'" if len(value) <= LONGEST else f"'{value[: LONGEST - 3]}...'"


def _of_several_columns(u: NDArray[Any]) -> str:
    """What a matrix in the place of labels is, and the cure."""
    if u.ndim == 2 and u.dtype.kind in "biuf" and u.size and (u >= 0).all():
        ones = u.sum(axis=1, dtype=np.float64)
        if np.isin(u, (0, 1)).all() and (ones == 1).all():
            return "one-hot; u.argmax(axis=1) makes labels of it"
        if np.allclose(ones, 1, atol=1e-3):
            return "probabilities of labels; u.argmax(axis=1) makes labels of them"
    return "expected one label for each row, an integer or text"


def _of_no_labels(u: NDArray[Any]) -> str:
    """What a column in the place of labels is, and the cure."""
    if u.dtype.kind == "f":
        missing = int((~np.isfinite(u)).sum())
        if missing:
            return f"{missing} of {len(u)} rows hold NaN or infinity: leave them out"
        if np.array_equal(u, np.rint(u)):
            return "whole numbers; u.astype(int) makes labels of them"
        different = len(np.unique(u))
        return (
            f"{different} different numbers, which are no labels: cut them into classes, as "
            "np.digitize(u, np.quantile(u, [.25, .5, .75])) does"
        )
    return "expected integers or text (u.astype(str) makes text of it)"


def _refuse_missing(u: NDArray[Any], label: str) -> None:
    """Refuses -1 where it may stand for no label: as the only negative value, but beside 1 alone.

    Raises:
        IdkitError: when it does.
    """
    marked = u == MISSING
    if not marked.any() or (u < MISSING).any() or set(np.unique(u).tolist()) == {MISSING, 1}:
        return
    raise IdkitError(
        f"{label}: 'u' is -1 in {int(marked.sum())} of {len(u)} rows, which marks a missing label: "
        "leave them out; where -1 is a label like any other, store text (u.astype(str))"
    )


def _decoded(u: NDArray[Any], label: str) -> NDArray[np.str_]:
    try:
        return np.char.decode(u, "utf-8")
    except UnicodeDecodeError:
        raise IdkitError(f"{label}: 'u' holds bytes that are not UTF-8: store text") from None
