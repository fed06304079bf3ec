"""Objective against MCC, run by run."""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.collections import PathCollection, PolyCollection

from idkit.errors import IdkitError
from idkit.plots import _style, elbo

if TYPE_CHECKING:
    from tests.plots.conftest import Made


def test_a_point_is_the_objective_and_the_score_of_one_run(made: "Made") -> None:
    scored, *models = made.usual("elbo")
    axes = elbo.draw([*models, scored]).axes[0]  # in any order
    x, y = np.asarray(axes.get_lines()[0].get_data())
    np.testing.assert_allclose(x, [one.arrays["history/objective"][-1] for one in models])
    np.testing.assert_allclose(y, scored.arrays["0/out"].mean(axis=1))


def test_without_a_truth_a_run_has_the_mean_over_its_pairs(made: "Made") -> None:
    arrays, row = made.group(runs=4, k=3, model="vae")
    models = [made.model(seed) for seed in range(1, 5)]
    axes = elbo.draw([made.scores((arrays, row)), *models]).axes[0]
    mcc = arrays["out"].mean(axis=1)
    expected = [mcc[(arrays["pairs"] == run).any(axis=1)].mean() for run in range(4)]
    np.testing.assert_allclose(np.asarray(axes.get_lines()[0].get_ydata()), expected)


def test_runs_are_matched_by_all_that_names_them(made: "Made") -> None:
    scored = made.scores(
        made.group(runs=3, k=3, truth=True, model="vae kl=mc", settings="epochs=20 split=train")
    )
    others = [made.model(11, seed=1), made.model(12, seed=1, variant={"kl": "mc"})]
    right = made.model(13, seed=2, variant={"kl": "mc"}, settings={"epochs": 20})
    axes = elbo.draw([scored, *others, right]).axes[0]
    np.testing.assert_allclose(
        np.asarray(axes.get_lines()[0].get_xdata()), right.arrays["history/objective"][-1:]
    )


def test_fewer_than_three_runs_are_points_without_a_line(made: "Made") -> None:
    bands = []
    for runs in (2, 3):
        group = made.group(runs=runs, k=3, truth=True, model="vae")
        models = [made.model(seed) for seed in range(1, runs + 1)]
        axes = elbo.draw([made.scores(group), *models]).axes[0]
        bands.append(sum(isinstance(c, PolyCollection) for c in axes.collections))
        assert not any(isinstance(c, PathCollection) for c in axes.collections)
    assert bands == [0, 1]


def test_ticks_do_not_overlap(made: "Made") -> None:
    scored, *_ = made.usual("elbo")
    models = [
        made.write(f"{seed}.npz", "model", {"history/objective": np.array([at])}, **about(seed))
        for seed, at in enumerate((-1234.53, -1234.47, -1234.2, -1234.1, -1233.9), start=1)
    ]
    with _style.style():
        figure = elbo.draw([scored, *models])
        figure.draw_without_rendering()
    (axes,) = (axes for axes in figure.axes if axes.get_visible())
    boxes = [label.get_window_extent() for label in axes.get_xticklabels() if label.get_text()]
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))


def about(seed: int) -> dict[str, object]:
    return {"data": "digits", "model": "vae", "arch": "mlp", "d_z": 3, "seed": seed}


def test_what_is_missing_is_named(made: "Made") -> None:
    scored, *models = made.usual("elbo")
    with pytest.raises(IdkitError, match="found no models: idkit plot elbo"):
        elbo.draw([scored])
    with pytest.raises(IdkitError, match="found no scores: idkit plot elbo"):
        elbo.draw(models)
    with pytest.raises(IdkitError, match=r"no run of .*scores\.npz is among the models"):
        elbo.draw([scored, made.model(99)])
