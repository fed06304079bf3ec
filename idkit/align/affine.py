"""Alignment by least squares: the affine map of run a that predicts run b best."""

import numpy as np

from idkit.gram import Grams
from idkit.maps import Linear


def fit(inside: Grams, a: int, b: int, *, components: int | None = None) -> Linear:
    """Regresses run b on run a: argmin over M, c of ‖z^a M + c − z^b‖².

    Coordinate j of run b is matched with its prediction; their in-sample correlation is the
    multiple correlation coefficient. Not symmetric: run b is the target.

    Args:
        inside: in-sample moments of the group.
        a: number of the run that is mapped.
        b: number of the run it is mapped to.
        components: how many coordinates of run b to keep, the best first; by default all.

    Returns:
        The least-squares map (of least norm in whitened coordinates where run a is
        rank-deficient).
    """
    white = inside.whitening(a)
    matrix = white @ (white.T @ inside.block(a, b))
    offset = inside.means(b) - inside.means(a) @ matrix
    every = Linear(matrix, np.eye(inside.widths[b]), matrix, offset)
    kept = np.argsort(-every.correlations(inside, a, b), kind="stable")[:components]
    return Linear(matrix[:, kept], every.directions_b[:, kept], matrix, offset)
