"""`idkit embed`, driven as a user would."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from idkit import files
from idkit.cli import run
from idkit.data import digits

TRAIN = "train --data mine.npz --arch mlp3 --steps 8 --batch-size 16 -q"
MODEL, LATENTS = "model.safetensors", "latents.npz"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data of the user's own: labels, true sources and a split."""
    monkeypatch.chdir(tmp_path)
    save("mine.npz")
    return tmp_path


def data(n: int = 64) -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 4)).astype(np.float32)
    s = rng.normal(size=(n, 2)).astype(np.float32)
    return {
        "x": x,
        "u": np.arange(n) % 3,
        "s": s,
        "split": (np.arange(n) % 4 == 0).astype(np.uint8),
    }


def save(name: str, **changes: NDArray[Any] | None) -> None:
    arrays = {key: value for key, value in {**data(), **changes}.items() if value is not None}
    np.savez(name, **arrays)  # type: ignore[arg-type]  # numpy's stubs know no mapping


def idkit(line: str, *words: str) -> int:
    return run([*line.split(), *words])


def trained(*words: str, seeds: str = "1") -> list[str]:
    """The paths of trained models, and their folders are all there is."""
    assert idkit(TRAIN, "--seed", seeds, *words) == 0
    return sorted(str(path) for path in Path("runs").glob(f"*/{MODEL}"))


def latents(model: str) -> files.Artefact:
    return files.read(str(Path(model).parent / LATENTS))


def edited(model: str, name: str = "edited.safetensors", **changes: Any) -> str:
    """A copy of a model with other arrays or metadata; None takes something away."""
    made = files.read(model)
    arrays = {**made.arrays, **changes.get("arrays", {})}
    meta = {**made.meta, **changes.get("meta", {})}
    files.write(
        name,
        {key: value for key, value in arrays.items() if value is not None},
        {key: value for key, value in meta.items() if value is not None},
    )
    return name


# What is made


def test_responsibilities_are_written_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    (model,) = trained("--model", "vade", "--components", "3")
    assert idkit("embed", model) == 0
    assert "responsibilities" not in latents(model).arrays
    assert idkit("embed", model, "--responsibilities", "--force") == 0
    found = latents(model)
    assert found.arrays["responsibilities"].shape == (16, 3)
    np.testing.assert_allclose(found.arrays["responsibilities"].sum(1), 1, rtol=1e-5)
    assert found.meta["command"].endswith("--responsibilities")
    (plain,) = [path for path in trained("--model", "vae") if "vade" not in path]
    assert idkit("embed", plain, "--responsibilities") == 3
    assert "vae has no components" in capsys.readouterr().err


def test_latents_stand_beside_each_model_with_what_belongs_to_their_rows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    models = trained("--model", "vae", "-p", "kl=mc", seeds="1-2")
    capsys.readouterr()
    assert idkit("embed", *models) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split("\t") == ["status", "n", "path"]
    paths = [str(Path(model).with_name(LATENTS)) for model in models]
    assert [row.split("\t") for row in rows] == [["written", "16", path] for path in paths]
    test = data()["split"] == 1
    for seed, model in enumerate(models, 1):
        made = latents(model)
        assert made.schema == "idkit.latents/1"
        assert made.arrays["z"].shape == made.arrays["log_var"].shape == (16, 2)
        assert made.arrays["z"].dtype == np.float32
        assert np.array_equal(made.arrays["u"], data()["u"][test])
        assert np.array_equal(made.arrays["s"], data()["s"][test])
        expected = {
            "data": "mine",
            "model": "vae",
            "arch": "mlp3",
            "d_z": 2,
            "seed": seed,
            "split": "test",
            "statistic": "mean",
            "command": "embed --split test --statistic mean",
            "rows": hashlib.sha256(data()["x"][test].tobytes()).hexdigest(),
        }
        assert {key: made.meta[key] for key in expected} == expected
        assert [origin["name"] for origin in made.meta["inputs"]] == [MODEL, "mine.npz"]
        assert made.meta["inputs"][0]["sha256"] == files.read(model).sha256
    one, other = (latents(model).arrays["z"] for model in models)
    assert not np.allclose(one, other)


@pytest.mark.parametrize(
    ("option", "value"),
    [("per_segment", 2**62), ("segments", 10**9), ("sources", 10**6), ("noise", 1e308)]
    + [("per_segment", wrong) for wrong in (-5, True, None, "many", 1.5)],
)
def test_no_more_data_are_made_again_than_memory_holds(
    option: str, value: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert idkit("synth tcl --per-segment 20 --segments 4 --seed 3 -o made.npz") == 0
    assert idkit("train --data made.npz --model vae --steps 1 -q -o m.npz") == 0
    Path("made.npz").unlink()
    assert idkit("embed m.npz -o z.npz -q") == 0  # made again from what the model says
    known = files.read("m.npz").meta["synth"]
    options = {**known["options"], option: value}
    bad = edited("m.npz", "bad.npz", meta={"synth": {**known, "options": options}})
    capsys.readouterr()
    assert idkit(f"embed {bad} -o y.npz") == 3
    assert "give the data by --data" in capsys.readouterr().err


def test_a_model_without_a_file_of_data_names_data_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (model,) = trained("--model", "vae")
    bad = edited(model, meta={"inputs": [], "data": "digit"})
    assert idkit("embed", bad, "-o", "z.npz") == 3
    assert "'data' is 'digit', which idkit has no data set of" in capsys.readouterr().err


def test_what_is_up_to_date_is_not_done_again(capsys: pytest.CaptureFixture[str]) -> None:
    models = trained("--model", "vade")
    assert idkit("embed", *models) == 0
    before = Path(models[0]).with_name(LATENTS).stat()
    capsys.readouterr()
    assert idkit("embed", *models, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "idkit.embedded/1"
    assert [row["status"] for row in document["rows"]] == ["skipped"]
    assert Path(models[0]).with_name(LATENTS).stat() == before
    assert idkit("embed", *models, "--split", "train") == 3
    assert "exists: --force replaces it" in capsys.readouterr().err
    assert idkit("embed", *models, "--split", "train", "--force") == 0
    assert len(latents(models[0]).arrays["z"]) == 48


def test_rows_are_embedded_by_themselves_in_the_order_of_the_data() -> None:
    (model,) = trained("--model", "vae")
    for split in ("all", "train", "test"):
        assert idkit("embed", model, "--split", split, "-o", f"{split}.npz") == 0
    whole, part, held = (
        files.read(f"{split}.npz").arrays["z"] for split in ("all", "train", "test")
    )
    is_test = data()["split"] == 1
    np.testing.assert_allclose(whole[~is_test], part, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(whole[is_test], held, rtol=1e-5, atol=1e-6)
    save("back.npz", **{name: array[::-1] for name, array in data().items()})
    assert idkit("embed", model, "--data", "back.npz", "--split", "all", "-o", "back-z.npz") == 0
    np.testing.assert_allclose(
        files.read("back-z.npz").arrays["z"][::-1], whole, rtol=1e-5, atol=1e-6
    )


def test_dropout_and_binarisation_are_for_training_only() -> None:
    assert idkit("train --data digits --steps 3 -q") == 0
    (model,) = Path("runs").glob(f"*/{MODEL}")
    for name in ("one.npz", "two.npz"):
        assert idkit("embed", str(model), "-o", name) == 0
    one, two = files.read("one.npz"), files.read("two.npz")
    assert Path("one.npz").read_bytes() == Path("two.npz").read_bytes()
    assert one.arrays["z"].shape == (360, 20)
    held = digits.load().rows("test")
    assert np.array_equal(two.arrays["u"], digits.load().u[held])  # type: ignore[index]  # digits have labels


def test_all_rows_are_embedded_where_there_is_no_split() -> None:
    save("mine.npz", split=None)
    (model,) = trained("--model", "vae")
    assert idkit("embed", model) == 0
    assert len(latents(model).arrays["z"]) == 64
    assert latents(model).meta["split"] == "all"


def test_a_sample_follows_its_seed_and_the_posterior() -> None:
    save("mine.npz", x=np.repeat(data()["x"][:1], 64, 0), split=None)  # 64 times the same row
    model, other = trained("--model", "vae", seeds="1-2")
    drawn = {}
    for name, of, words in (
        ("a", model, []),
        ("b", model, ["--seed", "0"]),
        ("c", model, ["--seed", "1"]),
        ("d", other, []),
    ):
        out = f"{name}.npz"
        assert idkit("embed", of, "--statistic", "sample", *words, "-o", out) == 0
        drawn[name] = files.read(out)
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()
    assert drawn["c"].meta["command"] == "embed --split all --statistic sample --seed 1"
    assert drawn["a"].meta["statistic"] == "sample"
    assert idkit("embed", model) == 0
    mean = latents(model).arrays
    deviations = {
        name: (drawn[name].arrays["z"] - mean["z"]) / np.exp(mean["log_var"] / 2) for name in "ac"
    }
    assert not np.allclose(deviations["a"], deviations["c"])
    assert not np.allclose(drawn["a"].arrays["z"], drawn["d"].arrays["z"])
    standard = np.concatenate(list(deviations.values()))
    assert standard.mean() == pytest.approx(0, abs=5 / 16)
    assert standard.std() == pytest.approx(1, abs=0.25)


def test_other_data_are_named_beside_those_trained_on() -> None:
    models = trained("--model", "vae", seeds="1-2")
    save("other.npz", x=data()["x"] + 1)
    for model in models:
        assert (
            idkit("embed", model, "--data", "other.npz", "-o", f"{Path(model).parts[1]}.npz") == 0
        )
    made = files.read(f"{Path(models[0]).parts[1]}.npz")
    assert made.meta["command"] == "embed --data other --split test --statistic mean"
    assert (made.meta["data"], made.meta["embedded"]) == ("mine", "other")
    assert [origin["name"] for origin in made.meta["inputs"]] == [MODEL, "other.npz"]


def test_runs_on_other_data_are_a_group_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    models = trained("--model", "vae", seeds="1-2")
    Path("elsewhere").mkdir()
    save("elsewhere/mine.npz", x=data()["x"] + 1)  # of the same name
    assert idkit("embed", *models) == 0
    names = [f"{Path(model).parent}/other.npz" for model in models]
    for model, name in zip(models, names, strict=True):
        assert idkit("embed", model, "--data", "elsewhere/mine.npz", "-o", name) == 0
    capsys.readouterr()
    usual = [f"{Path(model).parent}/{LATENTS}" for model in models]
    assert idkit("mcc", *usual, *names, "--json", "-o", "scores.npz") == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["data"], row["embedded"]) for row in rows] == [("mine", None), ("mine", "mine")]
    assert idkit("plot box scores.npz") == 0
    assert idkit("plot latents", *usual, *names) == 0
    assert idkit("align", *names, "--apply", "-o", "moved") == 0
    assert files.read(next(str(p) for p in Path("moved").rglob("*.npz"))).meta["embedded"] == "mine"


@pytest.mark.parametrize("earlier", [False, True])
def test_other_data_are_those_of_other_values(earlier: bool) -> None:
    (model,) = trained("--model", "vae")
    if earlier:  # a model that does not say what it was trained on
        model = edited(model, meta={"x": None})
    shutil.copy("mine.npz", "copy.npz")
    files.write("copy.safetensors", data(), files.metadata("idkit.data/1", "", (), data="copy"))
    save("more.npz", x=data()["x"] * np.float32(1.1))
    for name, other in (("copy.npz", False), ("copy.safetensors", earlier), ("more.npz", True)):
        assert idkit("embed", model, "--data", name, "-o", "z.npz", "--force") == 0
        meta = files.read("z.npz").meta
        assert ("embedded" in meta) == other
        assert ("--data" in meta["command"]) == other


def test_the_same_data_elsewhere_need_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    (model,) = trained("--model", "vae")
    Path("sub").mkdir()
    shutil.move("mine.npz", "sub/mine.npz")
    assert idkit("embed", model) == 3
    error = capsys.readouterr().err
    assert "was trained on a file mine.npz that is not here" in error
    assert "--data" in error
    assert idkit("embed", model, "--data", "sub/mine.npz") == 0
    assert latents(model).meta["command"] == "embed --split test --statistic mean"


def test_data_changed_under_the_same_name_are_not_taken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (model,) = trained("--model", "vae")
    save("mine.npz", x=data()["x"] + 1)
    assert idkit("embed", model) == 3
    assert "that is not here (sha256" in capsys.readouterr().err


PICTURES = np.random.default_rng(0).integers(0, 256, (64, 1, 4, 4)).astype(np.uint8)


@pytest.mark.parametrize("likelihood", ["gaussian", "bernoulli", "logistic"])
def test_equal_pictures_have_equal_latents_in_whatever_form(
    likelihood: str, capsys: pytest.CaptureFixture[str]
) -> None:
    save("mine.npz", x=PICTURES)
    line = f"train --data mine.npz --model vae --dz 2 --steps 8 --likelihood {likelihood} -q"
    assert idkit(line, "-o", "m.npz") == 0
    assert idkit("embed m.npz -q -o own.npz") == 0
    own = files.read("own.npz")
    forms: dict[str, NDArray[Any]] = {
        "int64": PICTURES.astype(np.int64),
        "0 to 255": PICTURES.astype(np.float64),
        "0 to 1": PICTURES / 255,
        "-1 to 1": (PICTURES / 127.5 - 1).astype(np.float32),
        "channels last": np.moveaxis(PICTURES, 1, -1),
    }
    for number, x in enumerate(forms.values()):
        save("form.npz", x=x)
        capsys.readouterr()
        assert idkit("embed m.npz --data form.npz -o", f"{number}.npz") == 0
        assert capsys.readouterr().err.count("note: ") == 1
        made = files.read(f"{number}.npz")
        assert np.array_equal(made.arrays["z"], own.arrays["z"])
        assert made.meta["rows"] == own.meta["rows"]
        assert "embedded" not in made.meta  # the very same data
    for x, message in (
        (PICTURES / 255 + 0.001, "holds float32, 0.001 to 1.001, m.npz was trained on uint8, 0 to"),
        (PICTURES // 16, "holds uint8, 0 to 15"),
        (np.where(PICTURES == 0, np.nan, PICTURES), "hold NaN"),
        (PICTURES[:, 0], "x[:, None] makes grey images"),
    ):
        save("form.npz", x=x)
        capsys.readouterr()
        assert idkit("embed m.npz --data form.npz -o bad.npz") == 3
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
        assert not Path("bad.npz").exists()


def test_what_train_refuses_by_value_embed_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    save("mine.npz", x=np.random.default_rng(0).random((64, 4)))
    (model,) = trained("--model", "vae", "--likelihood", "bernoulli")
    save("mine-2.npz", x=np.random.default_rng(0).random((64, 4)) * 1.5)
    for line in (
        f"{TRAIN.replace('mine.npz', 'mine-2.npz')} --model vae --likelihood bernoulli",
        f"embed {model} --data mine-2.npz -o z.npz",
        f"embed {edited(model, meta={'x': None})} --data mine-2.npz -o z.npz",
    ):
        assert idkit(line) == 3
        assert "the likelihood bernoulli scores numbers from 0 to 1" in capsys.readouterr().err


def test_an_array_named_by_its_key_is_found_again() -> None:
    save("mine.npz", x=None, a=data()["x"], b=data()["x"][:, :3])
    assert idkit("train --data mine.npz:b --model vae --arch mlp3 --steps 2 -q") == 0
    (model,) = Path("runs").glob(f"*/{MODEL}")
    assert idkit("embed", str(model)) == 0
    assert latents(str(model)).meta["data"] == "mine-b"


def test_names_of_rows_go_along() -> None:
    words, numbers = np.array([f"w{i:03}" for i in range(64)]), np.arange(64)[::-1]
    columns = np.array(["a", "b", "c", "d"])
    save("mine.npz", words=words, ids=numbers, names=columns, keys=numbers / 2, mine=words)
    (model,) = trained("--model", "vae")
    assert idkit("embed", model) == 0
    made, held = latents(model).arrays, data()["split"] == 1
    assert made["words"].tolist() == words[held].tolist()
    assert made["ids"].tolist() == numbers[held].tolist()
    assert not {"names", "keys", "mine"} & made.keys()  # of columns; decimals; anything
    save("mine.npz")
    assert idkit("embed", model, "--data", "mine.npz", "-o", "z.npz") == 0
    without = files.read("z.npz").arrays
    assert made.keys() - without.keys() == {"words", "ids"}
    assert all(np.array_equal(made[name], array) for name, array in without.items())


# What does not go together


def test_only_an_encoder_that_reads_u_asks_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    blind, sighted = sorted(
        [*trained("--model", "ivae"), *trained("--model", "ivae", "-p", "encoder=xu")], key=len
    )[-2:]
    save("unlabelled.npz", u=None)
    assert idkit("embed", blind, "--data", "unlabelled.npz", "-o", "blind.npz") == 0
    capsys.readouterr()
    assert idkit("embed", sighted, "--data", "unlabelled.npz", "-o", "sighted.npz") == 3
    assert "reads u, of 0, 1, 2; unlabelled has no u" in capsys.readouterr().err
    assert not Path("sighted.npz").exists()


def test_an_unseen_label_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    words = np.array(["ant", "bee", "cat"])
    save("mine.npz", u=words[data()["u"]])
    save("more.npz", u=np.where(np.arange(64) == 4, "dog", words[data()["u"]]))
    for number, knob in enumerate(("encoder=x", "encoder=xu")):
        model = trained("--model", "ivae", "-p", knob)[number]
        assert idkit("embed", model, "--data", "more.npz", "-o", "z.npz") == 3
        error = capsys.readouterr().err
        assert f"more has label 'dog', {model} was trained on 'ant', 'bee', 'cat'" in error
        assert not Path("z.npz").exists()
    (vae,) = (path for path in trained("--model", "vae") if "-vae-" in path)
    assert idkit("embed", vae, "--data", "more.npz", "-o", "z.npz") == 0  # it was given none
    assert "dog" in files.read("z.npz").arrays["u"]


@pytest.mark.parametrize("values", [["1", "10", "2"], [-5, 3, 2**62]])
def test_labels_mean_what_they_meant_in_training(values: list[str] | list[int]) -> None:
    named = np.array(values)[data()["u"]]
    save("mine.npz", u=named)
    (model,) = trained("--model", "ivae", "-p", "encoder=xu")
    assert idkit("embed", model, "--split", "all") == 0
    whole = latents(model).arrays
    assert whole["u"].tolist() == named.tolist()
    kept = data()["u"] == 2  # rows of one label alone
    save("few.npz", **{name: array[kept] for name, array in {**data(), "u": named}.items()})
    assert idkit("embed", model, "--data", "few.npz", "--split", "all", "-o", "few-z.npz") == 0
    part = files.read("few-z.npz").arrays
    assert set(part["u"].tolist()) == {values[2]}
    np.testing.assert_allclose(part["z"], whole["z"][kept], rtol=1e-5, atol=1e-6)


def test_labels_of_text_go_through_a_pipe(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    save("mine.npz", u=np.array(["ant", "bee", "cat"])[data()["u"]])
    (model,) = trained("--model", "vae")
    capfdbinary.readouterr()
    assert idkit("embed", model, "-q", "-o", "-") == 0
    Path("piped").write_bytes(capfdbinary.readouterr().out)
    assert idkit("embed", model, "-q") == 0
    piped, made = files.read("piped"), latents(model)
    assert piped.meta == made.meta
    assert all(np.array_equal(piped.arrays[name], made.arrays[name]) for name in made.arrays)


def test_models_of_earlier_versions_know_their_labels_as_numbers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (model,) = trained("--model", "ivae", "-p", "encoder=xu")
    old = edited(model, meta={"label_values": None})
    for path, name in ((model, "new.npz"), (old, "old.npz")):
        assert idkit("embed", path, "-o", name) == 0
    one, other = files.read("new.npz").arrays, files.read("old.npz").arrays
    assert all(np.array_equal(one[name], other[name]) for name in one)
    save("more.npz", u=data()["u"] + 1)
    capsys.readouterr()
    assert idkit("embed", old, "--data", "more.npz", "-o", "z.npz") == 3
    assert "has label 3, edited.safetensors was trained on 0, 1, 2" in capsys.readouterr().err


Spoil = Callable[[str], list[str]]


def failed(_: str) -> list[str]:
    save("mine.npz", x=np.full((64, 4), 1e30, np.float32))
    assert idkit(TRAIN, "--model", "vae", "--force") == 5
    (path,) = Path("runs").glob("*/failed.safetensors")
    return [str(path)]


def other_shape(model: str) -> list[str]:
    save("wide.npz", x=np.zeros((64, 5), np.float32))
    return [model, "--data", "wide.npz"]


def foreign(_: str) -> list[str]:
    return ["mine.npz"]


def not_a_model(model: str) -> list[str]:
    assert idkit("embed", model, "-o", "z.npz", "-q") == 0
    return ["z.npz"]


def truncated(model: str) -> list[str]:
    Path("cut.safetensors").write_bytes(Path(model).read_bytes()[:-10])
    return ["cut.safetensors"]


def array_missing(model: str) -> list[str]:
    return [edited(model, arrays={"posterior.encoder.mu.layers.0.weight": None})]


def array_added(model: str) -> list[str]:
    return [edited(model, arrays={"extra": np.zeros(3)})]


def array_of_other_shape(model: str) -> list[str]:
    return [edited(model, arrays={"posterior.encoder.mu.layers.0.bias": np.zeros(99, np.float32)})]


def array_of_nan(model: str) -> list[str]:
    bias = np.full(8, np.nan, np.float32)
    return [edited(model, arrays={"posterior.encoder.mu.layers.0.bias": bias})]


def metadata_missing(model: str) -> list[str]:
    return [edited(model, meta={"shape": None, "knobs": None})]


def model_unknown(model: str) -> list[str]:
    return [edited(model, meta={"model": "vqvae2"})]


def knob_unknown(model: str) -> list[str]:
    return [edited(model, meta={"knobs": {"beta": 4}})]


def no_test_rows(model: str) -> list[str]:
    save("untested.npz", split=np.zeros(64, np.uint8))
    return [model, "--data", "untested.npz"]


def no_split(model: str) -> list[str]:
    save("whole.npz", split=None)
    return [model, "--data", "whole.npz", "--split", "test"]


def no_data(model: str) -> list[str]:
    return [model, "--data", "none.npz"]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (failed, "failed in training at step 3: leave it out"),
        (other_shape, "reads rows of shape [4], wide has [5]"),
        (foreign, "mine.npz is not a model of idkit's"),
        (not_a_model, "z.npz is idkit.latents/1, not idkit.model/1 ('idkit train' makes that)"),
        (truncated, "cut.safetensors"),
        (array_missing, "does not hold the weights of its model"),
        (array_added, "does not hold the weights of its model"),
        (array_of_other_shape, "posterior.encoder.mu.layers.0.bias has shape (99,), expected (8,)"),
        (array_of_nan, "maps mine to NaN or infinity"),
        (metadata_missing, "'shape' is missing, which idkit.model/1 needs"),
        (model_unknown, "this idkit cannot build: unknown model 'vqvae2'"),
        (knob_unknown, "this idkit cannot build: unknown knob 'beta'"),
        (no_test_rows, "untested has no rows to test"),
        (no_split, "whole has no split: --split test names nothing in it"),
        (no_data, "no such file: none.npz"),
    ],
)
def test_what_cannot_be_embedded_is_one_line_and_leaves_nothing(
    spoil: Spoil, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (model,) = trained("--model", "vae")
    words = spoil(model)
    before = sorted(Path().rglob("*"))
    capsys.readouterr()
    assert idkit("embed", *words, "-o", "out.npz") == 3
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("MODEL MODEL -o z.npz", "-o z.npz is one file, there are 2 models"),
        ("MODEL -o z.npy", "cannot tell the format of 'z.npy'"),
        ("-", "a model from standard input needs -o FILE"),
        ("- - -o z.npz", "is one file"),
        ("- --data - -o z.npz", "standard input can be read only once"),
        ("MODEL --split half", "--split"),
        ("MODEL --statistic median", "--statistic"),
        ("", "MODEL"),
    ],
)
def test_commands_that_make_no_sense_are_usage_errors(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (model,) = trained("--model", "vae")
    capsys.readouterr()
    assert idkit("embed", *words.replace("MODEL", model).split()) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_one_bad_model_among_good_ones_does_not_take_the_good_ones_with_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    models = trained("--model", "vae", seeds="1-2")
    assert idkit("embed", models[0], "mine.npz", models[1]) == 3
    assert "mine.npz is not a model" in capsys.readouterr().err
    assert idkit("embed", *models) == 0
    assert [row.split("\t")[0] for row in capsys.readouterr().out.splitlines()[1:]] == [
        "skipped",
        "written",
    ]
