"""Coordinates of a run in which no direction is small, where its second moments resolve too few.

float64 tells directions apart whose standard deviation is 1e-12 of the largest, but a Gram matrix
squares that, and loses what is below 1e-6. A QR decomposition of the rows squares nothing (Björck &
Golub 1973), and its triangle can be had block by block (Demmel et al. 2012).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit import blas, gram
from idkit.gram import BLOCK_ROWS, Floats, Grams, Halves, Order
from idkit.maps import Linear, Map

CLEAR = 1e-9  # eigenvalues of a correlation matrix, to the largest, that it gives to 7 digits
SAFETY = 10  # times the rounding that an offset of the rows brings about
WHITENED = {"weak": (True, True), "affine": (True, False)}  # which of two runs a mode whitens


@dataclass(frozen=True, eq=False)
class InBasis:
    """The rows of a run in other coordinates, made as they are read.

    Attributes:
        run: shape (n, d).
        origin: in-sample means, shape (d,).
        into: shape (d, rank): (row - origin) times this are the coordinates, which are
            uncorrelated and of one norm over the in-sample rows.
        back: shape (rank, d): coordinates times this are row - origin.
        resolved: the standard deviation of a direction, to the largest, below which it is rounding.
    """

    run: NDArray[Any]
    origin: Floats
    into: Floats
    back: Floats
    resolved: float

    @property
    def shape(self) -> tuple[int, int]:
        """The number of rows, and of directions."""
        return len(self.run), len(self.back)

    @property
    def ndim(self) -> int:
        """Two."""
        return 2

    def __len__(self) -> int:
        """The number of rows."""
        return len(self.run)

    def __getitem__(self, rows: Any) -> Floats:
        """Some rows."""
        return np.asarray((self.run[rows] - self.origin) @ self.into)


Sides = tuple[InBasis | None, InBasis | None]


@dataclass(frozen=True, eq=False)
class Bases:
    """The runs of a comparison that need a basis; they come once more, in it, after all runs.

    Attributes:
        runs: how many runs there are.
        found: the bases by the number of the run; none for latents as they usually are.
    """

    runs: int
    found: dict[int, InBasis]

    def extended(self, items: Sequence[Any]) -> list[Any]:
        """One item for each run, and again for those that come again."""
        return [*items, *(items[number] for number in self.found)]

    def moments(
        self,
        runs: Sequence[NDArray[Any]],
        inside: NDArray[np.bool_],
        *,
        rows: Sequence[Order | None],
        order: Sequence[Order] | None = None,
        names: Sequence[str] | None = None,
    ) -> Halves:
        """`gram.of` the runs, and after them of those that have a basis, in it."""
        return gram.of(
            [*runs, *self.found.values()],
            inside,
            rows=self.extended(rows),
            order=None if order is None else self.extended(order),
            names=None if names is None else self.extended(names),
        )

    def sides(self, mode: str, a: int, b: int) -> Sides:
        """The bases of two runs, where a mode whitens them and they have one."""
        first, second = WHITENED.get(mode, (False, False))
        return self.found.get(a) if first else None, self.found.get(b) if second else None

    def numbers(self, mode: str, a: int, b: int) -> tuple[int, int]:
        """The numbers under which two runs come in a mode."""
        again = {run: self.runs + place for place, run in enumerate(self.found)}
        first, second = self.sides(mode, a, b)
        return a if first is None else again[a], b if second is None else again[b]

    def from_bases(self, found: Map, mode: str, a: int, b: int, moments: Grams) -> Map:
        """A map between two runs from one that was fitted between what `numbers` names.

        Args:
            found: the map.
            mode: its family.
            a: number of the first run.
            b: number of the second.
            moments: in-sample, of the runs.
        """
        first, second = self.sides(mode, a, b)
        if not isinstance(found, Linear) or (first is None and second is None):
            return found
        matrix = found.matrix if first is None else first.into @ found.matrix
        matrix = matrix if second is None else matrix @ second.back
        return Linear(
            found.directions_a if first is None else first.into @ found.directions_a,
            found.directions_b if second is None else second.into @ found.directions_b,
            matrix,
            moments.means(b) - moments.means(a) @ matrix,
        )

    def in_bases(self, found: Map, mode: str, a: int, b: int) -> Map:
        """The directions of a map between two runs as `numbers` names them, to correlate them."""
        first, second = self.sides(mode, a, b)
        if not isinstance(found, Linear):
            return found
        return replace(
            found,
            directions_a=found.directions_a if first is None else first.back @ found.directions_a,
            directions_b=found.directions_b if second is None else second.back @ found.directions_b,
        )


def needed(
    modes: Sequence[str],
    runs: Sequence[NDArray[Any]],
    rows: Sequence[Order | None],
    inside: NDArray[np.bool_],
    moments: Grams,
) -> Bases:
    """Bases of the runs that hold more directions than their moments resolve.

    Args:
        modes: names of `idkit.align`; without one that whitens, no basis is needed.
        runs: as in `gram.of`.
        rows: as in `gram.of`.
        inside: the rows that `moments` sums, shape (n,).
        moments: of the runs.
    """
    fine = [r for r in range(len(runs)) if moments.resolution(r) == gram.FLOAT64]
    if not set(WHITENED) & set(modes):
        fine = []
    bases = {r: _basis(runs[r], rows[r], inside, moments, r) for r in fine}
    return Bases(len(runs), {r: basis for r, basis in bases.items() if basis is not None})


def _basis(
    run: NDArray[Any], own: Order | None, inside: NDArray[np.bool_], moments: Grams, number: int
) -> InBasis | None:
    norms, means = moments.norms(number), moments.means(number)
    values, _ = moments.spectrum(number)
    clear = int((values > CLEAR * max(values[-1], 1.0)).sum())
    if clear >= min(int((norms > 0).sum()), moments.n - 1):
        return None
    scale = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    offset = float((np.abs(means) * scale).max()) * np.sqrt(moments.n)
    resolved = gram.FLOAT64 * max(moments.n, len(norms), SAFETY * offset)
    with blas.one_thread():
        triangle = _triangle(run, own, inside, means, scale)
        _, spread, loadings = np.linalg.svd(triangle, full_matrices=False)
    kept = spread > spread[0] * resolved
    if kept.sum() <= clear:
        return None
    spread, loadings = spread[kept], loadings[kept]
    into = scale[:, None] * loadings.T / spread
    return InBasis(run, means, into, spread[:, None] * loadings * norms, resolved)


def _triangle(
    run: NDArray[Any], own: Order | None, inside: NDArray[np.bool_], means: Floats, scale: Floats
) -> Floats:
    """R of the QR decomposition of the centred and scaled in-sample rows, block by block."""
    triangle: Floats = np.empty((0, run.shape[1]))
    index = np.flatnonzero(inside)
    for start in range(0, len(index), BLOCK_ROWS):
        rows = index[start : start + BLOCK_ROWS]
        block = (gram.sample(run, rows if own is None else own[rows]) - means) * scale
        triangle = np.asarray(np.linalg.qr(np.concatenate([triangle, block]), mode="r"))
    return triangle
