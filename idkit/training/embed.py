"""Representations: what a trained model makes of observations."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from idkit.models import Responsible

BLOCK_ROWS = 1000
Floats = NDArray[np.float32]


def posterior(
    model: Any, x: NDArray[Any], u: NDArray[np.int64] | None = None
) -> tuple[Floats, Floats | None]:
    """The mean and standard deviation of q(z|x), block by block.

    Args:
        model: a trained model in eval mode.
        x: observations as stored, (n, *shape).
        u: labels, (n,); None where there are none.

    Returns:
        Two arrays (n, d_z), in the order of the rows; where the representation is a point, that
        point, (n, d_z) or (n, d_z, h, w), and None.
    """
    labels = np.zeros(len(x), np.int64) if u is None else u
    means, deviations = [], []
    with torch.no_grad():
        for start in range(0, len(x), BLOCK_ROWS):
            rows = slice(start, start + BLOCK_ROWS)
            block, known = (torch.from_numpy(np.array(a[rows], order="C")) for a in (x, labels))
            q = model.embed(block, known)
            if isinstance(q, torch.Tensor):
                means.append(q.numpy())
            else:
                means.append(q.loc.numpy())
                deviations.append(q.scale.numpy())
    return np.concatenate(means), np.concatenate(deviations) if deviations else None


def responsibilities(model: Responsible, x: NDArray[Any]) -> Floats:
    """Which component each observation belongs to, block by block.

    Args:
        model: a trained model in eval mode.
        x: observations as stored, (n, *shape).

    Returns:
        p(u|z) of their representations, (n, K) or (n, h, w, K), in [0, 1], summing to 1 over the
        last axis.
    """
    with torch.no_grad():
        blocks = [
            model.responsibilities(torch.from_numpy(np.array(x[start : start + BLOCK_ROWS])))
            for start in range(0, len(x), BLOCK_ROWS)
        ]
    return np.concatenate([block.numpy() for block in blocks])
