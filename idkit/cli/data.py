"""`idkit data`: which data sets there are, their downloads, and whether they are whole."""

import contextlib
import io
import socket
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from idkit import shelf
from idkit.cli import dataset, options, show
from idkit.errors import IdkitError, MissingError

SILENCE_SECONDS = 60  # of a server, after which a download is given up
SCHEMA = "idkit.datasets/1"

data = typer.Typer(
    name="data",
    help="""List, fetch and verify data sets.

    Official files, with torchvision's downloads and checksums, under --data-root, $IDKIT_DATA or
    idkit in the user's cache folder. Without network, put the official files where 'fetch' says,
    and run it again.

    \b
    idkit data list
    idkit data fetch mnist svhn
    idkit data verify
    idkit train --data mnist""",
    add_completion=False,
    rich_markup_mode=None,
)
Fetched = Annotated[
    list[str],
    typer.Argument(
        metavar="NAME...",
        help=f"Data sets: {', '.join(shelf.names('data'))}.",
        autocompletion=lambda: list(shelf.names("data")),
    ),
]
Verified = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME...]",
        help="Data sets.  [default: all that are here]",
        autocompletion=lambda: list(shelf.names("data")),
    ),
]


def list_(data_root: options.DataRoot = None, as_json: options.Json = False) -> None:
    """Say which data sets there are, and which of them are on this machine.

    \b
    idkit data list
    """
    root = dataset.root(data_root)
    rows = [
        {"data": name, "status": _status(name, root), "path": _place(name, root)}
        for name in shelf.names("data")
    ]
    rows += [{"data": name, "status": "generated", "path": None} for name in shelf.names("synth")]
    show.rows(rows, schema=SCHEMA, as_json=as_json)


def fetch(
    names: Fetched, data_root: options.DataRoot = None, as_json: options.Json = False
) -> None:
    """Download data sets, and check what came. What is there already is not fetched again.

    \b
    idkit data fetch mnist
    idkit data fetch cifar10 svhn --data-root /data
    """
    root = dataset.root(data_root)
    rows, failures = [], []
    for name in _known(names):
        status = "comes with idkit"
        archive = _archive(name)
        if archive is not None:
            status = "present"
            if archive.missing(root) or archive.damaged(root):
                show.news(f"fetching {name} into {root}")
                try:
                    with _patience(), _own_progress():
                        archive.fetch(root)
                    archive.opened(root)
                    status = "fetched"
                except MissingError as error:
                    status = "missing"
                    failures.append(str(error))
        rows.append({"data": name, "status": status, "path": _place(name, root)})
    show.rows(rows, schema=SCHEMA, as_json=as_json)
    if failures:
        raise MissingError("; ".join(failures))


def verify(
    names: Verified = None, data_root: options.DataRoot = None, as_json: options.Json = False
) -> None:
    """Compare every file of data sets with its official checksum.

    \b
    idkit data verify
    idkit data verify mnist --data-root /data
    """
    root = dataset.root(data_root)
    wanted = _known(names or [n for n in shelf.names("data") if _status(n, root) == "present"])
    if not wanted:
        raise MissingError(
            f"no data set lies under {root} ('idkit data fetch NAME' puts one there)"
        )
    rows, missing, damaged = [], [], []
    for name in wanted:
        archive = _archive(name)
        if archive is None:
            rows.append({"data": name, "file": None, "status": "comes with idkit"})
            continue
        absent, bad = archive.missing(root), archive.damaged(root)
        missing += [name] if absent else []
        damaged += [name] if bad else []
        for path in (root / file for file in archive.files):
            status = "missing" if path in absent else "damaged" if path in bad else "whole"
            rows.append({"data": name, "file": str(path), "status": status})
    show.rows(rows, schema="idkit.data-files/1", as_json=as_json)
    if damaged:
        raise IdkitError(
            f"files of {', '.join(damaged)} are not the official ones: 'idkit data fetch "
            f"{' '.join(damaged)} --data-root {root}' gets those"
        )
    if missing:
        raise MissingError(
            f"{', '.join(missing)}: not here, or not all of it: 'idkit data fetch "
            f"{' '.join(missing)} --data-root {root}' gets it"
        )


for _name, _command in (("list", list_), ("fetch", fetch), ("verify", verify)):
    data.command(_name)(options.with_common(_command))


def _known(names: Sequence[str]) -> list[str]:
    """The names, each once; all are checked before anything is done about one."""
    known = shelf.names("data")
    return list(dict.fromkeys(shelf.check(name, known, what="data set") for name in names))


def _archive(name: str) -> Any:
    """What is known of a data set's files; None where it needs none."""
    return getattr(shelf.module("data", name), "ARCHIVE", None)


def _status(name: str, root: Path) -> str:
    archive = _archive(name)
    if archive is None:
        return "comes with idkit"
    return "absent" if archive.missing(root) else "present"


def _place(name: str, root: Path) -> str | None:
    archive = _archive(name)
    return None if archive is None else str((root / archive.files[0]).parent)


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """Gives up a server that no longer answers, which torchvision would wait for without end."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(SILENCE_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _own_progress() -> contextlib.AbstractContextManager[Any]:
    """Keeps torchvision's progress bar to terminals."""
    if sys.stderr.isatty() and not show.settings.quiet:
        return contextlib.nullcontext()
    return contextlib.redirect_stderr(io.StringIO())
