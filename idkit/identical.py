"""Which coordinates are the same in every run, row by row: an id or a label among the latents?

No two trainings give a coordinate with the same digits. One that has them was put there; it agrees
perfectly, and lifts every score.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit import gram, precision
from idkit.gram import Order
from idkit.precision import Precision

SAMPLED = 64  # rows that tell almost all coordinates apart
BLOCK = 1 << 20  # numbers held at once

Index = tuple[int, ...]


def coordinates(
    runs: Sequence[NDArray[Any]], orders: Sequence[Order | None]
) -> list[tuple[Index, ...]]:
    """The coordinates that all runs hold with the same values; constant ones are not meant.

    Args:
        runs: at least one, shape (n, d) or (n, d, h, w).
        orders: which rows of each are compared, as in `gram.of`.

    Returns:
        For each of them where it is in each run: (j,), or (j, h, w) on a grid.
    """
    kind = precision.coarsest(runs)
    n = gram.length(runs[0], orders[0])
    some: Order = np.linspace(0, n - 1, min(n, SAMPLED)).astype(np.intp)
    pairs = list(zip(runs, orders, strict=True))
    marks = [_columns(gram.sample(run, _own(order, some)), kind) for run, order in pairs]
    near = set(marks[0]).intersection(*marks[1:])
    wanted = [[j for j, mark in enumerate(own) if mark in near] for own in marks]
    if not near:
        return []
    digests = [
        _digests(run, order, columns, kind)
        for (run, order), columns in zip(pairs, wanted, strict=True)
    ]
    common = [key for key in digests[0] if all(key in other for other in digests[1:])]
    return [
        tuple(
            tuple(int(i) for i in np.unravel_index(each[key], run.shape[1:]))
            for run, each in zip(runs, digests, strict=True)
        )
        for key in common
    ]


def _digests(
    run: NDArray[Any], order: Order | None, columns: Sequence[int], kind: Precision
) -> dict[bytes, int]:
    """Columns that are not constant by a hash of all their values; the first of equal ones."""
    hashes = [hashlib.sha256() for _ in columns]
    first, constant = None, np.ones(len(columns), dtype=bool)
    n = gram.length(run, order)
    step = max(1, BLOCK * len(run) // max(run.size, 1))
    for start in range(0, n, step):
        rows: Order = np.arange(start, min(start + step, n))
        values = precision.rounded(gram.sample(run, _own(order, rows)).reshape(len(rows), -1), kind)
        values = values[:, columns]
        first = values[0] if first is None else first
        constant &= (values == first).all(axis=0)
        for each, column in zip(hashes, values.T, strict=True):
            each.update(column.tobytes())
    found: dict[bytes, int] = {}
    for each, j, dead in zip(hashes, columns, constant.tolist(), strict=True):
        if not dead:
            found.setdefault(each.digest(), j)
    return found


def _columns(sample: NDArray[Any], kind: Precision) -> list[bytes]:
    values = precision.rounded(sample.reshape(len(sample), -1), kind)
    return [column.tobytes() for column in values.T]


def _own(order: Order | None, rows: Order) -> Order:
    return rows if order is None else order[rows]
