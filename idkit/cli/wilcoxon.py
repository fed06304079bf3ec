"""`idkit wilcoxon`: do the scores of two families differ, cell by cell?"""

import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from idkit import schemas
from idkit.cli import long_table, options, scoring, show, wide
from idkit.cli.compared import command
from idkit.counts import counted
from idkit.errors import ExitCode, IdkitError, UsageError
from idkit.stats.advice import listed
from idkit.stats.kinds import EMPTY, MODES, of_kind, varying
from idkit.stats.naming import name

if TYPE_CHECKING:
    from idkit.files import Artefact, Table
    from idkit.stats.cells import Cells
    from idkit.stats.compare import Comparison
    from idkit.stats.condition import Condition
    from idkit.stats.friedman import Friedman

SCHEMA = schemas.TESTS
POWER_SCHEMA = "idkit.power/1"
GAPS_NAMED = 4  # pairs of families without a common cell; the rest are counted
POWER_TITLE = "power of one test at 5%, without Holm; needed: cells (--block: blocks) for 80%"
FOUND = (
    *("n", "zeros", "ties", "w", "p", "method", "p_holm", "p_block"),
    *("shift", "shift_low", "shift_high", "rank_biserial"),
)
SCORE = "mcc_out"
VALUE = "value"  # what the numbers of a wide table are called
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
        str | None,
        typer.Option(
            "--value", metavar="COLUMN", help=f"The numbers to compare.  [default: {SCORE}]"
        ),
    ] = None,
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
            "are, less the family]",
        ),
    ] = None,
    is_wide: Annotated[
        bool,
        typer.Option(
            "--wide",
            help="The tables have one column a family, and one row a cell: --by and --value name "
            "what these columns and their numbers are.",
        ),
    ] = False,
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
    difference, rounded by its own two values. Every pair of families is tested, a the one that the
    input names first, and once for each mode and correlation (columns mode, corr) unless --pair or
    --by names them: two scores of one run are not two observations. p_holm counts all tests. p is
    exact with ties, too; w is W+; n counts zeros. Into a pipe the table has all columns.

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
    idkit wilcoxon wide.csv --wide --pair dataset
    idkit wilcoxon new.npz old.npz --by file --fail-if 'maybe worse by 0.02'
    idkit wilcoxon scores.npz --power --shift 0.02
    """
    from idkit import files
    from idkit.stats import condition
    from idkit.stats.cells import tabulate_each
    from idkit.stats.compare import compare_each

    _check_power(shift, power=power)
    stop = condition.parse(fail_if) if fail_if else None
    files.check_extension(out)
    files.refuse_existing(out, force=force)
    files.single_stdin(tables)
    opened = [files.read_any(source) for source in tables]
    _check_distinct(opened, by=by)
    score = value or (VALUE if is_wide else SCORE)
    wanted = None if pair is None else _names(pair)
    read = _wide if is_wide else _long
    columns, wanted = read(opened, value=score, by=by, pair=wanted)
    columns, named, each = scoring.resolve(columns, value=score, by=by, pair=wanted)
    blocks = _names(block) if block is not None else []
    cells = tabulate_each(columns, value=score, by=by, pair=named, block=blocks, each=each)
    found = compare_each(cells, zeros=zeros)
    if stop is not None:
        _check_decidable(str(fail_if), found)
    rows = [_row(test, each, tests=len(found), margin=margin) for test in found]
    planned = _power_rows(found, each, shift, seed) if shift is not None else None
    together = [_friedman(table) for table in cells]
    _explain_table(columns, named, each, value=score)
    _explain_gaps(cells, found)
    _explain(rows, [(table, whole) for table, whole in zip(cells, together, strict=True) if whole])
    met = [] if stop is None else _met(stop, str(fail_if), found)
    told: Row = {"value": score, "by": by, "pair": named, "block": blocks or None}
    told |= {"zeros": zeros, "margin": margin}
    whole = _beside(cells, together)
    if out is not None:
        asked = {**told, "wide": is_wide}
        asked |= {"power": True, "shift": shift, "seed": seed} if power else {}
        kept = {**told, "each": each, **whole, **({"power": planned} if power else {})}
        _write(out, asked, opened, rows, found, kept, force=force)
    if out != "-":
        _print(rows, planned, whole, as_json=as_json)
    if met:
        raise typer.Exit(ExitCode.CONDITION_FALSE)


def _long(
    opened: "Sequence[Artefact | Table]", *, value: str, by: str, pair: list[str] | None
) -> tuple[long_table.Columns, list[str] | None]:
    """The inputs as they are."""
    columns = long_table.columns(opened, values=(value,))
    if value not in columns and by not in columns:
        wide.check_long(_read(opened), value=value, by=by, pair=pair)
    return columns, pair


def _wide(
    opened: "Sequence[Artefact | Table]", *, value: str, by: str, pair: list[str] | None
) -> tuple[long_table.Columns, list[str] | None]:
    """The inputs with one row a family, and what names a cell of them."""
    from idkit.files import Table

    for one in opened:
        if not isinstance(one, Table):
            raise IdkitError(f"{one.label} holds arrays: --wide reads tables of text")
    known = wide.families(_read(opened), pair=pair)
    columns = long_table.columns(opened, values=known)
    long, cell = wide.melt(columns, known, value=value, by=by, pair=pair)
    show.caveat(f"families: {listed(known)}; a cell is named by {listed(cell)}")
    return long, cell


def _read(opened: "Sequence[Artefact | Table]") -> long_table.Columns:
    """The inputs with every number as a number, that of an id, too."""
    from idkit.files import Table

    names = {name for one in opened if isinstance(one, Table) for name in one.columns}
    return long_table.columns(opened, values=names)


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


def _row(test: "Comparison", each: Sequence[str], *, tests: int, margin: float | None) -> Row:
    from idkit.stats.verdict import verdict

    found = {name: _defined(getattr(test, name)) for name in FOUND}
    return {**_about(test, each), **found, "verdict": verdict(test, tests=tests, margin=margin)}


def _about(test: "Comparison", each: Sequence[str]) -> Row:
    """What was compared; the mode and the correlation also where nothing says them."""
    kinds = dict.fromkeys((*MODES, *each))
    return {"a": test.a, "b": test.b, **{kind: test.kind.get(kind) for kind in kinds}}


def _defined(entry: Any) -> Any:
    """None for the ends of an interval that is not to be had, and for 0 / 0."""
    return None if isinstance(entry, float) and not math.isfinite(entry) else entry


def _apart(several: "Sequence[Cells] | Sequence[Comparison]") -> list[str]:
    """What tells kinds of score apart, to be put behind what is said of each."""
    kinds = [of_kind(one.kind) for one in several]
    if len(set(kinds)) == 1:
        return [""] * len(kinds)
    return [f", {kind}" if kind else "" for kind in kinds]


def _explain_table(
    columns: long_table.Columns, pair: Sequence[str], each: Sequence[str], *, value: str
) -> None:
    """What of the table is not compared, what is compared apart, and what is not independent."""
    other = [one for one in ("b", "seed_b") if one in pair and "seed_b" in columns]
    if any(len(set(columns[one])) > 1 for one in other):
        show.caveat("cells are pairs of runs: those that share a run are not independent")
    numbers = columns[value]
    empty = sum(number is None for number in numbers)
    if empty:
        show.caveat(f"{value} is empty in {empty} of {len(numbers)} rows: these are left out")
    for kind in each:
        found = dict.fromkeys(name(entry) or EMPTY.get(kind, "none") for entry in columns[kind])
        if kind not in MODES:
            show.caveat(f"one test for each {kind.replace('_', ' ')}: {listed(found)}")


def _explain_gaps(cells: "Sequence[Cells]", found: "Sequence[Comparison]") -> None:
    """Which families are in no test together."""
    from itertools import combinations

    families = list(dict.fromkeys(family for table in cells for family in table.families))
    for table, of in zip(cells, _apart(cells), strict=True):
        tested = {(test.a, test.b) for test in found if test.kind == table.kind}
        apart = [f"{a} and {b}" for a, b in combinations(families, 2) if (a, b) not in tested]
        if apart:
            rest = f", and {len(apart) - GAPS_NAMED} other pairs" if len(apart) > GAPS_NAMED else ""
            pairs = ", ".join(apart[:GAPS_NAMED])
            show.caveat(f"not compared{of}, as no cell has both: {pairs}{rest}")


def _print(
    rows: Sequence[Row],
    planned: Sequence[Row] | None,
    whole: Row,
    *,
    as_json: bool,
) -> None:
    if planned is not None:
        show.rows(planned, schema=POWER_SCHEMA, as_json=as_json, title=POWER_TITLE)
        return
    narrow = sys.stdout.isatty() and not as_json
    shown = [_brief(row, varying(rows)) for row in rows] if narrow else rows
    show.rows(shown, schema=SCHEMA, as_json=as_json, title=TITLE, beside=whole)


def _brief(row: Row, kinds: Sequence[str]) -> Row:
    """What fits on a terminal of 80 columns; the verdict is written out below it."""
    low, high = row["shift_low"], row["shift_high"]
    interval = None if low is None else f"{low:.3g} to {high:.3g}"
    block = [] if row["p_block"] is None else ["p_block"]
    names = ("a", "b", *kinds, "n", "p", "p_holm", *block)
    return {**{name: row[name] for name in (*names, "shift")}, "95% interval": interval}


def _power_rows(
    found: "Sequence[Comparison]", each: Sequence[str], shift: float, seed: int
) -> list[Row]:
    """One row a test, its draws from a stream of its own."""
    import numpy as np

    from idkit.stats.power import power

    streams = np.random.default_rng(seed).spawn(len(found))
    rows = []
    for test, of, rng in zip(found, _apart(found), streams, strict=True):
        plan = power(test.units, shift=shift, rng=rng)
        if plan.withheld:
            show.caveat(f"no power for {test.a} and {test.b}{of}: {plan.withheld}")
        about = {**_about(test, each), "n": plan.n, "shift": plan.shift}
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


def _beside(cells: "Sequence[Cells]", together: "Sequence[Friedman | None]") -> Row:
    """Friedman's tests: the one that there is, and those of every kind of score."""
    every = [
        {**dict.fromkeys(MODES), **table.kind, **asdict(whole)}
        for table, whole in zip(cells, together, strict=True)
        if whole is not None
    ]
    (alone,) = together if len(together) == 1 else (None,)
    return {"friedman": None if alone is None else asdict(alone), "friedmans": every}


def _explain(rows: Sequence[Row], together: "Sequence[tuple[Cells, Friedman]]") -> None:
    """The verdicts, for people."""
    from idkit.stats.flips import shown

    for row in rows:
        show.caveat(f"{row['verdict']}.")
    for (_, whole), of in zip(together, _apart([table for table, _ in together]), strict=True):
        show.caveat(
            f"All {whole.families} families together (Friedman, {whole.cells} complete cells{of}): "
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

    for test, of in zip(found, _apart(found), strict=True):
        if not math.isfinite(test.shift_high):
            count = counted(len(test.units), "cell" if test.p_block is None else "block")
            raise IdkitError(
                f"'{text}' cannot be decided: {test.a} and {test.b} share {count}{of}, at least "
                f"{FEWEST} are needed for a 95% interval"
            )


def _met(stop: "Condition", text: str, found: "Sequence[Comparison]") -> "list[Comparison]":
    """The tests for which the condition holds."""
    from idkit.stats.condition import holds

    met = []
    for test, of in zip(found, _apart(found), strict=True):
        if holds(stop, test.shift_low, test.shift_high):
            met.append(test)
            show.caveat(
                f"'{text}' holds for {test.a} against {test.b}{of}: the 95% interval of the shift "
                f"is {test.shift_low:.3g} to {test.shift_high:.3g}"
            )
    return met
