"""A line with its band, against the formulas of the textbook."""

import numpy as np
import pytest
from scipy import stats

from idkit.stats.regression import line


def test_line_and_band_are_those_of_the_textbook() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(-1e4, 2.0, 12)
    y = 0.03 * x + rng.normal(0, 0.05, 12)
    at = np.linspace(x.min(), x.max(), 5)
    found = line(x, y, at)
    assert found is not None
    slope = np.cov(x, y)[0, 1] / x.var(ddof=1)
    mean = y.mean() + slope * (at - x.mean())
    rest = y - y.mean() - slope * (x - x.mean())
    error = np.sqrt(rest @ rest / 10 * (1 / 12 + (at - x.mean()) ** 2 / (11 * x.var(ddof=1))))
    reach = stats.t.ppf(0.975, 10) * error
    np.testing.assert_allclose(found.y, mean, atol=1e-9)
    np.testing.assert_allclose([found.low, found.high], [mean - reach, mean + reach], atol=1e-9)
    r, p = stats.pearsonr(x, y)
    np.testing.assert_allclose([found.slope, found.r, found.p], [slope, r, p], atol=1e-9)


def test_a_point_that_is_not_finite_is_left_out() -> None:
    x, y = np.array([0.0, 1, 2, np.nan, 3]), np.array([0.0, 1, 3, 9, np.inf])
    kept = line(x[:3], y[:3], x[:2])
    found = line(x, y, x[:2])
    assert found is not None
    assert kept is not None
    np.testing.assert_array_equal(found.y, kept.y)


@pytest.mark.parametrize(
    ("x", "y"), [([0.0, 1], [0.0, 1]), ([1.0, 1, 1], [0.0, 1, 2]), ([0.0, 1, 2], [1.0, 1, 1])]
)
def test_there_is_no_line_through_two_points_or_a_constant(x: list[float], y: list[float]) -> None:
    assert line(np.array(x), np.array(y), np.array([0.5])) is None
