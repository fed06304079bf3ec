"""Alignment up to an affine map: canonical correlation analysis (~A in the paper)."""

import numpy as np
from scipy import linalg

from idkit.gram import Floats, Grams
from idkit.maps import Linear

FEW = 4  # from a quarter of the pairs down, part of the spectrum takes half the time of all of it
SMALLEST = 1e-4  # canonical correlations that their squares still give to 12 digits


def fit(inside: Grams, a: int, b: int, *, components: int | None = None) -> Linear:
    """Finds the pairs of directions of two runs with the largest correlations (Hotelling 1936).

    With W_a, W_b whitening each run, the singular value decomposition

        (z^a W_a)ᵀ (z^b W_b) = U diag(ρ) Vᵀ

    gives the canonical correlations ρ and directions W_a U, W_b V: exact, and not iterative.

    Args:
        inside: in-sample moments of the group.
        a: number of the run that is mapped.
        b: number of the run it is mapped to.
        components: how many canonical pairs to keep; by default the smaller rank, at least one.
            Those above the smaller rank are zero.

    Returns:
        The canonical directions, of unit norm over the in-sample rows. The matrix carries the
        canonical variates of run a to those of run b without shrinking them by ρ, so that it
        keeps the spread of what it moves: least squares is `align.affine`.
    """
    white_a, white_b = inside.whitening(a), inside.whitening(b)
    shared = white_a.T @ inside.block(a, b) @ white_b
    wanted = max(1, min(shared.shape)) if components is None else components
    left, right = _leading(shared, wanted)
    directions_a, directions_b = white_a @ left, white_b @ right
    matrix = directions_a @ (inside.block(b, b) @ directions_b).T
    return Linear(
        _padded(directions_a, wanted),
        _padded(directions_b, wanted),
        matrix,
        inside.means(b) - inside.means(a) @ matrix,
    )


def _leading(shared: Floats, count: int) -> tuple[Floats, Floats]:
    """The leading singular vectors on both sides, as columns, in descending order."""
    rank = min(shared.shape)
    if FEW * count <= rank and rank:
        squares, left = linalg.eigh(
            shared @ shared.T,
            subset_by_index=(len(shared) - count, len(shared) - 1),
            check_finite=False,
        )
        if squares[0] > SMALLEST**2:
            left = left[:, ::-1]
            return left, shared.T @ left / np.sqrt(squares[::-1])
    left, _, right = np.linalg.svd(shared, full_matrices=False)
    return left[:, :count], right.T[:, :count]


def _padded(directions: Floats, width: int) -> Floats:
    """With zero columns where there are no more canonical pairs."""
    missing = width - directions.shape[1]
    return np.pad(directions, ((0, 0), (0, missing))) if missing else directions
