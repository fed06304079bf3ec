"""What `--data` means: a name, a generator of synthetic data, or a file."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idkit import shelf
from idkit.cli import generated, remarks, show
from idkit.errors import IdkitError

if TYPE_CHECKING:
    from idkit import files
    from idkit.data import Dataset, Recipe

SYNTH_SEED = 0  # of a generator named as data: for another, write the data with `idkit synth`
ROW_NAMES = (  # arrays that latents keep, so that rows can be matched by them
    *("id", "ids", "name", "names", "index", "obs_names"),
    *("sample_id", "sample_ids", "words", "keys"),
)
COLOURS = 3  # channels of a colour image


def root(folder: str | None) -> Path:
    """The folder of data sets: the one given, else the user's cache."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(folder).expanduser() if folder else Path(cache) / "idkit"


def load(source: str, folder: str | None) -> tuple["Dataset", list["files.Artefact"]]:
    """A data set by what the user typed.

    Args:
        source: a name in `data`, a name in `synth`, a file (`-` for standard input), or a source
            of `generated`.
        folder: where data sets with a name lie; None is the user's cache.

    Returns:
        The data, and the files that were read.

    Raises:
        IdkitError: when there is no such thing, or the file holds no data set.
        MissingError: when the data set is not on this machine.
    """
    if source.startswith(generated.AGAIN):
        made = generated.again(source)
        return _from_file(made), [made]
    if source in shelf.names("data"):
        return shelf.take("data", source, "load")(root(folder)), []
    if source in shelf.names("synth"):
        import numpy as np

        return shelf.take("synth", source, "sample")(np.random.default_rng(SYNTH_SEED)), []
    if source != "-" and not Path(source.partition(":")[0]).exists() and "." not in source:
        known = [*shelf.names("data"), *shelf.names("synth")]
        shelf.check(source, known, what="data set, and no file of that name:")
    from idkit import files

    artefact = files.read(source, schema=generated.SCHEMA)
    remarks.tell([artefact], say=show.note)
    return _from_file(artefact), [artefact]


def _from_file(artefact: "files.Artefact") -> "Dataset":
    """A data set from a data/1 artefact, or from any file with an array of observations."""
    from idkit import labels, observations
    from idkit.data import Dataset

    x, told = observations.read(artefact.array("x"), artefact.label)
    u, s, split = (_beside(artefact, name, len(x)) for name in ("u", "s", "split"))
    return Dataset(
        _name(artefact),
        x,
        None if u is None else labels.read(u, artefact.label),
        None if s is None else _sources(s, artefact.label),
        None if split is None else _split(split, artefact.label),
        _recipe(artefact, x, s),
        names=_names(artefact, len(x)),
        told=told,
    )


def _name(artefact: "files.Artefact") -> str:
    """What runs on these data are called; it is part of the name of a folder."""
    stem = "stdin" if artefact.name == "-" else Path(artefact.name).stem
    name = str(artefact.meta.get("data") or stem) + (f"-{artefact.key}" if artefact.key else "")
    return re.sub(r"[^\w.+-]+", "_", name).lstrip(".-") or "data"


def _recipe(artefact: "files.Artefact", x: Any, s: Any) -> "Recipe":
    """How models are trained on these data: as on those of the same name, or by what they are."""
    from dataclasses import replace

    import numpy as np

    from idkit.data import COLOUR, IMAGES, SYNTHETIC

    recipe: Recipe = IMAGES
    if artefact.meta.get("data") in shelf.names("data"):
        recipe = shelf.take("data", str(artefact.meta["data"]), "RECIPE")
    elif s is not None:
        recipe = replace(SYNTHETIC, d_z=s.shape[1])
    elif x.ndim == 2:
        recipe = replace(IMAGES, d_z=min(IMAGES.d_z, x.shape[1]))
    elif x.shape[1] == COLOURS and x.dtype == np.uint8:
        recipe = COLOUR
    return recipe


def _beside(artefact: "files.Artefact", name: str, n: int) -> Any:
    """An optional array with one row for each observation."""
    if name not in artefact.arrays:
        return None
    array = artefact.arrays[name]
    found = len(array) if array.ndim else "no"
    if found != n:
        raise IdkitError(f"{artefact.label}: '{name}' has {found} rows, the observations have {n}")
    return array


def _names(artefact: "files.Artefact", n: int) -> dict[str, Any]:
    """What may name the rows; an array of such a name may name something else, as columns."""
    members = artefact.arrays.members
    known = [name for name in ROW_NAMES if name in members and members[name].shape == (n,)]
    arrays = {name: artefact.arrays[name] for name in known if name != artefact.key}
    return {name: array for name, array in arrays.items() if array.dtype.kind in "iuU"}


def _sources(s: Any, label: str) -> Any:
    import numpy as np

    if s.ndim != 2 or not s.size or s.dtype.kind not in "iufb":
        raise IdkitError(
            f"{label}: 's' has shape {s.shape} and type {s.dtype}: expected numbers (n, d_s)"
        )
    return np.asarray(s, np.float32)


def _split(split: Any, label: str) -> Any:
    import numpy as np

    if split.ndim != 1 or not np.isin(split, (0, 1)).all() or np.asarray(split).all():
        raise IdkitError(
            f"{label}: 'split' must be 0 (train) or 1 (test) for each row, and 0 for some"
        )
    return np.asarray(split, np.uint8)
