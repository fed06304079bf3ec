"""What of metadata is not as `idkit.schemas` declares it."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from idkit.declare import Each, Flag, Kind, Options, Real, Record, Scalar, Text, Whole

DEEPEST = 32  # lists and objects within one another; idkit's own metadata have five
SHOWN = 40  # characters of a value in a message
Axes = dict[str, int]
HALVES = ("\ud800", "\udfff")  # of characters that UTF-16 writes in two: alone they are no text


def not_plain(value: Any, place: str = "", depth: int = 0) -> Iterator[str]:
    """What a JSON text can hold and nobody can use: NaN, half a character, depth without end.

    Args:
        value: what was parsed.
        place: what to call it, as `groups[0].seeds`.
        depth: how many lists and objects it is in.
    """
    if depth > DEEPEST:
        yield f"{named(place)} is nested more than {DEEPEST} deep"
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield from not_plain(name, below(place, name), depth + 1)
            yield from not_plain(entry, below(place, name), depth + 1)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from not_plain(entry, f"{place}[{number}]", depth + 1)
    elif isinstance(value, str):
        if not value.isascii() and any(HALVES[0] <= letter <= HALVES[1] for letter in value):
            yield f"{named(place)} holds half of a surrogate pair, which is no text"
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield f"{named(place)} is {value}, expected a finite number"
    elif isinstance(value, int) and not -(2**63) <= value < 2**64:
        yield f"{named(place)} is {shown(value)}, expected an integer of 64 bits"


def faults(
    kind: Kind, value: Any, place: str = "", *, null: bool = False, axes: Axes | None = None
) -> Iterator[str]:
    """What of a value is not as declared.

    Args:
        kind: what it must be.
        value: plain JSON.
        place: what to call it, as `groups[0].seeds`.
        null: whether it may be null.
        axes: the lengths that the fields next to it give.
    """
    if value is None and null:
        return
    match kind, value:
        case Record(fields, whole), dict():
            given = lengths(kind, value)
            for name, field in fields.items():
                if name in value:
                    where, entry = below(place, name), value[name]
                    yield from faults(field.kind, entry, where, null=field.null, axes=given)
                elif field.needed and whole:
                    yield f"{named(below(place, name))} is missing"
        case Options(entries), dict():
            for name, entry in value.items():
                yield from faults(entries, entry, below(place, name))
        case Each(entries), list():
            yield from _wrong_count(kind, len(value), place, axes or {})
            for number, entry in enumerate(value):
                yield from faults(entries, entry, f"{place}[{number}]", null=kind.null)
        case _:
            if not _is(kind, value):
                yield f"{named(place)} is {shown(value)}, expected {wanted(kind, value)}"


def lacking(kind: Kind, value: Any, place: str = "") -> Iterator[str]:
    """The needed fields that an object, or one within it, does not have.

    Args:
        kind: what it was found to be.
        value: plain JSON.
        place: what to call it.
    """
    match kind, value:
        case Record(fields), dict():
            for name, field in fields.items():
                if name in value:
                    yield from lacking(field.kind, value[name], below(place, name))
                elif field.needed:
                    yield below(place, name)
        case Each(entries), list():
            for number, entry in enumerate(value):
                yield from lacking(entries, entry, f"{place}[{number}]")


def lengths(record: Record, value: Mapping[str, Any]) -> Axes:
    """The lengths of axes that fields of an object give: whole numbers above 0, and of lists."""
    found = {}
    for name, field in record.fields.items():
        entry = value.get(name)
        if isinstance(field.kind, Whole) and type(entry) is int and entry > 0:
            found[name] = entry
        elif isinstance(field.kind, Each) and isinstance(entry, list):
            found[name] = len(entry)
    return found


def wanted(kind: Kind, value: Any = None) -> str:
    """What a kind is, for a message about a value that is none.

    >>> wanted(Whole(1)), wanted(Real(0, 1)), wanted(Text(("in", "out")))
    ('a whole number of at least 1', 'a number from 0 to 1', 'in or out')
    """
    match kind:
        case Whole(low, high):
            large = type(value) is int and value > high
            return f"a whole number of at {f'most {high}' if large else f'least {low}'}"
        case Real(low, high, above):
            return "a number" + (
                f" from {low:g} to {high:g}"
                if math.isfinite(low + high)
                else f" above {above:g}"
                if above is not None
                else f" of at least {low:g}"
                if math.isfinite(low)
                else ""
            )
        case Text(known):
            return " or ".join(known) or "text"
        case Flag():
            return "true or false"
        case Scalar():
            return "text, a number, true or false"
        case Each():
            return "a list"
    return "an object"


def named(place: str) -> str:
    """A place for a message, which a hostile name does not spoil.

    >>> named("groups[0].k"), named("z" + chr(27))
    ("'groups[0].k'", "'z?'")
    """
    clean = "".join(letter if letter.isprintable() else "?" for letter in place[: 2 * SHOWN])
    return f"'{clean}'" if len(place) <= 2 * SHOWN else f"'{clean}...'"


def shown(value: Any) -> str:
    """A value for a message, in its first letters."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    text = json.dumps(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def below(place: str, name: str) -> str:
    """What a field of an object is called."""
    return f"{place}.{name}" if place else name


def _is(kind: Kind, value: Any) -> bool:
    """Whether a value is of a kind that holds no others."""
    match kind:
        case Whole(low, high):
            return type(value) is int and low <= value <= high
        case Real(low, high, above):
            inside = type(value) in (int, float) and low <= value <= high
            return inside and (above is None or value > above)
        case Text(known):
            return isinstance(value, str) and (not known or value in known)
        case Flag():
            return isinstance(value, bool)
        case Scalar():
            return not isinstance(value, dict | list)
        case Record() | Options() | Each():
            return False  # which `faults` goes through, where the value is one
    return True


def _wrong_count(kind: Each, count: int, place: str, axes: Axes) -> Iterator[str]:
    least, most, because = kind.least, kind.most, ""
    if kind.axis is not None and kind.axis in axes:
        least = axes[kind.axis]
        most, because = least + kind.more, f" ('{kind.axis}' says so)"
    if not least <= count <= most:
        number = f"{least}" if count < least or most == least else f"at most {most}"
        yield f"{named(place)} has {count} entries, expected {number}{because}"
