"""Box plots of the MCC of each pair of runs (the paper's Figs A.1, D.6, E.7, F.8)."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from idkit.files import Artefact
from idkit.plots import _groups, _layout, _looks

ROWS = ("mode", "corr")
PLACES = ("data", "arch", "d_z", "settings", "embedded")
WORDS = {
    "data": "data set",
    "arch": "architecture",
    "d_z": "$d_z$",
    "settings": "settings",
    "embedded": "data embedded",
}
SIDES = {"in": "in sample", "out": "out of sample"}
FEW = 5  # below this many values, the values themselves say more than their quartiles
WIDE = 3.5  # inches, beyond which panels stand below each other
LONGEST = 16  # letters of a line below a place
STEP = 0.8  # what the boxes of one place take of the distance to the next

Boxes = Mapping[str, Mapping[str, NDArray[np.float64]]]
Levels = Mapping[str, Mapping[str, float]]


def draw(artefacts: Sequence[Artefact]) -> Figure:
    """In- and out-of-sample panels; a place on the x axis for each data set, arch and d_z.

    Args:
        artefacts: scores, at least one file, in the user's order.

    Raises:
        IdkitError: when a file holds no scores.
    """
    groups = _groups.groups(artefacts, figure="box")
    names = _groups.series(groups, _groups.FACETS)
    looks = _looks.looks(names)
    rows = _groups.values(groups, ROWS)
    apart = ["data", *_groups.varying(groups, PLACES[1:])]
    if len({group.facet("arch") for group in groups} - {""}) == 1:
        apart = [name for name in apart if name != "arch"]  # floors and flows, which have none
    same = [name for name in PLACES if name not in apart]
    places = _groups.values(groups, apart)
    letters = min(LONGEST, max(len(word) for place in places for word in place))
    most = max(Counter(_groups.key(group, [*apart, *ROWS]) for group in groups).values())
    place = max(0.2 * (most + 1), letters * _layout.EM * _layout.LETTER)
    width = max(2.6, 0.6 + place * len(places))
    columns = 1 if width > WIDE else 2
    lines = max(_wrapped(place).count("\n") for place in places)
    size = (width, 2.3 + _layout.EM * lines)  # else long labels would take the boxes' room
    figure, grid = _layout.panels(2 * len(rows) // columns, columns, size=size, share=True)
    flat = [axes for line in grid for axes in line]
    for axes, (row, side) in zip(flat, product(rows, SIDES), strict=True):
        here = [
            (name, group)
            for name, group in zip(names, groups, strict=True)
            if _groups.key(group, ROWS) == row
        ]
        boxes, levels = _arrange(here, apart, side)
        panel(axes, boxes, chance=levels, looks=looks)
        axes.set_title(_layout.fill([*_groups.key(here[0][1], [*same, *ROWS]), SIDES[side]], 40))
        axes.set_xlabel(", ".join(WORDS[name] for name in apart))
    for line in grid:
        line[0].set_ylabel(_value(groups))
    _layout.from_zero(grid[0][0])
    _layout.legend(figure, _entries(groups, looks))
    return figure


def panel(
    axes: Axes,
    scores: Boxes,
    *,
    chance: Levels | None = None,
    looks: Mapping[str, _looks.Look] | None = None,
) -> None:
    """A box for each series at each place; the points themselves where they are fewer than 5.

    The box is the quartiles, the marker the median, the whiskers reach to the last value within 1.5
    times the box, and values beyond are drawn one by one.

    Args:
        axes: where to draw.
        scores: for each place on the x axis and each series the MCC of each pair, shape (P,).
        chance: for each place and series what chance would give.
        looks: how each series is drawn; by its name where it is left out.
    """
    looks = looks or _looks.looks(name for series in scores.values() for name in series)
    room = STEP / max(len(series) for series in scores.values())
    for place, (label, series) in enumerate(scores.items()):
        here = [name for name in looks if name in series]
        for lane, name in enumerate(here):
            at = place + (lane - (len(here) - 1) / 2) * room
            _box(axes, series[name], at, 0.8 * room, looks[name])
            level = (chance or {}).get(label, {}).get(name, np.nan)
            if np.isfinite(level):
                ends = at - 0.5 * room, at + 0.5 * room
                axes.hlines(level, *ends, color=_looks.GREY, **_looks.CHANCE)
    axes.set_xlim(-0.6, len(scores) - 0.4)
    axes.set_xticks(range(len(scores)), [_wrapped(place.split("\n")) for place in scores])
    axes.grid(visible=False, axis="x")


def _wrapped(place: Iterable[str]) -> str:
    return "\n".join(_layout.wrap(word, LONGEST) for word in place)


def _box(
    axes: Axes, values: NDArray[np.float64], at: float, room: float, look: _looks.Look
) -> None:
    defined = values[np.isfinite(values)]
    if defined.size < FEW:
        axes.plot(
            np.full(defined.size, at), defined, look.marker, color=look.color, linestyle="none"
        )
        return
    line = {"color": look.color, "linewidth": 1.0}
    axes.boxplot(
        defined,
        positions=[at],
        widths=room,
        manage_ticks=False,
        patch_artist=True,
        boxprops={"facecolor": (look.color, 0.25), "edgecolor": look.color, "linewidth": 1.0},
        medianprops={"color": look.color, "linewidth": 1.8},
        whiskerprops=line,
        capprops=line,
        flierprops={
            "marker": look.marker,
            "markersize": 2.5,
            "markerfacecolor": "none",
            "markeredgecolor": look.color,
            "markeredgewidth": 0.6,
        },
    )
    axes.plot(at, np.median(defined), look.marker, color=look.color)


def _arrange(
    here: Sequence[tuple[str, _groups.Group]], apart: Sequence[str], side: str
) -> tuple[Boxes, Levels]:
    boxes: dict[str, dict[str, NDArray[np.float64]]] = {}
    levels: dict[str, dict[str, float]] = {}
    for place in _groups.values([group for _, group in here], apart):
        label = "\n".join(filter(None, place)) or "not named"
        there = [(name, group) for name, group in here if _groups.key(group, apart) == place]
        boxes[label] = {name: _groups.pooled(group, side) for name, group in there}
        levels[label] = {name: group.number(f"chance_{side}") for name, group in there}
    return boxes, levels


def _value(groups: Sequence[_groups.Group]) -> str:
    """What one of the values is: of a run where the truth is what it is compared with."""
    alone = [group.against_truth for group in groups]
    whose = "a run" if all(alone) else "a run or pair" if any(alone) else "a pair of runs"
    return f"MCC, one value {whose}" + (
        "\nand position" if any(group.on_grid for group in groups) else ""
    )


def _entries(groups: Sequence[_groups.Group], looks: Mapping[str, _looks.Look]) -> dict[str, Any]:
    boxed = any(len(group.pairs) >= FEW for group in groups)
    entries: dict[str, Any] = {}
    for name, look in looks.items():
        marker = Line2D([], [], color=look.color, marker=look.marker, linestyle="none")
        box = Patch(facecolor=(look.color, 0.25), edgecolor=look.color)
        entries[name] = (box, marker) if boxed else marker
    if any(np.isfinite([g.number("chance_in"), g.number("chance_out")]).any() for g in groups):
        entries["chance"] = Line2D([], [], color=_looks.GREY, **_looks.CHANCE)
    return entries
