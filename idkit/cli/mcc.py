"""`idkit mcc`: how alike are the latents of the runs of a group?"""

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from idkit import shelf
from idkit.cli import condition, options, remarks, show, stored
from idkit.cli import memory as memories
from idkit.cli.compared import SOURCES, command, compared, tabulate
from idkit.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from idkit.files import Artefact
    from idkit.scores import Scored

SCORES = ("mcc_in", "mcc_out", "ci_low", "ci_high", "chance_in", "chance_out", "p")
ALL_SOURCES = ("unmatched", "mcc_in_all", "mcc_out_all")
NUMBERS = (*SCORES, "k", "runs", "pairs", "n", "dead", "active", *ALL_SOURCES)
PERMS = 999
STDOUT = "-"
WIDE = 110  # columns of a terminal with room for more than the scores
TITLE = "MCC in- and out-of-sample, its interval (out), and chance (in, out)"


def mcc(
    latents: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Latents of the runs: .npz .npy .safetensors .csv .txt, FILE:KEY, or '-'; "
            "or an alignment of 'idkit align', or scores.",
        ),
    ],
    mode: Annotated[
        list[str] | None,
        typer.Option(
            "--mode",
            metavar="NAME",
            help=f"How runs are aligned: {', '.join(shelf.names('align'))}; several as "
            "'strong,weak'.  [default: strong]",
            autocompletion=lambda: list(shelf.names("align")),
        ),
    ] = None,
    cca_dim: Annotated[
        int, typer.Option("--cca-dim", metavar="K", min=1, help="Canonical pairs of the mode weak.")
    ] = 20,
    corr: Annotated[
        Literal["pearson", "spearman"], typer.Option("--corr", help="Which correlation.")
    ] = "pearson",
    split: Annotated[
        Literal["random", "first"],
        typer.Option("--split", help="Rows that fit the alignment: a random or the first half."),
    ] = "random",
    seed: options.Seed = 0,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="FILE[:KEY]",
            help="Compare with ground truth, not with each other; 'sources' is the s in the files.",
        ),
    ] = None,
    null: Annotated[
        Literal["rows", "within-label"] | None,
        typer.Option("--null", help="Test against shuffled rows; within equal labels u."),
    ] = None,
    perms: Annotated[
        int | None,
        typer.Option(
            "--perms", metavar="N", min=1, help=f"Shuffles of the test.  [default: {PERMS}]"
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            "--labels",
            metavar="FILE[:KEY]",
            help="Labels for within-label.  [default: u in the files]",
        ),
    ] = None,
    named: options.RowNames = None,
    self_pairs: Annotated[
        bool, typer.Option("--self-pairs", help="Count each run with itself, too (MCC 1).")
    ] = False,
    rematch: Annotated[
        bool, typer.Option("--rematch", help="Match components anew out-of-sample.")
    ] = False,
    pairs: Annotated[bool, typer.Option("--pairs", help="One row for each pair of runs.")] = False,
    curve: Annotated[
        bool, typer.Option("--curve", help="One row for each number of components.")
    ] = False,
    columns: options.Columns = None,
    streams: Annotated[
        bool,
        typer.Option(
            "--streams", help="Which random stream differences come from: see 'train --vary'."
        ),
    ] = False,
    fail_if: Annotated[
        str | None,
        typer.Option(
            "--fail-if",
            metavar="COND",
            help="Exit 1 if a group meets the condition, as 'mcc_out < 0.8'.",
        ),
    ] = None,
    memory: options.Memory = None,
    out: options.Out = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Mean correlation coefficient (not Matthews) between the latents of several runs.

    Runs are sorted into groups by what their files say; files from elsewhere are one group. A run
    that is given twice counts once. Rows are matched by their names where files hold names, else
    by their position. Each pair of runs is aligned on one half of the rows, and scored on both.
    Every score stands beside its chance level and, from 3 runs on, its 95% interval over seeds.
    Against ground truth, 'unmatched' counts sources without a match; mcc_in_all and mcc_out_all
    score these as 0.

    \b
    idkit mcc runs/*/latents.npz
    idkit mcc runs/*/latents.npz --mode strong,weak --cca-dim 20 -o scores.npz
    idkit mcc a.npy b.npy c.npy --json
    idkit mcc a.csv b.csv --columns umap1,umap2
    idkit mcc a.csv b.csv --id gene
    idkit mcc runs/*/latents.npz --to sources
    idkit mcc runs/*/latents.npz --null within-label --perms 999
    idkit mcc runs/*/latents.npz --fail-if 'mcc_out < 0.8'
    idkit mcc runs/*/latents.npz --streams
    """
    from idkit import files

    stop = condition.parse(fail_if, NUMBERS) if fail_if else None
    limit = memories.allowed(memory)
    files.limit_memory(limit)
    modes = _modes(mode)
    _check_options(null, perms, labels)
    if self_pairs and to is not None:
        raise UsageError("--self-pairs are pairs of runs, with --to there are none: leave one out")
    shown = _table({"pairs": pairs, "curve": curve, "streams": streams})
    if null is not None and shown:
        raise UsageError(f"--null tests a group, --{shown} has no row of it: leave one of them out")
    files.check_extension(out)
    files.refuse_existing(out, force=force)
    files.single_stdin([*latents, *(source for source in (to, labels) if source)])
    opened = [files.read(source, columns=columns, apart=named) for source in latents]
    truth: Artefact | Literal["sources"] | None = None
    if to is not None:
        same = columns if to in latents else None  # else it has columns of its own
        truth = SOURCES if to == SOURCES else files.read(to, columns=same, apart=named)
    within = None if labels is None else files.read(labels, apart=named)
    remarks.tell(each for each in (*opened, truth, within) if isinstance(each, files.Artefact))
    how = {"modes": modes, "cca_dim": cca_dim, "corr": corr, "split": split, "seed": seed}
    how |= {"self_pairs": self_pairs, "rematch": rematch}
    if opened[0].schema in stored.SCHEMAS:
        shuffled = any(each.schema not in stored.SCHEMAS for each in opened)  # anew, on other rows
        given = {**how, "modes": mode, "to": to, "null": null}
        given |= {"seed": 0, "id": None} if shuffled else {"id": named}
        stored.check_unused(opened[0], given)
        every = stored.scores_of(opened, seed, named=named, memory=limit)
    else:
        how["perms"] = None if null is None else perms or PERMS
        every = compared(
            opened,
            truth=truth,
            labels=within,
            null=null,
            how={**how, "memory": limit},
            named=named,
        )
    _explain(every)
    if out is not None:
        others = [each for each in (truth, within) if isinstance(each, files.Artefact)]
        told = {**how, "to": to and Path(to).name, "null": null, "columns": columns, "id": named}
        _write(out, every, [*opened, *others], told, force=force)
    if out != STDOUT:
        _print(every, shown, as_json=as_json)
    if stop is not None:
        _stop(stop, every)


def _modes(given: Sequence[str] | None) -> list[str]:
    """Each mode once, in the order in which they are named."""
    named = [name for text in given or ["strong"] for name in text.split(",")]
    known = shelf.names("align")
    return list(dict.fromkeys(shelf.check(name, known, what="mode") for name in named))


def _check_options(null: str | None, perms: int | None, labels: str | None) -> None:
    if perms is not None and null is None:
        raise UsageError("--perms counts the shuffles of a test: add --null rows or within-label")
    if labels is not None and null != "within-label":
        raise UsageError("--labels are for --null within-label")


def _table(wanted: Mapping[str, bool]) -> str:
    """The one table that is asked for by an option; empty for the usual one."""
    named = [name for name, want in wanted.items() if want]
    if len(named) > 1:
        raise UsageError(f"--{named[0]} and --{named[1]} are two tables: ask for one at a time")
    return "".join(named)


def _explain(every: "Sequence[Scored]") -> None:
    """What a reader of the table should know, once each."""
    said: dict[str, None] = {}
    for scored in every:
        score = scored.comparison.score
        said |= dict.fromkeys((*scored.notes, *score.warnings))
        selves = len({a for a, b in score.pairs.tolist() if a == b})
        if selves:
            said[f"{selves} of the pairs are a run with itself, whose MCC is 1"] = None
        if scored.comparison.interval.withheld:
            said[f"no interval: {scored.comparison.interval.withheld}"] = None
    for text in said:
        show.caveat(text)


def _print(every: "Sequence[Scored]", shown: str, *, as_json: bool) -> None:
    from idkit import instability, scores

    if shown == "pairs":
        table = [row for scored in every for row in scores.pair_rows(scored)]
        tabulate(table, scores.PAIRS_SCHEMA, as_json=as_json)
    elif shown == "streams":
        table = instability.rows(every)
        if any(row["share"] is None for row in table):
            show.caveat("no share of the whole: add runs trained without --vary")
        tabulate(table, instability.SCHEMA, as_json=as_json)
    elif shown == "curve":
        table = [row for scored in every for row in scores.curve_rows(scored)]
        tabulate(table, scores.CURVE_SCHEMA, as_json=as_json)
    else:
        table = [scores.row(scored) for scored in every]
        if sys.stdout.isatty() and not as_json:
            tested = any(row["p"] is not None for row in table)
            fewer = any(row["unmatched"] for row in table)
            table = [_short(row, tested=tested, fewer=fewer) for row in table]
        show.rows(table, schema=scores.SCHEMA, as_json=as_json, title=TITLE)


def _short(row: dict[str, Any], *, tested: bool, fewer: bool) -> dict[str, Any]:
    """A row that fits a terminal: what is one fact in one column.

    Args:
        row: as `scores.row` gives it.
        tested: whether there is a p-value.
        fewer: whether some run has fewer latents than there are sources.
    """
    named = [row[name] for name in ("data", "model", "arch", "settings") if row[name]]
    named += [f"on {row['embedded']}"] if row["embedded"] else []
    mode = row["mode"] if row["corr"] == "pearson" else f"{row['mode']} {row['corr']}"
    ends = (row["ci_low"], row["ci_high"])
    short = {
        "group": " ".join([*named, f"d{row['d_z']}" if row["d_z"] else "d mixed"]),
        "mode": mode,
        "k": row["k"],
        "runs": row["runs"],
        "in": _three(row["mcc_in"]),
        "out": _three(row["mcc_out"]),
        "95%": "-" if None in ends else "-".join(map(_three, ends)),
        "chance": f"{_three(row['chance_in'])}, {_three(row['chance_out'])}",
    }
    if fewer:
        short["unmatched"] = row["unmatched"]
        short["all: in, out"] = f"{_three(row['mcc_in_all'])}, {_three(row['mcc_out_all'])}"
    if shutil.get_terminal_size().columns >= WIDE:
        short["active"] = f"{row['active']:.1f}"
    if tested:
        short["p"] = row["p"]
    return short


def _three(correlation: float) -> str:
    """Three decimals of a number in [0, 1].

    >>> _three(0.8125), _three(1.0)
    ('.812', '1.000')
    """
    return f"{correlation:.3f}".removeprefix("0")


def _write(
    out: str,
    every: "Sequence[Scored]",
    opened: "Sequence[Artefact]",
    told: dict[str, Any],
    *,
    force: bool,
) -> None:
    from idkit import files, scores

    arrays, groups = scores.pack(every)
    meta = files.metadata(scores.SCHEMA, command("mcc", told), opened, groups=groups)
    files.write(out, arrays, meta, force=force)


def _stop(stop: condition.Condition, every: "Sequence[Scored]") -> None:
    """Exit code 1 where the condition holds for a group."""
    from idkit import scores

    met = stop.failing([scores.row(scored) for scored in every])
    for row in met:
        about = " ".join(str(row[name]) for name in ("data", "model", "arch", "mode") if row[name])
        show.note(f"{stop} holds: {row[stop.column]:.6g} ({about})")
    if met:
        raise typer.Exit(ExitCode.CONDITION_FALSE)
