"""A straight line through points, with the band that its mean lies in."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST_POINTS = 3


@dataclass(frozen=True)
class Line:
    """A least-squares line at some places.

    Attributes:
        y: the line, shape (m,).
        low: lower end of the confidence band of the mean, shape (m,).
        high: its upper end, shape (m,).
        slope: y for each unit of x.
        r: Pearson correlation, in [-1, 1].
        p: two-sided p-value of a slope of zero, in [0, 1].
    """

    y: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    slope: float
    r: float
    p: float


def line(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    at: NDArray[np.float64],
    *,
    level: float = 0.95,
) -> Line | None:
    """Ordinary least squares with an intercept; the band is for the mean, pointwise.

    Args:
        x: shape (n,); points of which a coordinate is not finite are left out.
        y: shape (n,).
        at: where the line is wanted, shape (m,).
        level: coverage of the band, in (0, 1).

    Returns:
        The line; None with fewer than three points, or where all x or all y are the same.
    """
    from statsmodels.regression.linear_model import OLS
    from statsmodels.tools.tools import add_constant

    finite = np.isfinite(x) & np.isfinite(y)
    x, y = x[finite], y[finite]
    if len(x) < FEWEST_POINTS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    middle, scale = x.mean(), x.std()  # nats of -1e4 beside a spread of 1 would cost digits
    fit = OLS(y, add_constant((x - middle) / scale)).fit()
    wanted = add_constant((at - middle) / scale, has_constant="add")
    mean = fit.get_prediction(wanted).summary_frame(alpha=1 - level)
    return Line(
        y=mean["mean"].to_numpy(),
        low=mean["mean_ci_lower"].to_numpy(),
        high=mean["mean_ci_upper"].to_numpy(),
        slope=float(fit.params[1] / scale),
        r=float(np.corrcoef(x, y)[0, 1]),
        p=float(fit.pvalues[1]),
    )
