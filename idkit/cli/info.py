"""`idkit info`: what a file is, where it came from, and what its arrays hold."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idkit.cli import options, show
from idkit.errors import DamagedError, IdkitError
from idkit.schemas import CHECKSUMS

if TYPE_CHECKING:
    from idkit.files import Artefact, Table

SCHEMA = "idkit.info/1"
ALWAYS = ("array", "dtype", "shape", "min", "max", "nonfinite")  # columns shown even if empty
WIDEST = 160  # characters of one line of metadata
VALUES = 6  # different texts of a column that are shown

Row = dict[str, Any]


def info(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="Any file that idkit reads; FILE:KEY; '-'."),
    ],
    as_json: options.Json = False,
) -> None:
    """Show what a file is, where it came from, and what its arrays hold.

    For each array: its type and shape, the smallest and largest finite value, how many values are
    not finite, how many columns never change, and the last value of a training history. Of a model
    with a mixture: how many components are in use, and whether it has collapsed. A file may be
    larger than memory, and so may what it unpacks to. Arrays of an .npz are held against their
    checksums: a damaged one shows no values, and the exit code is 3.

    \b
    idkit info runs/*/latents.npz
    idkit info runs/*/model.safetensors --json | jq '.rows[].meta.seed'
    idkit synth tcl | idkit info -
    """
    from idkit import files

    files.single_stdin(sources)
    opened = [files.read_any(source) for source in sources]
    damages: list[DamagedError] = []
    if as_json:
        rows = [_row(one, damages) for one in opened]
        show.rows(rows, schema=SCHEMA, as_json=True)
    else:
        for number, one in enumerate(opened):
            if number:
                show.line("")
            _print(_row(one, damages))
    if damages:  # all that is sound has been shown
        raise damages[0]


def _row(one: "Artefact | Table", damages: list[DamagedError]) -> Row:
    """All about one file: a row of the JSON document; damage of its arrays is added to a list."""
    from idkit.files import Table

    file = {
        "file": one.label,
        "format": str(one.kind),
        "bytes": one.content.size,
        "sha256": one.sha256,
    }
    if isinstance(one, Table):
        return {**file, "schema": None, "meta": {}, "components": None, "arrays": _columns(one)}
    names = one.arrays if one.key is None else [one.key]
    arrays = [_array(one, name, damages) for name in names]
    known = {**file, "schema": one.schema, "meta": one.meta, "components": _components(one)}
    return {**known, "arrays": arrays}


def _components(artefact: "Artefact") -> Row | None:
    """How a model uses its mixture; None where it has none."""
    from dataclasses import asdict

    from idkit.components import use

    found = use(artefact.arrays) if artefact.schema == "idkit.model/1" else None
    if found is None:
        return None
    return {**asdict(found), "collapsed": found.collapsed, "words": str(found)}


def _array(artefact: "Artefact", name: str, damages: list[DamagedError]) -> Row:
    import numpy as np

    from idkit import files

    member = artefact.arrays.members[name]
    row = _empty_row(name, member.dtype, member.shape)
    try:
        summary = files.summarise(member)  # which keeps nothing of it in memory
    except IdkitError as error:  # of this array alone: the others can be shown
        damages += [error] if isinstance(error, DamagedError) else []
        return {**row, "unread": str(error)}
    if summary is None:
        return row
    row |= {"min": summary.low, "max": summary.high, "nonfinite": summary.nonfinite}
    if name.startswith("history/") and len(member.shape) == 1 and 0 not in member.shape:
        last = artefact.arrays[name][-1]
        row["last"] = last.item() if np.isfinite(last) else None
    elif artefact.schema != "idkit.model/1":  # a weight's columns say nothing
        row["constant"] = summary.constant
    return row


def _columns(table: "Table") -> list[Row]:
    """The columns of a table of text, shown as if they were arrays."""
    rows = []
    for name in table.sheet.names:
        cells = table.column(name)
        texts = dict.fromkeys(cell for cell in cells if isinstance(cell, str))
        numbers = [cell for cell in cells if isinstance(cell, float) and math.isfinite(cell)]
        row = _empty_row(name, "text" if texts else "number", (len(cells),))
        row["nonfinite"] = len(cells) - len(numbers) if not texts else cells.count(None)
        if numbers:
            row |= {"min": min(numbers), "max": max(numbers)}
        if texts:
            more = ", ..." if len(texts) > VALUES else ""
            row["values"] = ", ".join(list(texts)[:VALUES]) + more
        rows.append(row)
    return rows


def _empty_row(name: str, dtype: str, shape: Sequence[int]) -> Row:
    return {
        "array": name,
        "dtype": dtype,
        "shape": list(shape),
        **dict.fromkeys(("min", "max", "nonfinite", "constant", "last", "values", "unread")),
    }


def _print(file: Row) -> None:
    """The file's own lines, then the table of its arrays."""
    from idkit.files import describe_bytes

    kind = file["schema"] or "not made by idkit"
    show.line(_clean(f"{file['file']}: {kind}, {file['format']}, {describe_bytes(file['bytes'])}"))
    show.line(f"  sha256: {file['sha256']}")
    for text in _metadata_lines(file["meta"]):
        show.line(f"  {_clean(text)}")
    if file["components"]:
        show.line(f"  components: {file['components']['words']}")
    shown = [name for name in _empty_row("", "", ()) if name in ALWAYS or _any(file, name)]
    rows = [{name: _readable(row[name]) for name in shown} for row in file["arrays"]]
    show.rows(rows, schema=SCHEMA, as_json=False)


def _any(file: Row, name: str) -> bool:
    return any(row[name] is not None for row in file["arrays"])


def _readable(value: Any) -> Any:
    if isinstance(value, list):
        return " x ".join(str(length) for length in value) or "-"
    return _clean(value) if isinstance(value, str) else value


def _metadata_lines(meta: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """One line a fact; `settings: {beta: 4}` is `settings.beta: 4`."""
    for name, value in sorted(meta.items()):
        if name == CHECKSUMS and not above:
            continue  # for idkit, which has checked them
        if isinstance(value, dict):
            yield from _metadata_lines(value, f"{above}{name}.")
        elif name == "inputs" and not above and isinstance(value, list):
            yield from (f"input: {_input(one)}" for one in value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{above}{name}: {len(value)} entries of {', '.join(value[0])}"
        elif name != "schema":
            yield f"{above}{name}: {_value(value)}"


def _input(one: Any) -> str:
    known = isinstance(one, dict) and {"name", "sha256"} <= one.keys()
    return f"{one['name']} (sha256 {one['sha256']})" if known else _value(one)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value)
    return value if isinstance(value, str) else json.dumps(value)


def _clean(text: str) -> str:
    """A text that is not too long for one line."""
    return text if len(text) <= WIDEST else text[: WIDEST - 3] + "..."
