"""What idkit's files hold: the fields and arrays of every schema, declared once.

`idkit.files.validation` reads every file against it. Fields and arrays that are not declared here
are welcome (schemas grow by addition only), as long as they are plain JSON, and plain arrays.

An axis has a name where its length is not fixed. Within one file (one group of a file that holds
several) the same name is the same length; it is that of the field of the same name, where that is a
whole number above 0, or the length of the field, where that is a list.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf

DATA = "idkit.data/1"
MODEL = "idkit.model/1"
LATENTS = "idkit.latents/1"
ALIGNMENT = "idkit.alignment/1"
SCORES = "idkit.scores/1"
TESTS = "idkit.tests/1"
CHECKPOINT = "idkit.checkpoint/1"

SCORED = (SCORES, ALIGNMENT)  # an alignment was scored as it was made
LARGEST = 2**63 - 1  # what an int64 holds
LONGEST = 2**31 - 1  # of one axis; torch cannot make a longer one of every kind of layer
SQUARED = 1e100  # what is no larger can be squared and summed
CHECKSUMS = "checksums"  # the field in which a sealed file bears witness to its numbers


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


TEXT, LENGTH, SHARE = Text(), Whole(1, LONGEST), Real(0, 1)
OPTIONAL_TEXT, OPTIONAL_LENGTH = Field(TEXT, null=True), Field(LENGTH, null=True)
SCORE, SEED = Field(SHARE, null=True), Field(Whole(), null=True)
OPTIONS, NUMBER = Field(Options(), null=True), Field(Real(-SQUARED, SQUARED), null=True)

EVERY: Mapping[str, Field] = {  # what every file of idkit's bears
    "schema": Field(TEXT),
    "version": Field(TEXT),
    "command": Field(TEXT),
    "inputs": Field(
        Each(
            Record(
                {
                    "name": Field(TEXT, needed=True),
                    "sha256": Field(TEXT, needed=True),
                    "key": Field(TEXT),
                },
                whole=True,
            )
        ),
        needed=True,
    ),
}

ABOUT: Mapping[str, Field] = {  # what a run, and a group of them, says of itself
    "data": OPTIONAL_TEXT,
    "model": OPTIONAL_TEXT,
    "arch": OPTIONAL_TEXT,
    "d_z": OPTIONAL_LENGTH,
}

SYNTH: Mapping[str, Field] = {  # what synthetic data can be made again from
    "data": Field(TEXT, needed=True),
    "kind": Field(TEXT, needed=True),
    "options": Field(Options(), needed=True),
    "seed": Field(Whole(), needed=True),
}

MIXING = Record(
    {
        "activation": Field(Text(("leaky", "xtanh")), needed=True),
        "slope": Field(Real(above=0), needed=True),
        "first": Field(Text(("activation", "matrix")), needed=True),
    },
    whole=True,
)

ROW_NAMES = (
    *("id", "ids", "name", "names", "index", "obs_names"),
    *("sample_id", "sample_ids", "words", "keys"),
)
NAMED = {name: Array(ANY_VALUES, ("n", "...")) for name in ROW_NAMES}

RUN: Mapping[str, Field] = {  # what the runs of a group of trainings have in common
    "data": Field(TEXT, needed=True),
    "model": Field(TEXT, needed=True),
    "arch": Field(TEXT, null=True, needed=True),
    "likelihood": Field(TEXT, null=True, needed=True),
    "d_z": Field(LENGTH, needed=True),
    "shape": Field(Each(LENGTH, least=1), needed=True),
    "labels": Field(Whole(0, LONGEST), needed=True),
    "images": Field(Flag(), needed=True),
    "knobs": Field(Options(), needed=True),
    "variant": Field(Options(), null=True, needed=True),
    "settings": Field(Options(), null=True, needed=True),
    "training": Field(
        Record(
            {
                "steps": Field(Whole()),
                "batch_size": Field(LENGTH),
                "lr": Field(Real(above=0)),
                "factor": Field(Real(above=0)),
                "patience": Field(Whole()),
                "init": Field(TEXT),
                "vary": Field(TEXT),
                "precision": Field(TEXT),
            }
        )
    ),
    "synth": Field(Record(SYNTH, whole=True), null=True),
    "label_values": Field(Each(Scalar()), null=True),
    "x": Field(  # what was trained on
        Record(
            {
                "type": Field(TEXT),
                "least": Field(Real()),
                "most": Field(Real()),
                "levels": Field(TEXT, null=True),
                "sha256": Field(TEXT),
            }
        )
    ),
    "standardize": Field(
        Record({"mean": Field(Anything()), "scale": Field(Anything())}), null=True
    ),
}

GROUP: Mapping[str, Field] = {  # a row of the table of `idkit mcc`, with its runs
    **{name: Field(TEXT, null=True, needed=True) for name in ("data", "model", "arch", "settings")},
    "d_z": Field(Whole(0, LONGEST), null=True, needed=True),
    "embedded": OPTIONAL_TEXT,
    "mode": Field(TEXT, null=True, needed=True),
    "corr": Field(Text(("pearson", "spearman")), null=True, needed=True),
    "k": Field(Whole(0, LONGEST)),
    "runs": Field(LENGTH, needed=True),
    "pairs": Field(LENGTH),
    "n": Field(Whole(1), needed=True),
    "mcc_in": SCORE,
    "mcc_out": SCORE,
    "mcc_in_all": SCORE,
    "mcc_out_all": SCORE,
    "unmatched": Field(Whole(), null=True),
    "ci_low": Field(SHARE, null=True, needed=True),
    "ci_high": Field(SHARE, null=True, needed=True),
    "chance_in": SCORE,
    "chance_out": SCORE,
    "p": Field(SHARE, null=True, needed=True),
    "p_in": SCORE,
    "dead": Field(Whole(), null=True),
    "active": Field(Real(0), null=True),
    "names": Field(Each(TEXT, axis="runs", more=1), needed=True),  # one more: ground truth
    "seeds": Field(Each(Whole(), null=True, axis="runs"), null=True, needed=True),
    "withheld": Field(TEXT, needed=True),
    "warnings": Field(Each(TEXT), needed=True),
    "notes": Field(Each(TEXT)),
    "wanted": Field(Whole(0, LONGEST), null=True),
}

SCORE_ARRAYS: Mapping[str, Array] = {
    "pairs": Array(INTEGERS, ("P", 2), 0, "runs", below="names", needed=True),
    "positions": Array(INTEGERS, ("P",), 0, needed=True),
    "in": Array(FLOATS, ("P", "k"), 0, 1, ragged=True, gives="mcc_in", needed=True),
    "out": Array(FLOATS, ("P", "k"), 0, 1, ragged=True, gives="mcc_out", needed=True),
    "shuffled_in": Array(FLOATS, ("B",), 0, 1, finite=True, gives="chance_in", needed=True),
    "shuffled_out": Array(FLOATS, ("B",), 0, 1, finite=True, gives="chance_out", needed=True),
    "dead": Array(INTEGERS, ("runs",), 0, gives="dead", needed=True),
    "active": Array(FLOATS, ("runs",), 0, finite=True, gives="active", needed=True),
}


def _map(*axes: str) -> Array:
    """A part of the map of each pair."""
    return Array(FLOATS, ("P", *axes), -SQUARED, SQUARED, ragged=True, large=True)


MAP_ARRAYS: Mapping[str, Array] = {
    "source": Array(INTEGERS, ("P", "k"), 0, below="a", distinct=True, ragged=True),
    "target": Array(INTEGERS, ("P", "k"), 0, below="b", distinct=True, ragged=True),
    "signs": Array(FLOATS, ("P", "k"), known=(-1, 1), ragged=True),
    "directions_a": _map("a", "k"),
    "directions_b": _map("b", "k"),
    "matrix": _map("a", "b"),
    "offset": _map("b"),
}

TEST: Mapping[str, Field] = {  # a row of the table of `idkit wilcoxon`
    "a": Field(TEXT, needed=True),
    "b": Field(TEXT, needed=True),
    "mode": OPTIONAL_TEXT,
    "corr": OPTIONAL_TEXT,
    "n": Field(Whole(), null=True),
    "zeros": Field(Whole(), null=True),
    "ties": Field(Whole(), null=True),
    "w": Field(Real(0), null=True),
    "p": SCORE,
    "method": OPTIONAL_TEXT,
    "p_holm": SCORE,
    "p_block": SCORE,
    "shift": NUMBER,
    "shift_low": NUMBER,
    "shift_high": NUMBER,
    "rank_biserial": Field(Real(-1, 1), null=True),
    "verdict": OPTIONAL_TEXT,
}

FRIEDMAN = Record(
    {
        "cells": Field(Whole()),
        "families": Field(Whole()),
        "statistic": Field(Real(0)),
        "p": SCORE,
        "method": Field(TEXT),
    }
)

SCHEMAS: Mapping[str, Schema] = {
    DATA: Schema(
        "idkit synth",
        {
            "data": OPTIONAL_TEXT,
            "kind": Field(TEXT),
            "options": Field(Options()),
            "seed": Field(Whole()),
            "mixing": Field(MIXING),
        },
        {
            "x": Array(ANY_VALUES, ("n", "...")),
            "u": Array(ANY_VALUES, ("n", "...")),
            "s": Array(ANY_VALUES, ("n", "d_s")),
            "split": Array("biuf", ("n",), known=(0, 1)),
            "mixing": Array(FLOATS, ("layers", "d_s", "d_s"), finite=True),
            "condition": Array(FLOATS, ("layers",)),
            "distortion": Array(FLOATS, ("n",)),
            "covariance": Array(FLOATS, ("segments", "d_s", "d_s")),
            **NAMED,
        },
    ),
    MODEL: Schema(
        "idkit train",
        {
            **RUN,
            "seed": Field(Whole(), needed=True),
            "failed_at": Field(Whole()),
        },
        {
            "history/*": Array(FLOATS, ("epochs",)),
            "occupancy.share": Array(FLOATS, ("components",), 0, finite=True),
        },
    ),
    LATENTS: Schema(
        "idkit embed",
        {
            **ABOUT,
            "seed": SEED,
            "variant": OPTIONS,
            "settings": OPTIONS,
            "rows": Field(TEXT, null=True),
            "split": Field(TEXT, null=True),
            "statistic": Field(TEXT, null=True),
            "embedded": OPTIONAL_TEXT,
            "label_values": Field(Each(Scalar()), null=True),
        },
        {
            "z": Array(ANY_VALUES, ("n", "d_z", "...")),
            "log_var": Array(FLOATS, ("n", "d_z", "...")),
            "u": Array(ANY_VALUES, ("n", "...")),
            "s": Array(ANY_VALUES, ("n", "...")),
            "responsibilities": Array(FLOATS, ("n", "...")),
            **NAMED,
        },
    ),
    ALIGNMENT: Schema(
        "idkit align",
        {
            "groups": Field(
                Each(
                    Record({**GROUP, "widths": Field(Each(LENGTH, axis="names"), needed=True)}),
                ),
                needed=True,
            )
        },
        table="groups",
        each={
            **SCORE_ARRAYS,
            "pairs": replace(SCORE_ARRAYS["pairs"], distinct=True),  # nothing is mapped to itself
            **MAP_ARRAYS,
        },
        either=(
            ("source", "target", "signs"),
            ("directions_a", "directions_b", "matrix", "offset"),
        ),
        sealed=True,
    ),
    SCORES: Schema(
        "idkit mcc",
        {"groups": Field(Each(Record(GROUP)), needed=True)},
        table="groups",
        each=SCORE_ARRAYS,
        sealed=True,
    ),
    TESTS: Schema(
        "idkit wilcoxon",
        {
            "tests": Field(Each(Record(TEST))),
            "value": OPTIONAL_TEXT,
            "by": OPTIONAL_TEXT,
            "pair": Field(Each(TEXT), null=True),
            "block": Field(Each(TEXT), null=True),
            "zeros": OPTIONAL_TEXT,
            "margin": NUMBER,
            "friedman": Field(FRIEDMAN, null=True),
            "friedmans": Field(Each(FRIEDMAN)),
            "each": Field(Each(TEXT)),
            "power": Field(Anything()),
        },
        table="tests",
        each={"differences": Array(FLOATS, ("n",))},
        sealed=True,
    ),
    CHECKPOINT: Schema(
        "idkit train",
        {"version": Field(TEXT, needed=True), "run": Field(Record({**EVERY, **RUN}), needed=True)},
        {
            "seeds": Array(INTEGERS, ("seeds",), -1, needed=True),  # -1: is to begin again
            "step": Array(INTEGERS, (), 0, needed=True),
            "flat": Array(FLOATS, ("seeds", "parameters"), needed=True),
            "first": Array(FLOATS, ("seeds", "parameters"), needed=True),
            "second": Array(FLOATS, ("seeds", "parameters"), needed=True),
            "count": Array(NUMBERS, (), needed=True),
            "lr": Array(FLOATS, ("seeds",), needed=True),
            "best": Array(FLOATS, ("seeds",), needed=True),
            "waited": Array(NUMBERS, ("seeds",), needed=True),
            "alive": Array("b", ("seeds",), needed=True),
            "failed_at": Array(INTEGERS, ("seeds",), needed=True),
            "order": Array(INTEGERS, ("seeds", "..."), needed=True),
            "noise": Array(INTEGERS, ("seeds", "..."), needed=True),
            "fixed/*": Array(ANY_VALUES, ("seeds", "...")),
            "sums/*": Array(FLOATS, ("seeds",)),
            "history/*": Array(FLOATS, ("epochs", "seeds")),
        },
    ),
}
MADE_BY = {name: schema.maker for name, schema in SCHEMAS.items()}
