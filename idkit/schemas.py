"""What idkit's files hold: the fields and arrays of every schema, declared once.

`idkit.files.validation` reads every file against it. Fields and arrays that are not declared here
are welcome (schemas grow by addition only), as long as they are plain JSON, and plain arrays.
"""

from collections.abc import Mapping
from dataclasses import replace

from idkit.declare import (
    ANY_VALUES,
    FLOATS,
    INTEGERS,
    LONGEST,
    NUMBERS,
    Anything,
    Array,
    Each,
    Field,
    Flag,
    Options,
    Real,
    Record,
    Scalar,
    Schema,
    Text,
    Whole,
)

DATA = "idkit.data/1"
MODEL = "idkit.model/1"
LATENTS = "idkit.latents/1"
ALIGNMENT = "idkit.alignment/1"
SCORES = "idkit.scores/1"
TESTS = "idkit.tests/1"
CHECKPOINT = "idkit.checkpoint/1"

SCORED = (SCORES, ALIGNMENT)  # an alignment was scored as it was made
SQUARED = 1e100  # what is no larger can be squared and summed
CHECKSUMS = "checksums"  # the field in which a sealed file bears witness to its numbers

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
