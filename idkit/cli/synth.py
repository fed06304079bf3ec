"""`idkit synth`: data and latents whose truth is known."""

import hashlib
import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
import typer.core
import typer.main

from idkit import schemas, shelf
from idkit.cli import cramped, generated, options, remarks, show
from idkit.errors import UsageError

if TYPE_CHECKING:
    from idkit import files

DATA, LATENTS = "synth", "synth/latents"
SCHEMA = "idkit.made/1"
COLUMNS = ("data", "n", "d_x", "d_s", "d_z", "labels")  # of a row, None where there is none
KINDS = {kind: room for room in (DATA, LATENTS) for kind in shelf.names(room)}
ARGUMENT = re.compile(r"^ {4}(\w+): (.+(?:\n {5,}.+)*)", re.MULTILINE)  # of a docstring's Args

MadeOf = Annotated[
    str,
    typer.Option("--from", metavar="FILE", help="What it is made of; '-' is standard input."),
]

Called = Annotated[
    str | None,
    typer.Option(
        "--name",
        metavar="NAME",
        help="What the data are called in runs, tables and figures. [default: kind and options]",
    ),
]


class Kinds(typer.core.TyperGroup):
    """A subcommand for each generator, whose options are the generator's own."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first argument names, in place of its card."""
        shelf.check(args[0], KINDS, what="kind of synthetic data")
        cramped.refuse("synth")  # its options are the generator's own, which loads numpy
        name, _, rest = super().resolve_command(ctx, args)
        return name, _command(args[0]), rest


synth = typer.Typer(
    name="synth",
    cls=Kinds,
    help="""Generate data with known sources, or latents with a known truth.

    Data: x (observations), s (true sources), u (segments) where there are any, and the mixing
    itself, so that its inverse is exact. The seed has nothing to do with the seeds of training.

    \b
    idkit synth tcl --per-segment 500 --seed 7 -o tcl.npz
    idkit synth tcl --mixing cond --activation xtanh -o cond.npz
    idkit synth tcl | idkit train --data - --model ivae --seed 1-5
    idkit synth unmixed --from tcl.npz -o ceiling.npz
    idkit synth permuted --from latents.npz --seed 1 -o copy.npz""",
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@synth.callback()
def _group() -> None:
    """Holds the kinds."""


def _card() -> None:
    """Stands in the list of kinds for one that is not loaded."""


for _kind, _room in KINDS.items():
    synth.command(_kind, help=shelf.summary(_room, _kind))(_card)


def _command(kind: str) -> Any:
    """The command of one kind: its options, then those of all."""
    make = shelf.take(KINDS[kind], kind, "sample" if KINDS[kind] == DATA else "derive")
    own = _options(make)

    def run(
        out: str,
        seed: int,
        force: bool,
        as_json: bool,
        made_of: str = "",
        called: str | None = None,
        **given: Any,
    ) -> None:
        changed = {
            name: given[name] for name, (_, default) in own.items() if given[name] != default
        }
        if KINDS[kind] == DATA:
            row = _write_data(kind, changed, out, seed, called=called, force=force)
        else:
            row = _write_latents(kind, make, changed, made_of, out, seed, force=force)
        if as_json:
            told = {"kind": kind, **dict.fromkeys(COLUMNS), **row, "path": out}
            show.rows([told], schema=SCHEMA, as_json=True)

    every = {"out": (options.Out, "-"), "seed": (options.Seed, 0), "force": (options.Force, False)}
    every |= {"as_json": (options.Json, False)}
    if KINDS[kind] == LATENTS:
        every = {"made_of": (MadeOf, inspect.Parameter.empty), **every}
    else:
        every = {"called": (Called, None), **every}
    run.__doc__ = inspect.cleandoc(make.__doc__ or "").partition("\n\nArgs:")[0]
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]  # read by typer
        [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind_
            )
            for name, (kind_, default) in {**own, **every}.items()
        ]
    )
    run.__annotations__ = {}
    alone = typer.Typer(add_completion=False, rich_markup_mode=None)
    alone.command(kind)(options.with_common(run))
    return typer.main.get_command(alone)


def _options(make: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """An option for each keyword-only parameter of a generator, from its type and its docstring."""
    arguments = inspect.getdoc(make).partition("Args:\n")[2].partition("\n\n")[0]  # type: ignore[union-attr]
    texts = {name: " ".join(text.split()) for name, text in ARGUMENT.findall(arguments)}
    hints = get_type_hints(make)
    return {
        name: (Annotated[hints[name], _option(name, texts[name])], parameter.default)
        for name, parameter in inspect.signature(make).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def _option(name: str, text: str) -> Any:
    return typer.Option(f"--{name.replace('_', '-')}", help=text[0].upper() + text[1:])


def _write_data(
    kind: str,
    changed: Mapping[str, Any],
    out: str,
    seed: int,
    *,
    called: str | None,
    force: bool,
) -> dict[str, Any]:
    """Writes a data set, and says what it is."""
    from idkit import files

    files.check_extension(out)
    files.refuse_existing(out, force=force)
    if called is not None and not called.strip():
        raise UsageError("--name is empty: say what the data are called, or leave it out")
    dataset, arrays, meta = generated.data(kind, changed, seed, called)
    files.write(out, arrays, meta, force=force)
    show.news(f"{kind}: {len(dataset.x)} rows of {dataset.x.shape[1]} observed dimensions -> {out}")
    if "condition" in dataset.extras:
        numbers = ", ".join(f"{number:.3g}" for number in dataset.extras["condition"])
        show.note(f"condition numbers of the mixing matrices: {numbers or 'none, L is 1'}")
    if "distortion" in dataset.extras:
        import numpy as np

        low, middle, high = np.quantile(dataset.extras["distortion"], (0.05, 0.5, 0.95))
        show.note(
            f"condition number of the whole mixing at a row: {middle:.3g} ({low:.3g} to {high:.3g} "
            "at 90% of the rows)"
        )
    n, d_x = dataset.x.shape
    row = {"data": meta["data"], "n": n, "d_x": d_x, "labels": dataset.labels or None}
    return row if dataset.s is None else {**row, "d_s": dataset.s.shape[1]}


def _write_latents(
    kind: str,
    derive: Callable[..., dict[str, Any]],
    changed: Mapping[str, Any],
    made_of: str,
    out: str,
    seed: int,
    *,
    force: bool,
) -> dict[str, Any]:
    """Writes latents, and says what they are."""
    import numpy as np

    from idkit import files

    files.check_extension(out)
    files.refuse_existing(out, force=force)
    given = files.read(made_of)
    remarks.tell([given])
    arrays = derive(np.random.default_rng(seed), given, **changed)
    meta = files.metadata(
        schemas.LATENTS,
        f"synth {kind}{generated.flags(changed)} --seed {seed}",
        [given],
        data=given.meta.get("data") or Path(given.name).stem,
        model=kind,
        arch=None,
        d_z=arrays["z"].shape[1],
        seed=seed,
        variant=dict(sorted(changed.items())),
        settings={},
        **_rows(given),
    )
    files.write(out, arrays, meta, force=force)
    n, d_z = arrays["z"].shape
    show.news(f"{kind}: {n} rows of {d_z} latent dimensions -> {out}")
    return {"data": meta["data"], "n": n, "d_z": d_z}


def _rows(given: "files.Artefact") -> dict[str, str]:
    """Which rows the latents are of, as `idkit embed` says it; nothing where that is not known."""
    if given.schema == schemas.DATA:
        return {"rows": hashlib.sha256(given.arrays["x"].tobytes()).hexdigest(), "split": "all"}
    return {name: given.meta[name] for name in ("rows", "split") if name in given.meta}
