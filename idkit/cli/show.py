"""What a person or the next program sees: tables and results on stdout, all else on stderr."""

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from idkit import __version__
from idkit.errors import one_line

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class Settings:
    """How loud a command is."""

    quiet: bool = False
    verbose: bool = False
    debug: bool = False


PATH = "path"  # the column of a table that names files
ENDLESS = 10_000  # columns of a terminal that every table fits into

settings = Settings()
Row = Mapping[str, Any]


def line(text: str) -> None:
    """Prints one line of the product."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Prints one line for the user's eyes, unless `--quiet`."""
    if not settings.quiet:
        sys.stderr.write(text + "\n")


_caveats: list[str] = []


def caveat(text: str) -> None:
    """A note about a result, printed behind it once the command has one; else not at all."""
    _caveats.append(text)


def begin() -> None:
    """Forgets the caveats of a command that came to nothing."""
    _caveats.clear()


def end() -> None:
    """Prints the caveats of the result that now stands on stdout."""
    for text in _caveats:
        note(text)
    _caveats.clear()


def detail(text: str) -> None:
    """Prints one line for the user's eyes, if `--verbose`."""
    if settings.verbose:
        sys.stderr.write(text + "\n")


def error(who: str, text: str) -> None:
    """Prints one line that says why a command failed."""
    if settings.debug:
        import traceback

        traceback.print_exc()
    sys.stderr.write(one_line(f"{who}: {text}") + "\n")


def rows(
    rows: Sequence[Row],
    *,
    schema: str,
    as_json: bool,
    title: str = "",
    beside: Mapping[str, Any] | None = None,
) -> None:
    """Prints a table: Rich on a terminal, TSV into a pipe, one JSON document on request.

    Args:
        rows: one mapping a row, all with the same keys; None is an undefined value.
        schema: what the rows are, as `idkit.scores/1`.
        as_json: whether to print the JSON document.
        title: a heading, on a terminal only.
        beside: what else the JSON document holds, below the rows.
    """
    if as_json:
        document = {"schema": schema, "version": __version__, "rows": [_plain(row) for row in rows]}
        document |= beside or {}
        line(json.dumps(document, indent=1, allow_nan=False))
    elif sys.stdout.isatty():
        _rich_table(rows, title)
    elif rows:
        line("\t".join(rows[0]))
        for row in rows:
            line("\t".join(_exact(value) for value in _plain(row).values()))


def _rich_table(rows: Sequence[Row], title: str) -> None:
    from rich.console import Console

    console = Console(markup=False, emoji=False)  # a name in brackets is a name
    table = _table(rows, title)
    endless = console.options.update(width=ENDLESS)
    if console.measure(table, options=endless).maximum <= console.width:
        console.print(table)
        return
    # half a path in a cell cannot be copied: whole ones stand below
    console.print(_table([{n: row[n] for n in row if n != PATH} for row in rows], title))
    for row in rows:
        if row.get(PATH) is not None:
            line(str(row[PATH]))


def _table(rows: Sequence[Row], title: str) -> "Table":
    from rich.table import Table

    table = Table(title=title or None, header_style="bold", title_justify="left")
    for name in rows[0] if rows else ():
        numeric = any(isinstance(row[name], int | float) for row in rows)
        justify: Literal["left", "right"] = "right" if numeric else "left"
        table.add_column(name, justify=justify, no_wrap=numeric, overflow="fold")
    for row in rows:
        table.add_row(*(_short(value) for value in _plain(row).values()))
    return table


def _plain(row: Row) -> dict[str, Any]:
    """JSON's own types; a number that is not finite is undefined."""
    plain = {}
    for name, value in row.items():
        scalar = value.item() if hasattr(value, "item") else value
        undefined = isinstance(scalar, float) and not math.isfinite(scalar)
        plain[name] = None if undefined else scalar
    return plain


def _exact(value: Any) -> str:
    return "" if value is None else str(value).replace("\t", " ").replace("\n", " ")


def _short(value: Any) -> str:
    if isinstance(value, float):
        small = 0 < abs(value) < 1e-3
        return f"{value:.1e}" if small else f"{value:.4f}".rstrip("0").rstrip(".")
    return "-" if value is None else str(value)


class Advance(Protocol):
    """What moves a progress bar."""

    def __call__(self, done: float, text: str = "") -> None:
        """Moves it to a count, with a short text behind it."""


def _nowhere(done: float, text: str = "") -> None:
    """Stands in for a progress bar that nobody would see."""


@contextmanager
def progress(label: str, total: float) -> Iterator[Advance]:
    """A progress bar on stderr, where stderr is a terminal and the user has not asked for quiet.

    Args:
        label: what is being done.
        total: the count at which it is done.
    """
    if settings.quiet or not sys.stderr.isatty():
        yield _nowhere
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total, text="")
        yield lambda done, text="": bar.update(task, completed=done, text=text)
