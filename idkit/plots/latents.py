"""Latents in two dimensions, coloured by u, several runs side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files import Artefact
from idkit.plots import _layout, _looks, _runs
from idkit.plots._need import need
from idkit.plots._plane import Plane, plane

MOST_POINTS = 20_000  # of a run: more of them only cover each other
FEW = 1_000  # points, up to which they are drawn larger
CLASSES = 12  # values of u beyond which colours are a scale, not names
LONGEST = 12  # letters of a name among the points
UNKNOWN = "#C8C8C8"  # points without a u
NO_U = "no u"
COLORS = (  # Tol (2021), "muted" and three more, told apart by every kind of colour vision
    *("#332288", "#88CCEE", "#117733", "#DDCC77", "#CC6677", "#AA4499"),
    *("#44AA99", "#999933", "#882255", "#6699CC", "#661100", "#888888"),
)


def draw(artefacts: Sequence[Artefact]) -> Figure:
    """A panel a run; runs that `idkit align --apply` put into one frame are shown on one plane.

    Args:
        artefacts: latents, at least one file, in the user's order; from anywhere.

    Raises:
        IdkitError: when a file holds no latents, or they are empty, not numbers or not finite.
    """
    need(artefacts, "latents", figure="latents", foreign=True)
    runs = [_read(one) for one in artefacts]
    labels = [run.u[~_missing(run.u)] for run in runs if run.u is not None]
    known = np.unique(np.concatenate(labels)) if labels else np.empty(0)
    shared = _common_plane(artefacts, [run.z for run in runs])
    rows, columns = _layout.spread(len(runs))
    figure, grid = _layout.panels(rows, columns, size=(2.3, 2.3))
    flat = [axes for row in grid for axes in row]
    scale = None
    for axes, run, one in zip(flat, runs, artefacts, strict=False):
        scale = panel(axes, run.z, run.u, known=known, on=shared) or scale
        thinned = f"1 row in {run.step}" if run.step > 1 else ""
        axes.set_title(_layout.fill([*_runs.title(one), thinned], 30))
    _layout.hide(flat[len(runs) :])
    entries = {f"u = {name}": _dot(COLORS[i]) for i, name in enumerate(_texts(known))}
    if scale is not None:
        names = f" ({len(known)} names, in their order)" if known.dtype.kind == "U" else ""
        figure.colorbar(scale, ax=flat, label=f"u{names}", shrink=0.7, aspect=30)
        entries = {}
    if any(run.u is not None and _missing(run.u).any() for run in runs):
        entries[NO_U] = _dot(UNKNOWN)
    _layout.legend(figure, entries, handle=1)
    return figure


def notes(artefacts: Sequence[Artefact]) -> list[str]:
    """What the colours do not show: rows without a u, and a u that has not one value a row."""
    said = []
    for one in artefacts:
        rows, member = len(one.array("z")), one.arrays.members.get("u")
        if member is not None and member.shape != (rows,):
            said.append(
                f"{one.label} is not coloured: its u has shape {member.shape}, for {rows} rows"
            )
        elif member is not None:
            missing = int(_missing(_plain(one.arrays["u"])).sum())
            if missing:
                said.append(f"{one.label}: {missing} of {rows} rows have no u, and are grey")
    return said


def panel(
    axes: Axes,
    z: NDArray[np.floating],
    u: NDArray[Any] | None = None,
    *,
    known: NDArray[Any] | None = None,
    on: Plane | None = None,
) -> PathCollection | None:
    """The points of one run.

    Up to 12 values of u have a colour each and their name at the middle of their points; more
    of them, or fractions, are a scale. Points without a value, NaN or an empty text, are grey.

    Args:
        axes: where to draw.
        z: latents, shape (n, d_z).
        u: labels, text or numbers, shape (n,).
        known: the values of u that are anywhere in the figure, sorted; those of this run
            where they are left out.
        on: where to show them; by default as they are for d_z <= 2, else their first two
            principal components. The axes say which.

    Returns:
        What a colour bar can be made from where u is a scale; else None.
    """
    on = on or plane(z)
    x, y = on(z).T
    axes.set_xlabel(on.names[0])
    axes.set_ylabel(on.names[1] or "order of rows")
    axes.grid(visible=False)
    if on.names[1]:
        _square(axes, x, y)
    else:
        y = np.arange(len(x))
    style: dict[str, Any] = {"s": 4 if len(x) > FEW else 9, "linewidths": 0, "rasterized": True}
    if u is None:
        axes.scatter(x, y, color=_looks.LOOKS[0].color, alpha=0.5, **style)
        return None
    u = _plain(u)
    missing = _missing(u)
    if missing.any():
        axes.scatter(x[missing], y[missing], color=UNKNOWN, alpha=0.5, **style)
        x, y, u = x[~missing], y[~missing], u[~missing]
    known = np.unique(u) if known is None else known
    if not len(x):
        return None
    u = u.astype(known.dtype) if known.dtype.kind == "U" else u
    place = np.searchsorted(known, u)
    if not _texts(known):
        named = known.dtype.kind == "U"
        value, ends = (place, (0, len(known) - 1)) if named else (u, known[[0, -1]])
        style |= {"vmin": ends[0], "vmax": ends[1], "cmap": "viridis"}
        return axes.scatter(x, y, c=value, **style)
    axes.scatter(x, y, color=np.array(COLORS)[place], alpha=0.8, **style)
    for name, text in zip(known, _texts(known), strict=True):
        if (u == name).any():
            middle = np.median(x[u == name]), np.median(y[u == name])
            _label(axes, *middle, _layout.shorten(text, LONGEST))
    return None


def _plain(u: NDArray[Any]) -> NDArray[Any]:
    """Labels as text, integers or floats."""
    if u.dtype.kind == "S":
        return np.char.decode(u, "utf-8", "backslashreplace")
    return u


def _missing(u: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a row has no u."""
    if u.dtype.kind == "U":
        return np.asarray(u == "")
    return np.asarray(~np.isfinite(u))


def _texts(known: NDArray[Any]) -> list[str]:
    """What each value of u is called; empty where they are too many, or no names."""
    if len(known) > CLASSES or (known.dtype.kind == "f" and (known % 1 != 0).any()):
        return []
    plain = known.astype(np.int64) if known.dtype.kind == "f" else known
    return [_layout.plain(str(name)) for name in plain]


def _square(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
    """The same range for both coordinates.

    Panels are about square. A fixed aspect would make them so exactly, and mislead the layout.
    """
    half = 0.54 * max(float(np.ptp(x)), float(np.ptp(y))) or 1.0
    for set_limits, values in ((axes.set_xlim, x), (axes.set_ylim, y)):
        middle = (values.min() + values.max()) / 2
        set_limits(middle - half, middle + half)


def _label(axes: Axes, x: float, y: float, text: str) -> None:
    halo = withStroke(linewidth=2, foreground="white")
    axes.text(
        x, y, text, ha="center", va="center", weight="bold", clip_on=True, path_effects=[halo]
    )


def _dot(color: str) -> Line2D:
    return Line2D([], [], color=color, marker="o", linestyle="none")


@dataclass(frozen=True)
class _Run:
    """What is shown of one file: every `step`-th row of its latents (n, d_z), and u (n,)."""

    z: NDArray[np.float64]
    u: NDArray[Any] | None
    step: int


def _read(one: Artefact) -> _Run:
    z = one.array("z")
    if z.ndim == 0 or z.size == 0 or z.dtype.kind not in "fiu":
        raise IdkitError(f"{one.label} has no latents: found {z.dtype} of shape {z.shape}")
    cells = int(np.prod(z.shape[2:]))
    step = -(-len(z) * cells // MOST_POINTS)
    kept = np.asarray(z[::step], dtype=np.float64)
    kept = np.moveaxis(kept.reshape(len(kept), -1, cells), 1, 2).reshape(len(kept) * cells, -1)
    if not np.isfinite(kept).all():
        bad = int((~np.isfinite(kept)).any(axis=1).sum())
        raise IdkitError(
            f"{one.label} has NaN or infinite latents in {bad} rows: look at 'idkit info'"
        )
    return _Run(kept, _labels(one, len(z), step, cells), step)


def _labels(one: Artefact, rows: int, step: int, cells: int) -> NDArray[Any] | None:
    """The u of the rows shown; None where not every row has a place for one."""
    member = one.arrays.members.get("u")
    if member is None or member.shape != (rows,):
        return None
    return np.repeat(_plain(np.asarray(one.arrays["u"][::step])), cells)


def _common_plane(
    artefacts: Sequence[Artefact], runs: Sequence[NDArray[np.float64]]
) -> Plane | None:
    """One plane for runs that `idkit align` has put into one frame; else None."""
    aligned = all(str(one.meta.get("command", "")).startswith("align") for one in artefacts)
    if not aligned or len({z.shape[1] for z in runs}) > 1:
        return None
    return plane(np.concatenate([z[:: len(runs)] for z in runs]))
