"""What is to be known about the runs of a comparison besides their agreement."""

from collections.abc import Sequence

import numpy as np

from idkit.counts import counted
from idkit.gram import Halves


class Facts:
    """Dead and active coordinates, ranks, and warnings, gathered over all positions of a grid."""

    def __init__(self, runs: int, names: Sequence[str]) -> None:
        self.runs, self.names = runs, names
        self.dead = np.zeros(len(names), dtype=np.int64)
        self.active = np.zeros(len(names))
        self.widths: tuple[int, ...] = ()
        self.ranks: list[int] = []
        self.n_inside = 0

    def look(self, moments: Halves, *, ranked: bool) -> None:
        inner, outer = moments.inside, moments.outside
        self.widths, self.n_inside = inner.widths, inner.n
        for r in range(len(self.names)):
            variances = inner.norms(r) ** 2 + outer.norms(r) ** 2
            self.dead[r] += int(((inner.norms(r) == 0) | (outer.norms(r) == 0)).sum())
            self.active[r] += variances.sum() ** 2 / max((variances**2).sum(), np.finfo(float).tiny)
        if ranked:
            found = [inner.rank(r) for r in range(len(self.names))]
            self.ranks = [min(pair) for pair in zip(self.ranks or found, found, strict=True)]

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
            if mode in ("weak", "affine") and self.ranks[r] < width:
                said.append(f"{name}: rank {self.ranks[r]} of {width} coordinates")
        if mode == "weak" and min(self.ranks) < cca_dim:
            none = "" if min(self.ranks) else "; without canonical pairs its MCC counts as 0"
            said.append(
                f"cca-dim {cca_dim} is brought down to {min(self.ranks)}, the smallest rank of a "
                f"run{none}"
            )
        return tuple(said)
