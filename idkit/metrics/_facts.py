"""What is to be known about the runs of a comparison besides their agreement."""

from collections.abc import Sequence

import numpy as np

from idkit.bases import WHITENED, Bases
from idkit.counts import counted
from idkit.gram import FLOAT64, Grams, Halves


class Facts:
    """Dead and active coordinates, ranks, and warnings, gathered over all positions of a grid."""

    def __init__(self, runs: int, names: Sequence[str]) -> None:
        self.runs, self.names = runs, names
        self.dead = np.zeros(len(names), dtype=np.int64)
        self.active = np.zeros(len(names))
        self.widths: tuple[int, ...] = ()
        self.ranks: list[int] = []
        self.left_out: dict[int, float] = {}  # runs with directions below a standard deviation
        self.n_inside = 0

    def look(self, moments: Halves, extra: Bases, *, ranked: bool) -> None:
        """Takes in the runs at one position.

        Args:
            moments: of the runs, and after them of those in bases of their own.
            extra: these.
            ranked: whether ranks matter.
        """
        inner, outer = moments.inside, moments.outside
        self.widths, self.n_inside = inner.widths[: len(self.names)], inner.n
        for r in range(len(self.names)):
            variances = inner.norms(r) ** 2 + outer.norms(r) ** 2
            self.dead[r] += int(((inner.norms(r) == 0) | (outer.norms(r) == 0)).sum())
            self.active[r] += variances.sum() ** 2 / max((variances**2).sum(), np.finfo(float).tiny)
        if ranked:
            found = [_rank(inner, extra, r) for r in range(len(self.names))]
            self.ranks = [min(pair) for pair in zip(self.ranks or found, found, strict=True)]
            self.left_out |= {
                r: _smallest(inner, extra, r)
                for r, rank in enumerate(found)
                if rank < min(int((inner.norms(r) > 0).sum()), inner.n - 1)
            }

    def components(self, cca_dim: int) -> int:
        """The canonical pairs that every comparison has; one that is 0 where there are none."""
        return max(1, min([cca_dim, *self.ranks]))

    def wanted(self, mode: str, cca_dim: int) -> int:
        """The components of a pair that leaves nothing of the last run, the truth, unmatched."""
        return max(1, min(cca_dim, self.ranks[-1])) if mode == "weak" else self.widths[-1]

    def warnings(self, mode: str, cca_dim: int) -> tuple[str, ...]:
        said = []
        for r, (name, width) in enumerate(zip(self.names, self.widths, strict=True)):
            if self.dead[r]:
                dead = counted(int(self.dead[r]), "dead (constant) coordinate")
                said.append(f"{name}: {dead} count{'s' if self.dead[r] == 1 else ''} as 0")
            if self.n_inside <= width:
                said.append(
                    f"{name}: {self.n_inside} in-sample rows for {width} coordinates: the "
                    "in-sample score is inflated, read the out-of-sample score"
                )
            if mode in WHITENED and self.ranks[r] < width:
                rank = f"{name}: rank {self.ranks[r]} of {width} coordinates"
                if r in self.left_out:
                    rank += (
                        f": agreement in directions below {self.left_out[r]:.0e} of the largest "
                        "standard deviation, which are rounding, is not counted"
                    )
                said.append(rank)
        if mode == "weak" and min(self.ranks) < cca_dim:
            none = "" if min(self.ranks) else "; without canonical pairs its MCC counts as 0"
            said.append(
                f"cca-dim {cca_dim} is brought down to {min(self.ranks)}, the smallest rank of a "
                f"run{none}"
            )
        return tuple(said)


def _rank(inside: Grams, extra: Bases, run: int) -> int:
    return extra.found[run].shape[1] if run in extra.found else inside.rank(run)


def _smallest(inside: Grams, extra: Bases, run: int) -> float:
    """The standard deviation, to the largest, below which a direction is taken for rounding."""
    if run in extra.found:
        return extra.found[run].resolved
    exact = FLOAT64 * max(inside.n, inside.widths[run])  # the rows were looked at, too
    return exact if inside.resolution(run) == FLOAT64 else inside.smallest(run)
