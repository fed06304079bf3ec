"""Figures, one file each, from artefacts to the bytes of a file or onto a notebook's axes.

A figure's file has two public functions:

    draw(artefacts) -> Figure    the whole figure: the room's one contract
    panel(axes, arrays...)       one panel of it from plain arrays, on given axes

`draw` picks what it needs from any artefacts and decides how many panels there are; `idkit plot`
calls nothing else, but for `notes(artefacts)`, where a file has that: what the figure does not
show, in sentences. `panel` is for a notebook, whose own style it leaves alone.
"""

import io
import warnings
from collections.abc import Callable, Mapping, Sequence

from matplotlib.figure import Figure

from idkit.files import Artefact
from idkit.plots import _style
from idkit.plots._layout import plain

METADATA: Mapping[str, Mapping[str, None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "svg": {"Date": None, "Creator": None},
}
FORMATS = tuple(METADATA)
Draw = Callable[[Sequence[Artefact]], Figure]


def render(
    draw: Draw, artefacts: Sequence[Artefact], *, form: str, title: str | None = None
) -> bytes:
    """A figure as the bytes of a file, in idkit's style whatever the user's own settings are.

    The same inputs give the same bytes: no date, and fixed names inside SVG.

    Args:
        draw: the figure's function.
        artefacts: the artefacts, at least one, in the user's order.
        form: one of `FORMATS`.
        title: a line above the figure.
    """
    content = io.BytesIO()
    with _style.style(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a name in a rare script: a box
        figure = draw(artefacts)
        if title:
            figure.suptitle(plain(title))
        figure.savefig(content, format=form, metadata=dict(METADATA[form]))
    return content.getvalue()
