"""What every figure must do."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from idkit import files, plots, shelf
from idkit.errors import IdkitError
from idkit.plots import _style
from idkit.plots import tests as forest

if TYPE_CHECKING:
    from tests.plots.conftest import Made

KINDS = shelf.names("plots")
SLACK = 0.05  # inches that a box around text may exceed its letters
Draw = Callable[[Sequence[files.Artefact]], Figure]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def draw(kind: str) -> Draw:
    function: Draw = shelf.take("plots", kind, "draw")
    return function


@pytest.mark.parametrize("form", plots.FORMATS)
def test_equal_artefacts_give_equal_bytes(kind: str, draw: Draw, form: str, made: "Made") -> None:
    artefacts = made.usual(kind)
    first = plots.render(draw, artefacts, form=form)
    assert plots.render(draw, artefacts, form=form) == first
    assert first.startswith({"png": b"\x89PNG", "pdf": b"%PDF", "svg": b"<?xml"}[form])
    assert not [word for word in (b"CreationDate", b"dc:date", b"Matplotlib") if word in first]


@pytest.mark.parametrize("much", ["usual", "least", "crowd"])
def test_panels_have_named_axes_and_nothing_is_cut_off(
    kind: str, draw: Draw, much: str, made: "Made"
) -> None:
    with _style.style():
        figure = draw(getattr(made, much)(kind))
        figure.draw_without_rendering()
        edges = figure.get_tightbbox()
    panels = [axes for axes in figure.axes if axes.get_visible() and not colorbar(axes)]
    assert any(axes.get_xlabel() for axes in panels)
    assert kind == "images" or any(axes.get_ylabel() for axes in panels)  # whose rows have names
    width, height = figure.get_size_inches()
    assert -SLACK < edges.x0 < edges.x1 < width + SLACK
    assert -SLACK < edges.y0 < edges.y1 < height + SLACK


def colorbar(axes: Axes) -> bool:
    return axes.get_label() == "<colorbar>"


def test_the_users_own_style_is_neither_used_nor_changed(made: "Made") -> None:
    artefacts = made.usual("tests")
    plain = plots.render(forest.draw, artefacts, form="svg")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": None}):
        before = dict(mpl.rcParams)
        assert plots.render(forest.draw, artefacts, form="svg") == plain
        assert dict(mpl.rcParams) == before


def test_another_artefact_is_refused_by_naming_the_command_that_makes_the_right_one(
    kind: str, draw: Draw, made: "Made"
) -> None:
    wrong = made.write("x.npz", "data", {"x": np.zeros((3, 2))})
    with pytest.raises(IdkitError, match=rf"x\.npz holds idkit\.data/1, and '{kind}' .*'idkit "):
        draw([*made.usual(kind), wrong])


def test_a_file_from_elsewhere_is_welcome_only_as_latents(
    kind: str, draw: Draw, made: "Made"
) -> None:
    np.save(made.folder / "a.npy", np.random.default_rng(0).standard_normal((20, 4)))
    foreign = files.read(str(made.folder / "a.npy"))
    if kind == "latents":
        assert draw([foreign]).axes[0].get_title().endswith("a.npy")
    else:
        with pytest.raises(IdkitError, match=r"a\.npy has no idkit metadata"):
            draw([foreign])


def test_a_title_stands_above_as_it_was_typed(made: "Made") -> None:
    title = "costs $\\frac and $5"
    content = plots.render(forest.draw, made.usual("tests"), form="svg", title=title)
    assert f"<!-- {title} -->".encode() in content


def test_bytes_do_not_depend_on_the_process(made: "Made") -> None:
    path = made.comparisons(made.test()).label
    code = (
        "import hashlib, sys; from idkit import files, plots; from idkit.plots import tests\n"
        "for form in plots.FORMATS:\n"
        "    content = plots.render(tests.draw, [files.read(sys.argv[1])], form=form)\n"
        "    print(hashlib.sha256(content).hexdigest())\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code, path],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(said) == 1
