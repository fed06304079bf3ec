"""`idkit align`: find the maps between the latents of runs, and bring all into one frame."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict, cast

import typer

from idkit.cli import memory as memories
from idkit.cli import moved, options, remarks, show
from idkit.cli.compared import command, comparable, tabulate, tell_converted, warn_of_transposed
from idkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idkit.alignment import Aligned, Target
    from idkit.latents import Group, Run


class How(TypedDict):
    """The options that bear on the maps."""

    mode: str
    cca_dim: int
    split: Literal["random", "first"]
    seed: int


ALL_PAIRS, MEDOID = "all-pairs", "medoid"
STDOUT = "-"


def align(
    latents: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Latents of the runs: .npz .npy .safetensors .csv .txt, FILE:KEY, or '-'.",
        ),
    ],
    mode: Annotated[str, options.choice("align", "--mode", "The family of maps")] = "strong",
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FILE|medoid|all-pairs",
            help="What runs are mapped to: one run, the run most like all others, or each to every "
            "later run.  [default: all-pairs; medoid with --apply or --min-corr]",
        ),
    ] = None,
    cca_dim: Annotated[
        int, typer.Option("--cca-dim", metavar="K", min=1, help="Canonical pairs of the mode weak.")
    ] = 20,
    split: Annotated[
        Literal["random", "first"],
        typer.Option("--split", help="Rows that fit the maps: a random or the first half."),
    ] = "random",
    seed: options.Seed = 0,
    named: options.RowNames = None,
    apply: Annotated[
        bool,
        typer.Option(
            "--apply",
            help="Write the latents moved into the frame of --to: below the folder -o, or beside "
            "each file as NAME-aligned.",
        ),
    ] = False,
    columns: options.Columns = None,
    min_corr: Annotated[
        float | None,
        typer.Option(
            "--min-corr",
            metavar="R",
            min=0.0,
            max=1.0,
            help="List in how many runs each coordinate of --to is found with R (mode strong).",
        ),
    ] = None,
    memory: options.Memory = None,
    out: options.Out = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Find the maps that carry the latents of one run onto those of another.

    Maps are fitted on one half of the rows and scored on both; rows are matched by their names
    where files hold names, else by their position. 'idkit mcc' reads the alignment:
    alone, or with latents of other rows, on which it then scores the same maps.

    \b
    idkit align runs/*/latents.npz -o alignment.npz
    idkit align runs/*/latents.npz --mode weak -o - | idkit mcc -
    idkit align runs/*/latents.npz --apply -o aligned/
    idkit align a.npy b.npy c.npy --to a.npy --min-corr 0.8
    """
    from idkit import alignment, files
    from idkit import latents as room

    target = _target(to, mode, min_corr, apply=apply)
    limit = memories.allowed(memory)
    files.limit_memory(limit)
    if not apply:
        files.check_extension(out)
        files.refuse_existing(out, force=force)
    runs = room.read(latents, columns=columns, apart=named)
    remarks.tell(run.artefact for run in runs)
    tell_converted(runs)
    found = room.groups(runs, named=named)
    onto = _run(target, runs, found, columns=columns, named=named)
    groups = comparable(found, alone=not isinstance(onto, str))
    warn_of_transposed(groups)
    runs = [run for run in runs if any(run in group.runs for group in groups)]
    places = moved.places(runs, out, force=force) if apply else []
    how: How = {"mode": mode, "cca_dim": cca_dim, "split": split, "seed": seed}
    aligned = [alignment.of(group, onto, **how, memory=limit) for group in groups]
    told = command(
        "align",
        {**how, "to": Path(target).name, "apply": apply, "columns": columns, "id": named},
    )
    for text in dict.fromkeys(said for each in aligned for said in each.warnings):
        show.caveat(text)
    if apply:
        for run, place in zip(runs, places, strict=True):
            mapped = next(each for each in aligned if run in each.group.runs)
            moved.write(place, run, mapped, told, named=named, force=force)
            show.news(f"wrote {place}")
    elif out is not None:
        _write(out, aligned, runs, told, force=force)
    if apply or out != STDOUT:
        _print(aligned, min_corr, as_json=as_json)


def _target(to: str | None, mode: str, min_corr: float | None, *, apply: bool) -> str:
    framed = apply or min_corr is not None
    if min_corr is not None and mode != "strong":
        raise UsageError("--min-corr lists coordinates, which only the mode strong matches")
    if framed and to == ALL_PAIRS:
        raise UsageError("--apply and --min-corr need one frame: --to medoid or --to FILE")
    return to or (MEDOID if framed else ALL_PAIRS)


def _run(
    target: str,
    runs: "Sequence[Run]",
    groups: "Sequence[Group]",
    *,
    columns: "Sequence[str] | None",
    named: str | None,
) -> "Target | Run":
    """The run that a user names, one of the inputs (or the run it repeats) or another file."""
    from idkit import latents

    if target in (ALL_PAIRS, MEDOID):
        return cast("Target", target)
    own = [run for run in runs if run.label == target]
    held = [group.holds(run) for run in own for group in groups]
    return next(filter(None, held), None) or latents.read([target], columns=columns, apart=named)[0]


def _write(
    out: str, aligned: "Sequence[Aligned]", runs: "Sequence[Run]", told: str, *, force: bool
) -> None:
    from idkit import alignment, files, maps, scores

    arrays, groups = scores.pack([each.scored for each in aligned])
    for g, (each, line) in enumerate(zip(aligned, groups, strict=True)):
        line["widths"] = each.widths
        arrays |= {f"{g}/{name}": stack for name, stack in maps.pack(each.maps).items()}
    others = [each.reference for each in aligned if each.reference]
    inputs = list(dict.fromkeys(run.artefact for run in (*runs, *others)))
    files.write(
        out,
        arrays,
        files.metadata(alignment.SCHEMA, told, inputs, groups=groups),
        force=force,
    )


def _print(aligned: "Sequence[Aligned]", min_corr: float | None, *, as_json: bool) -> None:
    from idkit import alignment, scores

    if min_corr is None:
        rows = [row for each in aligned for row in scores.pair_rows(each.scored)]
        tabulate(rows, scores.PAIRS_SCHEMA, as_json=as_json)
    else:
        rows = [row for each in aligned for row in alignment.replicated(each, min_corr)]
        tabulate(rows, alignment.COORDINATES_SCHEMA, as_json=as_json)
