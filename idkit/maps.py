"""Maps from one run's latents to another's: a permutation with signs, or a matrix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from idkit.gram import ROUNDING, Floats, Grams

Indices = NDArray[np.int64]


class Map(Protocol):
    """A map from run a's latents to run b's, whose components are in matched pairs.

    Component j is one direction of run a and the direction of run b it is matched with;
    components are in descending order of their in-sample correlation.
    """

    @property
    def directions_a(self) -> Floats:
        """Components of run a: latents times this, shape (d_a, k)."""
        ...

    @property
    def directions_b(self) -> Floats:
        """Components of run b: latents times this, shape (d_b, k)."""
        ...

    def correlations(self, half: Grams, a: int, b: int) -> Floats:
        """Absolute correlations of the matched components over some rows.

        Args:
            half: the moments of the rows.
            a: number of run a in `half`.
            b: number of run b in `half`.

        Returns:
            shape (k,), in [0, 1], 1 is identical; 0 where a component is constant on these rows.
        """
        ...

    def move(self, z: NDArray[Any]) -> Floats:
        """Carries latents of run a into the frame of run b.

        Args:
            z: latents of run a, shape (n, d_a).

        Returns:
            shape (n, d_b), float64.
        """
        ...

    def first(self, components: int | None) -> "Map":
        """The same map, of whose matched components only the first are kept."""
        ...

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything the map consists of, by name, as an alignment file stores it."""
        ...


@dataclass(frozen=True, eq=False)
class Permutation:
    """Coordinate `source[j]` of run a is coordinate `target[j]` of run b, up to the sign.

    Attributes:
        source: coordinates of run a, shape (k,), all different.
        target: coordinates of run b, shape (k,), all different.
        signs: of the matched in-sample correlations, shape (k,), +1 or -1.
        widths: the numbers of coordinates (d_a, d_b); k is at most the smaller.
    """

    source: Indices
    target: Indices
    signs: Floats
    widths: tuple[int, int]

    @property
    def directions_a(self) -> Floats:
        """See `Map`."""
        return np.eye(self.widths[0])[:, self.source] * self.signs

    @property
    def directions_b(self) -> Floats:
        """See `Map`."""
        return np.eye(self.widths[1])[:, self.target]

    def correlations(self, half: Grams, a: int, b: int) -> Floats:
        """See `Map`."""
        products = np.abs(half.block(a, b)[self.source, self.target])
        scale = half.norms(a)[self.source] * half.norms(b)[self.target]
        return _ratio(products, scale)

    def move(self, z: NDArray[Any]) -> Floats:
        """Coordinates in the order and with the signs of run b; 0 where run a has no match."""
        moved = np.zeros((len(z), self.widths[1]))
        moved[:, self.target] = z[:, self.source] * self.signs
        return moved

    def first(self, components: int | None) -> "Permutation":
        """See `Map`; what is no longer matched is no longer carried, either."""
        source, target = self.source[:components], self.target[:components]
        return Permutation(source, target, self.signs[:components], self.widths)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Map`."""
        return {"source": self.source, "target": self.target, "signs": self.signs}


@dataclass(frozen=True, eq=False)
class Linear:
    """z_b ≈ z_a `matrix` + `offset`; direction j of run a is matched with direction j of run b.

    Attributes:
        directions_a: shape (d_a, k).
        directions_b: shape (d_b, k).
        matrix: shape (d_a, d_b).
        offset: shape (d_b,).
    """

    directions_a: Floats
    directions_b: Floats
    matrix: Floats
    offset: Floats

    def correlations(self, half: Grams, a: int, b: int) -> Floats:
        """See `Map`."""
        covariance = _diagonal(self.directions_a, half.block(a, b), self.directions_b)
        variances = _variances(half, a, self.directions_a) * _variances(half, b, self.directions_b)
        return _ratio(np.abs(covariance), np.sqrt(variances))

    def move(self, z: NDArray[Any]) -> Floats:
        """See `Map`."""
        return np.asarray(z, dtype=np.float64) @ self.matrix + self.offset

    def first(self, components: int | None) -> "Linear":
        """See `Map`."""
        kept = (self.directions_a[:, :components], self.directions_b[:, :components])
        return Linear(*kept, self.matrix, self.offset)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """See `Map`."""
        return dict(vars(self))


def _ratio(products: Floats, scale: Floats) -> Floats:
    """|correlations| in [0, 1]; 0 where one side is constant."""
    found = np.divide(products, scale, out=np.zeros_like(scale), where=scale > 0)
    return np.minimum(found, 1.0, out=found)


def _variances(half: Grams, run: int, directions: Floats) -> Floats:
    """Zero where the variance of a direction is only the rounding error of its parts."""
    variances = _diagonal(directions, half.block(run, run), directions)
    largest = (np.abs(directions) * half.norms(run)[:, None]).sum(axis=0) ** 2
    return np.where(variances > ROUNDING * largest, variances, 0.0)


def _diagonal(left: Floats, middle: Floats, right: Floats) -> Floats:
    """The diagonal of leftᵀ middle right."""
    return np.asarray(np.einsum("ij,ij->j", left, middle @ right))


def stack(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Arrays of perhaps several shapes as one: NaN, or -1 in integers, beyond their ends."""
    shape = tuple(max(lengths) for lengths in zip(*(array.shape for array in arrays), strict=True))
    beyond = -1 if arrays[0].dtype.kind == "i" else np.nan
    stacked = np.full((len(arrays), *shape), beyond, dtype=arrays[0].dtype)
    for line, array in zip(stacked, arrays, strict=True):
        line[tuple(slice(length) for length in array.shape)] = array
    return stacked


def pack(maps: Sequence[Map]) -> dict[str, NDArray[Any]]:
    """The maps of one family as one array for each of their parts, stacked."""
    every = [each.arrays() for each in maps]
    return {name: stack([arrays[name] for arrays in every]) for name in every[0]}


def unpack(arrays: Mapping[str, NDArray[Any]], shapes: Sequence[tuple[int, int, int]]) -> list[Map]:
    """The maps that `pack` has packed.

    Args:
        arrays: by name.
        shapes: of each map: d_a, d_b, k.
    """
    return [
        Permutation(
            arrays["source"][i, :k], arrays["target"][i, :k], arrays["signs"][i, :k], (d_a, d_b)
        )
        if "source" in arrays
        else Linear(
            arrays["directions_a"][i, :d_a, :k],
            arrays["directions_b"][i, :d_b, :k],
            arrays["matrix"][i, :d_a, :d_b],
            arrays["offset"][i, :d_b],
        )
        for i, (d_a, d_b, k) in enumerate(shapes)
    ]
