"""MCC over the best-matched components, in- and out-of-sample (the paper's Figs 2-4, C.3-C.5)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from idkit.files import Artefact
from idkit.plots import _groups, _layout, _looks

WHAT = ["data", "arch", "settings", "embedded", "mode", "corr"]
ALIKE = 0.01  # chance levels closer than this are one line
MANY = 4  # columns, beyond which panels are smaller


def draw(artefacts: Sequence[Artefact]) -> Figure:
    """In- and out-of-sample side by side, a row for each d_z, and columns for all else.

    Where there is but one d_z, or not every d_z of everything, a row for each data set,
    architecture, mode and d_z.

    Args:
        artefacts: scores, at least one file, in the user's order.

    Raises:
        IdkitError: when a file holds no scores.
    """
    groups = _groups.groups(artefacts, figure="curve")
    names = _groups.series(groups, _groups.FACETS)
    looks = _looks.looks(names)
    down, across = _facets(groups)
    rows, columns = _groups.values(groups, down), _groups.values(groups, across)
    size = (2.6, 2.0) if 2 * len(columns) <= MANY else (2.0, 1.7)
    figure, grid = _layout.panels(len(rows), 2 * len(columns), size=size, share=True)
    for line, row in zip(grid, rows, strict=True):
        for c, column in enumerate(columns):
            here = {
                name: group
                for name, group in zip(names, groups, strict=True)
                if (_groups.key(group, down), _groups.key(group, across)) == (row, column)
            }
            for axes, side in zip(line[2 * c : 2 * c + 2], ("in", "out"), strict=True):
                panel(
                    axes,
                    {name: group.side(side) for name, group in here.items()},
                    chance={name: group.number(f"chance_{side}") for name, group in here.items()},
                    looks=looks,
                )
        line[0].set_ylabel(_layout.fill(row, 24) + "\nMCC of the best $j$")
    for c, axes in enumerate(grid[0]):
        side = "out of sample" if c % 2 else "in sample"
        axes.set_title(_layout.fill([*columns[c // 2], side], 30))
    for axes in grid[-1]:
        axes.set_xlabel("$j$, number of components")
    _layout.from_zero(grid[0][0])
    _layout.legend(figure, _entries(groups, looks))
    return figure


def _facets(groups: Sequence[_groups.Group]) -> tuple[list[str], list[str]]:
    """What the rows and what the columns of the grid differ by, so that no panel stays empty."""
    if not _groups.varying(groups, ["d_z"]):
        return WHAT, ["d_z"]
    sizes, rest = _groups.values(groups, ["d_z"]), _groups.values(groups, WHAT)
    if len(_groups.values(groups, ["d_z", *WHAT])) == len(sizes) * len(rest):
        return ["d_z"], WHAT
    down = _groups.varying(groups, [*WHAT, "d_z"])
    return down, [name for name in WHAT if name not in down]


def panel(
    axes: Axes,
    scores: Mapping[str, NDArray[np.float64]],
    *,
    chance: Mapping[str, float] | None = None,
    looks: Mapping[str, _looks.Look] | None = None,
) -> None:
    """One line a series: the mean over pairs of the cumulative MCC, and ± 1 SD over pairs.

    Args:
        axes: where to draw.
        scores: for each series its correlations in descending order, shape (P, k).
        chance: for each series the MCC over all k components that chance would give.
        looks: how each series is drawn; by its name where it is left out.
    """
    looks = looks or _looks.looks(scores)
    for name in (name for name in looks if name in scores):
        _line(axes, cumulative(scores[name]), looks[name], name)
    levels = {name: level for name, level in (chance or {}).items() if np.isfinite(level)}
    alike = bool(levels) and np.ptp(list(levels.values())) < ALIKE
    for name, level in list(levels.items())[: 1 if alike else None]:
        color = _looks.GREY if alike else looks[name].color
        axes.axhline(level, color=color, zorder=1, **_looks.CHANCE)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))


def cumulative(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over the first j components for j = 1..k.

    Args:
        scores: correlations in descending order of their in-sample value, shape (P, k); NaN
            beyond the components that a pair has.

    Returns:
        Shape (P, k); a pair with fewer components keeps its last mean, which is its MCC.

    >>> cumulative(np.array([[0.9, 0.5, 0.2]])).round(4)
    array([[0.9   , 0.7   , 0.5333]])
    """
    counts = np.cumsum(np.isfinite(scores), axis=1)
    totals = np.nancumsum(scores, axis=1)
    return np.asarray(
        np.divide(totals, counts, out=np.full(scores.shape, np.nan), where=counts > 0)
    )


def _line(axes: Axes, curves: NDArray[np.float64], look: _looks.Look, name: str) -> None:
    j = np.arange(1, curves.shape[1] + 1)
    centre = _groups.mean(curves, axis=0)
    axes.plot(
        j,
        centre,
        color=look.color,
        linestyle=look.dashes,
        marker=look.marker,
        markevery=max(1, len(j) // 6),
        label=name,
        zorder=3,
    )
    if len(curves) > 1:
        spread = curves.std(axis=0)
        axes.fill_between(
            j, centre - spread, centre + spread, color=look.color, alpha=0.2, linewidth=0, zorder=2
        )


def _entries(groups: Sequence[_groups.Group], looks: Mapping[str, _looks.Look]) -> dict[str, Any]:
    entries: dict[str, Any] = {
        name: Line2D([], [], color=look.color, linestyle=look.dashes, marker=look.marker)
        for name, look in looks.items()
    }
    if any(len(group.pairs) > 1 for group in groups):
        entries["± 1 SD over pairs"] = Patch(color=_looks.GREY, alpha=0.3, linewidth=0)
    if any(np.isfinite([g.number("chance_in"), g.number("chance_out")]).any() for g in groups):
        entries["chance, all components"] = Line2D([], [], color=_looks.GREY, **_looks.CHANCE)
    return entries
