"""`idkit embed`: the latents of trained models, row by row."""

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from idkit import schemas
from idkit.cli import dataset as datasets
from idkit.cli import memory as memories
from idkit.cli import options, show, trained
from idkit.errors import IdkitError, UsageError

if TYPE_CHECKING:
    from idkit import files
    from idkit.data import Dataset

SCHEMA = schemas.LATENTS
READ_AS = ("shape", "x", "likelihood", "data", "inputs")  # what decides how data are read, and are
Statistic = Literal["mean", "sample"]


def embed(
    models: Annotated[
        list[str], typer.Argument(metavar="MODEL...", help="model/1 files; '-' is standard input.")
    ],
    data: Annotated[str | None, options.data("Data. [default: what it was trained on]")] = None,
    data_root: options.DataRoot = None,
    split: Annotated[
        Literal["train", "test", "all"] | None,
        typer.Option("--split", help="Rows to embed. [default: test; all where data have none]"),
    ] = None,
    statistic: Annotated[
        Statistic, typer.Option("--statistic", help="z: the posterior mean, or a sample.")
    ] = "mean",
    responsibilities: Annotated[
        bool,
        typer.Option(
            "--responsibilities", help="Write q(u|x), too: which component a row belongs to."
        ),
    ] = False,
    seed: options.Seed = 0,
    memory: options.Memory = None,
    out: Annotated[
        str | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="For one model. [default: latents.npz beside it]"
        ),
    ] = None,
    force: options.Force = False,
    as_json: options.Json = False,
    threads: options.Threads = 1,
) -> None:
    """Write the latents of trained models, in the fixed order of the data's rows.

    z is the posterior mean unless a sample is asked for; networks are in eval mode. Labels, true
    sources and names of rows (an array id, names, index, words, ...) go along where the data have
    them. Pictures in another form than those trained on (0-1 for 0-255, channels last) are
    converted where that is certain, else refused. What is up to date is not done again.

    \b
    idkit embed runs/*/model.safetensors
    idkit embed runs/tcl*/model.safetensors --data tcl.npz
    """
    from idkit import files

    if out is not None and len(models) > 1:
        raise UsageError(f"-o {out} is one file, there are {len(models)} models: leave it out")
    files.single_stdin([*models, data or ""])
    limit = memories.allowed(memory)
    files.limit_memory(limit)
    targets = [out or _beside(model) for model in models]
    files.check_extension(out)
    import torch

    torch.set_num_threads(threads)
    loaded: dict[str, tuple[Dataset, list[files.Artefact]]] = {}
    fitted: dict[str, tuple[Dataset, bool]] = {}  # by what is the same of several models
    told: dict[str, None] = {}
    rows = []
    for source, target in zip(models, targets, strict=True):
        model = files.read(source, schema=schemas.MODEL)
        trained.check(model)
        wanted = data or trained.data_of(model)
        if wanted not in loaded:
            loaded[wanted] = datasets.load(wanted, data_root)
        given, origin = loaded[wanted]
        form = json.dumps([wanted, *(model.meta.get(key) for key in READ_AS)])
        if form not in fitted:
            dataset = trained.fitted(model, given)
            fitted[form] = dataset, trained.is_other(model, dataset, origin)
            told |= dict.fromkeys(dataset.told)
        dataset, other = fitted[form]
        meta, chosen = _meta(model, dataset, origin, split, statistic, seed, other=other)
        if responsibilities:
            meta["command"] += " --responsibilities"
        status = "skipped" if _is_current(target, meta, force=force) else "written"
        if status == "written":
            files.refuse_existing(target, force=force)
            module = _restored(model)
            _check_memory(model, module, dataset, chosen, limit, components=responsibilities)
            arrays = _latents(model, module, dataset, chosen, statistic, seed)
            if responsibilities:
                x = trained.standardized(model, dataset.x[chosen])
                arrays["responsibilities"] = _responsibilities(model, module, x)
            _write(target, arrays, meta, force=force)
        rows.append({"status": status, "n": len(chosen), "path": target})
    for text in told:
        show.caveat(f"note: {text}")
    if out != "-":
        show.rows(rows, schema="idkit.embedded/1", as_json=as_json)


def _beside(model: str) -> str:
    if model == "-":
        raise UsageError("a model from standard input needs -o FILE")
    return str(Path(model).parent / "latents.npz")


def _meta(
    model: "files.Artefact",
    dataset: "Dataset",
    origin: Sequence["files.Artefact"],
    split: str | None,
    statistic: Statistic,
    seed: int,
    *,
    other: bool,
) -> tuple[dict[str, Any], Any]:
    """The metadata of the latents, and the numbers of the rows."""
    from idkit import files

    rows = dataset.split is not None
    split = split or ("test" if rows else "all")
    if split != "all" and not rows:
        raise IdkitError(f"{dataset.name} has no split: --split {split} names nothing in it")
    chosen = dataset.rows(split)
    if not len(chosen):
        raise IdkitError(f"{dataset.name} has no rows to {split}: give another --split")
    flags = f"--data {dataset.name} " if other else ""
    flags += f"--split {split} --statistic {statistic}"
    flags += f" --seed {seed}" if statistic == "sample" else ""
    meta = files.metadata(
        SCHEMA,
        f"embed {flags}",
        [model, *origin],
        **{key: model.meta[key] for key in trained.TOLD},
        rows=hashlib.sha256(dataset.x[chosen].tobytes()).hexdigest(),
        split=split,
        statistic=statistic,
        **({"embedded": dataset.name} if other else {}),
    )
    return meta, chosen


def _is_current(target: str, meta: Mapping[str, Any], *, force: bool) -> bool:
    """Whether a file is there already that says the same of itself."""
    from idkit import files

    if force or target == "-" or not Path(target).is_file():
        return False
    try:
        return files.read(target, schema=SCHEMA).meta == meta
    except IdkitError:
        return False


def _write(target: str, arrays: Mapping[str, Any], meta: Mapping[str, Any], *, force: bool) -> None:
    """Writes latents; into a pipe as NPZ where there is text, which safetensors cannot hold."""
    from idkit import files

    piped = target == "-" or target.startswith("/dev/")
    if not piped or all(array.dtype.kind != "U" for array in arrays.values()):
        files.write(target, arrays, meta, force=force)
        return
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "latents.npz"
        files.write(str(path), arrays, meta)
        files.write_bytes(target, path.read_bytes(), force=force)


def _restored(model: "files.Artefact") -> Any:
    """The model with its weights, in eval mode."""
    from idkit.assembly import restore
    from idkit.runs import split_model

    return restore(model.meta, split_model(model.arrays)[0], label=model.label)


def _check_memory(
    model: "files.Artefact",
    module: Any,
    dataset: "Dataset",
    chosen: Any,
    limit: int,
    *,
    components: bool,
) -> None:
    from idkit import budget
    from idkit.models import Responsible
    from idkit.training.embed import memory

    told = components and isinstance(module, Responsible)  # others are refused afterwards
    needed = memory(module, dataset.x, len(chosen), components=told)
    what = f"embedding {len(chosen)} rows of {dataset.name} by {model.label}"
    budget.refuse(what, needed, limit, "fewer rows (--split, --data)")


def _responsibilities(model: "files.Artefact", module: Any, x: Any) -> Any:
    from idkit.models import Responsible
    from idkit.training.embed import responsibilities

    if not isinstance(module, Responsible):
        raise IdkitError(
            f"{model.label}: {model.meta['model']} has no components: leave out --responsibilities"
        )
    return responsibilities(module, x)


def _latents(
    model: "files.Artefact",
    module: Any,
    dataset: "Dataset",
    chosen: Any,
    statistic: Statistic,
    seed: int,
) -> dict[str, Any]:
    """The arrays of a latents/1 artefact."""
    import numpy as np

    from idkit.training.embed import posterior

    u = None if dataset.u is None else dataset.u[chosen]
    known = trained.numbered(model, module, u, dataset.name)
    mu, sigma = posterior(module, trained.standardized(model, dataset.x[chosen]), known)
    if not np.isfinite(mu).all():
        raise IdkitError(f"{model.label} maps {dataset.name} to NaN or infinity: train it again")
    arrays = {"z": mu}
    if sigma is not None:
        arrays["log_var"] = 2 * np.log(sigma)
    if statistic == "sample":
        if sigma is None:
            raise IdkitError(
                f"{model.label}: the latents of {model.meta['model']} are points, there is no "
                "posterior to sample from: leave out --statistic"
            )
        rng = np.random.default_rng([seed, int(model.meta["seed"])])
        arrays["z"] = mu + sigma * rng.standard_normal(mu.shape, dtype=np.float32)
    if u is not None:
        arrays["u"] = u
    if dataset.s is not None:
        arrays["s"] = dataset.s[chosen]
    return arrays | {name: array[chosen] for name, array in dataset.names.items()}
