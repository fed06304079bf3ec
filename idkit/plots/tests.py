"""Hodges-Lehmann shifts with their intervals, one line a test."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from idkit.errors import IdkitError
from idkit.files import Artefact
from idkit.plots import _layout, _looks
from idkit.plots._need import need
from idkit.stats.compare import FEWEST
from idkit.stats.flips import shown
from idkit.stats.kinds import of_kind, varying

WIDE = 6.0  # inches
HEAD = 0.8  # of height for the axis
LINE = 0.42  # of height a test


def draw(artefacts: Sequence[Artefact]) -> Figure:
    """All tests of all files below each other, with n and p beside them.

    Args:
        artefacts: tests, at least one file, in the user's order.

    Raises:
        IdkitError: when a file holds no tests.
    """
    need(artefacts, "tests", figure="tests")
    rows = [row for one in artefacts for row in one.meta.get("tests", [])]
    if not rows:
        raise IdkitError(f"{artefacts[0].label} holds no test: compare at least two families")
    figure = Figure(figsize=(WIDE, HEAD + LINE * len(rows)), layout="constrained")
    value, margin = (_common(artefacts, name) for name in ("value", "margin"))
    panel(figure.subplots(), rows, value=value or "MCC", margin=margin)
    return figure


def panel(
    axes: Axes,
    rows: Sequence[Mapping[str, Any]],
    *,
    value: str = "MCC",
    margin: float | None = None,
) -> None:
    """A forest plot; a test without an interval is hollow.

    Args:
        axes: where to draw.
        rows: the table of `idkit wilcoxon`: `a`, `b`, `shift`, `shift_low`, `shift_high`, and
            `n`, `p`, `p_holm` for the words beside; any of them may be None; and what kind of
            score was compared (`mode`, `corr`, ...), which is named where it varies.
        value: what was compared.
        margin: shifts smaller than this do not matter: a band from -margin to margin.
    """
    axes.axvline(0.0, color="black", linewidth=0.8, zorder=1)
    if margin:
        axes.axvspan(-margin, margin, color=_looks.GREY, alpha=0.15, linewidth=0, zorder=0)
    look, unknown = _looks.LOOKS[0], 0
    for place, row in enumerate(rows):
        low, high, shift = (_number(row, name) for name in ("shift_low", "shift_high", "shift"))
        known = bool(np.isfinite([low, high]).all())
        unknown += not known
        if known:
            axes.hlines(place, low, high, color=look.color, linewidth=1.6)
        if np.isfinite(shift):
            face = look.color if known else "none"
            axes.plot(
                shift, place, look.marker, color=look.color, markersize=6, markerfacecolor=face
            )
        axes.text(1.02, place, _words(row), transform=axes.get_yaxis_transform(), va="center")
    kinds = varying(rows)
    axes.set_yticks(range(len(rows)), [_difference(row, kinds) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.margins(x=0.08)
    hollow = f"\n(hollow: none with fewer than {FEWEST} cells or blocks)" if unknown else ""
    band = f"\n(grey: less than the margin of {margin:g})" if margin else ""
    axes.set_xlabel(f"Hodges-Lehmann shift of {_layout.plain(value)}, 95% interval{hollow}{band}")
    axes.set_ylabel("difference")
    axes.grid(visible=False, axis="y")


def _difference(row: Mapping[str, Any], kinds: Sequence[str]) -> str:
    a, b = (_layout.plain(str(row.get(name))) for name in ("a", "b"))
    kind = of_kind({one: row.get(one) for one in kinds})
    parts = [a, f"$-$ {b}", *([f"({_layout.plain(kind)})"] if kind else [])]
    return _layout.fill(parts, 28, glue=" ")


def _words(row: Mapping[str, Any]) -> str:
    count = [] if row.get("n") is None else [f"n = {row['n']}"]
    words = {"p": "p ", "p_holm": "Holm ", "p_block": "blocks "}
    known = count + [
        text + shown(row[name]).removeprefix("" if name == "p" else "= ")
        for name, text in words.items()
        if row.get(name) is not None
    ]
    return _layout.fill(known, 24)


def _number(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    return np.nan if value is None else float(value)


def _common(artefacts: Sequence[Artefact], name: str) -> Any:
    """What all files say under a name; None where they differ."""
    said = {one.meta.get(name) for one in artefacts}
    return said.pop() if len(said) == 1 else None
