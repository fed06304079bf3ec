"""What the file of a trained model says, and which data it was trained on."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idkit import shelf
from idkit.cli import generated
from idkit.errors import IdkitError

if TYPE_CHECKING:
    from idkit import files
    from idkit.data import Dataset

TOLD = ("data", "model", "arch", "d_z", "seed", "variant", "settings")  # by the latents, too


def check(model: "files.Artefact") -> None:
    """Refuses what is not a trained model of idkit's.

    Raises:
        IdkitError: when it is none, or failed in training, or does not say what it is.
    """
    from idkit import files

    if model.schema is None:
        raise IdkitError(f"{model.label} is not a model of idkit's ('idkit train' makes them)")
    if "failed_at" in model.meta:
        raise IdkitError(
            f"{model.label} failed in training at step {model.meta['failed_at']}: leave it out"
        )
    files.require(model)


def fitted(model: "files.Artefact", dataset: "Dataset") -> "Dataset":
    """Data with observations as a model reads them, and what was done to them.

    Raises:
        IdkitError: when training would have refused them, or they are not in a form that is
            certain to be that of the data trained on.
    """
    from idkit import observations

    name = dataset.name
    x, told = observations.as_trained(dataset.x, model.meta, name=name, model=model.label)
    observations.check(x, model.meta["likelihood"], name)
    return replace(dataset, x=x, told=(*dataset.told, *told))


def standardized(model: "files.Artefact", x: Any) -> Any:
    """Observations at the scale that a model was trained at.

    Args:
        model: the file.
        x: rows of `fitted`.
    """
    from idkit import scales

    scale = scales.of(model.meta, model.meta["shape"], model.label)
    return x if scale is None else scale.apply(x)


def is_other(
    model: "files.Artefact", dataset: "Dataset", origin: Sequence["files.Artefact"]
) -> bool:
    """Whether data are not those that a model was trained on: by their values, not their name.

    Args:
        model: the file.
        dataset: as of `fitted`.
        origin: the files it was read from.
    """
    from idkit import observations

    known = model.meta.get("x", {}).get("sha256")
    if known is not None:
        return bool(known != observations.digest(dataset.x))
    inputs = [(one.get("sha256"), one.get("key")) for one in model.meta["inputs"][:1]]
    if inputs or origin:
        return inputs != [(one.sha256, one.key) for one in origin[:1]]
    return bool(dataset.name != model.meta["data"])


def label_values(model: "files.Artefact") -> list[Any]:
    """The values of u that a model was trained on, in the order of their numbers."""
    return list(model.meta.get("label_values", range(model.meta["labels"])))


def numbered(model: "files.Artefact", module: Any, u: Any, name: str) -> Any:
    """Labels as a model reads them.

    Args:
        model: the file.
        module: the model in it.
        u: labels of the rows, (n,); None where the data have none.
        name: of the data, for the message.

    Returns:
        The number of each label, (n,) int64; None for a model that is given no u.

    Raises:
        IdkitError: when a label is not one that the model was trained on, or an encoder that reads
            u finds none.
    """
    from idkit import labels
    from idkit.models import Conditioned

    if not isinstance(module, Conditioned):
        return None
    values = label_values(model)
    if u is None and module.encoder_sees_u:
        raise IdkitError(
            f"the encoder of {model.label} reads u, of {labels.shown(values)}; {name} has no u"
        )
    if u is None:
        return None
    return labels.numbered(u, values, label=name, model=model.label)


def data_of(model: "files.Artefact") -> str:
    """The data that a model was trained on, by its name or by a file of the same content.

    Synthetic data whose file is not here are made again, and taken where their bytes are the same.

    Raises:
        IdkitError: when that file is not here.
    """
    from idkit import files

    inputs = model.meta["inputs"]
    if not inputs:
        data = str(model.meta["data"])
        if data not in (*shelf.names("data"), *shelf.names("synth")):
            raise IdkitError(
                f"{model.label}: 'data' is '{data}', which idkit has no data set of, and 'inputs' "
                "names no file: give the data by --data"
            )
        return data
    name, sha, key = (inputs[0].get(what) for what in ("name", "sha256", "key"))
    if name != "-" and Path(name).is_file() and files.read(name).sha256 == sha:
        return f"{name}:{key}" if key else str(name)
    made_from = model.meta.get("synth")
    again = made_from and generated.source(made_from, name=name, sha256=sha)
    if again:
        return str(again)
    where = "data from a pipe" if name == "-" else f"a file {name} that is not here"
    raise IdkitError(
        f"{model.label} was trained on {where} (sha256 {sha[:12]}...): give the data by --data"
    )
