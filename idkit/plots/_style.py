"""The one style of every figure: fonts, sizes, and what makes equal input equal bytes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from matplotlib.style import context

SETTINGS: Mapping[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is there on every machine
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,  # 19.99 is read at once, +1.999e1 beside an axis is not
    "axes.grid": True,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.5,
    "figure.titlesize": 10,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "lines.markersize": 4,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "savefig.dpi": 200,
    "pdf.fonttype": 42,  # whole outlines, which journals ask for
    "svg.hashsalt": "idkit",  # else each run names the parts of a drawing anew
}


@contextmanager
def style() -> Iterator[None]:
    """Draws in idkit's style, and leaves the user's own as it was."""
    with context(["default", dict(SETTINGS)]):
        yield
