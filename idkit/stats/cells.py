"""Which numbers of a table are compared with which?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idkit import shelf
from idkit.errors import IdkitError, UsageError

Entry = str | float | None
Columns = Mapping[str, Sequence[Entry]]
RESULTS = frozenset(  # columns of idkit's tables that are found, and so name nothing
    ("mcc_in", "mcc_out", "ci_low", "ci_high", "chance_in", "chance_out", "p", "p_in", "active")
) | {"dead", "k", "runs", "pairs", "n", "withheld"}


@dataclass(frozen=True)
class Cells:
    """A table with one row a cell and one column a family.

    Attributes:
        families: names, in order of first appearance.
        names: of the cells, as `arch=mlp, d_z=50`, in order of first appearance.
        values: shape (cells, families), nan where a family has no number in a cell.
        blocks: the block of each cell, shape (cells,); None where no block was asked for.
    """

    families: tuple[str, ...]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    blocks: NDArray[np.int64] | None


def tabulate(
    columns: Columns, *, value: str, by: str, pair: Sequence[str], block: Sequence[str] = ()
) -> Cells:
    """Sorts the rows of a long table into cells and families.

    Args:
        columns: the table, one sequence a column, all of one length; None is an empty field.
        value: the column of numbers; an empty field counts as absent.
        by: the column that names the family.
        pair: the columns that together name a cell; numbers are compared within a cell.
        block: columns that name groups of cells which are not independent of one another.

    Raises:
        UsageError: when a column is named twice, or no column names the cells.
        IdkitError: when the table has no such column, a value is not a finite number, a cell holds
            two rows of one family or lies in two blocks, or there are fewer than two families.

    >>> table = {"model": ["vae", "ae"], "seed": [1.0, 1.0], "mcc": [0.5, 0.25]}
    >>> tabulate(table, value="mcc", by="model", pair=["seed"]).values.tolist()
    [[0.5, 0.25]]
    """
    _check_columns(columns, value=value, by=by, pair=pair, block=block)
    families = [_text(entry) for entry in columns[by]]
    cells = _labels(columns, pair)
    found: dict[tuple[str, str], float] = {}
    for row, place in enumerate(zip(cells, families, strict=True)):
        if place in found:
            raise IdkitError(_twice(columns, place, by=by, used={value, by, *pair}))
        found[place] = _number(columns[value][row], f"{value} of {by}={place[1]} in {place[0]}")
    known, names = tuple(dict.fromkeys(families)), tuple(dict.fromkeys(cells))
    if len(known) < 2:
        raise IdkitError(
            f"a comparison needs two families, the column '{by}' names "
            f"{len(known)}: {', '.join(known) or 'the table is empty'}"
        )
    return Cells(
        families=known,
        names=names,
        values=np.array([[found.get((name, of), np.nan) for of in known] for name in names]),
        blocks=_blocks(cells, _labels(columns, block), names) if block else None,
    )


def _check_columns(
    columns: Columns, *, value: str, by: str, pair: Sequence[str], block: Sequence[str]
) -> None:
    wanted = {"values": [value], "families": [by], "cells": pair, "blocks": block}
    for role, names in wanted.items():
        for name in names:
            if name not in columns:
                raise IdkitError(
                    f"there is no column '{name}' for the {role}{shelf.nearest(name, columns)} "
                    f"(the table has {', '.join(columns)})"
                )
    roles = [value, by, *pair]
    if not pair or len(set(roles)) < len(roles):
        raise UsageError(
            f"value ({value}), family ({by}) and cell ({', '.join(pair) or 'none'}) must be "
            "different columns, and at least one must name the cell"
        )


def _labels(columns: Columns, names: Sequence[str]) -> list[str]:
    """The text of each row under the named columns."""
    rows = zip(*(columns[name] for name in names), strict=True)
    return [
        ", ".join(f"{name}={_text(entry)}" for name, entry in zip(names, row, strict=True))
        for row in rows
    ]


def _text(entry: Entry) -> str:
    if entry is None:
        return "-"
    return f"{entry:.12g}" if isinstance(entry, int | float) else str(entry)


def _number(entry: Entry, what: str) -> float:
    """The number itself; nan for an empty field only."""
    if entry is None or entry == "":
        return float("nan")
    try:
        number = float(entry)
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise IdkitError(f"{what} is '{entry}': give a finite number, or leave the field empty")
    return number


def _twice(columns: Columns, place: tuple[str, str], *, by: str, used: set[str]) -> str:
    free = [name for name in columns if name not in used and name not in RESULTS]
    others = [name for name in free if len(set(columns[name])) > 1]
    hint = f" (as {', '.join(others)})" if others else ""
    return (
        f"{by}={place[1]} has more than one row in the cell {place[0]}: average them first, or "
        f"name the columns that tell them apart as part of the cell{hint}"
    )


def _blocks(cells: Sequence[str], labels: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    of: dict[str, str] = {}
    for cell, label in zip(cells, labels, strict=True):
        if of.setdefault(cell, label) != label:
            raise IdkitError(
                f"the cell {cell} lies in two blocks, {of[cell]} and {label}: "
                "block by columns that are part of the cell"
            )
    order = {label: place for place, label in enumerate(dict.fromkeys(of.values()))}
    return np.array([order[of[name]] for name in names], dtype=np.int64)
