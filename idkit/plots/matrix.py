"""MCC of every run with every other as a heat map, one panel a group."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from idkit.files import Artefact
from idkit.plots import _groups, _layout

FACETS = ("data", "model", "arch", "d_z", "settings", "embedded", "mode", "corr")
MOST_NUMBERS = 8  # runs; with more of them the cells are too small to write into
MOST_TICKS = 20
MOST_LETTERS = 30  # of the names of the columns, beyond which they stand upright
COLORS = "viridis"  # even in lightness, for every kind of colour vision and in grey


def draw(artefacts: Sequence[Artefact]) -> Figure:
    """A panel a group: above the diagonal out-of-sample, below it in-sample.

    Runs that were scored against the truth have one row for each of the two instead.

    Args:
        artefacts: scores, at least one file, in the user's order.

    Raises:
        IdkitError: when a file holds no scores.
    """
    groups = _groups.groups(artefacts, figure="matrix")
    scored = [
        square(group.pairs, _groups.pooled(group, "in"), _groups.pooled(group, "out"))
        for group in groups
    ]
    scale = _scale(scored)
    rows, columns = _layout.spread(len(groups))
    truths = [bool((group.pairs[:, 1] == group.runs).all()) for group in groups]
    size = (2.4, 1.3) if all(truths) else (2.4, 2.5)
    figure, grid = _layout.panels(rows, columns, size=size, aside=0.8)
    flat = [axes for row in grid for axes in row]
    for axes, group, scores, truth in zip(flat, groups, scored, truths, strict=False):
        names = group.run_names()
        what = _groups.key(group, FACETS)
        if truth:
            sides = np.stack([scores[-1, :-1], scores[:-1, -1]])
            image = panel(axes, sides, names, ["in", "out"], scale=scale)
            axes.set_ylabel("sample")
            axes.set_title(_layout.fill([*what, "against the truth"], 28))
        else:
            image = panel(axes, scores, names, names, scale=scale)
            axes.set_ylabel("seed" if group.seeds else "run")
            axes.set_title(_layout.fill(what, 28))
        axes.set_xlabel("seed" if group.seeds else "run")
    _layout.hide(flat[len(groups) :])
    triangles = "" if all(truths) else ", above the diagonal out of\nsample, below it in sample"
    ticks = MaxNLocator(5, steps=[1, 2, 5, 10])
    figure.colorbar(image, ax=flat, label=f"MCC{triangles}", shrink=0.8, aspect=30, ticks=ticks)
    return figure


def _scale(scored: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """The tenths between which all scores lie."""
    every = np.concatenate([scores[np.isfinite(scores)] for scores in scored])
    if not every.size:
        return 0.0, 1.0
    low = np.floor(10 * every.min()) / 10
    return float(low), float(max(np.ceil(10 * every.max()) / 10, low + 0.1))


def panel(
    axes: Axes,
    scores: NDArray[np.float64],
    columns: Sequence[str],
    rows: Sequence[str],
    *,
    scale: tuple[float, float] = (0.0, 1.0),
) -> AxesImage:
    """A heat map, with its numbers where there is room for them.

    Args:
        axes: where to draw.
        scores: MCC, shape (rows, columns); NaN where it is undefined, which stays white.
        columns: the name of each column.
        rows: the name of each row.
        scale: the scores at both ends of the colours.

    Returns:
        What a colour bar is made from.
    """
    low, high = scale
    image = axes.imshow(  # a fixed aspect would mislead the layout
        scores, vmin=low, vmax=high, cmap=COLORS, interpolation="nearest", aspect="auto"
    )
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    crowded = sum(map(len, columns)) > MOST_LETTERS
    axes.tick_params(axis="x", labelrotation=90 if crowded else 0)
    for set_ticks, names in ((axes.set_xticks, columns), (axes.set_yticks, rows)):
        shown = range(0, len(names), -(-len(names) // MOST_TICKS))
        set_ticks(shown, [_layout.shorten(names[i], 14) for i in shown])
    axes.grid(visible=False)
    if max(scores.shape) <= MOST_NUMBERS:
        for (row, column), score in np.ndenumerate(scores):
            if np.isfinite(score):
                axes.text(
                    column,
                    row,
                    f"{score:.2f}",
                    ha="center",
                    va="center",
                    fontsize="small",
                    color="white" if score < (low + high) / 2 else "black",
                )
    return image


def square(
    pairs: NDArray[np.integer], inside: NDArray[np.float64], outside: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Scores of pairs as a table of runs.

    Args:
        pairs: two runs a row, shape (P, 2); a pair may come up at several positions of a grid.
        inside: in-sample MCC, shape (P,).
        outside: out-of-sample MCC, shape (P,).

    Returns:
        Shape (runs, runs), out-of-sample on and above the diagonal, in-sample below it, means
        over positions; NaN for pairs that were not scored.
    """
    runs = int(pairs.max()) + 1
    table = np.full((runs, runs), np.nan)
    for a, b in np.unique(pairs, axis=0):
        here = (pairs == (a, b)).all(axis=1)
        low, high = min(a, b), max(a, b)
        table[high, low] = _groups.mean(inside[here], axis=0)
        table[low, high] = _groups.mean(outside[here], axis=0)
    return table
