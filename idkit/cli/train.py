"""`idkit train`: models of one family over many seeds, from data to runs on disk."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from idkit import shelf
from idkit.cli import crew, dataset, options, plan, seeds, show, signals
from idkit.cli import memory as memories
from idkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from idkit import files
    from idkit.locks import Holder, Locks

OTHER_FORMATS = (".npy", ".pt", ".pth", ".csv", ".tsv", ".json", ".pkl", ".h5")

SCHEMA = "idkit.runs/1"
ELSEWHERE = "elsewhere"  # the status of a seed that another command is training

KNOBS = {  # the rooms that have some, with the function whose parameters they are
    "models": "build",
    "nets": "encoder",
    "densities/likelihoods": "build",
}


def _listed_knobs() -> str:
    """Every knob behind the name of what it belongs to."""
    owners = {
        name: ", ".join(shelf.knobs(room, name, member))
        for room, member in KNOBS.items()
        for name in shelf.names(room)
    }
    return "; ".join(f"{name} {knobs}" for name, knobs in owners.items() if knobs)


def _knobs_of(model: str | None) -> list[str]:
    """The knobs that may be given to a model, or to any, as they are completed."""
    others = [(r, n) for r in KNOBS if r != "models" for n in shelf.names(r)]
    models = [("models", n) for n in shelf.names("models") if model in (None, n)]
    names = [k for room, n in (*models, *others) for k in shelf.knobs(room, n, KNOBS[room])]
    return [f"{name}=" for name in dict.fromkeys(names)]


def train(
    data: Annotated[
        str,
        options.data(
            f"Data: a name ({', '.join((*shelf.names('data'), *shelf.names('synth')))}) or a file; "
            "'-' is standard input."
        ),
    ] = "digits",
    data_root: options.DataRoot = None,
    model: Annotated[str, options.choice("models", "--model", "Model")] = "vade",
    arch: Annotated[str | None, options.choice("nets", "--arch", "Nets")] = None,
    dz: Annotated[
        int | None,
        typer.Option("--dz", metavar="N", min=1, help="Latent dimensions. [default: the data's]"),
    ] = None,
    seed: Annotated[
        str, typer.Option("--seed", metavar="LIST", help="Seeds, as 1-10,12: a run for each.")
    ] = "1",
    epochs: Annotated[
        int | None, typer.Option("--epochs", metavar="N", min=1, help="Passes over the data.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option("--steps", metavar="N", min=1, help="Optimiser steps, instead of --epochs."),
    ] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(
            "--batch-size",
            metavar="N",
            min=1,
            help="Rows of a minibatch. [default: the data's]",
        ),
    ] = None,
    lr: Annotated[
        float | None,
        typer.Option(
            "--lr",
            metavar="X",
            help="Adam's first step size; reduced on plateaus. [default: the data's]",
        ),
    ] = None,
    likelihood: Annotated[
        str | None, options.choice("densities/likelihoods", "--likelihood", "p(x|z)")
    ] = None,
    components: Annotated[
        int | None, typer.Option("--components", metavar="K", min=1, help="Mixture components K.")
    ] = None,
    binarize: Annotated[
        Literal["dynamic", "none"] | None,
        typer.Option(
            "--binarize",
            help="Grey pixels of bernoulli: drawn black or white afresh in each training batch, "
            "or taken as they are. [default: dynamic]",
        ),
    ] = None,
    standardize: Annotated[
        bool,
        typer.Option(
            "--standardize",
            help="Bring each column of x (each channel of images) to mean 0 and standard deviation "
            "1 over the training rows. Kept in the model: 'embed' does the same, and figures are "
            "in the data's own units.",
        ),
    ] = False,
    knob: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            metavar="NAME=VALUE",
            help=f"A knob of the model, nets or likelihood ({_listed_knobs()}).",
            autocompletion=lambda ctx: _knobs_of(ctx.params.get("model")),
        ),
    ] = None,
    vary: Annotated[
        Literal["all", "init", "order", "noise"],
        typer.Option("--vary", help="Which random streams follow the seed; others are seed 0's."),
    ] = "all",
    init: Annotated[
        Literal["torch", "data"] | None,
        typer.Option("--init", help="Initial parameters. [default: data for images]"),
    ] = None,
    device: Annotated[
        str,
        typer.Option(
            "--device",
            metavar="cpu|cuda",
            help="Where to compute.",
            autocompletion=lambda: ["cpu", "cuda"],
        ),
    ] = "cpu",
    precision: Annotated[
        Literal["float32", "tf32", "bf16"],
        typer.Option("--precision", help="Of matrix products: less is faster on a GPU."),
    ] = "float32",
    batch_seeds: Annotated[
        str,
        typer.Option("--batch-seeds", metavar="auto|N", help="Seeds in one computation."),
    ] = "auto",
    compiled: Annotated[
        plan.Switch, typer.Option("--compile", help="Compile the training step.")
    ] = "auto",
    save_seconds: Annotated[
        float,
        typer.Option("--save-seconds", metavar="S", min=0, help="Seconds between checkpoints."),
    ] = 60,
    no_wait: Annotated[
        bool,
        typer.Option(
            "--no-wait",
            help="Skip seeds that another idkit train is training (exit 5), instead of waiting.",
        ),
    ] = False,
    memory: options.Memory = None,
    out: Annotated[
        str,
        typer.Option(
            "-o",
            "--out",
            metavar="FOLDER|FILE",
            help="Folder of runs; for one seed also a .safetensors or .npz file, or '-'.",
        ),
    ] = "runs",
    force: options.Force = False,
    as_json: options.Json = False,
    threads: options.Threads = 1,
) -> None:
    """Train a model once for each seed.

    A file of data holds x, rows of numbers or images (n, channels, height, width); and, where there
    are, labels u (integers or text), true sources s, a split (0 train, 1 test) and names of rows.

    Each run is a folder of its own: runs/<data>-<model>-<arch>-dz<d_z>-s<seed>/model.safetensors.
    What is finished is skipped; what was stopped or killed goes on where it was. Any number of
    commands, also on several machines, may work in one folder: each seed is trained by one of
    them, and the others wait until it is there, or take it over if that one was killed (on
    another machine, once nothing has been heard of it for five minutes).

    \b
    idkit train --model vade --arch mlp --seed 1-5
    idkit train --data mine.npz --model ivae --seed 1-10 --threads 2
    seq 10 | xargs -P 4 -I {} idkit train --seed {}
    idkit synth tcl --seed 7 | idkit train --data - --model ivae -o - > model.safetensors
    """
    from idkit import files

    numbers = seeds.parse(seed)
    single = _is_file(out)
    if single and len(numbers) > 1:
        raise UsageError(f"{out} is one file, --seed {seed} are {len(numbers)} runs: name a folder")
    if single:
        files.refuse_existing(out, force=force)
    wishes = plan.Wishes(
        model=model,
        arch=arch,
        likelihood=likelihood,
        d_z=dz,
        knobs=_knobs(knob or [], components=components, binarize=binarize),
        epochs=epochs,
        steps=steps,
        batch_size=batch_size,
        lr=lr,
        vary=vary,
        init=init,
        device=device,
        precision=precision,
        compiled=compiled,
        batch_seeds=batch_seeds,
        standardize=standardize,
        memory=memory,
    )
    files.limit_memory(memories.allowed(memory))
    found, inputs = dataset.load(data, data_root)
    job, most = plan.job(
        wishes, found, inputs, numbers, out, save_seconds=save_seconds, processes=threads
    )
    if single:
        row = _train_one(job, numbers[0], out, force=force)
        if as_json:
            show.rows([row], schema=SCHEMA, as_json=True)
        return
    with job.group.shared() as locks:
        again = _forget(job, locks, numbers) if force else frozenset()
        job = replace(job, again=again)
        rows = _train(job, locks, numbers, most=most, threads=threads, waits=not no_wait)
    show.rows(rows, schema=SCHEMA, as_json=as_json)
    _exit_if_failed(job, rows)


def _is_file(out: str) -> bool:
    """Whether an output is one file, and not a folder of runs.

    Raises:
        UsageError: when it is called as a file of a format that models are not written in.
    """
    suffix = Path(out).suffix.lower()
    if suffix in OTHER_FORMATS and not Path(out).is_dir():
        raise UsageError(
            f"cannot write a model as '{out}': end it in .npz or .safetensors, or name a folder"
        )
    return out == "-" or suffix in (".safetensors", ".npz")


def _train_one(job: crew.Job, seed: int, out: str, *, force: bool) -> dict[str, Any]:
    """Trains one seed into one file, and reports on it; nothing is written of one that failed."""
    from idkit import files

    with tempfile.TemporaryDirectory() as scratch:
        job = replace(job, group=replace(job.group, folder=Path(scratch)))
        for text in plan.remarks(job):
            show.note(f"note: {text}")
        trained = crew.train(job, [[seed]], processes=1)
        _exit_if_stopped(trained.signal, "nothing is kept: -o FOLDER saves as it goes")
        made = job.group.finished(seed)
        assert made is not None
        _note_low(job, {seed: made})
        if _failed(made):
            show.error("idkit train", f"{_failure(job, [seed])}; nothing is written")
            raise typer.Exit(ExitCode.SEEDS_FAILED)
        files.write(out, made.arrays, made.meta, force=force)
        row = {**_row(job, seed, trained.seconds.get(seed)), "path": out}
    show.news(f"wrote {out}")
    return row


def _forget(job: crew.Job, locks: "Locks", numbers: Sequence[int]) -> frozenset[int]:
    """Removes the runs of seeds that are to be trained again.

    Returns:
        The seeds that another command is training: theirs are removed when it has done so.
    """
    ours, elsewhere = job.group.claim(locks, numbers, again=numbers)
    job.group.release(locks, ours)
    return frozenset(elsewhere)


def _train(
    job: crew.Job, locks: "Locks", numbers: Sequence[int], *, most: int, threads: int, waits: bool
) -> list[dict[str, Any]]:
    """Trains what is not finished yet, and reports on every seed asked for."""
    group = job.group
    trained = crew.Trained()
    waited = False
    while todo := [s for s in numbers if s in job.again or group.finished(s) is None]:
        elsewhere = group.elsewhere(locks, todo, again=job.again)
        free = [seed for seed in todo if seed not in elsewhere]
        if free:
            locks.prepare()
            batches = plan.batches(group, numbers, free, most=most, processes=threads)
            _announce(job, free, first=not trained.seconds)
            made = crew.train(job, batches, processes=min(threads, len(batches)))
            trained.seconds |= made.seconds
            job = replace(job, again=job.again - made.seconds.keys())
            _exit_if_stopped(made.signal, "the same command goes on from here")
        elif not waits:
            break
        else:
            stopped = crew.wait(job, todo, said="" if waited else _waiting(elsewhere))
            waited = True
            _exit_if_stopped(stopped, "the same command goes on from here")
    group.drop_checkpoints(numbers)
    fresh = [seed for seed in numbers if seed in trained.seconds]
    _note_collapse(job, fresh)
    _note_unfinished(job, fresh)
    _note_low(job, {seed: one for seed in fresh if (one := job.group.finished(seed)) is not None})
    return [_row(job, seed, trained.seconds.get(seed)) for seed in numbers]


def _announce(job: crew.Job, seeds_: Sequence[int], *, first: bool) -> None:
    show.news(
        f"training {job.group.name}: {seeds.named(seeds_)}, {job.settings.steps} steps"
        + (", compiled" if job.settings.compiled else "")
    )
    for text in plan.remarks(job) if first else ():
        show.note(f"note: {text}")


def _waiting(elsewhere: "Mapping[int, Holder]") -> str:
    who = ", ".join(dict.fromkeys(map(str, elsewhere.values())))
    them = "it" if len(elsewhere) == 1 else "them"
    return (
        f"waiting for {seeds.named(list(elsewhere))}, in training by {who} (Ctrl-C stops waiting, "
        f"--no-wait skips {them})"
    )


def _note_collapse(job: crew.Job, trained: Sequence[int]) -> None:
    """Names the seeds whose mixture has come to be one component."""
    from idkit.components import use

    for seed in trained:
        made = job.group.finished(seed)
        found = use(made.arrays) if made is not None else None
        if found is not None and found.collapsed:
            show.note(f"note: seed {seed}: components: {found}")


def _note_unfinished(job: crew.Job, trained: Sequence[int]) -> None:
    """Names the seeds whose fit ended before it had found what it looked for."""
    made = {seed: job.group.finished(seed) for seed in trained}
    ended = [s for s, one in made.items() if one is not None and not one.arrays.get("converged", 1)]
    if ended:
        show.note(
            f"note: {seeds.named(ended)}: the search for components has not converged: the data "
            "may have no independent linear sources"
        )


def _note_low(job: crew.Job, trained: Mapping[int, "files.Artefact"]) -> None:
    """Names the seeds whose objective is lower than what needs no training."""
    good = {seed: made for seed, made in trained.items() if not _failed(made)}
    if not job.settings.steps or not good:
        return
    import torch

    from idkit.assembly import builder
    from idkit.runs import split_model
    from idkit.training import floors
    from idkit.training.fit import Ensembles

    rows = crew.training_rows(job.dataset, torch.device("cpu"))
    ensembles = Ensembles(builder(job.design), rows, job.settings)
    objectives = {seed: floors.reached(split_model(one.arrays)[1]) for seed, one in good.items()}
    constant = floors.constant(ensembles)
    low = [seed for seed in objectives if objectives[seed] < floors.start(ensembles, seed)]
    flat = [seed for seed in objectives if objectives[seed] < constant and seed not in low]
    for which, what in ((low, "its untrained start"), (flat, f"a constant output, {constant:.5g}")):
        if which:
            least = f"{min(objectives[seed] for seed in which):.5g}"
            show.caveat(
                f"warning: {seeds.named(which)}: the objective ({least}"
                f"{' the lowest' if len(which) > 1 else ''}) is below that of {what}: train "
                "longer, or lower --lr"
            )


def _row(job: crew.Job, seed: int, seconds: float | None) -> dict[str, Any]:
    """One line of the report on a seed."""
    from idkit.runs import MODEL

    made = job.group.finished(seed)
    if made is None or seed in job.again:
        unknown = dict.fromkeys(("objective", "epochs", "seconds"))
        path = str(job.group.run(seed) / MODEL)
        return {"seed": seed, "status": ELSEWHERE, **unknown, "path": path}
    objective = made.arrays.get("history/objective")
    return {
        "seed": seed,
        "status": "failed" if _failed(made) else "skipped" if seconds is None else "trained",
        "objective": None if objective is None or not len(objective) else float(objective[-1]),
        "epochs": 0 if objective is None else len(objective),
        "seconds": None if seconds is None else round(seconds, 2),
        "path": str(job.group.file(seed)),
    }


def _failed(made: "files.Artefact") -> bool:
    return "failed_at" in made.meta


def _exit_if_stopped(number: int | None, hint: str) -> None:
    if number is not None:
        show.error("idkit train", f"stopped: {hint}")
        raise typer.Exit(signals.exit_code(number))


def _exit_if_failed(job: crew.Job, rows: Sequence[dict[str, Any]]) -> None:
    failed = [row for row in rows if row["status"] == "failed"]
    elsewhere = [row["seed"] for row in rows if row["status"] == ELSEWHERE]
    said = []
    if failed:
        kept = "it is kept" if len(failed) == 1 else "they are kept"
        known = any(row["seconds"] is None for row in failed)
        said.append(
            f"{_failure(job, [row['seed'] for row in failed])}; {kept} as failed.safetensors and "
            "never scored" + ("; --force tries again" if known else "")
        )
    if elsewhere:
        them = "it" if len(elsewhere) == 1 else "them"
        said.append(
            f"{seeds.named(elsewhere)}: skipped, another idkit train is training {them}: the same "
            "command without --no-wait waits"
        )
    if said:
        show.error("idkit train", "; ".join(said))
        raise typer.Exit(ExitCode.SEEDS_FAILED)


def _failure(job: crew.Job, failed: Sequence[int]) -> str:
    """What happened to some seeds, and what may help."""
    flat = job.dataset.x[0].ndim == 1
    cure = "a smaller --lr, or rescaled columns," if flat else "a smaller --lr"
    return f"{seeds.named(failed)}: the objective ceased to be finite ({cure} may help)"


def _knobs(pairs: Sequence[str], **options: object) -> dict[str, str]:
    """The knobs as typed, by name; some are options, too."""
    texts = {name: str(value) for name, value in options.items() if value is not None}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f"cannot read -p {pair}: write it as -p NAME=VALUE")
        texts[name] = value
    return texts
