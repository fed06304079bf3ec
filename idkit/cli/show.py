"""What a person or the next program sees: tables and results on stdout, all else on stderr."""

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from idkit import __version__
from idkit.cli import table
from idkit.errors import one_line


@dataclass(frozen=True)
class Settings:
    """How loud a command is."""

    quiet: bool = False
    verbose: bool = False
    debug: bool = False


UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")

settings = Settings()
Row = Mapping[str, Any]


def safe(text: str) -> str:
    r"""A text in which nothing moves the cursor, begins a line or changes a colour.

    All text from files passes through it on its way to a terminal, or into a table of text.

    >>> safe("z\x1b[31m\tred")
    'z\\x1b[31m\\tred'
    """
    return UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def line(text: str) -> None:
    """Prints one line of the product."""
    sys.stdout.write(safe(text) + "\n")


_caveats: list[str] = []
_said: list[str] = []  # what the JSON document holds as notes
_held: dict[str, Any] = {}  # the JSON document, until all notes are known
_beside: dict[str, Any] = {}  # what it holds below them


def note(text: str) -> None:
    """Says something about the result: on stderr unless `--quiet`, and in the JSON document."""
    _said.append(safe(text))
    news(text)


def news(text: str) -> None:
    """Says what is being done, for the user's eyes alone, unless `--quiet`."""
    if not settings.quiet:
        sys.stderr.write(safe(text) + "\n")


def caveat(text: str) -> None:
    """A note about a result, printed behind it once the command has one; else not at all."""
    _caveats.append(text)


def begin() -> None:
    """Forgets what belongs to a command that came to nothing."""
    for kept in (_caveats, _said, _held, _beside):
        kept.clear()


def end() -> None:
    """Prints the result that is held back, and the caveats of the one that now is on stdout."""
    release()
    for text in _caveats:
        news(text)
    begin()


def release() -> None:
    """Prints the JSON document, if the result is to be one, with all that was said of it."""
    if _held:
        notes = [*_said, *map(safe, _caveats)]
        text = json.dumps({**_held, "notes": notes, **_beside}, indent=1, allow_nan=False)
        sys.stdout.write(text + "\n")
        _held.clear()


def detail(text: str) -> None:
    """Prints one line for the user's eyes, if `--verbose`."""
    if settings.verbose:
        sys.stderr.write(safe(text) + "\n")


def error(who: str, text: str) -> None:
    """Prints one line that says why a command failed, or what of it did."""
    if settings.debug:
        trace()
    said = one_line(text)
    _said.append(said)
    sys.stderr.write(one_line(f"{who}: {said}") + "\n")


def trace() -> None:
    """Prints where the error that is being handled was raised."""
    import traceback

    for text in traceback.format_exc().splitlines():
        sys.stderr.write(safe(text) + "\n")


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
        as_json: whether to print the JSON document, which is held back until the command ends.
        title: a heading, on a terminal only.
        beside: what else the JSON document holds, below the notes.
    """
    if as_json:
        assert not _held, "a command prints one document"
        _held.update(schema=schema, version=__version__, rows=[_plain(row) for row in rows])
        _beside.update(beside or {})
    elif sys.stdout.isatty():
        _rich_table(rows, title)
    elif rows:
        sys.stdout.write("\t".join(map(safe, rows[0])) + "\n")
        for row in rows:
            sys.stdout.write("\t".join(_exact(value) for value in _plain(row).values()) + "\n")


def _rich_table(rows: Sequence[Row], title: str) -> None:
    from rich.console import Console

    console = Console(markup=False, emoji=False, highlight=False)  # a name in brackets is a name
    readable = [{_shown(n): _readable(value) for n, value in _plain(row).items()} for row in rows]
    for part in table.fitted(readable, safe(title), console.width):
        if isinstance(part, str):
            line(part)
        else:
            console.print(part)


def _plain(row: Row) -> dict[str, Any]:
    """JSON's own types; a number that is not finite is undefined."""
    plain = {}
    for name, value in row.items():
        scalar = value.item() if hasattr(value, "item") else value
        undefined = isinstance(scalar, float) and not math.isfinite(scalar)
        plain[name] = None if undefined else scalar
    return plain


def _readable(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float) else _shown(str(value))


def _shown(text: str) -> str:
    """A safe text with escapes for letters that the terminal does not have, as it will show it."""
    encoding = sys.stdout.encoding or "ascii"
    return safe(text).encode(encoding, "backslashreplace").decode(encoding)


def _exact(value: Any) -> str:
    return "" if value is None else safe(str(value))


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
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[text]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(safe(label), total=total, text="")
        yield lambda done, text="": bar.update(task, completed=done, text=text)
