"""A floor: linear independent component analysis by FastICA (Hyvärinen 1999)."""

import warnings
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from idkit.errors import IdkitError, UsageError
from idkit.models import Frame

MOST_ITERATIONS = 1000  # several times what data with independent sources need
SMALLEST_VARIANCE = 1e-10  # of the largest; less is rounding error of the covariance


class Ica(nn.Module):
    """z = W (x - mean), W chosen so that coordinates are as far from Gaussian as can be.

    `iterations` tells how long the search took, `converged` whether it found an end: on data
    without independent linear sources it often does not.
    """

    mean: Tensor
    unmixing: Tensor
    iterations: Tensor
    converged: Tensor

    def __init__(self, d_x: int, d_z: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(d_x))
        self.register_buffer("unmixing", torch.zeros(d_z, d_x))
        self.register_buffer("iterations", torch.zeros((), dtype=torch.int64))
        self.register_buffer("converged", torch.zeros((), dtype=torch.bool))

    def survey(self, x: Tensor, u: Tensor, generator: torch.Generator) -> None:  # noqa: ARG002
        """Fits to all training rows, from the seed's own random start.

        Raises:
            IdkitError: when the rows span fewer directions than there are components.
        """
        from sklearn.decomposition import PCA, FastICA
        from sklearn.exceptions import ConvergenceWarning

        rows = x.flatten(1).double().cpu().numpy()
        d_z, d_x = self.unmixing.shape
        if len(rows) < d_z:
            raise IdkitError(f"ica finds no {d_z} components in {len(rows)} rows: lower --dz")
        # whitened here: FastICA's own way breaks down on columns that never change
        found = PCA(d_z, svd_solver="covariance_eigh" if len(rows) > d_x else "full").fit(rows)
        variance = found.explained_variance_
        rank = int((variance > SMALLEST_VARIANCE * variance[0]).sum())
        if rank < d_z:
            raise IdkitError(
                f"the rows span {rank} directions, --dz is {d_z}: lower it, or give --standardize "
                "where columns differ in scale"
            )
        whitening = found.components_ / np.sqrt(variance)[:, None]
        search = FastICA(
            whiten=False,
            max_iter=MOST_ITERATIONS,
            random_state=int(torch.randint(2**32, (), generator=generator)),
        )
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always", ConvergenceWarning)
            search.fit((rows - found.mean_) @ whitening.T)
        self.mean.copy_(torch.from_numpy(found.mean_))
        self.unmixing.copy_(torch.from_numpy(search.components_ @ whitening))
        self.iterations.fill_(search.n_iter_)
        self.converged.fill_(not any(one.category is ConvergenceWarning for one in warned))

    def embed(self, x: Tensor, u: Tensor) -> Tensor:  # noqa: ARG002 - the room's signature
        """The components, (n, d_z), each of unit variance over the training rows."""
        return (x.flatten(1).float() - self.mean) @ self.unmixing.mT


def recipe(shape: tuple[int, ...]) -> dict[str, Any]:  # noqa: ARG001 - the room's signature
    """No nets, no steps."""
    return {"arch": None, "likelihood": None, "epochs": None, "steps": 0}


def build(frame: Frame) -> Ica:
    """Independent components, not fitted yet.

    Raises:
        UsageError: when d_z is larger than d_x.
    """
    d_x = prod(frame.shape)
    if frame.d_z > d_x:
        raise UsageError(f"ica has at most d_x = {d_x} components, d_z is {frame.d_z}: lower --dz")
    return Ica(d_x, frame.d_z)
