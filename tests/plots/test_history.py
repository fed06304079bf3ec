"""The course of training."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest

from idkit import files
from idkit.errors import IdkitError
from idkit.plots import _style, history

if TYPE_CHECKING:
    from tests.plots.conftest import Made


def test_the_objective_comes_first_and_the_learning_rate_last(made: "Made") -> None:
    figure = history.draw([made.model(1)])
    labels = [axes.get_ylabel().split("\n")[0] for axes in figure.axes[:3]]
    assert labels == ["objective", "kl", "learning rate"]
    assert figure.axes[2].get_yscale() == "log"


def test_seeds_of_one_group_are_named_and_groups_else(made: "Made") -> None:
    one = [made.model(seed) for seed in (1, 2)]
    other = made.model(3, model="vade")

    def legend(runs: Sequence[files.Artefact]) -> list[str]:
        return [text.get_text() for text in history.draw(runs).legends[0].get_texts()]

    assert legend(one) == ["seed 1", "seed 2"]
    assert legend([*one, other]) == ["vade", "vae (2 runs)"]


def test_a_steep_start_does_not_hide_the_rest(made: "Made") -> None:
    epochs = np.arange(1, 101)
    values = np.where(epochs < 5, -1e6, -100.0 - 10 / epochs)
    arrays = {"history/objective": values}
    axes = history.draw([made.write("m.npz", "model", arrays)]).axes[0]
    low, high = axes.get_ylim()
    assert -110 < low < high < -90
    assert "leave the panel" in axes.get_title()


def test_a_short_training_is_shown_whole(made: "Made") -> None:
    values = np.array([-1e6, -1e3, -110.0, -105.0, -104.0, -103.0])
    axes = history.draw([made.write("m.npz", "model", {"history/objective": values})]).axes[0]
    assert axes.get_ylim()[0] < -1e6
    assert not axes.get_title()


def test_ticks_are_numbers_and_not_distances_from_one(made: "Made") -> None:
    values = 19.99 + 1e-5 * np.arange(30)
    artefact = made.write("m.npz", "model", {"history/perplexity": values})
    with _style.style():
        figure = history.draw([artefact])
        figure.draw_without_rendering()
    axis = figure.axes[0].yaxis
    assert axis.get_offset_text().get_text() == ""
    assert all(label.get_text().startswith("19.99") for label in axis.get_ticklabels()[1:-1])


def test_a_failed_seed_ends_where_it_failed(made: "Made") -> None:
    values = np.r_[np.linspace(-9, -5, 10), np.full(10, np.nan)]
    artefact = made.write("m.npz", "model", {"history/objective": values})
    assert np.isfinite(history.draw([artefact]).axes[0].get_ylim()).all()


def test_a_model_without_a_history_is_refused(made: "Made") -> None:
    artefact = made.write("m.npz", "model", {"weight": np.zeros(3)})
    with pytest.raises(IdkitError, match="no training history"):
        history.draw([artefact])
