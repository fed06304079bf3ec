"""Which families differ, over the cells that they share?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.stats import precision
from idkit.stats.advice import listed
from idkit.stats.block_flips import BlockFlips, block_flips
from idkit.stats.cells import Cells
from idkit.stats.flips import Method
from idkit.stats.hodges_lehmann import hodges_lehmann
from idkit.stats.holm import holm
from idkit.stats.rank_biserial import rank_biserial
from idkit.stats.signed_rank import SignedRank, Zeros, signed_rank

ALPHA = 0.05  # at or below it a p-value is called significant
LEVEL = 1 - ALPHA  # of the intervals
FEWEST = 6  # units whose interval has ends: five have no p below 2 / 2**5 > ALPHA


@dataclass(frozen=True)
class Comparison:
    """One pair of families, a against b.

    Attributes:
        a: the family that appears first.
        b: the other one.
        n: cells that have both, zeros among them.
        absent: cells that have only one of the two, and were left out.
        zeros: cells in which both have the same value.
        ties: differences other than zero whose size another one shares.
        w: W+, the sum of the ranks of the cells in which a is larger.
        p: two-sided p of the signed-rank test, in (0, 1].
        method: how p was found, whether values tie as float32 numbers, and how p_block was found
            if it is not exact.
        p_holm: p adjusted for all tests made together (Holm); with blocks p_block adjusted.
        p_block: two-sided p from sign flips of whole blocks, not adjusted; None without blocks.
        blocks: blocks that bear evidence; None without blocks.
        shift: Hodges-Lehmann estimate of a - b over the units, in the unit of the values.
        shift_low: lower end of its 95% interval, -inf with fewer than 6 units.
        shift_high: upper end, inf with fewer than 6 units.
        rank_biserial: in [-1, 1], 1 where a is larger in every cell; nan where all are equal.
        differences: a - b in each cell, shape (n,), each rounded to the precision of its two
            values (see `precision.differences`).
        units: what is taken as independent: the differences; with blocks the mean difference of
            each block, shape (blocks that have a cell,).
        kind: what kind of number was compared, as mode and corr; empty where there is one only.
    """

    a: str
    b: str
    n: int
    absent: int
    zeros: int
    ties: int
    w: float
    p: float
    method: str
    p_holm: float
    p_block: float | None
    blocks: int | None
    shift: float
    shift_low: float
    shift_high: float
    rank_biserial: float
    differences: NDArray[np.float64]
    units: NDArray[np.float64]
    kind: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def decisive(self) -> float:
        """The p, not adjusted, that the finding rests on: p_block where there are blocks."""
        return self.p if self.p_block is None else self.p_block


def compare(cells: Cells, *, zeros: Zeros = "wilcox") -> tuple[Comparison, ...]:
    """Tests every pair of families.

    Cells of one block are not independent, so that with blocks everything that decides is of
    blocks: Holm adjusts p_block, and the shift and its interval are those of the block means.

    Args:
        cells: the table, as `cells.tabulate` makes it.
        zeros: what becomes of zeros, as in `signed_rank`.

    Returns:
        One comparison for each pair that shares a cell, in the order of the families.

    Raises:
        IdkitError: when no two families share a cell.
    """
    return compare_each([cells], zeros=zeros)


def compare_each(tables: Sequence[Cells], *, zeros: Zeros = "wilcox") -> tuple[Comparison, ...]:
    """Tests every pair of families in each of several tables, with Holm over all tests.

    Args:
        tables: as `cells.tabulate_each` makes them.
        zeros: what becomes of zeros, as in `signed_rank`.

    Returns:
        Those of the first table, as `compare` gives them, then those of the next.

    Raises:
        IdkitError: when no two families share a cell in any of them.
    """
    alone = [
        _pair(cells, a, b, zeros)
        for cells in tables
        for a, b in combinations(range(len(cells.families)), 2)
        if _shared(cells, a, b).any()
    ]
    if not alone:
        families = dict.fromkeys(family for cells in tables for family in cells.families)
        raise IdkitError(f"no cell has two of the families {listed(families)}")
    adjusted = holm([test.decisive for test in alone])
    return tuple(replace(test, p_holm=float(p)) for test, p in zip(alone, adjusted, strict=True))


def _shared(cells: Cells, a: int, b: int) -> NDArray[np.bool_]:
    there: NDArray[np.bool_] = np.isfinite(cells.values)
    return there[:, a] & there[:, b]


def _pair(cells: Cells, a: int, b: int, zeros: Zeros) -> Comparison:
    """One comparison, its p not yet adjusted."""
    both = _shared(cells, a, b)
    values = cells.values[both][:, [a, b]]
    single = precision.single(values)
    d = precision.differences(values[:, 0], values[:, 1], single=single)
    _check_finite(cells, a, b, d)
    block, means = None, None
    if cells.blocks is not None:
        block = block_flips(d, cells.blocks[both], zeros=zeros)
        means = _block_means(d, cells.blocks[both])
    units = d if means is None else np.array([float(mean) for mean in means])
    test, shift = signed_rank(d, zeros=zeros), hodges_lehmann(units, level=LEVEL, exact=means)
    return Comparison(
        a=cells.families[a],
        b=cells.families[b],
        n=test.n,
        absent=int(np.isfinite(cells.values[:, [a, b]]).any(axis=1).sum() - both.sum()),
        zeros=test.zeros,
        ties=test.ties,
        w=test.w,
        p=test.p,
        method="; ".join(_methods(test, block, single=single)),
        p_holm=test.p,
        p_block=None if block is None else block.p,
        blocks=None if block is None else block.blocks,
        shift=shift.estimate,
        shift_low=shift.low,
        shift_high=shift.high,
        rank_biserial=rank_biserial(d, zeros=zeros),
        differences=d,
        units=units,
        kind=cells.kind,
    )


def _methods(test: SignedRank, block: BlockFlips | None, *, single: bool) -> list[str]:
    of_p = f"{test.method}, {precision.TIES_OF_SINGLE}" if single else test.method
    if block is None or block.method == Method.EXACT:
        return [of_p]
    return [of_p, f"p_block: {block.method}"]


def _block_means(d: NDArray[np.float64], blocks: NDArray[np.int64]) -> list[Fraction]:
    members: dict[int, list[float]] = {}
    for block, number in zip(blocks.tolist(), d.tolist(), strict=True):
        members.setdefault(block, []).append(number)
    return [precision.mean(members[block]) for block in sorted(members)]


def _check_finite(cells: Cells, a: int, b: int, d: NDArray[np.float64]) -> None:
    if not np.isfinite(d).all():
        place = np.flatnonzero(_shared(cells, a, b))[~np.isfinite(d)][0]
        x, y = cells.values[place, [a, b]]
        raise IdkitError(
            f"{cells.families[a]} and {cells.families[b]} in {cells.names[place]} are {x:g} and "
            f"{y:g}, whose difference is beyond the largest number: leave that cell out"
        )
