"""The words in which `idkit.schemas` declares what files hold: fields, arrays, and whole files.

An axis has a name where its length is not fixed. Within one file (one group of a file that holds
several) the same name is the same length; it is that of the field of the same name, where that is a
whole number above 0, or the length of the field, where that is a list.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

LARGEST = 2**63 - 1  # what an int64 holds
LONGEST = 2**31 - 1  # of one axis; torch cannot make a longer one of every kind of layer


@dataclass(frozen=True)
class Whole:
    """A whole number from `low` to `high`; a truth value is none."""

    low: int = 0
    high: int = LARGEST


@dataclass(frozen=True)
class Real:
    """A finite number from `low` to `high`, and larger than `above` where that is given."""

    low: float = -inf
    high: float = inf
    above: float | None = None


@dataclass(frozen=True)
class Text:
    """Text; one of `known` where these are given."""

    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class Flag:
    """true or false."""


@dataclass(frozen=True)
class Scalar:
    """Text, a number, true, false or null: the value of an option."""


@dataclass(frozen=True)
class Anything:
    """Any plain JSON."""


@dataclass(frozen=True)
class Record:
    """An object with these fields, and perhaps more; a `whole` one has all that are needed."""

    fields: Mapping[str, "Field"]
    whole: bool = False


@dataclass(frozen=True)
class Options:
    """An object whose values are all of one kind, by any name."""

    value: "Kind" = field(default_factory=Scalar)


@dataclass(frozen=True)
class Each:
    """A list whose entries are all of one kind.

    Attributes:
        entry: their kind.
        least: how many there are at least.
        most: how many there are at most.
        null: whether entries may be null.
        axis: an axis that it has as many entries as; None for no such axis.
        more: how many entries there may be above that.
    """

    entry: "Kind"
    least: int = 0
    most: int = LONGEST
    null: bool = False
    axis: str | None = None
    more: int = 0


Kind = Whole | Real | Text | Flag | Scalar | Anything | Record | Options | Each


@dataclass(frozen=True)
class Field:
    """One field of an object.

    Attributes:
        kind: what its value is.
        null: whether it may be null.
        needed: whether commands that use such a file need it: `files.require` asks for it. What
            only looks at a file, or at its table, does not.
    """

    kind: Kind
    null: bool = False
    needed: bool = False


NUMBERS, INTEGERS, FLOATS, ANY_VALUES = "biuf", "iu", "f", "biufcSU"  # kinds of numpy.dtype


@dataclass(frozen=True)
class Array:
    """One array.

    Attributes:
        kinds: which kinds of `numpy.dtype` it may have.
        shape: the length along each axis, a number or the name of an axis; with "..." at the end
            there may be more axes, or fewer.
        low: the least value; the values of an array without limits are not looked at.
        high: the largest value, a number or the name of an axis whose length it is.
        below: an axis whose length no value reaches.
        known: the only values that there are.
        finite: whether values must be finite.
        distinct: whether the values of a row are all different.
        ragged: whether axes differ from pair to pair, as `RAGGED` has it: within a pair's own
            lengths values are finite, beyond them there is nothing but NaN, or -1 in integers.
        large: whether its values are looked at when they are touched, and not at once.
        gives: the field next to it that is the mean of its values (with `ragged` of the means of
            the pairs), or the sum of whole ones; None for no such field.
        needed: as of a field.
    """

    kinds: str
    shape: tuple[str | int, ...]
    low: float = -inf
    high: float | str = inf
    below: str | None = None
    known: tuple[float, ...] = ()
    finite: bool = False
    distinct: bool = False
    ragged: bool = False
    large: bool = False
    gives: str | None = None
    needed: bool = False


RAGGED = ("k", "a", "b")  # components of a pair; coordinates of its first and of its second run


@dataclass(frozen=True)
class Schema:
    """One kind of file.

    Attributes:
        maker: the command that makes it.
        fields: of its metadata, besides those of every file.
        arrays: by name; `<folder>/*` stands for every array whose name begins so.
        table: the field that lists what has arrays of its own, `<number>/<name>`, and the names
            of its entries are axes of these; None where there is no such field.
        each: the arrays of each entry of the table.
        either: sets of those of which one is whole, where these arrays are needed.
        sealed: whether the file bears checksums of its arrays and of the numbers of its table.
    """

    maker: str
    fields: Mapping[str, Field]
    arrays: Mapping[str, Array] = field(default_factory=dict)
    table: str | None = None
    each: Mapping[str, Array] = field(default_factory=dict)
    either: tuple[tuple[str, ...], ...] = ()
    sealed: bool = False
