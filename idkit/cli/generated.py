"""Synthetic data, and the same again from what a model says of the data that it was trained on."""

import functools
import inspect
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, get_type_hints

from idkit import budget, schemas, shelf
from idkit.cli.memory import allowed
from idkit.errors import IdkitError

if TYPE_CHECKING:
    from idkit import files
    from idkit.data import Dataset

SCHEMA = schemas.DATA
AGAIN = "again:"  # what a source begins with that stands for data to be made once more
ITEM = 8  # bytes of a number
FORMATS = (".safetensors", ".npz")  # a pipe's first


def data(
    kind: str, changed: Mapping[str, Any], seed: int, called: str | None
) -> tuple["Dataset", dict[str, Any], dict[str, Any]]:
    """A data set of a generator, with the arrays and the metadata of its artefact.

    Args:
        kind: a name in `synth`.
        changed: the options that are not at their defaults, in the order of the generator.
        seed: of the data.
        called: what they are called; None for a name from the kind and the options.
    """
    import numpy as np

    from idkit import files

    dataset = shelf.take("synth", kind, "sample")(np.random.default_rng(seed), **changed)
    meta = files.metadata(
        SCHEMA,
        f"synth {kind}{flags(changed)}{f' --name {quote(called)}' if called else ''} --seed {seed}",
        (),
        data=called or _name(kind, changed, seed),
        kind=kind,
        options=dict(sorted(changed.items())),
        seed=seed,
        **dataset.about,
    )
    arrays = {"x": dataset.x, "u": dataset.u, "s": dataset.s, **dataset.extras}
    return dataset, {n: a for n, a in arrays.items() if a is not None}, meta


def flags(changed: Mapping[str, Any]) -> str:
    """The options of a command that are not at their defaults."""
    return "".join(f" --{name.replace('_', '-')} {value}" for name, value in changed.items())


def recipe(inputs: Sequence["files.Artefact"]) -> dict[str, Any]:
    """What a model keeps of its data so that they can be made again; empty where they cannot."""
    if len(inputs) != 1 or inputs[0].schema != SCHEMA or inputs[0].key is not None:
        return {}
    meta = inputs[0].meta
    if not {"data", "kind", "options", "seed"} <= meta.keys():
        return {}
    return {key: meta[key] for key in ("data", "kind", "options", "seed")}


def source(made_from: Mapping[str, Any], *, name: str, sha256: str) -> str | None:
    """A source of the very bytes that a file or a pipe held.

    Args:
        made_from: as of `recipe`.
        name: of the file; `-` for a pipe.
        sha256: of the bytes.

    Returns:
        What `again` reads; None where the data come out otherwise, or cannot be made here.
    """
    import numpy as np

    for form in FORMATS:
        told = AGAIN + json.dumps({"from": made_from, "name": name, "form": form}, sort_keys=True)
        try:
            with np.errstate(all="ignore"):  # options of a damaged file may overflow
                same = again(told).sha256 == sha256
            if same:
                return told
        except IdkitError:
            return None
    return None


@functools.lru_cache(maxsize=1)  # whoever has compared the bytes reads them next
def again(told: str) -> "files.Artefact":
    """The artefact of data that are made once more.

    Args:
        told: as of `source`.

    Raises:
        IdkitError: when this idkit has no such generator.
    """
    from idkit import files

    wanted = json.loads(told.removeprefix(AGAIN))
    made_from, form = wanted["from"], wanted["form"]
    kind, seed = made_from["kind"], made_from["seed"]
    changed = _options(kind, made_from["options"])
    called = made_from["data"] if made_from["data"] != _name(kind, changed, seed) else None
    _, arrays, meta = data(kind, changed, seed, called)
    with tempfile.TemporaryDirectory() as scratch:
        path = str(Path(scratch) / f"data{form}")
        files.write(path, arrays, meta)
        made = files.read(path, schema=SCHEMA)  # what is mapped outlives the file's name
    return replace(made, label=meta["data"], name=wanted["name"])


def _options(kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """The options in the order of the generator, on which the name of the data depends.

    Raises:
        IdkitError: when the generator has none of that name or kind, or makes more of them than
            memory holds: a file may claim what it likes.
    """
    from idkit.assembly import check_value

    sample = shelf.take("synth", kind, "sample")
    known, hints = inspect.signature(sample).parameters, get_type_hints(sample)
    if not told.keys() <= known.keys():
        raise IdkitError(f"{kind} has no option {', '.join(sorted(told.keys() - known.keys()))}")
    for name, value in told.items():
        check_value(name, value, hints[name])
    given = {name: told.get(name, known[name].default) for name in known}
    counts = [value for value in given.values() if type(value) is int]
    counts.append(given.get("sources") or 1)  # a matrix of them at each row
    numbers = prod(max(1, abs(count)) for count in counts)
    budget.refuse(f"making {kind} again", ITEM * numbers, allowed(None), "the data by --data")
    return {name: told[name] for name in known if name in told}


def _name(kind: str, changed: Mapping[str, Any], seed: int) -> str:
    parts = [kind, *(f"{key.replace('_', '')}{value}" for key, value in changed.items())]
    return "-".join([*parts, *([f"seed{seed}"] if seed else [])])
