"""A flow whose base is a learnt mixture: exact likelihood instead of a bound (App. F)."""

from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from idkit.densities.flow import PER_DIMENSION, Flow, Step
from idkit.densities.identifiability import Condition
from idkit.densities.mixture import Mixture
from idkit.densities.occupancy import Occupancy
from idkit.errors import UsageError
from idkit.models import Frame, Terms
from idkit.nets import Noise

COMPONENTS, LAYERS, HIDDEN = 50, 10, 32


class GmmFlow(nn.Module):
    """p(x) = p(z) |det dz/dx|, z = f^-1(x), p(z) = sum_u p(u) N(z | mu_u, diag sigma_u^2)."""

    def __init__(self, flow: Flow, mixture: Mixture, condition: Condition) -> None:
        super().__init__()
        self.flow = flow
        self.mixture = mixture
        self.occupancy = Occupancy(condition.values)
        self.condition = condition

    def survey(self, x: Tensor, u: Tensor, generator: torch.Generator) -> None:  # noqa: ARG002
        """Takes the scale of the training rows."""
        self.flow.standardise(x)

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:  # noqa: ARG002 - exact, unsupervised
        """Paper, eq. F.4: log p(x) = log p(z) + log |det dz/dx|.

        F.4 is printed without the logarithm of the determinant. `entropy` is that of p(u|z).
        """
        z, log_volume = self.flow(x)
        log_puz = self.mixture().log_prob_components(z)
        return {
            "objective": (torch.logsumexp(log_puz, -1) + log_volume).mean(),
            "entropy": self.occupancy(torch.softmax(log_puz, -1)),
        }

    def embed(self, x: Tensor, u: Tensor) -> Tensor:  # noqa: ARG002 - unsupervised
        """Latents z = f^-1(x), (n, d_x)."""
        z: Tensor = self.flow(x)[0]
        return z

    def remark(self) -> str:
        """Why the condition of the identifiability theorem is not watched; else empty."""
        return self.condition.remark()

    def diagnostics(self) -> Terms:
        """How many components are in use; rank and condition number of L."""
        found = self.condition.diagnostics(self.mixture.mu, self.mixture.log_var)
        return self.occupancy.diagnostics() | found

    def project(self, noise: Noise) -> dict[str, Tensor]:  # noqa: ARG002 - L is only tracked
        """Nothing."""
        return {}

    def responsibilities(self, x: Tensor) -> Tensor:
        """p(u|z), z = f^-1(x), (n, components), rows summing to 1."""
        return self.mixture.responsibilities(self.embed(x, x))


def recipe(shape: tuple[int, ...]) -> dict[str, Any]:
    """No nets of the house; d_z = d_x, 50 components and a batch of 256, as in the paper."""
    return {
        "arch": None,
        "likelihood": None,
        "d_z": prod(shape),
        "components": COMPONENTS,
        "batch_size": 256,
    }


def numbers(
    shape: tuple[int, ...],
    *,
    components: int = COMPONENTS,
    layers: int = LAYERS,
    hidden: int = HIDDEN,
    transform: Step = "affine",
) -> int:
    """How many numbers its parameters are: the masks of its nets cannot be made without some.

    Args:
        shape: of one observation.
        components: as of `build`, and the next.
        layers: autoregressive layers.
        hidden: width of the two hidden layers of the net in each.
        transform: how a dimension is moved.
    """
    d = prod(shape)
    outputs = d * PER_DIMENSION[transform]
    each = (d + 1) * hidden + (hidden + 1) * hidden + (hidden + 1) * outputs
    return layers * each + components * (1 + 2 * d)


def build(
    frame: Frame,
    *,
    components: int = COMPONENTS,
    layers: int = LAYERS,
    hidden: int = HIDDEN,
    transform: Step = "affine",
) -> GmmFlow:
    """A GMM-flow for one seed.

    Args:
        frame: what it is built around.
        components: the number K of components of the base.
        layers: autoregressive layers.
        hidden: width of the two hidden layers of the net in each.
        transform: how a dimension is moved given those before it: an affine map, or a
            rational-quadratic spline, which is much slower.

    Raises:
        UsageError: when the data are no vectors of at least 2 dimensions, d_z is not d_x, or there
            is no component or layer.
    """
    if len(frame.shape) > 1 or prod(frame.shape) < 2:
        raise UsageError(f"gmmflow reads vectors of 2 or more numbers, found shape {frame.shape}")
    (d,) = frame.shape
    if frame.d_z != d:
        raise UsageError(f"gmmflow has d_z = d_x = {d}: leave out --dz")
    for name, value in (("components", components), ("layers", layers), ("hidden", hidden)):
        if value < 1:
            raise UsageError(f"{name} is {value}: gmmflow needs at least one")
    mixture = Mixture(components, d, start="uniform")
    flow = Flow(d, layers=layers, hidden=hidden, transform=transform)
    return GmmFlow(flow, mixture, Condition("track", components, d))
