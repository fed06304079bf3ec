"""Representations: what a trained model makes of observations."""

from contextlib import ExitStack
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from idkit.models import Responsible

BLOCK_ROWS = 1000
FLOAT_BYTES = 4
LAYERS = 6  # outputs of the largest layer that there are at a time
COPIES = 3  # of what is made: in blocks, as one array, and what is derived from it
OVERHEAD = 1 << 23  # bytes that torch takes for itself
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


def memory(model: Any, x: NDArray[Any], n: int, *, components: bool = False) -> int:
    """The bytes that embedding takes at most, besides the model and x; one row is embedded.

    Args:
        model: in eval mode.
        x: observations as stored, at least one.
        n: how many of them are embedded.
        components: whether responsibilities are computed, too.
    """
    row = torch.from_numpy(np.array(x[:1], order="C"))
    sizes = [row.numel() * FLOAT_BYTES]

    def on_output(_layer: object, _inputs: object, output: object) -> None:
        if isinstance(output, torch.Tensor):
            sizes.append(output.numel() * FLOAT_BYTES)

    with ExitStack() as hooks, torch.no_grad():
        for layer in model.modules():
            hooks.callback(layer.register_forward_hook(on_output).remove)
        q = model.embed(row, torch.zeros(1, dtype=torch.int64))
        made = [q] if isinstance(q, torch.Tensor) else [q.loc, q.scale]
        if components:
            made.append(model.responsibilities(row))
    kept = COPIES * n * sum(each.numel() for each in made) * FLOAT_BYTES
    return OVERHEAD + LAYERS * min(n, BLOCK_ROWS) * max(sizes) + kept


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
