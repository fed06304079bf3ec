"""Artefacts as the other commands write them, for every test of a figure."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from idkit import files

Arrays = dict[str, NDArray[Any]]
Group = tuple[Arrays, dict[str, Any]]
TEST: dict[str, Any] = {
    "a": "ivae",
    "b": "vae",
    "n": 24,
    "p": 0.0291,
    "p_holm": 0.0873,
    "p_block": 0.25,
    "shift": 0.02,
    "shift_low": 0.002,
    "shift_high": 0.04,
}


@dataclass(frozen=True)
class Made:
    """Writes artefacts into one folder."""

    folder: Path

    def write(self, name: str, schema: str, arrays: Arrays, **meta: Any) -> files.Artefact:
        path = str(self.folder / name)
        meta = {**files.metadata(f"idkit.{schema}/1", "made", []), **meta}
        files.write(path, arrays, meta, force=True)
        return files.read(path)

    def scores(self, *groups: Group, name: str = "scores.npz") -> files.Artefact:
        arrays = {
            f"{g}/{key}": value for g, (each, _) in enumerate(groups) for key, value in each.items()
        }
        return self.write(name, "scores", arrays, groups=[row for _, row in groups])

    def model(self, run: int, *, epochs: int = 30, **meta: Any) -> files.Artefact:
        rng = np.random.default_rng(run)
        arrays: Arrays = {
            f"history/{term}": -rng.gamma(2.0, size=epochs).cumsum()[::-1]
            for term in ("objective", "kl")
        }
        arrays |= {"history/lr": np.full(epochs, 1e-3), "decoder.weight": np.zeros((2, 2))}
        about = {"data": "digits", "model": "vae", "arch": "mlp", "d_z": 3, "seed": run, **meta}
        return self.write(f"model-{run}.npz", "model", arrays, **about)

    def unknown_model(self, **meta: Any) -> files.Artefact:
        """A model that says next to nothing of itself."""
        arrays: Arrays = {"history/objective": np.zeros(1)}
        return self.write("model.npz", "model", arrays, **meta)

    def latents(self, seed: int = 1, *, d_z: int = 5, **meta: Any) -> files.Artefact:
        z = np.random.default_rng(seed).standard_normal((60, d_z)).astype(np.float32)
        about = {"data": "digits", "model": "vae", "arch": "mlp", "d_z": d_z, "seed": seed}
        arrays: Arrays = {"z": z, "u": np.arange(60) % 4}
        return self.write(f"latents-{seed}.npz", "latents", arrays, **about, **meta)

    def pictures(
        self, seed: int = 1, *, n: int = 10, channels: int = 1, **meta: Any
    ) -> files.Artefact:
        rng = np.random.default_rng(seed)
        kinds = ("rows", "reconstructions", "samples", "means")
        arrays: Arrays = {kind: rng.random((n, channels, 6, 6)) for kind in kinds}
        about = {"data": "digits", "model": "vade", "arch": "mlp", "d_z": 3, "seed": seed, **meta}
        return self.write(f"pictures-{seed}.npz", "pictures", arrays, **about)

    def comparisons(self, *rows: dict[str, Any], **meta: Any) -> files.Artefact:
        about = {"tests": list(rows), "margin": None, "value": "mcc_out", **meta}
        return self.write("tests.npz", "tests", {"0/differences": np.zeros(24)}, **about)

    def group(self, *, runs: int = 4, k: int = 6, truth: bool = False, **row: Any) -> Group:
        """Arrays and table row of one group of `idkit mcc`."""
        rng = np.random.default_rng([runs, k])
        pairs = [(r, runs) for r in range(runs)] if truth else list(combinations(range(runs), 2))
        inside = -np.sort(-rng.uniform(0.3, 0.95, (len(pairs), k)), axis=1)
        outside = inside * rng.uniform(0.8, 1.0, inside.shape)
        arrays = {"pairs": np.array(pairs, dtype=np.int64), "in": inside, "out": outside}
        known = {"data": "digits", "model": "vade", "arch": "mlp", "d_z": k, "mode": "strong"}
        known |= {"corr": "pearson", "k": k, "runs": runs, "chance_in": 0.1, "chance_out": 0.05}
        return arrays, {**known, "seeds": list(range(1, runs + 1)), **row}

    def test(self, **changed: Any) -> dict[str, Any]:
        """One row of the table of `idkit wilcoxon`."""
        return {**TEST, **changed}

    def usual(self, kind: str) -> list[files.Artefact]:
        """What a user would usually give to a figure."""
        if kind == "history":
            return [self.model(seed) for seed in (1, 2)]
        if kind == "images":
            return [self.pictures(seed, channels=c) for seed, c in ((1, 1), (2, 3))]
        if kind == "elbo":
            scored = self.scores(self.group(runs=5, k=3, truth=True, model="vae"))
            return [scored, *(self.model(seed) for seed in range(1, 6))]
        if kind == "latents":
            return [self.latents(seed) for seed in (1, 2)]
        if kind == "tests":
            return [self.comparisons(TEST, margin=0.02)]
        return [self.scores(*(self.group(model=m, k=k) for m in ("vade", "vae") for k in (6, 9)))]

    def least(self, kind: str) -> list[files.Artefact]:
        """The least that a figure can be drawn from: one of everything, and all else unknown."""
        unknown: dict[str, Any] = dict.fromkeys(("data", "model", "arch", "d_z"))
        if kind == "images":
            return [self.pictures(n=1, **{**unknown, "seed": None})]
        if kind == "history":
            return [self.unknown_model()]
        if kind == "elbo":
            one = self.group(runs=1, truth=True, seeds=[1], **{**unknown, "k": 1})
            return [self.scores(one), self.unknown_model(seed=1)]
        if kind == "latents":
            np.save(self.folder / "foreign.npy", np.zeros((1, 3)))
            return [files.read(str(self.folder / "foreign.npy"))]
        if kind == "tests":
            nothing = {name: None for name in TEST if name not in ("a", "b")}
            return [self.comparisons(self.test(**nothing), value=None)]
        unknown |= dict.fromkeys(("chance_in", "chance_out", "seeds", "corr", "mode"))
        return [self.scores(self.group(runs=2, **{**unknown, "k": 1}))]

    def crowd(self, kind: str) -> list[files.Artefact]:
        """More than fits: many groups, long names, names that look like formulas."""
        names = [f"{'a_very_long_name' * 4}$_{i}^$" for i in range(7)]
        if kind == "images":
            return [self.pictures(seed, model=name) for seed, name in enumerate(names)]
        if kind == "history":
            return [self.model(seed, model=name) for seed, name in enumerate(names)]
        if kind == "elbo":
            scored = [
                self.group(runs=1, truth=True, model=name, data=names[i // 3], d_z=3, seeds=[i])
                for i, name in enumerate(names)
            ]
            models = [self.model(i, model=name, data=names[i // 3]) for i, name in enumerate(names)]
            return [self.scores(*scored), *models]
        if kind == "latents":
            return [self.latents(seed, d_z=1 + seed) for seed in range(7)]
        if kind == "tests":
            return [self.comparisons(*(self.test(a=name) for name in names))]
        return [
            self.scores(
                *(
                    self.group(
                        model=name,
                        data=names[i // 3],
                        truth=i == 0,
                        seeds=None,
                        names=names[: 4 + (i == 0)],
                    )
                    for i, name in enumerate(names)
                )
            )
        ]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return Made(tmp_path)
