"""Box plots over pairs of runs."""

from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.figure import Figure

from idkit.errors import IdkitError
from idkit.plots import box

if TYPE_CHECKING:
    from tests.plots.conftest import Made


def test_few_pairs_are_shown_as_points_and_many_as_boxes(made: "Made") -> None:
    few, many = (box.draw([made.scores(made.group(runs=runs))]) for runs in (3, 4))
    assert [len(axes.patches) for axes in few.axes] == [0, 0]
    assert [len(axes.patches) for axes in many.axes] == [1, 1]


def test_a_box_is_the_quartiles_of_the_pairs(made: "Made") -> None:
    arrays, row = made.group(runs=8)
    inside, outside = box.draw([made.scores((arrays, row))]).axes
    for axes, values in ((inside, arrays["in"]), (outside, arrays["out"])):
        edges = axes.patches[0].get_path().vertices
        low, high = np.asarray(edges)[:, 1].min(), np.asarray(edges)[:, 1].max()
        np.testing.assert_allclose([low, high], np.quantile(values.mean(axis=1), [0.25, 0.75]))


def test_data_sets_stand_in_the_order_of_their_size(made: "Made") -> None:
    every = [made.group(data=f"tcl-{size}") for size in (2000, 100, 1000)]
    figure = box.draw([made.scores(*every)])
    labels = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert labels == ["tcl-100", "tcl-1000", "tcl-2000"]


def test_an_undefined_pair_is_left_out_of_its_box() -> None:
    axes = Figure().subplots()
    values = np.array([0.1, 0.2, np.nan, 0.3, 0.4, 0.5])
    box.panel(axes, {"digits": {"vae": values}})
    assert axes.get_lines()[-1].get_ydata() == pytest.approx(0.3)


def test_scores_that_lack_an_array_are_refused(made: "Made") -> None:
    arrays, row = made.group()
    del arrays["out"]
    with pytest.raises(IdkitError, match="no array '0/out'"):
        box.draw([made.scores((arrays, row))])


def test_runs_that_were_set_otherwise_stand_in_places_of_their_own(made: "Made") -> None:
    groups = [made.group(), made.group(settings="epochs=5")]
    axes = box.draw([made.scores(*groups)]).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["digits", "digits\nepochs=5"]


def test_settings_that_differ_are_wrapped_and_not_cut(made: "Made") -> None:
    groups = [
        made.group(data="tcl-persegment200", settings=f"epochs=200 vary={vary}")
        for vary in ("init", "order")
    ]
    axes = box.draw([made.scores(*groups)]).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        f"tcl-\npersegment200\nepochs=200\nvary={vary}" for vary in ("init", "order")
    ]


def test_the_axis_says_what_a_value_is(made: "Made") -> None:
    pairs, truth = made.group(), made.group(truth=True, model="vae")
    grid = ({name: np.tile(array, (2, 1)) for name, array in pairs[0].items()}, pairs[1])
    for groups, said in (
        ([pairs], "a pair of runs"),
        ([truth], "a run"),
        ([pairs, truth], "a run or pair"),
        ([grid], "a pair of runs\nand position"),
    ):
        label = box.draw([made.scores(*groups)]).axes[0].get_ylabel()
        assert label == f"MCC, one value {said}"


def test_models_without_an_architecture_stand_beside_those_of_the_only_one(made: "Made") -> None:
    floor = made.group(model="pca", arch=None)
    one, two = (
        box.draw([made.scores(floor, *(made.group(arch=arch) for arch in archs))]).axes[0]
        for archs in (["mlp"], ["mlp", "convnet"])
    )
    labels = [[label.get_text() for label in axes.get_xticklabels()] for axes in (one, two)]
    assert labels == [["digits"], ["digits", "digits\nconvnet", "digits\nmlp"]]
