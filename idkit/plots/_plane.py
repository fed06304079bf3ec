"""Latents on a plane: as they are in one or two dimensions, else by principal components."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Plane:
    """Two directions in the space of latents.

    Attributes:
        origin: the point at 0, shape (d_z,).
        directions: orthonormal, shape (2, d_z).
        names: what the two coordinates are.
    """

    origin: NDArray[np.float64]
    directions: NDArray[np.float64]
    names: tuple[str, str]

    def __call__(self, z: NDArray[np.floating]) -> NDArray[np.float64]:
        """The coordinates of some latents (n, d_z) on the plane, shape (n, 2)."""
        return (z - self.origin) @ self.directions.T


def plane(z: NDArray[np.floating]) -> Plane:
    """The plane on which some latents are shown.

    With more than two dimensions it is that of the first two principal components, by the
    singular value decomposition of the centred latents; each is turned such that its largest
    loading is positive.

    Args:
        z: shape (n, d_z); n and d_z are at least 1.
    """
    d_z = z.shape[1]
    if d_z <= 2:
        directions = np.zeros((2, d_z))
        directions[range(d_z), range(d_z)] = 1.0
        return Plane(np.zeros(d_z), directions, ("$z_1$", "$z_2$" if d_z == 2 else ""))
    origin = z.mean(axis=0, dtype=np.float64)
    _, singular, loadings = np.linalg.svd(z - origin, full_matrices=True)
    largest = np.abs(loadings[:2]).argmax(axis=1)
    signs = np.where(loadings[[0, 1], largest] < 0, -1.0, 1.0)
    variance = np.zeros(d_z)
    variance[: len(singular)] = singular**2
    shares = variance[:2] / max(variance.sum(), np.finfo(float).tiny)
    first, second = (
        f"PC {i} of {d_z} ({share:.0%} of variance)" for i, share in enumerate(shares, start=1)
    )
    return Plane(origin, signs[:, None] * loadings[:2], (first, second))
