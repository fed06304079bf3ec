"""The terms of the objective over the epochs of training, one line a seed."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files import Artefact
from idkit.plots import _layout, _looks, _runs
from idkit.plots._need import need

FIRST = ("objective", "log_likelihood", "kl")
UNITLESS = {  # what is not in nats
    "condition_L": "condition number of L",
    "rank_L": "rank of L",
    "perplexity": "components in use\n(perplexity)",
    "lr": "learning rate",
}
LAST = tuple(UNITLESS)
LOGARITHMIC = ("lr", "condition_L")
SEEDS_NAMED = len(_looks.LOOKS)  # more lines than looks cannot be told apart
LONG = 20  # epochs: in fewer, the first are no small part of training
WARM_UP = 0.05  # of the epochs: what may leave the panel so that the rest can be seen
PREFIX = "history/"

Lines = Sequence[tuple[str, NDArray[np.floating]]]


def draw(artefacts: Sequence[Artefact]) -> Figure:
    """A panel for each recorded term; looks tell seeds apart, or groups where there are several.

    Args:
        artefacts: models, at least one file, in the user's order.

    Raises:
        IdkitError: when a file is not a model, or has no history.
    """
    need(artefacts, "model", figure="history")
    runs = [_history(one) for one in artefacts]
    terms = sorted({term for run in runs for term in run}, key=_place)
    names = _names(artefacts)
    looks = _looks.looks(names)
    rows, columns = _layout.spread(len(terms))
    figure, grid = _layout.panels(rows, columns, size=(2.6, 2.0))
    flat = [axes for row in grid for axes in row]
    for axes, term in zip(flat, terms, strict=False):
        lines = [(name, run[term]) for name, run in zip(names, runs, strict=True) if term in run]
        panel(axes, lines, looks=looks, logarithmic=term in LOGARITHMIC)
        axes.set_ylabel(UNITLESS.get(term, f"{term.replace('_', ' ')}\n(nats per sample)"))
        axes.set_xlabel("epoch")
    _layout.hide(flat[len(terms) :])
    _layout.legend(figure, _entries(names, looks))
    return figure


def panel(
    axes: Axes,
    lines: Lines,
    *,
    looks: Mapping[str, _looks.Look] | None = None,
    logarithmic: bool = False,
) -> None:
    """One term over the epochs.

    Args:
        axes: where to draw.
        lines: for each run the name of its series and its values, shape (epochs,).
        looks: how each series is drawn; by its name where it is left out.
        logarithmic: whether the y axis is.
    """
    looks = looks or _looks.looks(name for name, _ in lines)
    crowd = len(lines) > len(looks)
    for name, values in lines:
        axes.plot(
            np.arange(1, len(values) + 1),
            values,
            color=looks[name].color,
            linestyle=looks[name].dashes,
            linewidth=0.7 if crowd else 1.2,
            alpha=0.7 if crowd else 1.0,
            marker=looks[name].marker if len(values) == 1 else "",
        )
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    if logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    else:
        _look_past_warm_up(axes, [values for _, values in lines])


def _look_past_warm_up(axes: Axes, runs: Sequence[NDArray[np.floating]]) -> None:
    """Lets the first epochs leave the panel where they would flatten all the others."""
    if min(map(len, runs)) < LONG:
        return
    late = np.concatenate([values[int(np.ceil(WARM_UP * len(values))) :] for values in runs])
    late = late[np.isfinite(late)]
    low, high = axes.get_ylim()
    if late.size and 0 < np.ptp(late) < (high - low) / 3:
        margin = 0.08 * np.ptp(late)
        axes.set_ylim(late.min() - margin, late.max() + margin)
        axes.set_title("(the first epochs leave the panel)", fontsize="small", color=_looks.GREY)


def _history(one: Artefact) -> dict[str, NDArray[np.floating]]:
    history = {
        name.removeprefix(PREFIX): one.arrays[name].astype(float)
        for name in one.arrays
        if name.startswith(PREFIX) and one.arrays[name].ndim == 1
    }
    if not history:
        raise IdkitError(f"{one.label} holds no training history: train it with 'idkit train'")
    return history


def _place(term: str) -> tuple[int, str]:
    if term in FIRST:
        return FIRST.index(term), term
    return len(FIRST) + (term in LAST), term


def _names(artefacts: Sequence[Artefact]) -> list[str]:
    """The series of each run: its seed where that can be shown, else its group."""
    families = _runs.families(artefacts)
    few = len(set(families)) == 1 and len(artefacts) <= SEEDS_NAMED
    return _runs.seeds(artefacts) if few else families


def _entries(names: Sequence[str], looks: Mapping[str, _looks.Look]) -> dict[str, Artist]:
    runs = Counter(names)
    return {
        name if runs[name] == 1 else f"{name} ({runs[name]} runs)": Line2D(
            [], [], color=look.color, linestyle=look.dashes
        )
        for name, look in looks.items()
    }
