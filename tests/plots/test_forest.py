"""The forest plot of paired tests."""

from typing import TYPE_CHECKING

import numpy as np
import pytest

from idkit.errors import IdkitError
from idkit.plots import tests as forest

if TYPE_CHECKING:
    from tests.plots.conftest import Made


def test_intervals_stand_where_they_are(made: "Made") -> None:
    row = made.test()
    axes = forest.draw([made.comparisons(row)]).axes[0]
    segment = np.asarray(axes.collections[0].get_paths()[0].vertices)
    np.testing.assert_allclose(segment[:, 0], [row["shift_low"], row["shift_high"]])
    assert [text.get_text() for text in axes.texts] == [
        "n = 24, p = 0.029,\nHolm 0.087, blocks 0.25"
    ]
    assert axes.get_yticklabels()[0].get_text() == "ivae $-$ vae"
    assert "hollow" not in axes.get_xlabel()
    assert "none" not in [line.get_markerfacecolor() for line in axes.lines]


def test_a_test_without_an_interval_is_still_listed(made: "Made") -> None:
    unknown = made.test(shift_low=None, shift_high=None, p_block=None)
    axes = forest.draw([made.comparisons(unknown, margin=0.05)]).axes[0]
    assert not axes.collections
    hollow = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert len(hollow) == 1
    assert "hollow: none with fewer than 6 cells" in axes.get_xlabel()
    assert len(axes.get_yticklabels()) == 1
    assert "0.05" in axes.get_xlabel()


def test_a_bound_of_p_is_drawn_as_one(made: "Made") -> None:
    bound = made.test(p=2.2250738585072014e-308, p_holm=4.5e-308, p_block=None)
    axes = forest.draw([made.comparisons(bound)]).axes[0]
    assert axes.texts[0].get_text().split(",") == ["n = 24", " p < 1e-300", "\nHolm < 1e-300"]


def test_modes_are_named_where_they_vary(made: "Made") -> None:
    kinds = [{"mode": mode, "corr": "pearson"} for mode in ("strong", "weak")]
    axes = forest.draw([made.comparisons(*(made.test(**kind) for kind in kinds))]).axes[0]
    labels = [label.get_text().replace("\n", " ") for label in axes.get_yticklabels()]
    assert labels == ["ivae $-$ vae (mode strong)", "ivae $-$ vae (mode weak)"]
    (alone,) = forest.draw([made.comparisons(made.test(**kinds[0]))]).axes[0].get_yticklabels()
    assert "strong" not in alone.get_text()


def test_a_file_without_tests_is_refused(made: "Made") -> None:
    with pytest.raises(IdkitError, match="no test"):
        forest.draw([made.comparisons()])
