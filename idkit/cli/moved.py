"""Latents that have been moved into one frame: where they go, and what the file says."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from idkit.errors import IdkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idkit.alignment import Aligned
    from idkit.latents import Run

STDIN = "-"
FILES = (".npz", ".npy", ".safetensors", ".csv", ".tsv")  # no folder is called so by intent
KEPT = (
    *("data", "model", "arch", "seed", "variant", "settings"),
    *("embedded", "rows", "split", "statistic"),
)


def places(runs: "Sequence[Run]", folder: str | None, *, force: bool) -> list[Path]:
    """Where each run is written: below a folder as the inputs lie to each other, or beside them.

    Args:
        runs: in the order in which they were named.
        folder: of `-o`; made where it is missing. None: beside the inputs, as `NAME-aligned`.
        force: whether files that exist may be replaced.

    Raises:
        IdkitError: when a file exists, or two runs would be one file.
        UsageError: when there is nowhere to write to.
    """
    from idkit import files

    if folder == STDIN:
        raise UsageError("--apply writes one file for each run: give a folder, -o FOLDER")
    if folder is not None and Path(folder).suffix.lower() in FILES:
        raise UsageError(
            f"--apply writes one file for each run: give a folder, -o FOLDER, not {folder}"
        )
    names = [run.artefact.name for run in runs]
    if STDIN in names:
        raise UsageError("--apply names its outputs after its inputs: give files, not '-'")
    paths = [Path(run.artefact.label) for run in runs]
    top = os.path.commonpath([path.parent.absolute() for path in paths])
    found = []
    for run, path in zip(runs, paths, strict=True):
        key = f"-{run.artefact.key}" if run.artefact.key else ""
        suffix = ".safetensors" if path.suffix.lower() == ".safetensors" else ".npz"
        if folder is None:
            found.append(path.with_name(f"{path.stem}{key}-aligned{suffix}"))
        else:
            below = path.absolute().relative_to(top)
            found.append(Path(folder) / below.with_name(f"{path.stem}{key}{suffix}"))
    twice = {str(place) for place in found if found.count(place) > 1}
    if twice:
        raise IdkitError(f"two runs would both be written to {min(twice)}: rename one")
    for place in found:
        place.parent.mkdir(parents=True, exist_ok=True)
        files.refuse_existing(str(place), force=force)
    return found


def write(
    place: Path,
    run: "Run",
    aligned: "Aligned",
    command: str,
    *,
    named: str | None,
    force: bool,
) -> None:
    """Writes the latents of a run in the frame of the reference, with what it says of its rows.

    All rows of the file are moved, and stay in their order, with the names that they have.

    Args:
        place: where to.
        run: the run as it was read.
        aligned: the maps of its group, to a reference.
        command: for the metadata.
        named: the array that names rows, as in `rows.matched`.
        force: whether a file that exists may be replaced.
    """
    import numpy as np

    from idkit import files, latents, row_names

    found, reference = aligned.map_of(run), aligned.reference
    floats = run.z.dtype if run.z.dtype in (np.float32, np.float64) else np.dtype(np.float32)
    arrays = {"z": np.asarray(run.z if found is None else found.move(run.z), dtype=floats)}
    for name in ("u", "s"):
        column = run.column(name)
        if column is not None and name != run.artefact.key:
            arrays[name] = column
    arrays |= row_names.carried(latents.rows_of(run.artefact, "z", label=run.label), named)
    inputs = dict.fromkeys(each.artefact for each in (run, reference) if each is not None)
    kept = {name: run.artefact.meta[name] for name in KEPT if name in run.artefact.meta}
    meta = files.metadata(latents.SCHEMA, command, inputs, d_z=arrays["z"].shape[1], **kept)
    files.write(str(place), arrays, meta, force=force)
