"""Alignment by rotation and reflection: orthogonal Procrustes."""

import numpy as np

from idkit.gram import Grams
from idkit.maps import Linear


def fit(inside: Grams, a: int, b: int, *, components: int | None = None) -> Linear:
    """Rotates run a onto run b: argmin over QᵀQ = I of ‖z^a Q − z^b‖², both centred.

    With the singular value decomposition z^aᵀ z^b = U S Vᵀ, Q = U Vᵀ (Schönemann 1966).
    Distances within run a are kept; with d_a ≠ d_b, Q has orthonormal columns or rows.
    Coordinate j of run b is matched with coordinate j of the rotated run.

    Args:
        inside: in-sample moments of the group.
        a: number of the run that is mapped.
        b: number of the run it is mapped to.
        components: how many coordinates of run b to keep, the best first; by default all.

    Returns:
        The rotation, and the shift of the mean of run a to that of run b.
    """
    left, _, right = np.linalg.svd(inside.block(a, b), full_matrices=False)
    rotation = left @ right
    offset = inside.means(b) - inside.means(a) @ rotation
    every = Linear(rotation, np.eye(inside.widths[b]), rotation, offset)
    kept = np.argsort(-every.correlations(inside, a, b), kind="stable")[:components]
    return Linear(rotation[:, kept], every.directions_b[:, kept], rotation, offset)
