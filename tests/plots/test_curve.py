"""The curve of the paper's Figures 2-4."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.figure import Figure

from idkit.errors import IdkitError
from idkit.plots import _groups, _looks, curve

if TYPE_CHECKING:
    from tests.plots.conftest import Made


def test_the_curve_ends_at_the_mcc_of_each_pair() -> None:
    values = np.random.default_rng(0).random((7, 5))
    np.testing.assert_allclose(curve.cumulative(values)[:, -1], values.mean(axis=1))
    np.testing.assert_allclose(curve.cumulative(values)[:, 0], values[:, 0])


def test_a_pair_with_fewer_components_keeps_its_mean() -> None:
    values = np.array([[0.9, 0.5, np.nan], [0.6, 0.3, 0.0]])
    np.testing.assert_allclose(curve.cumulative(values), [[0.9, 0.7, 0.7], [0.6, 0.45, 0.3]])


def test_the_lines_are_means_over_pairs_and_the_band_their_spread(made: "Made") -> None:
    arrays, row = made.group()
    inside, outside = curve.draw([made.scores((arrays, row))]).axes
    for axes, values in ((inside, arrays["in"]), (outside, arrays["out"])):
        curves = curve.cumulative(values)
        line = axes.get_lines()[0]
        np.testing.assert_allclose(np.asarray(line.get_ydata()), curves.mean(axis=0))
        band = axes.collections[0].get_paths()[0].vertices
        highest = (curves.mean(axis=0) + curves.std(axis=0)).max()
        assert np.asarray(band)[:, 1].max() == pytest.approx(highest)


def test_chance_levels_that_differ_keep_their_series_colour() -> None:
    axes = Figure().subplots()
    values = {name: np.full((3, 2), 0.5) for name in ("vade", "vae")}
    curve.panel(axes, values, chance={"vade": 0.1, "vae": 0.4})
    looks = _looks.looks(values)
    dashed = [line for line in axes.get_lines() if len(set(np.ravel(line.get_ydata()))) == 1]
    colors = {line.get_color() for line in dashed if not str(line.get_label()).startswith("va")}
    assert colors == {looks["vade"].color, looks["vae"].color}


def test_no_panel_stays_empty_where_data_sets_have_different_d_z(made: "Made") -> None:
    every = [made.group(k=10), made.group(k=20), made.group(k=5, data="tcl")]
    figure = curve.draw([made.scores(*every)])
    assert len(figure.axes) == 2 * 3
    assert all(axes.get_visible() and axes.get_lines() for axes in figure.axes)
    assert "tcl" in figure.axes[-2].get_ylabel()


def test_a_row_for_each_d_z_and_two_columns_for_each_data_set(made: "Made") -> None:
    every = [
        made.group(k=k, data=data) for k in (10, 9) for data in ("tcl-1000", "tcl-200", "digits")
    ]
    figure = curve.draw([made.scores(*every)])
    assert len(figure.axes) == 2 * 6
    titles = [axes.get_title() for axes in figure.axes]
    assert [title.split(",")[0] for title in titles[:6:2]] == [
        "digits",
        "tcl-200",
        "tcl-1000",
    ]
    labels = [axes.get_ylabel() for axes in figure.axes[::6]]
    assert ["9" in labels[0], "10" in labels[1]] == [True, True]


def test_groups_that_differ_by_nothing_known_are_told_apart_by_file_and_number(
    made: "Made",
) -> None:
    first = made.scores(made.group(), made.group(), made.group(settings="epochs=5"), name="1.npz")
    again = made.scores(made.group(), name="2.npz")
    groups = _groups.groups([first, again], figure="curve")
    names = _groups.series(groups, _groups.FACETS)
    panels = [_groups.key(group, _groups.FACETS) for group in groups]
    assert len(set(zip(names, panels, strict=True))) == 4
    assert "2.npz" in names[3]


def test_scores_without_pairs_are_refused(made: "Made") -> None:
    with pytest.raises(IdkitError, match="no scored pair"):
        curve.draw([made.scores()])
