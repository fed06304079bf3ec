"""Is a file what its schema declares? The one place that holds files against `idkit.schemas`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit import schemas
from idkit.declare import Array, Each, Field, Options, Record, Schema, Text
from idkit.errors import IdkitError
from idkit.files import checksums, fields, shapes
from idkit.files.artefact import Artefact
from idkit.files.members import Arrays, Member

ANY = "*"  # at the end of a declared name: every array whose name begins so
SEAL = Record(
    {
        "arrays": Field(Options(Text()), needed=True),
        "names": Field(Each(Text()), needed=True),
        "rows": Field(Each(Text()), needed=True),
    },
    whole=True,
)


def checked(label: str, meta: Mapping[str, Any], arrays: Arrays) -> Arrays:
    """Holds a file with metadata of idkit's against its schema, at a bounded cost.

    Metadata are looked at at once, and so are the types and shapes of arrays, and the values of
    arrays that have limits and are not large.

    Args:
        label: what messages call the file.
        meta: its metadata, whatever JSON gave; `schema` is text.
        arrays: its arrays.

    Returns:
        The arrays; those with limits or checksums are checked when they are touched.

    Raises:
        IdkitError: naming the first field or array that is not as declared.
    """
    _refuse(label, fields.not_plain(meta))
    schema = schemas.SCHEMAS.get(meta["schema"])
    if schema is None:
        return arrays
    _refuse(label, fields.faults(_record(schema), meta))
    seal = meta.get(schemas.CHECKSUMS) if schema.sealed else None
    if seal is not None:
        _refuse(label, _broken_seal(seal, meta, schema, arrays))
    sums = {} if seal is None else seal["arrays"]
    parts = _parts(schema, meta, arrays)
    owner = {name: part for part in parts for name in part.declared}
    members = dict(arrays.members)
    for name in owner.keys() | sums.keys():
        member = members[name]
        load = partial(_load, label, name, member, owner.get(name), sums.get(name))
        members[name] = replace(member, load=load)
    made = Arrays(members)
    for part in parts:
        least = 0 if part.entry is None else 1
        for name, array in part.declared.items():
            _refuse(label, shapes.misfits(name, array, members[name], part.axes, least=least))
            if shapes.bounded(array) and not array.large:
                made[name]
    return made


def require(artefact: Artefact, *names: str) -> None:
    """Makes sure that nothing is missing of what a command needs of a file of idkit's.

    Args:
        artefact: of a schema of idkit's.
        *names: the fields and arrays that are needed; by default all that the schema says are.

    Raises:
        IdkitError: naming the first that is missing.
    """
    schema = schemas.SCHEMAS[str(artefact.schema)]
    for name in _missing(schema, artefact):
        if not names or name in names:
            raise IdkitError(
                f"{artefact.label}: {fields.named(name)} is missing, which {artefact.schema} "
                f"needs: make it again ('{schema.maker}')"
            )


def sealed(arrays: Mapping[str, NDArray[Any]], meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """Metadata with checksums, where the schema has them and there are none yet.

    Args:
        arrays: what is written beside them.
        meta: plain JSON.
    """
    schema = schemas.SCHEMAS.get(str(meta.get("schema")))
    if schema is None or not schema.sealed or schemas.CHECKSUMS in meta:
        return meta
    table = _table(schema, meta)
    if not isinstance(table, list) or not all(isinstance(row, dict) for row in table):
        return meta  # none of idkit's writing, and refused when it is read
    return {**meta, schemas.CHECKSUMS: checksums.of(arrays, table)}


@dataclass
class _Part:
    """What has axes of its own: a file, or an entry of its table.

    Attributes:
        declared: its arrays that are there, by their whole names, in the order declared.
        axes: the lengths that are known.
        entry: its fields, where it is an entry of a table.
        own: the lengths, pair by pair, of the axes that differ between pairs.
    """

    declared: Mapping[str, Array]
    axes: fields.Axes
    entry: Mapping[str, Any] | None = None
    own: dict[str, NDArray[np.int64]] = field(default_factory=dict)

    def faults(self, name: str, array: NDArray[Any]) -> Iterator[str]:
        """What is wrong with the values of one of its arrays; learns what others need of them."""
        what = name.rpartition("/")[2]
        if what == "in":
            self.own["k"] = shapes.components(array)
        yield from shapes.outliers(name, self.declared[name], array, self.axes, self.own)
        yield from shapes.unlike(name, self.declared[name], array, self.entry or {})
        widths = (self.entry or {}).get("widths")
        if what == "pairs" and widths is not None:
            for axis, runs in zip("ab", array.T, strict=True):
                self.own[axis] = np.array(widths, np.int64)[runs]
                self.axes[axis] = int(self.own[axis].max())


def _parts(schema: Schema, meta: Mapping[str, Any], arrays: Arrays) -> list[_Part]:
    whole = _Part(_there(schema.arrays, arrays), fields.lengths(_record(schema), meta))
    return [
        whole,
        *(
            _Part(
                _there({f"{g}/{name}": array for name, array in schema.each.items()}, arrays),
                fields.lengths(_entries(schema), entry),
                entry,
            )
            for g, entry in enumerate(_table(schema, meta))
        ),
    ]


def _there(declared: Mapping[str, Array], arrays: Arrays) -> dict[str, Array]:
    """The declared arrays that a file has, by their whole names."""
    found: dict[str, Array] = {}
    for name, array in declared.items():
        if name.endswith(ANY):
            found |= {each: array for each in arrays if each.startswith(name.removesuffix(ANY))}
        elif name in arrays:
            found[name] = array
    return found


def _load(
    label: str, name: str, member: Member, part: _Part | None, checksum: str | None
) -> NDArray[Any]:
    array = member.load()
    if part is not None and shapes.bounded(part.declared[name]):
        _refuse(label, part.faults(name, array))
    if checksum is not None and checksums.of_array(array) != checksum:
        raise IdkitError(f"{label}: '{name}' is not what was written: damaged or changed")
    return array


def _broken_seal(
    seal: Mapping[str, Any], meta: Mapping[str, Any], schema: Schema, arrays: Arrays
) -> Iterator[str]:
    """What of a file has changed since its checksums were taken, but for the values of arrays."""
    lost = [name for name in seal["arrays"] if name not in arrays]
    if lost:
        yield f"{fields.named(lost[0])} is missing, which was written with the rest"
    table = _table(schema, meta)
    if len(table) != len(seal["rows"]):
        yield f"'{schema.table}' has {len(table)} entries, {len(seal['rows'])} were written"
    for number, (row, checksum) in enumerate(zip(table, seal["rows"], strict=False)):
        if checksums.of_row(row, seal["names"]) != checksum:
            yield f"numbers of '{schema.table}[{number}]' are not what was written"


def _record(schema: Schema) -> Record:
    """All declared fields of a file."""
    seal = {schemas.CHECKSUMS: Field(SEAL)} if schema.sealed else {}
    return Record({**schemas.EVERY, **schema.fields, **seal})


def _table(schema: Schema, meta: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The entries that have arrays of their own."""
    return [] if schema.table is None else meta.get(schema.table, [])


def _entries(schema: Schema) -> Record:
    """What each of these is declared as."""
    each = schema.fields[str(schema.table)].kind
    assert isinstance(each, Each)
    assert isinstance(each.entry, Record)
    return each.entry


def _missing(schema: Schema, artefact: Artefact) -> Iterator[str]:
    yield from fields.lacking(_record(schema), artefact.meta)
    arrays = artefact.arrays
    yield from (
        name for name, array in schema.arrays.items() if array.needed and name not in arrays
    )
    for g in range(len(_table(schema, artefact.meta))):
        held = {name for name in schema.each if f"{g}/{name}" in arrays}
        needed = [name for name, array in schema.each.items() if array.needed]
        if not any(held.issuperset(names) for names in schema.either):
            begun = [names for names in schema.either if held.intersection(names)]
            needed += next(iter([*begun, *schema.either]), ())
        yield from (f"{g}/{name}" for name in needed if name not in held)


def _refuse(label: str, faults: Iterator[str]) -> None:
    """Raises the first fault, if there is one."""
    for fault in faults:
        raise IdkitError(f"{label}: {fault}")
