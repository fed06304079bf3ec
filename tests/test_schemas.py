"""Every field and array of every schema: declared in one place, and held against it when read."""

import contextlib
import copy
import io
import json
import struct
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from idkit import files, schemas
from idkit.assembly import Design, builder
from idkit.cli import run
from idkit.declare import Each, Kind, Options, Record
from idkit.errors import IdkitError
from idkit.runs import Group
from idkit.training.fit import Ensembles, Rows, Settings, Training

Arrays = dict[str, NDArray[Any]]
Path_ = tuple[str | int, ...]
KINDS = {
    "data": "data.npz",
    "model": "vae1.npz",
    "latents": "1.npz",
    "scores": "scores.npz",
    "alignment": "strong.npz",
    "linear": "affine.npz",
    "tests": "tests.npz",
    "checkpoint": "checkpoint.safetensors",
}


def call(*words: str) -> tuple[int, str, str]:
    """A command in this process: its exit code, and what it wrote to stdout and to stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([word for line in words for word in line.split()])
    return int(code), out.getvalue(), err.getvalue()


def done(*words: str) -> None:
    code, _, err = call(*words)
    assert code == 0, err


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a real file of every schema, made by the commands that make them."""
    folder = tmp_path_factory.mktemp("made")
    with contextlib.chdir(folder):
        done("synth tcl --per-segment 15 --segments 4 --sources 3 --seed 3 -o data.npz")
        how = "--data data.npz --arch mlp3 --steps 4 --batch-size 16 -p hidden=4 -q"
        for model in ("vae", "vade"):
            for seed in (1, 2, 3):
                done(f"train --model {model} {how} --seed {seed} -o {model}{seed}.npz")
                latents = f"{seed}.npz" if model == "vae" else f"{model}-{seed}.npz"
                done(f"embed {model}{seed}.npz -o {latents}")
        for seed in (1, 2, 3):  # the same runs on other rows
            np.save(f"other-{seed}.npy", files.read(f"{seed}.npz").arrays["z"][::-1][:40] * 1.5)
        named = "1.npz 2.npz 3.npz vade-1.npz vade-2.npz vade-3.npz"
        done(f"mcc {named} --mode strong,weak --cca-dim 2 --null rows --perms 9 -o scores.npz -q")
        done("align 1.npz 2.npz 3.npz -o strong.npz -q")
        done("align 1.npz 2.npz 3.npz --mode affine -o affine.npz -q")
        done("wilcoxon scores.npz --power --shift 0.1 -o tests.npz -q")
        begin(folder)
    return folder


def begin(folder: Path) -> None:
    """A checkpoint of two seeds."""
    made = files.read("vae1.npz").meta
    names = ("model", "arch", "likelihood", "labels", "d_z", "images", "knobs")
    design = Design(**{name: made[name] for name in names}, shape=tuple(made["shape"]))
    x = torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    rows = Rows(x, torch.zeros(40, dtype=torch.int64))
    settings = Settings(steps=9, batch_size=8, lr=1e-3, factor=0.5, patience=1)
    training = Training.start(Ensembles(builder(design), rows, settings), [1, 2])
    training.advance()
    meta = {name: made[name] for name in made if name not in ("seed", "command")}
    group = Group(folder, "begun", meta)
    group.save_checkpoint([1, 2], training.snapshot())
    ((path, _),) = group.checkpoints()
    path.rename(folder / "checkpoint.safetensors")


@pytest.fixture(autouse=True)
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder beside the files, for bad copies of them."""
    for path in made.iterdir():
        if path.is_file():
            (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(name: str) -> tuple[Arrays, dict[str, Any]]:
    found = files.read(name)
    return {key: np.array(array) for key, array in found.arrays.items()}, copy.deepcopy(found.meta)


def write(path: str, arrays: Mapping[str, NDArray[Any]], meta: Any) -> None:
    """Writes what `files.write` would not: any JSON that Python can write."""
    np.savez(path, **arrays, idkit=np.array(json.dumps(meta)))  # type: ignore[arg-type]


def places(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Every place in a document, the first entry of a list standing for all."""
    if at:
        yield at
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*at, name))
    elif isinstance(value, list):
        for number in range(min(len(value), 1)):
            yield from places(value[number], (*at, number))


def changed(document: Any, at: Path_, value: Any) -> Any:
    """A copy of a document with another value at one place; without it where that is `...`."""
    made = copy.deepcopy(document)
    above = made
    for step in at[:-1]:
        above = above[step]
    if value is ...:
        del above[at[-1]]
    else:
        above[at[-1]] = value
    return made


# The declaration


@pytest.mark.parametrize("name", KINDS.values(), ids=list(KINDS))
def test_every_field_and_array_that_idkit_writes_is_declared(name: str) -> None:
    found = files.read(name)
    schema = schemas.SCHEMAS[str(found.schema)]
    record = Record({**schemas.EVERY, **schema.fields})
    free = {schemas.CHECKSUMS}  # the seal, which `files.validation` declares
    assert set(undeclared(record, found.meta)) <= free
    table = found.meta.get(schema.table or "", [])
    declared = set(schema.arrays) | {
        f"{g}/{each}" for g in range(len(table)) for each in schema.each
    }
    folders = tuple(each.removesuffix("*") for each in declared if each.endswith("*"))
    if found.schema != schemas.MODEL:  # whose parameters bear the names that torch gives them
        assert {each for each in found.arrays if not each.startswith(folders)} <= declared
    files.require(found)


def undeclared(kind: Kind, value: Any, place: str = "") -> Iterator[str]:
    match kind, value:
        case Record(fields), dict():
            for name, entry in value.items():
                if name in fields:
                    yield from undeclared(fields[name].kind, entry, f"{place}{name}.")
                else:
                    yield place + name
        case Each(entries), list():
            for entry in value:
                yield from undeclared(entries, entry, place)
        case Options(), dict():
            pass


def test_every_schema_has_a_maker_that_messages_name() -> None:
    for name in KINDS.values():
        found = files.read(name)
        wrong = next(each for each in schemas.SCHEMAS if each != found.schema)
        with pytest.raises(
            IdkitError, match=f"is {found.schema}, not {wrong} .'{schemas.MADE_BY[wrong]}'"
        ):
            files.read(name, schema=wrong)


# Metadata


BAD = [
    *(5, -1, 2**62, 2**70, 10**60, 10**300, True, None, 1.5, -0.5, 1e308, float("nan")),
    *(float("inf"), "x", "", "\ud800", [], {}, [5], [None], ["a"], [{"nmae": "x"}]),
    *({"a": 1}, {"a": {"b": 1}}, [[[[1]]]], ...),
]


@pytest.mark.parametrize(
    ("kind", "at", "value", "text"),
    [
        ("latents", ("inputs",), 5, "'inputs' is 5, expected a list"),
        ("latents", ("inputs",), [5], "'inputs[0]' is 5, expected an object"),
        ("latents", ("inputs",), [{"nmae": "x"}], "'inputs[0].name' is missing"),
        ("latents", ("data",), 5, "'data' is 5, expected text"),
        ("latents", ("settings",), [1], "'settings' is a list, expected an object"),
        ("latents", ("variant",), "x", "'variant' is \"x\", expected an object"),
        ("latents", ("rows",), {}, "'rows' is an object, expected text"),
        ("latents", ("d_z",), True, "'d_z' is true, expected a whole number of at least 1"),
        ("latents", ("d_z",), 4, "'z' has shape 60 x 3, expected n x d_z x ... with n = 60, d_z"),
        ("latents", ("seed",), 2**63, "'seed' is 9223372036854775808, expected a whole number"),
        ("latents", ("seed",), 2**70, "'seed' is 1180591620717411303424, expected an integer"),
        ("latents", ("seed",), 10**300, "'seed' is inf, expected a finite number"),
        ("latents", ("seed",), -1, "'seed' is -1"),
        ("latents", ("model",), "a\ud800", "'model' holds half of a surrogate pair"),
        ("latents", ("more\ud800",), 1, "holds half of a surrogate pair"),
        ("latents", ("more",), {"a": float("nan")}, "'more.a' is nan, expected a finite number"),
        ("model", ("likelihood",), {}, "'likelihood' is an object, expected text"),
        ("model", ("knobs",), [], "'knobs' is a list, expected an object"),
        ("model", ("knobs", "hidden"), [], "'knobs.hidden' is a list, expected text, a number"),
        ("model", ("synth",), [], "'synth' is a list, expected an object"),
        ("model", ("synth", "kind"), ..., "'synth.kind' is missing"),
        ("model", ("settings",), "steps=4", "'settings' is \"steps=4\", expected an object"),
        ("model", ("labels",), -4, "'labels' is -4, expected a whole number of at least 0"),
        ("model", ("shape",), [0], "'shape[0]' is 0, expected a whole number of at least 1"),
        ("model", ("images",), 0, "'images' is 0, expected true or false"),
        ("model", ("training", "lr"), 0, "'training.lr' is 0, expected a number above 0"),
        ("data", ("mixing", "slope"), "steep", "'mixing.slope' is \"steep\", expected a number"),
        ("data", ("mixing", "first"), "x", "'mixing.first' is \"x\", expected activation"),
        ("scores", ("groups",), {}, "'groups' is an object, expected a list"),
        ("scores", ("groups", 0, "mcc_out"), 1.5, "'groups[0].mcc_out' is 1.5, expected a number"),
        ("scores", ("groups", 0, "corr"), "kendall", "expected pearson or spearman"),
        ("scores", ("groups", 0, "seeds"), [1], "'groups[0].seeds' has 1 entries, expected 3"),
        ("scores", ("groups", 0, "names"), ["a"], "'groups[0].names' has 1 entries"),
        ("scores", ("groups", 0, "n"), 61, "numbers of 'groups[0]' are not what was written"),
        ("scores", ("groups", 0, "d_z"), 4, "numbers of 'groups[0]' are not what was written"),
        ("scores", ("groups", 1), ..., "'groups' has 3 entries, 4 were written"),
        ("tests", ("tests", 0, "p"), 0.5, "numbers of 'tests[0]' are not what was written"),
        ("tests", ("tests", 0, "a"), None, "'tests[0].a' is null, expected text"),
        ("checkpoint", ("run", "d_z"), "3", "'run.d_z' is \"3\""),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(kind: str, at: Path_, value: Any, text: str) -> None:
    arrays, meta = content(KINDS[kind])
    write("bad.npz", arrays, changed(meta, at, value))
    code, out, err = call("info bad.npz")
    assert (code, out) == (3, "")
    assert text in err
    assert err.count("\n") == 1


def test_what_is_nested_without_end_is_refused() -> None:
    arrays, meta = content("1.npz")
    for depth in (40, 900):
        nested: Any = 1
        for _ in range(depth):
            nested = {"a": nested}
        write("bad.npz", arrays, {**meta, "more": nested})
        code, _, err = call("info bad.npz")
        assert code == 3
        assert "nested more than 32 deep" in err or "not JSON" in err
        assert len(err) < 300


@pytest.mark.parametrize("name", KINDS.values(), ids=list(KINDS))
def test_what_later_versions_add_is_welcome(name: str) -> None:
    arrays, meta = content(name)
    more: dict[str, Any] = {"later": {"a": [1, None, "x", 0.5, True]}}
    meta |= more
    for table in (meta.get("groups"), meta.get("tests")):
        for row in table or []:
            row |= more | {"score": 0.25}
    write("more.npz", {**arrays, "later": np.arange(3)}, meta)
    found = files.read("more.npz")
    assert found.meta == meta
    files.require(found)


def test_other_schemas_are_none_of_its_business() -> None:
    write("other.npz", {"z": np.zeros(3)}, {"schema": "idkit.latents/2", "d_z": True, "inputs": 5})
    assert call("info other.npz")[0] == 0
    assert "is idkit.latents/2, not idkit.latents/1" in call("mcc other.npz other.npz")[2]


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("scores", "mcc bad.npz"),
        ("alignment", "mcc bad.npz other-1.npy other-2.npy other-3.npy"),
        ("model", "embed bad.npz -o e.npz"),
    ],
)
def test_what_a_command_needs_and_a_file_lacks_is_named(kind: str, command: str) -> None:
    arrays, meta = content(KINDS[kind])
    meta.pop(schemas.CHECKSUMS, None)
    schema = schemas.SCHEMAS[meta["schema"]]
    needed: list[Path_] = [
        ("inputs",),
        *((name,) for name, each in schema.fields.items() if each.needed),
    ]
    if schema.table is not None:
        entry: Any = schema.fields[schema.table].kind
        needed += [("groups", 0, name) for name, each in entry.entry.fields.items() if each.needed]
    for at in needed:
        write("bad.npz", arrays, changed(meta, at, ...))
        code, _, err = call(command)
        assert code == 3, at
        assert f"{at[-1]}' is missing, which {meta['schema']} needs: make it again" in err
    for name in [each for each in arrays if each.startswith("0/")]:
        write("bad.npz", {key: arrays[key] for key in arrays if key != name}, meta)
        code, _, err = call(command)
        assert code == 3, name
        assert f"'{name}' is missing" in err


# Scores and alignments that do not fit themselves


def without_seal(kind: str) -> tuple[Arrays, dict[str, Any]]:
    """As somebody else might write them, who takes no checksums."""
    arrays, meta = content(KINDS[kind])
    del meta[schemas.CHECKSUMS]
    return arrays, meta


def put(name: str, at: tuple[int, ...], value: float, arrays: Arrays) -> Arrays:
    made = arrays[name].copy()
    made[at] = value
    return {**arrays, name: made}


def cut(name: str, arrays: Arrays, *, axis: int = 0) -> Arrays:
    return {**arrays, name: np.delete(arrays[name], -1, axis)}


def cast(name: str, dtype: str, arrays: Arrays) -> Arrays:
    return {**arrays, name: arrays[name].astype(dtype)}


UNFIT: list[tuple[str, Any, str]] = [
    ("scores", partial(cut, "0/out"), "'0/out' has shape 2 x 3, expected P x k with P = 3, k = 3"),
    ("scores", partial(cut, "0/in", axis=1), "'0/in' has shape 3 x 2, expected P x k"),
    ("scores", partial(cut, "0/pairs"), "'0/positions' has shape 3, expected P with P = 2"),
    ("scores", partial(cut, "0/dead"), "'0/dead' has shape 2, expected runs with runs = 3"),
    ("scores", partial(put, "0/out", (1, 1), np.nan), "'0/out' does not end where its pair 1 ends"),
    ("scores", partial(put, "0/in", (1, 0), np.nan), "'0/in' holds nan, expected from 0 to 1"),
    ("scores", partial(put, "0/in", (0, 0), 1.01), "'0/in' holds 1.01, expected from 0 to 1"),
    ("scores", partial(put, "0/out", (0, 0), -0.1), "'0/out' holds -0.1, expected from 0 to 1"),
    ("scores", partial(put, "0/out", (0, 0), np.inf), "'0/out' holds inf, expected from 0 to 1"),
    ("scores", partial(put, "0/out", (0, 0), 0.0), "'0/out' has the mean"),
    ("scores", partial(put, "0/pairs", (0, 1), 3), "'0/pairs' holds 3, expected from 0 to 2"),
    ("scores", partial(put, "0/pairs", (0, 1), -1), "'0/pairs' holds -1, expected from 0 to 2"),
    ("scores", partial(put, "0/active", (0,), np.nan), "'0/active' holds nan, expected at least"),
    ("scores", partial(put, "0/shuffled_out", (0,), 2), "'0/shuffled_out' holds 2.0, expected"),
    ("scores", partial(put, "0/dead", (0,), 1), "'0/dead' has the sum 1, but 'dead' is 0"),
    ("scores", partial(cast, "0/in", "c16"), "'0/in' holds complex128, expected floating-point"),
    ("scores", partial(cast, "0/out", "U9"), "'0/out' holds str288, expected floating-point"),
    ("scores", partial(cast, "0/pairs", "f8"), "'0/pairs' holds float64, expected integers"),
    ("alignment", partial(put, "0/pairs", (0, 0), 1), "'0/pairs' holds 1 twice"),
    ("alignment", partial(put, "0/source", (0, 0), 3), "'0/source' holds 3, expected from 0 to 2"),
    ("alignment", partial(put, "0/signs", (0, 0), 0.5), "'0/signs' holds 0.5, expected -1 or 1"),
    ("linear", partial(cut, "0/directions_a", axis=1), "'0/directions_a' has shape"),
    ("linear", partial(cut, "0/directions_b", axis=2), "'0/directions_b' has shape"),
    ("linear", partial(cut, "0/matrix"), "'0/matrix' has shape 2 x 3 x 3"),
    ("linear", partial(put, "0/matrix", (0, 0, 0), np.inf), "'0/matrix' holds inf, expected"),
    ("linear", partial(put, "0/offset", (0, 0), np.nan), "'0/offset' does not end where"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "change", "text"), UNFIT, ids=[f"{case[0]}: {case[2][:40]}" for case in UNFIT]
)
def test_scores_that_do_not_fit_themselves_are_refused(kind: str, change: Any, text: str) -> None:
    arrays, meta = without_seal(kind)
    write("bad.npz", change(arrays), meta)
    others = "" if kind == "scores" else "other-1.npy other-2.npy other-3.npy"
    code, out, err = call(f"mcc bad.npz {others}")
    assert (code, out) == (3, "")
    assert text in err


def test_coordinates_of_a_map_are_all_different() -> None:
    arrays, meta = without_seal("alignment")
    arrays["0/source"][0] = [1, 1, 2]
    write("bad.npz", arrays, meta)
    assert "'0/source' holds 1 twice where values must differ" in call("mcc bad.npz")[2]


def test_widths_of_runs_are_those_of_their_maps() -> None:
    for kind in ("alignment", "linear"):
        arrays, meta = without_seal(kind)
        meta["groups"][0]["widths"] = [3, 2, 3]
        write("bad.npz", arrays, meta)
        others = "other-1.npy other-2.npy other-3.npy"
        assert call(f"mcc bad.npz {others}")[0] == 3


def test_pairs_of_several_widths_are_padded_and_whole() -> None:
    rng = np.random.default_rng(0)
    for name, width in (("a", 4), ("b", 2), ("c", 3)):
        np.save(f"{name}.npy", rng.standard_normal((90, width)))
        np.save(f"new-{name}.npy", rng.standard_normal((50, width)))
    for mode in ("strong", "weak", "affine", "orthogonal"):
        done(f"align a.npy b.npy c.npy --mode {mode} -o own-{mode}.npz -q")
        done(f"mcc own-{mode}.npz new-a.npy new-b.npy new-c.npy -q")
    arrays, meta = content("own-affine.npz")
    del meta[schemas.CHECKSUMS]
    write("bad.npz", put("0/matrix", (0, 3, 2), 1.0, arrays), meta)  # b has two coordinates
    code, _, err = call("mcc bad.npz new-a.npy new-b.npy new-c.npy")
    assert code == 3
    assert "'0/matrix' does not end where its pair 0 ends" in err


# What a seal sees


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_one_flipped_bit_changes_no_number_in_silence(suffix: str) -> None:
    """Anywhere in the file: header, metadata or values."""
    found = files.read("scores.npz")
    files.write(f"whole.{suffix}", found.arrays, found.meta)
    whole = Path(f"whole.{suffix}").read_bytes()
    expected = numbers(call(f"mcc whole.{suffix} --json")[1])
    rng = np.random.default_rng(0)
    codes = set()
    for place, bit in zip(
        rng.integers(len(whole), size=250), rng.integers(8, size=250), strict=True
    ):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(bit)
        Path("bad.dat").write_bytes(damaged)
        code, out, err = call("mcc bad.dat --json")
        assert code in (0, 3), err
        assert code == 3 or numbers(out) == expected
        codes.add(code)
    assert 3 in codes


def numbers(document: str) -> list[dict[str, Any]]:
    """The numbers of the rows of a JSON document."""
    return [
        {name: value for name, value in row.items() if not isinstance(value, str)}
        for row in json.loads(document)["rows"]
    ]


def test_a_file_without_a_seal_is_read() -> None:
    arrays, meta = without_seal("scores")
    write("plain.npz", arrays, meta)
    assert call("mcc plain.npz --json")[1] == call("mcc scores.npz --json")[1]


def test_names_may_be_changed_under_the_seal() -> None:
    arrays, meta = content("scores.npz")
    meta["groups"][0]["model"] = "mine"
    write("named.npz", arrays, meta)
    assert '"model": "mine"' in call("mcc named.npz --json")[1].replace('":"', '": "')


def test_byte_order_and_layout_are_not_damage() -> None:
    arrays, meta = content("scores.npz")
    turned = {
        name: np.asfortranarray(array).astype(array.dtype.newbyteorder(">"))
        for name, array in arrays.items()
    }
    write("turned.npz", turned, meta)
    assert call("mcc turned.npz --json")[1] == call("mcc scores.npz --json")[1]


def test_a_seal_that_is_broken_itself_is_refused() -> None:
    arrays, meta = content("scores.npz")
    broken: list[Any] = [5, {}, {"arrays": [], "names": [], "rows": []}, {"arrays": {"0/in": 1}}]
    for value in broken:
        write("bad.npz", arrays, {**meta, schemas.CHECKSUMS: value})
        code, _, err = call("mcc bad.npz")
        assert code == 3
        assert "'checksums" in err
    lost = {name: array for name, array in arrays.items() if name != "1/active"}
    write("bad.npz", lost, meta)
    assert "'1/active' is missing, which was written with the rest" in call("wilcoxon bad.npz")[2]


# Everything at once


COMMANDS = {
    "data": ["info bad.npz", "synth unmixed --from bad.npz -o out.npz --force"],
    "model": ["info bad.npz --json", "embed bad.npz -o out.npz --force -q"],
    "latents": ["info bad.npz", "mcc bad.npz 2.npz --json", "align bad.npz 2.npz --json"],
    "scores": ["mcc bad.npz --json", "mcc bad.npz --curve", "wilcoxon bad.npz --json"],
    "alignment": ["mcc bad.npz other-1.npy other-2.npy other-3.npy --json", "mcc bad.npz --pairs"],
    "linear": ["mcc bad.npz other-1.npy other-2.npy other-3.npy --json"],
    "tests": ["info bad.npz"],
    "checkpoint": ["info bad.npz"],
}
LABELS = {"data", "model", "arch", "settings", "variant", "mode", "corr", "split", "statistic"}
EACH = 4  # values tried in each place


@pytest.mark.parametrize("kind", COMMANDS)
def test_no_field_of_any_schema_is_a_bug_or_changes_a_number_in_silence(kind: str) -> None:
    arrays, meta = content(KINDS[kind])
    write("bad.npz", arrays, meta)
    expected = {command: call(command) for command in COMMANDS[kind]}
    assert {code for code, _, _ in expected.values()} == {0}
    rng = np.random.default_rng(0)
    for at in places(meta):
        for number in rng.choice(len(BAD), EACH, replace=False):
            write("bad.npz", arrays, changed(meta, at, BAD[number]))
            for command in COMMANDS[kind]:
                code, out, err = call(command)
                assert code in (0, 3), (at, BAD[number], command, err)
                if code == 3:
                    assert err.count("\n") == 1
                elif "--json" in command and not command.startswith("info") and not LABELS & {*at}:
                    assert numbers(out) == numbers(expected[command][1]), (at, BAD[number], command)


FIGURES = {"scores": "box", "tests": "tests", "latents": "latents", "model": "history"}


@pytest.mark.parametrize("kind", FIGURES)
def test_no_field_is_a_bug_in_a_figure(kind: str) -> None:
    arrays, meta = content(KINDS[kind])
    command = f"plot {FIGURES[kind]} bad.npz -o out.svg --force -q"
    rng = np.random.default_rng(1)
    tried = [meta, *(changed(meta, at, BAD[rng.integers(len(BAD))]) for at in places(meta))]
    for document in tried:
        write("bad.npz", arrays, document)
        code, _, err = call(command)
        assert code in (0, 3), (document, err)
        assert err.count("\n") == (code == 3)


@pytest.mark.parametrize("kind", ["scores", "alignment", "linear"])
def test_no_array_of_scores_is_a_bug_or_changes_a_number_in_silence(kind: str) -> None:
    arrays, meta = content(KINDS[kind])
    write("bad.npz", arrays, meta)
    command = COMMANDS[kind][0]
    expected = numbers(call(command)[1])
    rng = np.random.default_rng(0)
    plain = {name: value for name, value in meta.items() if name != schemas.CHECKSUMS}
    for name, array in arrays.items():
        if not name.startswith("0/"):
            continue  # they are as those of the first group
        for other in spoilt(array, rng):
            made = {
                key: value for key, value in {**arrays, name: other}.items() if value is not None
            }
            for sealed, said in ((True, meta), (False, plain)):
                write("bad.npz", made, said)
                code, out, err = call(command)
                assert code in (0, 3), (name, other, err)
                if code == 3:
                    assert err.count("\n") == 1
                elif sealed:
                    assert numbers(out) == expected, (name, other)


def spoilt(array: NDArray[Any], rng: np.random.Generator) -> Iterator[NDArray[Any] | None]:
    """An array with another type, another shape, other values, or a flipped bit."""
    yield None
    for dtype in ("f4", "i8", "u1", "?", "U3", "c16"):
        with np.errstate(all="ignore"):
            yield np.nan_to_num(array).astype(dtype)
    yield from (array[:-1], array[:0], array[..., :-1], array[..., None], array.reshape(-1))
    yield from (np.concatenate([array, array[:1]]), np.ascontiguousarray(array.T))
    for value in (-1, 2, 99) if array.dtype.kind == "i" else (np.nan, np.inf, -0.5, 1.5, 1e300):
        made = array.copy()
        made.reshape(-1)[int(rng.integers(array.size))] = value
        yield made
    for _ in range(4):
        made = array.copy()
        raw = made.reshape(-1).view(np.uint8)
        raw[int(rng.integers(len(raw)))] ^= np.uint8(1 << int(rng.integers(8)))
        yield made


def test_a_safetensors_header_holds_metadata_to_the_same_rules() -> None:
    meta = json.dumps({**content("1.npz")[1], "d_z": True})
    header = {"z": {"dtype": "F32", "shape": [4, 3], "data_offsets": [0, 48]}}
    text = json.dumps({"__metadata__": {"idkit": meta}, **header}).encode()
    Path("bad.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + bytes(48))
    assert "'d_z' is true" in call("info bad.safetensors")[2]


def test_names_of_fields_cannot_play_tricks() -> None:
    arrays, meta = content("1.npz")
    write("bad.npz", arrays, {**meta, "a\x1b[2J\n" + "b" * 999: float("nan")})
    _, _, err = call("info bad.npz")
    assert len(err) < 300
    assert all(letter.isprintable() for letter in err[:-1])
