"""Which numbers of a table are compared with which?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from idkit import shelf
from idkit.errors import IdkitError, UsageError
from idkit.stats.advice import ROOM, bring_together, clip, listed, needs_two, tell_apart
from idkit.stats.naming import NOTHING, Entry, name

Columns = Mapping[str, Sequence[Entry]]
Names = tuple[str | None, ...]
Place = tuple[Names, str | None]  # a cell and a family


@dataclass(frozen=True)
class Cells:
    """A table with one row a cell and one column a family.

    Attributes:
        families: names, in order of first appearance.
        names: of the cells, as `arch=mlp, d_z=50`, in order of first appearance.
        values: shape (cells, families), nan where a family has no number in a cell.
        blocks: the block of each cell, shape (cells,); None where no block was asked for.
        kind: what all numbers of the table have in common, as mode and corr; empty where tables
            were not told apart by anything.
    """

    families: tuple[str, ...]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    blocks: NDArray[np.int64] | None
    kind: Mapping[str, str | None] = field(default_factory=dict)


def tabulate(
    columns: Columns, *, value: str, by: str, pair: Sequence[str], block: Sequence[str] = ()
) -> Cells:
    """Sorts the rows of a long table into cells and families.

    Entries of equal value are one, 0.1 and 0.10, and all others are two, however long they are.

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
    (cells,) = tabulate_each(columns, value=value, by=by, pair=pair, block=block)
    return cells


def tabulate_each(
    columns: Columns,
    *,
    value: str,
    by: str,
    pair: Sequence[str],
    block: Sequence[str] = (),
    each: Sequence[str] = (),
) -> tuple[Cells, ...]:
    """One table of cells for each kind of number, so that no two kinds are in one sample.

    Args:
        columns: as in `tabulate`, as the next four.
        value: see there.
        by: see there.
        pair: see there.
        block: see there.
        each: the columns that name the kind, as mode and corr: two scores of the same runs are
            not two observations.

    Returns:
        The tables in the order in which their kinds appear, each with those of the families that
        it has a row of, in one order; one table where `each` is empty.

    Raises:
        UsageError: as `tabulate` does.
        IdkitError: as `tabulate` does.
    """
    _check_columns(columns, value=value, by=by, pair=pair, block=block)
    roles = (by, *pair, *block, *each)
    named = {role: [name(entry) for entry in columns[role]] for role in roles}
    families, kinds, cells = named[by], _keys(named, each, columns), _keys(named, pair, columns)
    known = tuple(dict.fromkeys(families))
    if len(known) < 2:
        raise IdkitError(needs_two(columns, by=by, pair=pair, each=each))
    found: dict[Names, dict[Place, float]] = {kind: {} for kind in kinds} or {(): {}}
    for row, (kind, cell, family) in enumerate(zip(kinds, cells, families, strict=True)):
        who, where = clip(f"{by}={_shown(family)}"), clip(_label(pair, cell), ROOM)
        if (cell, family) in found[kind]:
            advice = tell_apart(columns, value=value, by=by, pair=pair, each=each)
            raise IdkitError(f"{who} has more than one row in the cell {where}: {advice}")
        found[kind][cell, family] = _number(columns[value][row], f"{value} of {who} in {where}")
    of_cell = _blocks(cells, _keys(named, block, columns), pair=pair, block=block)
    tables = tuple(
        _table(numbers, known, pair, of_cell if block else None, dict(zip(each, kind, strict=True)))
        for kind, numbers in found.items()
    )
    if not any((np.isfinite(table.values).sum(axis=1) > 1).any() for table in tables):
        why = bring_together(columns, value=value, by=by, pair=pair, each=each)
        raise IdkitError(f"no cell has two of the families {listed(map(_shown, known))}: {why}")
    return tables


def _table(
    numbers: Mapping[Place, float],
    known: Sequence[str | None],
    pair: Sequence[str],
    blocks: Mapping[Names, int] | None,
    kind: Mapping[str, str | None],
) -> Cells:
    cells = list(dict.fromkeys(cell for cell, _ in numbers))
    here = {family for _, family in numbers}
    families = [family for family in known if family in here]
    return Cells(
        families=tuple(map(_shown, families)),
        names=tuple(_label(pair, cell) for cell in cells),
        values=np.array([[numbers.get((cell, of), np.nan) for of in families] for cell in cells]),
        blocks=None if blocks is None else np.array([blocks[cell] for cell in cells]),
        kind=kind,
    )


def _check_columns(
    columns: Columns, *, value: str, by: str, pair: Sequence[str], block: Sequence[str]
) -> None:
    wanted = {"values": [value], "families": [by], "cells": pair, "blocks": block}
    for role, names in wanted.items():
        for one in names:
            if one not in columns:
                raise IdkitError(
                    f"there is no column '{clip(one)}' for the {role}{shelf.nearest(one, columns)} "
                    f"(the table has {listed(columns)})"
                )
    roles = [value, by, *pair]
    if not pair or len(set(roles)) < len(roles):
        raise UsageError(
            f"value ({value}), family ({by}) and cell ({', '.join(pair) or 'none'}) must be "
            "different columns, and at least one must name the cell"
        )


def _keys(
    named: Mapping[str, Sequence[str | None]], names: Sequence[str], columns: Columns
) -> list[Names]:
    """What each row is called under the named columns."""
    if not names:
        return [()] * len(next(iter(columns.values())))
    return list(zip(*(named[one] for one in names), strict=True))


def _label(names: Sequence[str], key: Names) -> str:
    return ", ".join(f"{one}={_shown(entry)}" for one, entry in zip(names, key, strict=True))


def _shown(text: str | None) -> str:
    return NOTHING if text is None else text


def _number(entry: Entry, what: str) -> float:
    """The number itself; nan for an empty field only."""
    if entry is None or entry == "":
        return float("nan")
    try:
        number = float("nan") if "_" in str(entry) else float(entry)  # 1_000 is text
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise IdkitError(f"{what} is '{entry}': give a finite number, or leave the field empty")
    return number


def _blocks(
    cells: Sequence[Names], labels: Sequence[Names], *, pair: Sequence[str], block: Sequence[str]
) -> dict[Names, int]:
    of: dict[Names, Names] = {}
    for cell, label in zip(cells, labels, strict=True):
        if of.setdefault(cell, label) != label:
            raise IdkitError(
                f"the cell {_label(pair, cell)} lies in two blocks, {_label(block, of[cell])} and "
                f"{_label(block, label)}: block by columns that are part of the cell"
            )
    order = {label: place for place, label in enumerate(dict.fromkeys(of.values()))}
    return {cell: order[label] for cell, label in of.items()}
