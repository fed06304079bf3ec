"""The floor below every other: z = x, nothing learnt."""

from math import prod
from typing import Any

from torch import Tensor, nn

from idkit.errors import UsageError
from idkit.models import Frame


class Identity(nn.Module):
    """Observations as their own representation."""

    def embed(self, x: Tensor, u: Tensor) -> Tensor:  # noqa: ARG002 - the room's signature
        """The observations, (n, d_x)."""
        return x.flatten(1).float()


def recipe(shape: tuple[int, ...]) -> dict[str, Any]:
    """No nets, no steps, and as many latent dimensions as observed ones."""
    return {"arch": None, "likelihood": None, "d_z": prod(shape), "epochs": None, "steps": 0}


def build(frame: Frame) -> Identity:
    """The identity.

    Raises:
        UsageError: when d_z is not d_x.
    """
    if frame.d_z != prod(frame.shape):
        raise UsageError(f"identity has d_z = d_x = {prod(frame.shape)}: leave out --dz")
    return Identity()
