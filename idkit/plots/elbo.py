"""Is a better model nearer to the truth? Objective against MCC (the paper's Fig. A.2)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files import Artefact
from idkit.plots import _groups, _layout, _looks, _runs
from idkit.plots._need import need
from idkit.schemas import MODEL
from idkit.stats import regression

PLACES = ("mode", "corr", "data", "arch", "d_z", "settings", "embedded")
OBJECTIVE = "history/objective"
EMBEDDED = ("split=", "statistic=")  # settings of scores that are not those of a training
MARGIN = 0.03  # of MCC, above and below the points
HEADROOM = 0.15  # of what the points span, above them, for r and p

Points = Mapping[str, NDArray[np.float64]]


def draw(artefacts: Sequence[Artefact]) -> Figure:
    """A panel for each data set; a point for each run, a line with its 95% band for each model.

    A run's MCC is the mean over the pairs that it is part of, out-of-sample: its only pair where
    the truth is what it is compared with. Its objective is that of the last epoch of training.

    Args:
        artefacts: scores and the models that were scored, in any order.

    Raises:
        IdkitError: when there are no scores or no models, a file is neither, or no scored run is
            among the models.
    """
    models = [one for one in artefacts if one.schema == MODEL]
    scores = [one for one in artefacts if one.schema != MODEL]
    need(scores, "scores", figure="elbo")
    if not models or not scores:
        raise IdkitError(
            "'elbo' shows scores against the objectives of the models that were scored, found no "
            f"{'scores' if models else 'models'}: idkit plot elbo scores.npz "
            "runs/*/model.safetensors"
        )
    groups = _groups.groups(scores, figure="elbo")
    objectives = {_who(one): _last(one) for one in models}
    points = [_points(group, objectives) for group in groups]
    if not any(len(each) for each in points):
        raise IdkitError(
            f"no run of {scores[0].label} is among the models: give the models whose latents were "
            "scored"
        )
    names = _groups.series(groups, PLACES)
    looks = _looks.looks(names)
    known = [group for group, each in zip(groups, points, strict=True) if len(each)]
    places = _groups.values(known, PLACES)
    rows, columns = _layout.spread(len(places))
    figure, grid = _layout.panels(rows, columns, size=(2.4, 2.2), share=True)
    flat = [axes for row in grid for axes in row]
    for axes, place in zip(flat, places, strict=False):
        here = {
            name: each
            for name, group, each in zip(names, groups, points, strict=True)
            if _groups.key(group, PLACES) == place and len(each)
        }
        panel(axes, here, looks=looks)
        axes.set_title(_layout.fill(place, 32))
        axes.set_xlabel("objective\n(nats per sample)")
    for row in grid:
        row[0].set_ylabel("MCC of a run,\nout of sample")
    every = np.concatenate(points)[:, 1]
    top = every.max() + MARGIN + HEADROOM * np.ptp(every)
    flat[0].set_ylim(every.min() - MARGIN, top)  # a band may leave the panel
    _layout.hide(flat[len(places) :])
    shown = {name for name, each in zip(names, points, strict=True) if len(each)}
    _layout.legend(figure, _entries({name: looks[name] for name in looks if name in shown}))
    return figure


def panel(
    axes: Axes, points: Points, *, looks: Mapping[str, _looks.Look] | None = None
) -> dict[str, regression.Line]:
    """Points with a least-squares line and its 95% band for each series that has three or more.

    Args:
        axes: where to draw.
        points: for each series the objective and the MCC of each run, shape (runs, 2).
        looks: how each series is drawn; by its name where it is left out.

    Returns:
        The lines.
    """
    looks = looks or _looks.looks(points)
    lines = {}
    for name, values in points.items():
        look = looks[name]
        x, y = values.T
        axes.plot(x, y, look.marker, color=look.color, markersize=3.5, linestyle="none")
        at = np.linspace(np.nanmin(x), np.nanmax(x), 50)
        found = regression.line(x, y, at)
        if found is not None:
            lines[name] = found
            axes.plot(at, found.y, color=look.color, linestyle=look.dashes, linewidth=1.0)
            axes.fill_between(at, found.low, found.high, color=look.color, alpha=0.15, linewidth=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 5, 10], min_n_ticks=1))
    if len(lines) == 1:
        (found,) = lines.values()
        axes.annotate(
            f"r = {found.r:.2f}, p = {found.p:.2g}",
            (0.03, 0.97),
            xycoords="axes fraction",
            va="top",
            fontsize="small",
            color="black",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
        )
    return lines


def _who(model: Artefact) -> tuple[Any, ...]:
    """What tells a run from all others."""
    text = _runs.text
    name = " ".join(filter(None, (text(model, "model"), text(model, "variant"))))
    meta = model.meta
    words = frozenset(text(model, "settings").split())
    return (meta.get("data"), name, meta.get("arch"), meta.get("d_z"), words, meta.get("seed"))


def _last(model: Artefact) -> float:
    """The objective at the end of training; NaN for what was not trained."""
    history = model.arrays.get(OBJECTIVE)
    return float("nan") if history is None or not len(history) else float(history[-1])


def _points(
    group: _groups.Group, objectives: Mapping[tuple[Any, ...], float]
) -> NDArray[np.float64]:
    """Objective and MCC of the runs that are known, shape (runs, 2)."""
    row = group.row
    words = frozenset(
        word for word in group.facet("settings").split() if not word.startswith(EMBEDDED)
    )
    about = (row.get("data"), group.facet("model"), row.get("arch"), row.get("d_z"), words)
    mcc = _groups.pooled(group, "out")
    found = [
        (objectives[(*about, seed)], float(np.nanmean(mcc[(group.pairs == run).any(axis=1)])))
        for run, seed in enumerate(row.get("seeds") or [])
        if (*about, seed) in objectives and (group.pairs == run).any()
    ]
    points = np.array(found, dtype=np.float64).reshape(-1, 2)
    return np.asarray(points[np.isfinite(points).all(axis=1)])


def _entries(looks: Mapping[str, _looks.Look]) -> dict[str, Line2D]:
    return {
        name: Line2D([], [], color=look.color, linestyle=look.dashes, marker=look.marker)
        for name, look in looks.items()
    }
