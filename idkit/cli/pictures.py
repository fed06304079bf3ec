"""Models as `idkit plot images` shows them: with what they make of the data's test rows."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from idkit import schemas
from idkit.cli import dataset, show, trained
from idkit.errors import IdkitError

if TYPE_CHECKING:
    from idkit import files
    from idkit.data import Dataset

COLUMNS = 10
SCHEMA = "idkit.pictures/1"


def of(
    models: Sequence["files.Artefact"], data: str | None, data_root: str | None
) -> list["files.Artefact"]:
    """The models with pictures in place of their parameters.

    Args:
        models: as `idkit train` writes them.
        data: a name or a file; None is what each was trained on.
        data_root: where data sets with a name lie; None is the user's cache.

    Raises:
        IdkitError: when one is not a model, or not one of images with a decoder.
    """
    loaded: dict[str, Dataset] = {}
    return [_pictured(model, data, data_root, loaded) for model in models]


def _pictured(
    model: "files.Artefact",
    data: str | None,
    data_root: str | None,
    loaded: dict[str, "Dataset"],
) -> "files.Artefact":
    import numpy as np
    import torch

    from idkit import observations, scales
    from idkit.assembly import restore
    from idkit.observations import IMAGE_AXES
    from idkit.runs import split_model
    from idkit.training.pictures import pictures

    if model.schema not in (None, schemas.MODEL):
        raise IdkitError(
            f"{model.label} holds {model.schema}, and 'images' shows models: make them with "
            "'idkit train'"
        )
    trained.check(model)
    wanted = data or trained.data_of(model)
    if wanted not in loaded:
        loaded[wanted] = dataset.load(wanted, data_root)[0]
    found = trained.fitted(model, loaded[wanted])
    for text in found.told:
        show.caveat(f"note: {text}")
    if found.x.ndim != 1 + IMAGE_AXES:
        raise IdkitError(f"{model.label} was not trained on images: {wanted} holds none")
    module = restore(model.meta, split_model(model.arrays)[0], label=model.label)
    if not hasattr(module, "decoder") or not hasattr(module, "likelihood"):
        raise IdkitError(f"{model.label} makes no images: {model.meta['model']} has no decoder")
    chosen = _one_of_each(found)
    known = None if found.u is None else found.u[chosen]
    u = trained.numbered(model, module, known, found.name)
    u = np.zeros(len(chosen), np.int64) if u is None else u
    x = found.x[chosen]
    scale = scales.of(model.meta, model.meta["shape"], model.label)
    about = model.meta.get("x") or observations.describe(found.x, np.arange(len(found.x)))

    def shown(images: torch.Tensor) -> torch.Tensor:
        own = images.numpy() if scale is None else scale.undo(images.numpy())
        return torch.from_numpy(observations.pixels(own, about))

    arrays: Any = pictures(
        module,
        x if scale is None else scale.apply(x),
        u,
        torch.Generator().manual_seed(0),
        shown=None if scale is None and x.dtype == np.uint8 else shown,
    )
    return replace(model, schema=SCHEMA, arrays=arrays)


def _one_of_each(data: "Dataset") -> Any:
    """The first test row of each value of u; the first test rows where there are none."""
    import numpy as np

    rows = data.rows("all" if data.split is None else "test")
    if data.u is None:
        return rows[:COLUMNS]
    first = np.unique(data.u[rows], return_index=True)[1]
    return rows[first[:COLUMNS]]
