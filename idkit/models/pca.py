"""A floor: principal components, the stable linear representation."""

from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from idkit.errors import IdkitError, UsageError
from idkit.models import Frame


class Pca(nn.Module):
    """z = W (x - mean), the rows of W the directions of largest variance."""

    mean: Tensor
    directions: Tensor

    def __init__(self, d_x: int, d_z: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(d_x))
        self.register_buffer("directions", torch.zeros(d_z, d_x))

    def survey(self, x: Tensor, u: Tensor, generator: torch.Generator) -> None:  # noqa: ARG002
        """Fits to all training rows, by an exact decomposition: every seed gets the same.

        Raises:
            IdkitError: when there are fewer rows than components.
        """
        from sklearn.decomposition import PCA

        rows = x.flatten(1).double().cpu().numpy()
        d_z, d_x = self.directions.shape
        if len(rows) < d_z:
            raise IdkitError(f"pca finds no {d_z} directions in {len(rows)} rows: lower --dz")
        solver = "covariance_eigh" if len(rows) > d_x else "full"  # both exact; the first is fast
        found = PCA(d_z, svd_solver=solver).fit(rows)
        self.mean.copy_(torch.from_numpy(found.mean_))
        self.directions.copy_(torch.from_numpy(found.components_))

    def embed(self, x: Tensor, u: Tensor) -> Tensor:  # noqa: ARG002 - the room's signature
        """The scores, (n, d_z)."""
        return (x.flatten(1).float() - self.mean) @ self.directions.mT


def recipe(shape: tuple[int, ...]) -> dict[str, Any]:  # noqa: ARG001 - the room's signature
    """No nets, no steps."""
    return {"arch": None, "likelihood": None, "epochs": None, "steps": 0}


def build(frame: Frame) -> Pca:
    """Principal components, not fitted yet.

    Raises:
        UsageError: when d_z is larger than d_x.
    """
    d_x = prod(frame.shape)
    if frame.d_z > d_x:
        raise UsageError(f"pca has at most d_x = {d_x} components, d_z is {frame.d_z}: lower --dz")
    return Pca(d_x, frame.d_z)
