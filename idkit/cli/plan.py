"""What the options of `train` and the data together mean: the model, its training, its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from idkit.budget import size
from idkit.cli import generated, show
from idkit.cli.crew import Job
from idkit.cli.memory import Memory, allowed
from idkit.errors import UsageError

if TYPE_CHECKING:
    from idkit import files
    from idkit.assembly import Design
    from idkit.data import Dataset, Recipe
    from idkit.runs import Group
    from idkit.scales import Scale
    from idkit.training.cost import Cost
    from idkit.training.fit import Settings
    from idkit.training.precision import Precision

STACKED_FLOPS = 32_000_000  # of a forward pass: with more, a core is full with one seed
MOST_STACKED = 16  # seeds in one computation; more gain nothing
PROBES = (2, 4)  # rows whose cost tells that of all: it grows evenly with them
MOST_LABELS = 10_000  # values that a model keeps although it does not know them
UNBOUNDED = "gaussian"  # the likelihood of numbers of any size
FEW_ROWS = 2  # of a label, on average, that say little of it
FLOAT_BYTES = 4  # of a parameter
COMPILING_PAYS = 10_000  # steps whose savings repay the compiler's half minute
Switch = Literal["auto", "on", "off"]


@dataclass(frozen=True)
class Wishes:
    """The options of `train` as the user gave them; None leaves it to the data's recipe."""

    model: str
    arch: str | None
    likelihood: str | None
    d_z: int | None
    knobs: Mapping[str, str]
    epochs: int | None
    steps: int | None
    batch_size: int | None
    lr: float | None
    vary: Literal["all", "init", "order", "noise"]
    init: Literal["torch", "data"] | None
    device: str
    precision: "Precision"
    compiled: Switch
    batch_seeds: str
    memory: str | None
    standardize: bool = False


def job(
    wishes: Wishes,
    dataset: "Dataset",
    inputs: Sequence["files.Artefact"],
    seeds: Sequence[int],
    out: str,
    *,
    save_seconds: float,
    processes: int,
) -> tuple[Job, int]:
    """The job of training, and how many seeds go into one computation at most.

    Args:
        wishes: the options.
        dataset: what is trained on.
        inputs: the files it was read from.
        seeds: the seeds asked for.
        out: the folder of runs.
        save_seconds: the longest time whose work a kill may cost.
        processes: how many computations share the machine.

    Raises:
        UsageError: when the wishes contradict one another, the data, or the machine.
    """
    from idkit import observations
    from idkit.training import compiler

    hindrance = compiler.hindrance()  # before torch computes anything
    _check(wishes)
    dataset = replace(dataset, recipe=_recipe(wishes, dataset))
    design = _design(wishes, dataset)
    stored, scale = dataset, _scale(design, dataset) if wishes.standardize else None
    if scale is not None:
        dataset = replace(stored, x=scale.apply(stored.x))
    observations.check(dataset.x, design.likelihood, dataset.name)
    settings = _settings(wishes, dataset, design)
    memory = Memory(allowed(wishes.memory, wishes.device), min(processes, len(seeds)))
    memory.refuse(_parameters(design))  # before anything of that size is made
    cost = _cost(design, settings, dataset)
    memory.refuse(cost.bytes)
    wide = cost.flops > STACKED_FLOPS and wishes.device == "cpu"
    settings = _compiled(wishes, settings, hindrance, wide=wide)
    most = _most(wishes, cost, memory, len(seeds), wide=wide)
    group, command = _group(wishes, stored, inputs, design, settings, scale, out)
    commands = {seed: f"{command} --seed {seed}" for seed in seeds}
    job = Job(group, design, settings, dataset, commands, wishes.device, save_seconds)
    return job, most


def batches(
    group: "Group", asked: Sequence[int], todo: Sequence[int], *, most: int, processes: int
) -> list[list[int]]:
    """Which seeds are trained side by side.

    The seeds asked for are dealt out, and those that are finished left out afterwards: a command
    that was killed forms the same computations again, and ends with the same bytes.

    Args:
        group: may hold checkpoints; their seeds stay together, so that going on is exact.
        asked: the seeds of the command.
        todo: those of them that are not finished.
        most: seeds in one computation at most.
        processes: over how many processes they are spread.
    """
    *planned, left = group.begun_together(todo)
    rounds = -(-len(asked) // (most * processes))
    count = min(len(asked), rounds * processes)
    dealt = [[seed for seed in asked[first::count] if seed in left] for first in range(count)]
    return planned + [batch for batch in dealt if batch]


def _check(wishes: Wishes) -> None:
    import torch

    if wishes.epochs is not None and wishes.steps is not None:
        raise UsageError("--epochs and --steps say the same in two ways: give one")
    if wishes.lr is not None and not 0 < wishes.lr < float("inf"):
        raise UsageError(f"--lr is {wishes.lr}: a step size is positive")
    if wishes.precision == "tf32" and wishes.device == "cpu":
        raise UsageError("--precision tf32 is of NVIDIA GPUs: give --device cuda, or leave it out")
    try:
        torch.zeros(1, device=wishes.device).item()  # a device that can hold and give numbers
    except (RuntimeError, AssertionError):
        raise UsageError(f"torch cannot compute on --device {wishes.device} here") from None


def _recipe(wishes: Wishes, dataset: "Dataset") -> "Recipe":
    """The data's recipe, with what is the model's to say.

    Raises:
        UsageError: when the wishes name what the model has none of.
    """
    from idkit.assembly import recipe

    made = replace(dataset.recipe, **recipe(wishes.model, tuple(dataset.x.shape[1:])))
    stepped = ("epochs", "steps", "batch_size", "lr") if made.steps == 0 else ()
    netted = ("arch", "init") if made.arch is None else ()
    scored = ("likelihood",) if made.likelihood is None else ()
    for name in (*netted, *scored, *stepped):
        if getattr(wishes, name) is not None:
            raise UsageError(
                f"--{name.replace('_', '-')} means nothing to {wishes.model}: leave it out"
            )
    return made


def _design(wishes: Wishes, dataset: "Dataset") -> "Design":
    from idkit.assembly import Design, has_knob, knob_values

    recipe = dataset.recipe
    arch = wishes.arch or recipe.arch
    likelihood = wishes.likelihood or recipe.likelihood
    knobs = knob_values(wishes.model, arch, likelihood, wishes.knobs)
    if has_knob(wishes.model, "components"):
        knobs.setdefault("components", recipe.components)
        if "components" in wishes.knobs:
            knobs["components"] = int(wishes.knobs["components"])
    return Design(
        model=wishes.model,
        arch=arch,
        likelihood=likelihood,
        shape=tuple(dataset.x.shape[1:]),
        labels=dataset.labels,
        d_z=wishes.d_z or recipe.d_z,
        images=dataset.x.ndim > 2,
        knobs=knobs,
    )


def _scale(design: "Design", dataset: "Dataset") -> "Scale":
    """The scale of the training rows.

    Raises:
        UsageError: when the likelihood scores numbers of one scale only.
    """
    from idkit import scales

    if design.likelihood not in (None, UNBOUNDED):
        raise UsageError(
            f"--standardize makes numbers of any size, the likelihood {design.likelihood} does not "
            f"score them: give --likelihood {UNBOUNDED}, or leave it out"
        )
    return scales.fit(dataset.x[dataset.rows("train")])


def _settings(wishes: Wishes, dataset: "Dataset", design: "Design") -> "Settings":
    from idkit.training.fit import Settings

    recipe = dataset.recipe
    rows = len(dataset.rows("train"))
    batch_size = min(wishes.batch_size or recipe.batch_size, rows)
    if wishes.batch_size and wishes.batch_size > rows:
        show.note(f"note: --batch-size {wishes.batch_size} is cut to {rows}, all rows there are")
    steps = wishes.steps or recipe.steps
    epochs = wishes.epochs or (None if wishes.steps else recipe.epochs)
    if epochs is not None:
        steps = epochs * (rows // batch_size)
    assert steps is not None, "a recipe names epochs or steps"
    return Settings(
        steps=steps,
        batch_size=batch_size,
        lr=wishes.lr or recipe.lr.get(design.arch or "", recipe.lr[""]),
        factor=recipe.factor,
        patience=recipe.patience,
        init=wishes.init or _init(design),
        vary=wishes.vary,
        precision=wishes.precision,
    )


def _init(design: "Design") -> Literal["torch", "data"]:
    return "data" if design.images and design.arch else "torch"


def remarks(job: Job) -> list[str]:
    """What a user should know of a model and its data before it is trained."""
    from idkit import scales
    from idkit.models import Conditioned, Watched

    model, dataset = _example(job.design), job.dataset
    likelihood = getattr(model, "likelihood", None)
    of_scale = ""
    if likelihood is not None:
        x = dataset.x[dataset.rows("train")]
        of_scale = scales.remark(x, getattr(likelihood, "scale", None))
    of_labels = _of_labels(dataset) if isinstance(model, Conditioned) else []
    of_model = model.remark() if isinstance(model, Watched) else ""
    return [*dataset.told, *of_labels, *filter(None, [of_scale, of_model])]


def _of_labels(dataset: "Dataset") -> list[str]:
    """What a user should know of the labels that a model is given."""
    import numpy as np

    from idkit import labels

    assert dataset.u is not None, "a model that is given u refuses data without"
    values, rows = dataset.values, len(dataset.rows("train"))
    found = []
    if not labels.are_numbers(values):
        found.append(f"labels are numbered from 0 in ascending order: {labels.shown(values)}")
    if FEW_ROWS * len(values) > rows and len(values) > 1:
        found.append(f"u has {len(values)} values in {rows} rows: few rows to learn each from")
    others = np.setdiff1d(np.unique(dataset.u), values).tolist()
    if others:
        found.append(
            "labels in test rows alone, of which the model learns nothing: " + labels.shown(others)
        )
    return found


def _parameters(design: "Design") -> int:
    """The memory that the parameters of one seed take in training, found without taking it."""
    from idkit.assembly import numbers
    from idkit.training.cost import COPIES

    return COPIES * FLOAT_BYTES * numbers(design)


def _cost(design: "Design", settings: "Settings", dataset: "Dataset") -> "Cost":
    """What one seed takes; nothing where nothing is trained."""
    from idkit.training.cost import Cost

    model = _example(design)
    if not list(model.parameters()):
        return Cost(flops=0, bytes=0)
    few, more = PROBES
    if settings.batch_size <= more:
        return _probe(model, dataset, settings.batch_size)
    first, second = (_probe(model, dataset, rows) for rows in PROBES)
    times = (settings.batch_size - few) / (more - few)
    return Cost(
        flops=round(first.flops + times * (second.flops - first.flops)),
        bytes=round(first.bytes + times * (second.bytes - first.bytes)),
    )


def _probe(model: Any, dataset: "Dataset", rows: int) -> "Cost":
    import torch

    from idkit.training.cost import cost

    chosen = dataset.rows("train")[:rows]
    u = torch.zeros(len(chosen), dtype=torch.int64)
    return cost(model, torch.from_numpy(dataset.x[chosen]), u)


def _example(design: "Design") -> Any:
    """A model of the design, with any weights."""
    import torch

    from idkit.assembly import builder

    with torch.random.fork_rng(devices=[]):
        return builder(design)()


def _compiled(wishes: Wishes, settings: "Settings", hindrance: str, *, wide: bool) -> "Settings":
    pays = settings.steps >= COMPILING_PAYS and not wide
    wanted = {"auto": pays, "on": True, "off": False}[wishes.compiled]
    if wanted and hindrance:
        show.note(f"note: steps are not compiled, which is slower: {hindrance}")
    return replace(settings, compiled=wanted and not hindrance)


def _most(wishes: Wishes, cost: "Cost", memory: Memory, seeds: int, *, wide: bool) -> int:
    """How many seeds go into one computation at most.

    Where matrices are small, as many as gain anything; where they fill a core, one after the
    other; never more than memory holds.
    """
    if wishes.batch_seeds != "auto":
        if not wishes.batch_seeds.isdecimal() or int(wishes.batch_seeds) < 1:
            raise UsageError(f"--batch-seeds is '{wishes.batch_seeds}': expected auto or a number")
        most = int(wishes.batch_seeds)
        memory.refuse(cost.bytes, min(most, -(-seeds // memory.processes)))
        return most
    most = 1 if wide else min(MOST_STACKED, memory.fit(cost.bytes))
    show.detail(
        f"seeds in one computation: at most {most} (a forward pass of one takes "
        f"{cost.flops / 1e6:.0f} MFLOP, training it {size(cost.bytes)} of {size(memory.allowed)})"
    )
    return most


def _group(
    wishes: Wishes,
    dataset: "Dataset",
    inputs: Sequence["files.Artefact"],
    design: "Design",
    settings: "Settings",
    scale: "Scale | None",
    out: str,
) -> tuple["Group", str]:
    """Where the runs stand and what is said of them; and the command but for its seed."""
    from dataclasses import asdict

    from idkit import files, observations, runs

    variant, special = _variant(dataset, design), _special(wishes, dataset, design, settings)
    parts: dict[str, Any] = {"data": dataset.name, "model": design.model}
    parts |= {"arch": design.arch} if design.arch else {}
    name = "-".join(
        [
            *parts.values(),
            f"dz{design.d_z}",
            *(_part(key, value) for key, value in {**variant, **special}.items()),
        ]
    )
    parts |= {"dz": design.d_z, **variant, **special}
    known = ("data", "model", "arch", "dz", "steps", "epochs", "batch_size", "lr", "likelihood")
    flags = [
        f"--{key.replace('_', '-')}" + ("" if value is True else f" {value}")
        if key in (*known, "init", "vary", "precision", "standardize")
        else f"-p {key}={value}"
        for key, value in parts.items()
    ]
    training = asdict(settings)
    training.pop("compiled")
    made_from = generated.recipe(inputs)
    meta = files.metadata(
        runs.SCHEMA,
        "",
        inputs,
        data=dataset.name,
        model=design.model,
        arch=design.arch,
        d_z=design.d_z,
        likelihood=design.likelihood,
        shape=list(design.shape),
        labels=design.labels,
        images=design.images,
        **_label_values(design, dataset),
        x=observations.describe(dataset.x, dataset.rows("train")),
        knobs=dict(design.knobs),
        variant=variant,
        settings=special,
        training=training,
        **({"synth": made_from} if made_from else {}),
        **({"standardize": scale.meta} if scale is not None else {}),
    )
    return runs.Group(Path(out), name, meta), " ".join(["train", *flags])


def _label_values(design: "Design", dataset: "Dataset") -> dict[str, Any]:
    """The values of u, which a model that is given none needs to keep only where they are few."""
    from idkit.models import Conditioned

    few = design.labels <= MOST_LABELS
    kept = dataset.u is not None and (few or isinstance(_example(design), Conditioned))
    return {"label_values": dataset.values} if kept else {}


def _part(key: str, value: Any) -> str:
    """A setting as a part of a name; one that is on is named alone."""
    return key.replace("_", "") + ("" if value is True else str(value))


def _variant(dataset: "Dataset", design: "Design") -> dict[str, Any]:
    """How the model differs from the defaults of its parts and the data's recipe, by name."""
    recipe = dataset.recipe
    variant: dict[str, Any] = {
        name: value
        for name, value in sorted(design.knobs.items())
        if (name, value) != ("components", recipe.components)
    }
    if design.likelihood != recipe.likelihood:
        variant["likelihood"] = design.likelihood
    return variant


def _special(
    wishes: Wishes, dataset: "Dataset", design: "Design", settings: "Settings"
) -> dict[str, Any]:
    """How training differs from the data's recipe, by the option's name."""
    recipe = dataset.recipe
    special: dict[str, Any] = {}
    if wishes.epochs is not None and wishes.epochs != recipe.epochs:
        special["epochs"] = wishes.epochs
    if wishes.steps is not None and wishes.steps != recipe.steps:
        special["steps"] = wishes.steps
    if wishes.batch_size is not None and settings.batch_size != recipe.batch_size:
        special["batch_size"] = settings.batch_size
    if settings.lr != recipe.lr.get(design.arch or "", recipe.lr[""]):
        special["lr"] = settings.lr
    if settings.init != _init(design):
        special["init"] = settings.init
    if settings.vary != "all":
        special["vary"] = settings.vary
    if settings.precision != "float32":
        special["precision"] = settings.precision
    if wishes.standardize:
        special["standardize"] = True
    return special
