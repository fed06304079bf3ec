"""Every option that several commands share, and each short letter, defined once."""

import functools
import inspect
import os
import sys
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

from idkit import __version__, declare, shelf
from idkit.cli import cramped, home, show
from idkit.errors import IdkitError, UsageError

Returned = TypeVar("Returned")
PATHS = ("FILE", "FOLDER", "MODEL")  # in a metavar: what is given is a path


def _print_version(wanted: bool) -> None:
    if wanted:
        show.line(f"idkit {__version__}")
        raise typer.Exit


def _limit_threads(threads: int) -> int:
    """Tells the numerical libraries before they are loaded: later they no longer listen."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    return threads


def _split_names(given: list[str] | None) -> list[str] | None:
    """The names in `a,b`, and in the option given again."""
    if not given:
        return None
    names = [name.strip() for text in given for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError("--columns names no column: name the coordinates by --columns a,b")
    return names


def _storable(seed: int) -> int:
    """Takes only a seed that a file can hold."""
    if seed > declare.LARGEST:
        raise UsageError(f"--seed is {seed}: it is at most {declare.LARGEST}")
    return seed


def _free_memory() -> None:
    """Lifts a limit that a command has set: the next one in this process has its own."""
    if limits := sys.modules.get("idkit.files.limits"):  # what is not loaded has no limit
        limits.limit_memory(None)


def _name_of(room: str) -> Callable[[str | None], str | None]:
    """A callback that takes only what stands in a room of the package."""

    def known(name: str | None) -> str | None:
        if name is None:
            return None
        return shelf.check(name, shelf.names(room), what=shelf.kind(room))

    return known


def choice(room: str, flag: str, text: str) -> Any:
    """An option that takes one name of a room: help, completion and errors follow the folder."""
    return typer.Option(
        flag,
        metavar="NAME",
        help=f"{text}: {', '.join(shelf.names(room))}.",
        callback=_name_of(room),
        autocompletion=lambda: list(shelf.names(room)),
    )


def data(text: str) -> Any:
    """The option `--data`: a name, or a file."""
    names = (*shelf.names("data"), *shelf.names("synth"))
    return typer.Option(
        "--data", metavar="NAME|FILE", help=text, autocompletion=lambda: list(names)
    )


def kind(room: str, text: str) -> Any:
    """A positional argument that takes one name of a room."""
    return typer.Argument(
        metavar="KIND",
        help=f"{text}: {', '.join(shelf.names(room))}.",
        callback=_name_of(room),
        autocompletion=lambda: list(shelf.names(room)),
    )


Version = Annotated[
    bool, typer.Option("--version", help="Print the version.", callback=_print_version)
]
Out = Annotated[
    str | None,
    typer.Option("-o", "--out", metavar="FILE", help="Where to write ('-' is standard output)."),
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        metavar="A,B,...",
        callback=_split_names,
        help="Columns of a table that are the coordinates.  [default: those of numbers, but for "
        "row names, labels and what counts rows]",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace an output that exists.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document, not a table.")]
DataRoot = Annotated[
    str | None,
    typer.Option(
        "--data-root",
        metavar="FOLDER",
        envvar="IDKIT_DATA",
        help="Where data sets lie. [default: idkit in the user's cache folder]",
    ),
]
Memory = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="Most memory to take, as 4G, 500M or 1.5GiB; what needs more is refused before it "
        "begins (exit 3).  [default: half of what is free]",
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", min=0, callback=_storable, help="Seed of every random choice."),
]
RowNames = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="NAME",
        help="Array or column of row names, by which rows are matched; 'none' goes by position.  "
        "[default: id, names, index, obs_names, sample_id, words or keys, where unique]",
    ),
]

Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No notes, no progress.")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Say more on stderr.")]
Debug = Annotated[bool, typer.Option("--debug", help="A traceback for every error.")]
Threads = Annotated[
    int,
    typer.Option(
        "--threads", metavar="N", min=1, callback=_limit_threads, help="CPU cores to use."
    ),
]
COMMON: dict[str, tuple[Any, bool | int]] = {
    "quiet": (Quiet, False),
    "verbose": (Verbose, False),
    "debug": (Debug, False),
    "threads": (Threads, 1),
}


def _is_path(annotation: Any) -> bool:
    """Whether an option or argument is one path, or several, by its metavar."""
    metavars = [getattr(info, "metavar", None) for info in getattr(annotation, "__metadata__", ())]
    return any(word in (metavar or "") for metavar in metavars for word in PATHS)


def _expanded(value: str | list[str]) -> str | list[str]:
    return home.expanded(value) if isinstance(value, str) else list(map(home.expanded, value))


def with_common(command: Callable[..., Returned]) -> Callable[..., Returned]:
    """Gives a command the options that every command has.

    A command that names one of them as a parameter of its own receives its value.
    """
    signature = inspect.signature(command)
    paths = [name for name, given in signature.parameters.items() if _is_path(given.annotation)]
    missing = {name: spec for name, spec in COMMON.items() if name not in signature.parameters}

    @functools.wraps(command)
    def run(**values: Any) -> Returned:
        show.settings = show.Settings(
            quiet=values["quiet"], verbose=values["verbose"], debug=values["debug"]
        )
        show.begin()
        cramped.refuse(command.__name__)
        values |= {name: _expanded(values[name]) for name in paths if values[name] is not None}
        if values.get("as_json") and values.get("out") == "-":
            raise UsageError("--json and the file would both be on standard output: add -o FILE")
        try:
            returned = command(**{name: values[name] for name in values if name not in missing})
        except typer.Exit:
            show.end()
            raise
        except IdkitError:  # of what follows from a result that was to be printed
            show.release()
            raise
        finally:
            _free_memory()
        show.end()
        return returned

    run.__signature__ = signature.replace(  # type: ignore[attr-defined]  # read by typer
        parameters=[
            *signature.parameters.values(),
            *(
                inspect.Parameter(
                    name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation
                )
                for name, (annotation, default) in missing.items()
            ),
        ]
    )
    return run
