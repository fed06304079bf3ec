"""Heat maps of runs against runs."""

from typing import TYPE_CHECKING

import numpy as np

from idkit.plots import matrix

if TYPE_CHECKING:
    from tests.plots.conftest import Made


def test_scores_stand_above_the_diagonal_out_of_sample_and_below_in_sample() -> None:
    pairs = np.array([(0, 1), (0, 2), (1, 2)])
    table = matrix.square(pairs, np.array([0.9, 0.8, 0.7]), np.array([0.6, 0.5, 0.4]))
    expected = np.array([[np.nan, 0.6, 0.5], [0.9, np.nan, 0.4], [0.8, 0.7, np.nan]])
    np.testing.assert_array_equal(table, expected)


def test_positions_of_a_grid_are_averaged() -> None:
    pairs = np.array([(0, 1), (0, 1)])
    table = matrix.square(pairs, np.array([0.9, 0.7]), np.array([0.5, 0.3]))
    np.testing.assert_allclose([table[1, 0], table[0, 1]], [0.8, 0.4])


def test_scores_against_the_truth_are_a_row_a_side(made: "Made") -> None:
    arrays, row = made.group(truth=True, runs=3)
    figure = matrix.draw([made.scores((arrays, row))])
    image = np.asarray(figure.axes[0].get_images()[0].get_array())
    np.testing.assert_allclose(image, [arrays["in"].mean(axis=1), arrays["out"].mean(axis=1)])


def test_runs_without_seeds_bear_their_names(made: "Made") -> None:
    row = made.group(runs=2, seeds=[None, None], names=["a.npy", "b.npy"])
    axes = matrix.draw([made.scores(row)]).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a.npy", "b.npy"]
    assert axes.get_xlabel() == "run"
