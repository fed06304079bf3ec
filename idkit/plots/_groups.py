"""The groups of runs that scores files hold, and short names that tell them apart."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files import Artefact
from idkit.plots._layout import plain, shorten
from idkit.plots._need import need

FACETS = ("data", "arch", "d_z", "settings", "embedded", "mode", "corr")


@dataclass(frozen=True)
class Group:
    """The scores of the runs that differ in their seed only.

    Attributes:
        source: the file it was read from.
        row: its row of the table of `idkit mcc`; any value may be None.
        pairs: the two runs of each pair, shape (P, 2).
        inside: in-sample correlations in descending order, shape (P, k).
        outside: those of the same matches out-of-sample, shape (P, k).
    """

    source: str
    row: Mapping[str, Any]
    pairs: NDArray[Any]
    inside: NDArray[np.float64]
    outside: NDArray[np.float64]

    def facet(self, name: str) -> str:
        """One entry of the row for people to read; empty where it is not known or as ever."""
        value = self.row.get(name)
        if value is None or (name, value) == ("corr", "pearson"):
            return ""
        words = {"d_z": f"$d_z$ = {value}", "embedded": plain(f"on {value}")}
        return words.get(name, plain(str(value)))

    def side(self, name: str) -> NDArray[np.float64]:
        """The correlations `in` or `out` of sample, shape (P, k)."""
        return {"in": self.inside, "out": self.outside}[name]

    def number(self, name: str) -> float:
        """One number of the row; NaN where it is undefined."""
        value = self.row.get(name)
        return float("nan") if value is None else float(value)

    @property
    def runs(self) -> int:
        """How many runs there are, the truth not counted."""
        return int(self.row.get("runs") or self.pairs.max() + 1)

    @property
    def against_truth(self) -> bool:
        """Whether runs are compared with the truth, whose number is `runs`, and not in pairs."""
        return bool((self.pairs[:, 1] == self.runs).all())

    @property
    def on_grid(self) -> bool:
        """Whether the same two runs are compared at several positions of a grid."""
        return len(np.unique(self.pairs, axis=0)) < len(self.pairs)

    @property
    def seeds(self) -> list[str]:
        """The seed of each run; empty where one is not known."""
        seeds = self.row.get("seeds") or []
        known = len(seeds) == self.runs and None not in seeds
        return [str(seed) for seed in seeds] if known else []

    def run_names(self) -> list[str]:
        """A name for each run: its seed, else what it was called, else its place."""
        called = [plain(str(name)) for name in self.row.get("names") or []][: self.runs]
        places = [str(place) for place in range(1, self.runs + 1)]
        return self.seeds or (called if len(called) == self.runs else places)


def groups(artefacts: Sequence[Artefact], *, figure: str) -> list[Group]:
    """Every group of some scores files, in the user's order.

    Args:
        artefacts: the artefacts.
        figure: which figure asks.

    Raises:
        IdkitError: when one is not a scores file, or they hold no pair at all.
    """
    need(artefacts, "scores", figure=figure)
    found = [
        Group(
            source=one.label,
            row=row,
            pairs=_array(one, f"{g}/pairs"),
            inside=_array(one, f"{g}/in").astype(np.float64),
            outside=_array(one, f"{g}/out").astype(np.float64),
        )
        for one in artefacts
        for g, row in enumerate(one.meta.get("groups", []))
    ]
    scored = [group for group in found if group.inside.size]
    if not scored:
        raise IdkitError(
            f"{artefacts[0].label} holds no scored pair: score at least two runs of a group"
        )
    return scored


def _array(one: Artefact, name: str) -> NDArray[Any]:
    if name not in one.arrays:
        raise IdkitError(
            f"{one.label} is incomplete: it has no array '{name}'; score the runs again"
        )
    return one.arrays[name]


def pooled(group: Group, side: str) -> NDArray[np.float64]:
    """MCC of each pair, shape (P,); NaN where it is not defined.

    Args:
        group: the scores.
        side: `in` or `out`.
    """
    return mean(group.side(side), axis=1)


def mean(values: NDArray[np.float64], *, axis: int) -> NDArray[np.float64]:
    """The mean over one axis of what is defined; NaN where nothing is.

    Args:
        values: any array.
        axis: which axis to take away.
    """
    defined = np.isfinite(values)
    count = defined.sum(axis=axis)
    total = np.where(defined, values, 0.0).sum(axis=axis)
    return np.asarray(np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0))


def key(group: Group, facets: Iterable[str]) -> tuple[str, ...]:
    """What a group is, by some facets."""
    return tuple(group.facet(name) for name in facets)


def varying(these: Iterable[Group], facets: Iterable[str]) -> list[str]:
    """Those of some facets by which the groups differ."""
    these = list(these)
    return [name for name in facets if len({group.facet(name) for group in these}) > 1]


def values(these: Iterable[Group], facets: Sequence[str]) -> list[tuple[str, ...]]:
    """What there is of some facets, in the order that people count: tcl-200 before tcl-1000.

    Args:
        these: the groups.
        facets: names of entries of their rows.
    """
    return sorted({key(group, facets) for group in these}, key=_counting)


def _counting(words: Iterable[str]) -> list[list[tuple[bool, float, str]]]:
    parts = [re.split(r"(\d+)", word) for word in words]
    return [
        [(not p.isdecimal(), float(p) if p.isdecimal() else 0.0, p) for p in word] for word in parts
    ]


def series(these: Sequence[Group], facets: Sequence[str]) -> list[str]:
    """A name for each group: its model, with as much more as tells apart those of one panel.

    Args:
        these: the groups.
        facets: what a panel is made of.

    Returns:
        One name a group; none stands twice in a panel.
    """
    names = [group.facet("model") or "runs" for group in these]
    details = (
        [plain(shorten(group.source, 24)) for group in these],
        [str(place) for place in range(1, len(these) + 1)],
    )
    for extra in details:
        seen = [(name, key(group, facets)) for name, group in zip(names, these, strict=True)]
        clashing = {name for name, place in seen if seen.count((name, place)) > 1}
        names = [
            f"{name} {more}".strip() if name in clashing else name
            for name, more in zip(names, extra, strict=True)
        ]
    return names
