"""Copies of latents, the same up to a known map."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files import Artefact, as_floats
from idkit.mixing import Floats, conditioned, rotations
from idkit.synth import at_least

UpTo = Literal["permutation", "rotation", "affine"]


def derive(
    rng: np.random.Generator,
    given: Artefact,
    *,
    up_to: UpTo = "permutation",
    noise: float = 0.0,
) -> dict[str, NDArray[Any]]:
    """A copy of latents, equal up to a random map: z A + b, and noise if asked for.

    Strong MCC is 1 up to a permutation (with signs, scales and shifts), weak MCC up to any of the
    maps; noise of r standard deviations brings both down to 1 / sqrt(1 + r^2) between the copy and
    what it is a copy of, and to 1 / (1 + r^2) between two copies.

    Args:
        rng: the source of every random number.
        given: a file of latents, (n, d_z) or (n, d_z, h, w).
        up_to: the family of the map.
        noise: standard deviation of Gaussian noise, in units of each coordinate's own.

    Returns:
        z; `matrix` A (d_z, d_z) and `shift` b (d_z,); u and s where the given file has them.

    Raises:
        IdkitError: when the file holds no latents.
    """
    at_least({"noise": (noise, 0)})
    z = as_floats(given.array("z"), given.label)
    if z.ndim not in (2, 4) or not len(z):
        raise IdkitError(
            f"{given.label} has shape {z.shape}: latents are (n, d_z) or (n, d_z, h, w)"
        )
    d = z.shape[1]
    matrix, shift = _matrix(rng, up_to, d), rng.standard_normal((d,))
    moved = np.moveaxis(z, 1, -1).astype(np.float64) @ matrix + shift
    spread = moved.std(axis=tuple(range(moved.ndim - 1)))
    moved += noise * spread * rng.standard_normal(moved.shape)
    beside = {name: given.arrays[name] for name in ("u", "s") if name in given.arrays}
    copy = np.ascontiguousarray(np.moveaxis(moved, -1, 1), np.float32)
    return {"z": copy, "matrix": matrix, "shift": shift, **beside}


def _matrix(rng: np.random.Generator, up_to: UpTo, d: int) -> Floats:
    matrix: Floats
    if up_to == "rotation":
        (matrix,) = rotations(rng, 1, d)
    elif up_to == "affine":
        (matrix,) = conditioned(rng, 1, d)
    else:
        scales = rng.uniform(0.5, 2, d) * rng.choice((-1, 1), d)
        matrix = np.eye(d)[:, rng.permutation(d)] * scales
    return matrix
