"""Correlations of matched components: from the moments, or from the ranks of the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from idkit.gram import BLOCK_ROWS, Floats, Grams, Halves, Latents, Order
from idkit.maps import Map
from idkit.ranks import midranks

Half = Literal["inside", "outside"]


class Correlate(Protocol):
    """How the components that a map matches are correlated on one half of the rows."""

    def matched(self, found: Map, a: int, b: int, half: Half) -> Floats:
        """Absolute correlations of component j of run a with component j of run b, shape (k,)."""
        ...

    def crossed(self, found: Map, a: int, b: int, half: Half) -> Floats:
        """Absolute correlations of all components with all, shape (k, k)."""
        ...


@dataclass(frozen=True, eq=False)
class Pearson:
    """Product-moment correlations: nothing but the moments is needed."""

    moments: Halves

    def matched(self, found: Map, a: int, b: int, half: Half) -> Floats:
        """See `Correlate`."""
        return found.correlations(getattr(self.moments, half), a, b)

    def crossed(self, found: Map, a: int, b: int, half: Half) -> Floats:
        """See `Correlate`."""
        grams: Grams = getattr(self.moments, half)
        left, right = found.directions_a, found.directions_b
        return _scaled(
            left.T @ grams.block(a, b) @ right,
            np.einsum("ij,ij->j", left, grams.block(a, a) @ left),
            np.einsum("ij,ij->j", right, grams.block(b, b) @ right),
        )


@dataclass(frozen=True, eq=False)
class Spearman:
    """Rank correlations of the components: the rows are projected, one pair of runs at a time."""

    moments: Halves
    runs: Sequence[Latents]
    inside: NDArray[np.bool_]
    rows: Sequence[Order | None]
    order: Sequence[Order] | None

    def matched(self, found: Map, a: int, b: int, half: Half) -> Floats:
        """See `Correlate`."""
        return np.asarray(np.diagonal(self.crossed(found, a, b, half)))

    def crossed(self, found: Map, a: int, b: int, half: Half) -> Floats:
        """See `Correlate`."""
        left = midranks(self._variates(a, found.directions_a, half))
        right = midranks(self._variates(b, found.directions_b, half))
        left, right = left - left.mean(axis=0), right - right.mean(axis=0)
        return _scaled(left.T @ right, (left**2).sum(axis=0), (right**2).sum(axis=0))

    def _variates(self, run: int, directions: Floats, half: Half) -> Floats:
        rows: Order = np.flatnonzero(self.inside == (half == "inside"))
        rows = rows if self.order is None else self.order[run][rows]
        own = self.rows[run]
        rows = rows if own is None else own[rows]
        means = self.moments.inside.means(run)
        blocks = (rows[i : i + BLOCK_ROWS] for i in range(0, len(rows), BLOCK_ROWS))
        return np.concatenate([(self.runs[run][block] - means) @ directions for block in blocks])


def _scaled(products: Floats, squares_a: Floats, squares_b: Floats) -> Floats:
    """|correlations| in [0, 1]; 0 where one side is constant."""
    scale = np.sqrt(np.outer(np.maximum(squares_a, 0.0), np.maximum(squares_b, 0.0)))
    found = np.divide(np.abs(products), scale, out=np.zeros_like(scale), where=scale > 0)
    return np.asarray(np.minimum(found, 1.0))
