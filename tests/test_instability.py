"""Which random stream differences come from: latents whose noise is known stream by stream."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idkit import files, instability, latents
from idkit.cli import compared
from idkit.errors import IdkitError
from idkit.files import Artefact

HOW = {"modes": ["strong"], "split": "random", "seed": 0, "perms": None}


def runs_varying(folder: Path, stream: str | None, noise: float) -> list[Artefact]:
    """Three runs that differ by independent noise of a size."""
    shared = np.random.default_rng(0).standard_normal((20_000, 4))
    settings = {"epochs": 3} | ({"vary": stream} if stream else {})
    made = []
    for seed in range(3):
        rng = np.random.default_rng([1 + seed, 1 + len(stream or "")])
        z = shared + noise * rng.standard_normal(shared.shape)
        path = str(folder / f"{stream}-{seed}.npz")
        about: dict[str, Any] = {"data": "toy", "model": "vae", "arch": "mlp", "d_z": 4}
        meta = files.metadata("idkit.latents/1", "embed", (), **about, seed=seed, settings=settings)
        files.write(path, {"z": z}, meta)
        made.append(files.read(path))
    return made


def split(opened: list[Artefact]) -> list[dict[str, Any]]:
    every = compared.compared(opened, truth=None, labels=None, null=None, how=HOW)
    return instability.rows(every)


def test_each_stream_has_its_share_of_what_all_bring_about(tmp_path: Path) -> None:
    amounts = {None: 1.0, "init": 1.0, "order": 0.5, "noise": 0.0}
    opened = [
        run for stream, size in amounts.items() for run in runs_varying(tmp_path, stream, size)
    ]
    table = {row["stream"]: row for row in split(opened)}
    assert list(table) == ["init", "order", "noise", "all"]
    assert table["all"]["share"] == pytest.approx(1)
    assert table["init"]["share"] == pytest.approx(1, abs=0.05)
    assert 0 < table["init"]["chance_out"] < table["init"]["chance_in"] < 0.3
    # correlation 1 / (1 + size^2) of two runs: 0.5 for size 1, 0.8 for size 0.5
    assert table["all"]["instability"] == pytest.approx(0.5, abs=0.03)
    assert table["order"]["share"] == pytest.approx(0.4, abs=0.05)
    assert table["noise"]["instability"] == pytest.approx(0, abs=1e-9)
    assert all(row["settings"] == "epochs=3" for row in table.values())


def test_without_runs_of_all_streams_there_is_no_share(tmp_path: Path) -> None:
    (row,) = split(runs_varying(tmp_path, "init", 1.0))
    assert row["share"] is None
    assert row["instability"] == pytest.approx(0.5, abs=0.03)


def test_runs_in_which_everything_varies_say_nothing_of_streams(tmp_path: Path) -> None:
    with pytest.raises(IdkitError, match="--vary init"):
        split(runs_varying(tmp_path, None, 1.0))


def test_groups_are_told_apart_by_what_varies(tmp_path: Path) -> None:
    opened = runs_varying(tmp_path, None, 1.0) + runs_varying(tmp_path, "init", 1.0)
    assert len(latents.groups([latents.run(each) for each in opened])) == 2
