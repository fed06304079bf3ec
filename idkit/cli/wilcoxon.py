"""`idkit wilcoxon`: do the scores of two families differ, cell by cell?"""

import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from idkit.cli import long_table, options, show
from idkit.cli.compared import command
from idkit.counts import counted
from idkit.errors import ExitCode, IdkitError, UsageError

if TYPE_CHECKING:
    from idkit.files import Artefact, Table
    from idkit.stats.cells import Cells
    from idkit.stats.compare import Comparison
    from idkit.stats.condition import Condition
    from idkit.stats.friedman import Friedman

SCHEMA = "idkit.tests/1"
POWER_SCHEMA = "idkit.power/1"
GAPS_NAMED = 4  # pairs of families without a common cell; the rest are counted
POWER_TITLE = "power of one test at 5%, without Holm; needed: cells (--block: blocks) for 80%"
FOUND = (
    *("a", "b", "n", "zeros", "ties", "w", "p", "method", "p_holm", "p_block"),
    *("shift", "shift_low", "shift_high", "rank_biserial"),
)
TITLE = "paired signed-rank tests: shift is a - b, as a typical cell has it"
Row = dict[str, Any]


def wilcoxon(
    tables: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="Scores of 'idkit mcc -o', or any table: CSV, TSV, JSON, JSON lines, '-'.",
        ),
    ],
    value: Annotated[
        str, typer.Option("--value", metavar="COLUMN", help="The numbers to compare.")
    ] = "mcc_out",
    by: Annotated[
        str,
        typer.Option(
            "--by",
            metavar="COLUMN",
            help="The families; 'file' takes each input for one.",
        ),
    ] = "model",
    pair: Annotated[
        str | None,
        typer.Option(
            "--pair",
            metavar="COLUMNS",
            help="What names a cell.  [default: those of data,model,arch,d_z,settings that there "
            "are, less the family; mode,corr where they vary]",
        ),
    ] = None,
    block: Annotated[
        str | None,
        typer.Option(
            "--block",
            metavar="COLUMNS",
            help="Cells alike in these go together: p_block, from sign flips of whole blocks, then "
            "decides, and shift and interval are of block means.",
        ),
    ] = None,
    zeros: Annotated[
        Literal["wilcox", "pratt"],
        typer.Option("--zeros", help="Cells without a difference: dropped, or ranked first."),
    ] = "wilcox",
    margin: Annotated[
        float | None,
        typer.Option(
            "--margin",
            metavar="NUMBER",
            help="The least difference that matters: equivalent, different or undecided.",
        ),
    ] = None,
    fail_if: Annotated[
        str | None,
        typer.Option(
            "--fail-if",
            metavar="COND",
            help="Exit 1 if a pair meets [maybe] worse|better|different [by NUMBER].",
        ),
    ] = None,
    power: Annotated[
        bool,
        typer.Option(
            "--power",
            help="How many cells it takes to find --shift, by one test at 5% without Holm; where "
            "a cell is a seed, 'needed' counts seeds.",
        ),
    ] = False,
    shift: Annotated[
        float | None,
        typer.Option("--shift", metavar="NUMBER", help="The difference to find by --power."),
    ] = None,
    seed: options.Seed = 0,
    out: options.Out = None,
    force: options.Force = False,
    as_json: options.Json = False,
) -> None:
    """Compare models over cells: exact signed-rank tests, shifts, and a verdict in words.

    A cell is what two families have in common (the data, the architecture, d_z); each gives one
    difference. Every pair of families is tested, a the one that the input names first; p_holm
    counts all of them. p is exact with ties, too; w is W+; n counts zeros. Into a pipe the table
    has all columns.

    --fail-if reads the 95% interval of the shift a - b. 'worse by 0.02': all of it lies below
    -0.02, the loss is shown. 'maybe worse by 0.02': some of it does, the loss is not ruled out.
    'better' is the mirror image, 'different' either; without 'by' the number is 0. With fewer than
    6 cells there is no interval, and the condition is refused (exit 3).

    With --block, cells of one block count as one observation: the verdict, p_holm (then Holm of
    p_block), the shift and its interval, --margin, --fail-if and --power all go by blocks; p, w
    and rank_biserial stay those of the cells.

    \b
    idkit wilcoxon scores.npz
    idkit wilcoxon scores.npz --block data,arch --margin 0.02 -o tests.npz
    idkit wilcoxon table.csv --value mcc --by model --pair arch,dataset,d_z
    idkit wilcoxon new.npz old.npz --by file --fail-if 'maybe worse by 0.02'
    idkit wilcoxon scores.npz --power --shift 0.02
    """
    from idkit import files
    from idkit.stats import condition
    from idkit.stats.cells import tabulate
    from idkit.stats.compare import compare

    _check_power(shift, power=power)
    stop = condition.parse(fail_if) if fail_if else None
    files.check_extension(out)
    files.refuse_existing(out, force=force)
    files.single_stdin(tables)
    opened = [files.read_any(source) for source in tables]
    _check_distinct(opened, by=by)
    columns = long_table.columns(opened, values=(value,))
    named = _names(pair) if pair is not None else long_table.usual_cell(columns, by=by)
    blocks = _names(block) if block is not None else []
    cells = tabulate(columns, value=value, by=by, pair=named, block=blocks)
    found = compare(cells, zeros=zeros)
    if stop is not None:
        _check_decidable(str(fail_if), found)
    rows = [_row(test, tests=len(found), margin=margin) for test in found]
    planned = _power_rows(found, shift, seed) if shift is not None else None
    whole = _friedman(cells)
    _explain_gaps(columns[value], cells, found, value=value)
    if out is not None:
        told: Row = {"value": value, "by": by, "pair": named, "block": blocks or None}
        told |= {"zeros": zeros, "margin": margin}
        asked = {**told, "power": True, "shift": shift, "seed": seed} if power else told
        results = {
            "friedman": None if whole is None else asdict(whole),
            **({"power": planned} if power else {}),
        }
        _write(out, asked, opened, rows, found, {**told, **results}, force=force)
    if out != "-":
        _print(rows, planned, whole, as_json=as_json)
    _explain(rows, whole)
    if stop is not None:
        _stop(stop, str(fail_if), found)


def _check_power(shift: float | None, *, power: bool) -> None:
    if power and shift is None:
        raise UsageError("--power needs the difference that is to be found: add --shift 0.02")
    if shift is not None and not power:
        raise UsageError("--shift is the difference to find by --power: add --power")


def _check_distinct(opened: "Sequence[Artefact | Table]", *, by: str) -> None:
    """A file given twice has every row twice, but for a copy that is compared with it by name."""
    seen: dict[tuple[str, str], str] = {}
    for one in opened:
        place = (one.sha256, one.label if by == long_table.SOURCE else "")
        if place in seen:
            raise IdkitError(f"{seen[place]} and {one.label} are the same file: give it once")
        seen[place] = one.label


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _row(test: "Comparison", *, tests: int, margin: float | None) -> Row:
    from idkit.stats.verdict import verdict

    row = {name: _defined(getattr(test, name)) for name in FOUND}
    return {**row, "verdict": verdict(test, tests=tests, margin=margin)}


def _defined(entry: Any) -> Any:
    """None for the ends of an interval that is not to be had, and for 0 / 0."""
    return None if isinstance(entry, float) and not math.isfinite(entry) else entry


def _explain_gaps(
    numbers: Sequence[Any], cells: "Cells", found: "Sequence[Comparison]", *, value: str
) -> None:
    """What of the table is in no test."""
    from itertools import combinations

    empty = sum(number is None for number in numbers)
    if empty:
        show.note(f"{value} is empty in {empty} of {len(numbers)} rows: these are left out")
    tested = {(test.a, test.b) for test in found}
    apart = [f"{a} and {b}" for a, b in combinations(cells.families, 2) if (a, b) not in tested]
    if apart:
        rest = f", and {len(apart) - GAPS_NAMED} other pairs" if len(apart) > GAPS_NAMED else ""
        show.note(f"not compared, as no cell has both: {', '.join(apart[:GAPS_NAMED])}{rest}")


def _print(
    rows: Sequence[Row],
    planned: Sequence[Row] | None,
    whole: "Friedman | None",
    *,
    as_json: bool,
) -> None:
    if planned is not None:
        show.rows(planned, schema=POWER_SCHEMA, as_json=as_json, title=POWER_TITLE)
        return
    narrow = sys.stdout.isatty() and not as_json
    shown = [_brief(row) for row in rows] if narrow else rows
    beside = {"friedman": None if whole is None else asdict(whole)}
    show.rows(shown, schema=SCHEMA, as_json=as_json, title=TITLE, beside=beside)


def _brief(row: Row) -> Row:
    """What fits on a terminal of 80 columns; the verdict is written out below it."""
    low, high = row["shift_low"], row["shift_high"]
    interval = None if low is None else f"{low:.3g} to {high:.3g}"
    names = ("a", "b", "n", "p", "p_holm", *(["p_block"] if row["p_block"] is not None else []))
    return {**{name: row[name] for name in (*names, "shift")}, "95% interval": interval}


def _power_rows(found: "Sequence[Comparison]", shift: float, seed: int) -> list[Row]:
    """One row a pair, its draws from a stream of its own."""
    import numpy as np

    from idkit.stats.power import power

    streams = np.random.default_rng(seed).spawn(len(found))
    rows = []
    for test, rng in zip(found, streams, strict=True):
        plan = power(test.units, shift=shift, rng=rng)
        if plan.withheld:
            show.note(f"no power for {test.a} and {test.b}: {plan.withheld}")
        about = {"a": test.a, "b": test.b, "n": plan.n, "shift": plan.shift}
        rows.append({**about, "power": plan.power, "needed": plan.needed})
    return rows


def _friedman(cells: "Cells") -> "Friedman | None":
    """The test of all families together, where there are three and cells that have them all."""
    import numpy as np

    from idkit.stats.friedman import friedman

    complete = np.isfinite(cells.values).all(axis=1)
    if len(cells.families) < 3 or not complete.any():
        return None
    return friedman(cells.values)


def _explain(rows: Sequence[Row], whole: "Friedman | None") -> None:
    """The verdicts, for people."""
    from idkit.stats.flips import shown

    for row in rows:
        show.note(f"{row['verdict']}.")
    if whole is not None:
        show.note(
            f"All {whole.families} families together (Friedman, {whole.cells} complete cells): "
            f"p {shown(whole.p)}, {whole.method}."
        )


def _write(
    out: str,
    asked: Row,
    opened: "Sequence[Artefact | Table]",
    rows: Sequence[Row],
    found: "Sequence[Comparison]",
    kept: Row,
    *,
    force: bool,
) -> None:
    from idkit import files

    arrays = {f"{t}/differences": test.differences for t, test in enumerate(found)}
    meta = files.metadata(SCHEMA, command("wilcoxon", asked), opened, tests=list(rows), **kept)
    files.write(out, arrays, meta, force=force)


def _check_decidable(text: str, found: "Sequence[Comparison]") -> None:
    """An interval without ends would let every loss pass, or none: nothing can be said of it."""
    from idkit.stats.compare import FEWEST

    for test in found:
        if not math.isfinite(test.shift_high):
            count = counted(len(test.units), "cell" if test.p_block is None else "block")
            raise IdkitError(
                f"'{text}' cannot be decided: {test.a} and {test.b} share {count}, at least "
                f"{FEWEST} are needed for a 95% interval"
            )


def _stop(stop: "Condition", text: str, found: "Sequence[Comparison]") -> None:
    """Exit code 1 where the condition holds for a pair."""
    from idkit.stats.condition import holds

    met = [test for test in found if holds(stop, test.shift_low, test.shift_high)]
    for test in met:
        show.note(
            f"'{text}' holds for {test.a} against {test.b}: the 95% interval of the shift is "
            f"{test.shift_low:.3g} to {test.shift_high:.3g}"
        )
    if met:
        raise typer.Exit(ExitCode.CONDITION_FALSE)
