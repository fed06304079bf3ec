"""How independent sources become observations, and the exact way back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from idkit.errors import UsageError

Floats = NDArray[np.float64]
Activation = Literal["leaky", "xtanh"]
First = Literal["activation", "matrix"]
CANDIDATES = 1000  # random matrices, of which the better conditioned quarter may be taken
HALVINGS = 60  # of an interval; the rest is below the resolution of a double
FACTS = ("activation", "slope", "first")


@dataclass(frozen=True, eq=False)
class Mixing:
    """A chain of square matrices of full rank with an invertible function between them.

    Attributes:
        matrices: shape (count, d, d); rows of data are multiplied from the left.
        activation: `leaky`, x and slope * x below 0; or `xtanh`, tanh(x) + slope * x.
        slope: above 0.
        first: what the sources meet first. With `activation` each matrix follows one; with
            `matrix` one stands between any two matrices, so that the last layer is linear.
    """

    matrices: Floats
    activation: Activation
    slope: float
    first: First

    @property
    def condition(self) -> Floats:
        """The condition number of each matrix, (count,)."""
        return np.array([np.linalg.cond(matrix) for matrix in self.matrices])

    def distortion(self, s: NDArray[Any]) -> Floats:
        """The condition number of the Jacobian dx/ds at sources (n, d), shape (n,), at least 1.

        The matrices alone do not tell it: where rotations mix, each has condition number 1, and
        all that makes the way back hard is the function between them.
        """
        x = np.asarray(s, np.float64)
        jacobian = np.broadcast_to(np.eye(x.shape[1]), (len(x), x.shape[1], x.shape[1]))
        for number, matrix in enumerate(self.matrices):
            if number or self.first == "activation":
                jacobian = jacobian * self._slopes(x)[:, None, :]
                x = self._bend(x)
            x, jacobian = x @ matrix, jacobian @ matrix
        return np.asarray(np.linalg.cond(jacobian))

    @property
    def facts(self) -> dict[str, Any]:
        """All but the matrices, as plain values."""
        return {name: getattr(self, name) for name in FACTS}

    @classmethod
    def of(cls, matrices: NDArray[Any], facts: Mapping[str, Any]) -> "Mixing":
        """The mixing that has these matrices and `facts`."""
        return cls(np.asarray(matrices, np.float64), **{name: facts[name] for name in FACTS})

    def mix(self, s: NDArray[Any]) -> Floats:
        """Observations (n, d) of sources (n, d)."""
        x = np.asarray(s, np.float64)
        for number, matrix in enumerate(self.matrices):
            if number or self.first == "activation":
                x = self._bend(x)
            x = x @ matrix
        return x

    def unmix(self, x: NDArray[Any]) -> Floats:
        """Sources (n, d) of observations (n, d): the inverse of `mix`."""
        s = np.asarray(x, np.float64)
        for number in reversed(range(len(self.matrices))):
            s = np.linalg.solve(self.matrices[number].T, s.T).T
            if number or self.first == "activation":
                s = self._straighten(s)
        return s

    def _bend(self, x: Floats) -> Floats:
        if self.activation == "leaky":
            return np.where(x > 0, x, self.slope * x)
        return np.tanh(x) + self.slope * x

    def _slopes(self, x: Floats) -> Floats:
        if self.activation == "leaky":
            return np.where(x > 0, 1.0, self.slope)
        return 1 - np.tanh(x) ** 2 + self.slope

    def _straighten(self, y: Floats) -> Floats:
        if self.activation == "leaky":
            return np.where(y > 0, y, y / self.slope)
        low, high = (y - 1) / self.slope, (y + 1) / self.slope  # since |tanh| < 1
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            above = self._bend(middle) > y
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        return (low + high) / 2


def rotations(rng: np.random.Generator, count: int, d: int) -> Floats:
    """Haar-distributed orthogonal matrices, shape (count, d, d)."""
    from scipy.stats import ortho_group

    if d == 1 or count == 0:
        return np.ones((count, d, d))
    drawn: Floats = ortho_group(d, seed=rng).rvs(count).reshape(count, d, d)
    return drawn


def conditioned(rng: np.random.Generator, count: int, d: int) -> Floats:
    """Matrices with entries from U(-1, 1) and columns of unit length, shape (count, d, d).

    Of 1,000 draws the first whose condition number is within the lowest quarter, as the reference
    code of Khemakhem et al. (2020a) bounds it; there one matrix serves all layers, here each has
    its own.

    Raises:
        UsageError: when there are more layers than draws in that quarter.
    """
    drawn = rng.uniform(-1, 1, (CANDIDATES, d, d))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    condition = np.linalg.cond(drawn)
    fit: Floats = drawn[condition <= np.percentile(condition, 25)]
    if count > len(fit):
        raise UsageError(f"{count} well-conditioned matrices are wanted, {len(fit)} were drawn")
    return fit[:count]
