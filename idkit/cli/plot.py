"""`idkit plot`: a figure from the files that the other commands make."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from idkit import shelf
from idkit.cli import options, pictures, remarks, show
from idkit.errors import UsageError

if TYPE_CHECKING:
    from idkit.plots import Draw


SCHEMA = "idkit.figures/1"


def plot(
    kind: Annotated[str, options.kind("plots", "Which figure")],
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="What the figure shows: scores of 'idkit mcc' (box, curve, matrix), scores and "
            "models (elbo), tests of 'idkit wilcoxon' (tests), models (history, images), latents "
            "of any origin (latents); '-'.",
        ),
    ],
    out: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--out",
            metavar="FILE",
            help="Ends in .png, .pdf or .svg; '-' is PNG on standard output.  [default: KIND.png]",
        ),
    ] = None,
    title: Annotated[
        str | None, typer.Option("--title", metavar="TEXT", help="A line above the figure.")
    ] = None,
    data: Annotated[
        str | None, options.data("For images. [default: what it was trained on]")
    ] = None,
    data_root: options.DataRoot = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Draw a figure, for the screen or for print: PNG, PDF or SVG.

    \b
    box      MCC of every pair of runs, by data set and model
    curve    MCC of the best-matched components, in- and out-of-sample, beside chance
    elbo     objective against MCC run by run, with a line and its 95% band
    history  the terms of the objective over the epochs, one line a seed
    images   what models make of test rows, and of draws from their prior
    latents  latents on a plane, coloured by u, several runs side by side
    matrix   MCC of every run with every other
    tests    paired differences between models, with their intervals

    \b
    idkit mcc runs/*/latents.npz -o scores.npz && idkit plot curve scores.npz
    idkit plot box scores.npz -o box.pdf
    idkit plot elbo sources.npz runs/tcl-*/model.safetensors
    idkit plot latents runs/*-s[1-3]/latents.npz -o latents.svg
    idkit plot images runs/mnist-*-s1/model.safetensors
    idkit plot history runs/*/model.safetensors --title 'digits, 5 seeds'
    """
    from idkit import files, plots

    target = out if out is not None else f"{kind}.png"
    form = _format(target)
    files.refuse_existing(target, force=force)
    files.single_stdin(sources)
    artefacts = [files.read(source) for source in sources]
    remarks.tell(artefacts)
    if kind == "images":
        artefacts = pictures.of(artefacts, data, data_root)
    draw: Draw = shelf.take("plots", kind, "draw")
    content = plots.render(draw, artefacts, form=form, title=title)
    files.write_bytes(target, content, force=force)
    module = shelf.module("plots", kind)
    for text in module.notes(artefacts) if hasattr(module, "notes") else ():
        show.caveat(text)
    if target != "-":
        show.news(f"wrote {target}")
    if as_json:
        row = {"kind": kind, "path": target, "format": form, "bytes": len(content)}
        show.rows([{**row, "files": len(artefacts)}], schema=SCHEMA, as_json=True)


def _format(target: str) -> str:
    """The format that a path's extension names; PNG for streams and devices."""
    from idkit.plots import FORMATS

    if target == "-" or target.startswith("/dev/"):
        return "png"
    form = Path(target).suffix.removeprefix(".").lower()
    if form not in FORMATS:
        known = " or ".join(f".{name}" for name in FORMATS)
        raise UsageError(f"cannot tell the format of '{target}': end it in {known}")
    return form
