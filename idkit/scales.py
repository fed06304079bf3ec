"""The scale of observations: whether a model can be trained at it, and how it is brought to 1."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.grey_levels import MOST

UNEVEN = 1000  # ranges of two columns that differ as much; grey levels never do
COARSE = 50  # standard deviations of p(x|z) which are many steps of the optimiser
FINE = 0.5  # of one: what spreads less is all noise to the model
DARK = MOST // 8  # the level of white below which bytes are no pictures of 256 levels
BLOCK = 1 << 20  # values taken together
Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Scale:
    """Where observations lie, and how far they spread.

    Attributes:
        mean: of each column, (d_x,), or of each channel of images, (c,).
        scale: the standard deviation of each; 1 where there is none.
    """

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]

    def apply(self, x: Array) -> NDArray[np.float32]:
        """Observations less the mean, over the scale, of the shape of x."""
        mean, scale = self._along(x)
        found = np.empty(x.shape, np.float32)
        for rows in _blocks(x):
            found[rows] = (x[rows] - mean) / scale
        return found

    def undo(self, x: Array) -> NDArray[np.float64]:
        """Observations in their own units, of the shape of x."""
        mean, scale = self._along(x)
        return np.asarray(x * scale + mean)

    @property
    def meta(self) -> dict[str, list[float]]:
        """What JSON can hold, exactly."""
        return {"mean": self.mean.tolist(), "scale": self.scale.tolist()}

    def _along(self, x: Array) -> tuple[Array, Array]:
        shape = (-1, *(1 for _ in x.shape[2:]))
        return self.mean.reshape(shape), self.scale.reshape(shape)


def fit(x: Array) -> Scale:
    """The mean and the standard deviation of each column, or of each channel of images.

    Args:
        x: (n, d_x) or (n, c, h, w).
    """
    axes = (0, *range(2, x.ndim))
    count = x.size / x.shape[1]
    mean = sum(x[rows].sum(axes, dtype=np.float64) for rows in _blocks(x)) / count
    centre = mean.reshape(-1, *(1 for _ in axes[1:]))
    squares = sum(np.square(x[rows] - centre).sum(axes) for rows in _blocks(x))
    varies = x.min(axes) < x.max(axes)  # exactly: rounding of the mean is no deviation
    return Scale(mean, np.where(varies, np.sqrt(squares / count), 1.0))


def of(meta: Mapping[str, Any], shape: Sequence[int], label: str) -> Scale | None:
    """The scale that a model was trained at.

    Args:
        meta: the model's metadata.
        shape: of an observation.
        label: what messages call the model.

    Returns:
        None where observations were taken as they are.

    Raises:
        IdkitError: when it does not fit the observations.
    """
    told = meta.get("standardize")
    if told is None:
        return None
    try:
        mean, scale = (np.array(told[name], np.float64) for name in ("mean", "scale"))
    except (TypeError, KeyError, ValueError):
        mean = scale = np.zeros(0)
    known = mean.shape == scale.shape == tuple(shape[:1])
    if not known or not np.isfinite(mean).all() or not (np.isfinite(scale) & (scale > 0)).all():
        raise IdkitError(
            f"{label}: 'standardize' does not hold a mean and a positive scale for each of "
            f"{shape[0]} {_unit(shape)}s: damaged"
        )
    return Scale(mean, scale)


def remark(x: Array, deviation: float | None) -> str:
    """Why a model cannot be trained well on observations as they are; empty where it can.

    Args:
        x: the training rows.
        deviation: the standard deviation of p(x|z); None where the likelihood has no scale.
    """
    least, most = float(x.min()), float(x.max())
    if x.dtype == np.uint8:
        if not 0 < most < DARK:
            return ""
        cure = "" if deviation is None else ", or give --standardize"
        return (
            f"x (uint8) goes to {most:g}, bytes are read as grey levels of 0 to {MOST}: multiply "
            f"them by {MOST // int(most)}{cure}"
        )
    if deviation is None:
        return ""
    axes = (0, *range(2, x.ndim))
    found, ranges = fit(x), np.ptp(x, axis=axes).astype(np.float64)
    varies = ranges > 0
    if not varies.any():
        return ""
    spread, ranges = found.scale[varies], ranges[varies]
    uneven = ranges.max() >= UNEVEN * ranges.min()
    far = max(spread.max(), np.abs(found.mean).max()) > COARSE * deviation
    if not uneven and not far and spread.max() >= FINE * deviation:
        return ""
    few, many = (f"{value:.3g}" for value in (spread.min(), spread.max()))
    spreads = many if few == many else f"from {few} to {many}"
    return (
        f"x goes from {least:.4g} to {most:.4g}, the standard deviation of its "
        f"{_unit(x.shape[1:])}s is {spreads}, that of p(x|z) {deviation:.3g}: --standardize brings "
        "each to mean 0 and standard deviation 1"
    )


def _unit(shape: Sequence[int]) -> str:
    return "column" if len(shape) == 1 else "channel"


def _blocks(x: Array) -> Iterator[slice]:
    """Rows that are taken together."""
    count = max(1, BLOCK * len(x) // x.size)
    for start in range(0, len(x), count):
        yield slice(start, start + count)
