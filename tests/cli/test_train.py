"""`idkit train`, driven as a user would."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from idkit import files
from idkit.cli import run

SHORT = "train --data mine.npz --model vae --arch mlp3 --steps 12 --batch-size 16 -q"
NAME = "mine-vae-mlp3-dz4-steps12-batchsize16"
LONG_AGO = 10**18  # nanoseconds since 1970


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with data of the user's own."""
    monkeypatch.chdir(tmp_path)
    save("mine.npz")
    return tmp_path


def save(name: str, **changes: NDArray[Any] | None) -> None:
    """Observations in two clusters, with labels."""
    rng = np.random.default_rng(0)
    u = np.arange(64) % 2
    arrays = {"x": (u[:, None] + rng.normal(size=(64, 4)) / 5).astype(np.float32), "u": u}
    held = {name: array for name, array in {**arrays, **changes}.items() if array is not None}
    np.savez(name, **held)  # type: ignore[arg-type]  # numpy's stubs know no mapping


def idkit(line: str, *words: str) -> int:
    return run([*line.split(), *words])


def table(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    """The rows of a TSV table on stdout."""
    names, *rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    return [dict(zip(names, row, strict=True)) for row in rows]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones, too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def model(seed: int, folder: str = "runs", name: str = NAME) -> files.Artefact:
    return files.read(f"{folder}/{name}-s{seed}/model.safetensors")


# What is made


def test_the_command_of_the_first_steps_works_with_the_defaults_of_the_data() -> None:
    assert idkit("train --model vade --arch mlp --seed 1 --steps 3 -q") == 0
    made = files.read("runs/digits-vade-mlp-dz20-steps3-s1/model.safetensors")
    assert made.schema == "idkit.model/1"
    expected = {"data": "digits", "model": "vade", "arch": "mlp", "d_z": 20, "seed": 1}
    assert {key: made.meta[key] for key in expected} == expected
    assert made.meta["knobs"] == {"components": 20}
    assert made.meta["likelihood"] == "bernoulli"
    assert made.meta["training"]["init"] == "data"
    assert made.meta["inputs"] == []
    assert made.arrays["mixture.mu"].shape == (20, 20)
    assert made.arrays["history/objective"].shape == (1,)


def test_the_table_has_one_line_a_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert idkit(SHORT, "--seed", "1-2,5") == 0
    rows = table(capsys)
    assert [row["seed"] for row in rows] == ["1", "2", "5"]
    for row in rows:
        assert row["status"] == "trained"
        assert row["epochs"] == "3"
        assert Path(row["path"]).is_file()
        history = model(int(row["seed"])).arrays["history/objective"]
        assert float(row["objective"]) == history[-1]
    assert not Path("runs/.partial").exists()


def test_json_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert idkit(SHORT, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "idkit.runs/1"
    (row,) = document["rows"]
    assert (row["seed"], row["status"]) == (1, "trained")


@pytest.mark.parametrize(("columns", "cell"), [("200", True), ("90", False), ("40", False)])
def test_paths_in_a_terminal_can_be_copied_whatever_its_width(
    columns: str, cell: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", columns)
    assert idkit(SHORT, "--seed", "1-2") == 0
    lines = capsys.readouterr().out.splitlines()
    for seed in (1, 2):
        path = f"runs/{NAME}-s{seed}/model.safetensors"
        (line,) = (line for line in lines if path in line)
        assert (line != path) == cell


def test_quiet_is_quiet_and_the_product_is_on_stdout(
    idkit: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    assert idkit(*SHORT.split()).stderr == ""
    loud = idkit(*SHORT.removesuffix("-q").split(), "--seed", "2")
    assert loud.returncode == 0
    assert f"training {NAME}: seed 2, 12 steps" in loud.stderr
    assert loud.stdout.startswith("seed\t")


def test_what_is_done_is_not_done_again(capsys: pytest.CaptureFixture[str]) -> None:
    assert idkit(SHORT, "--seed", "1-2") == 0
    before = contents(Path("runs"))
    capsys.readouterr()
    assert idkit(SHORT, "--seed", "1-3") == 0
    assert [row["status"] for row in table(capsys)] == ["skipped", "skipped", "trained"]
    after = contents(Path("runs"))
    assert {name: after[name] for name in before} == before


def test_the_same_command_in_two_folders_gives_the_same_bytes() -> None:
    for folder in ("one", "two"):
        assert idkit(SHORT, "--seed", "1-3", "-o", folder) == 0
        assert idkit("embed", *sorted(map(str, Path(folder).glob("*/model.safetensors")))) == 0
    one, two = contents(Path("one")), contents(Path("two"))
    assert len(one) == 6
    assert one == two


def test_a_seed_alone_starts_as_among_others() -> None:
    assert idkit(SHORT, "--seed", "1-5") == 0
    assert idkit(SHORT, "--seed", "3", "-o", "alone") == 0
    for name in ("objective", "log_likelihood", "kl"):
        together, alone = (
            model(3, folder).arrays[f"history/{name}"] for folder in ("runs", "alone")
        )
        assert together == pytest.approx(alone, rel=1e-4)
    assert not np.array_equal(
        model(1).arrays["history/objective"], model(2).arrays["history/objective"]
    )


def test_what_differs_from_the_defaults_is_in_the_name_and_the_command() -> None:
    special = ["--seed", "2", "--lr", "0.01", "--vary", "init", "-p", "kl=mc", "-p", "hidden=6"]
    assert idkit(SHORT, *special) == 0
    (folder,) = Path("runs").iterdir()
    assert folder.name.startswith("mine-vae-mlp3-dz4-")
    for part in ("hidden6", "klmc", "lr0.01", "varyinit", "steps12", "batchsize16"):
        assert part in folder.name.split("-")
    made = files.read(str(folder / "model.safetensors"))
    assert made.meta["knobs"] == {"kl": "mc", "hidden": 6}
    (origin,) = made.meta["inputs"]
    assert origin == {"name": "mine.npz", "sha256": files.read("mine.npz").sha256}


def test_the_command_in_a_run_makes_that_run() -> None:
    line = "train --model ivae --arch mlp3 --dz 3 --steps 3 --batch-size 32 --lr 0.01 --init torch"
    assert idkit(line, "-q", "-p", "hidden=7", "-p", "prior=mlp", "--vary", "noise") == 0
    (path,) = Path("runs").glob("*/model.safetensors")
    command = files.read(str(path)).meta["command"]
    assert idkit(command, "-q", "-o", "again") == 0
    assert contents(Path("again")) == contents(Path("runs"))


def test_components_are_the_datas_unless_given() -> None:
    quick = "train --model vade --arch mlp3 --steps 2 -q -p hidden=4"
    for words, k, part in (
        ([], 20, ""),
        (["--components", "40"], 40, "-components40"),  # the model's own default
        (["-p", "components=3"], 3, "-components3"),
    ):
        assert idkit(quick, *words) == 0
        name = f"digits-vade-mlp3-dz20{part}-hidden4-steps2"
        assert model(1, name=name).arrays["mixture.mu"].shape == (k, 20)


def test_streams_that_are_held_are_the_same_for_all_seeds() -> None:
    assert idkit(SHORT, "--seed", "1-2", "--vary", "noise", "--init", "torch") == 0
    assert idkit(SHORT, "--seed", "1-2") == 0
    held, free = f"{NAME}-varynoise", NAME
    first = [
        model(seed, name=name).arrays["history/lr"] for name in (held, free) for seed in (1, 2)
    ]
    assert all(len(lr) == 3 for lr in first)
    distances = [
        abs(a["decoder.mean.layers.0.weight"] - b["decoder.mean.layers.0.weight"]).max()
        for a, b in ((model(1, name=n).arrays, model(2, name=n).arrays) for n in (held, free))
    ]
    assert distances[0] < distances[1] / 5  # 12 steps from the same start


def test_epochs_are_passes_over_the_training_rows() -> None:
    save("mine.npz", split=np.arange(64) % 4 == 0)
    assert idkit("train --data mine.npz --model vae --arch mlp3 --epochs 2 --batch-size 16 -q") == 0
    made = model(1, name="mine-vae-mlp3-dz4-epochs2-batchsize16")
    assert made.meta["training"]["steps"] == 6  # 48 rows
    assert len(made.arrays["history/objective"]) == 2


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_few_rows_are_enough(rows: int) -> None:
    rng = np.random.default_rng(0)
    save("mine.npz", x=rng.normal(size=(rows, 4)), u=np.zeros(rows, int))
    for kind in ("vae", "vade", "ivae"):
        assert idkit(f"train --data mine.npz --model {kind} --arch mlp3 --epochs 2 -q") == 0


def test_images_of_the_users_own_are_images() -> None:
    rng = np.random.default_rng(0)
    save("mine.npz", x=rng.integers(0, 256, (40, 2, 4, 4)).astype(np.uint8), u=None)
    assert idkit("train --data mine.npz --model vade --dz 3 --epochs 1 -q") == 0
    made = model(1, name="mine-vade-mlp-dz3-epochs1")
    assert (made.meta["images"], made.meta["shape"]) == (True, [2, 4, 4])
    assert made.meta["training"]["init"] == "data"


@pytest.mark.parametrize(
    "values", [[1, 2, 3, 4], [0, 10, 20, 30], [-7, 2, 2**40, 2**62], ["ant", "bee", "cat", "dog"]]
)
@pytest.mark.parametrize("knob", ["prior=table", "prior=mlp", "encoder=xu"])
def test_labels_of_any_value_are_those_from_0(
    values: list[int] | list[str], knob: str, capsys: pytest.CaptureFixture[str]
) -> None:
    u = np.random.default_rng(0).permutation(np.arange(64) % 4)
    split = (np.arange(64) % 5 == 0).astype(np.uint8)
    made = {}
    for name, labels in (("plain", np.arange(4)), ("valued", np.array(values))):
        save(f"{name}.npz", u=labels[u], split=split)
        line = f"train --data {name}.npz --model ivae --arch mlp3 --dz 2 --steps 9 -p {knob}"
        assert idkit(line, "-o", f"{name}.safetensors") == 0
        made[name] = files.read(f"{name}.safetensors")
        error = capsys.readouterr().err
        assert "2 latent dimensions take 5 values of u, there are 4\n" in error
        numbered = "note: labels are numbered from 0 in ascending order: " in error
        assert numbered == (name == "valued")
    plain, valued = made["plain"], made["valued"]
    assert valued.meta["labels"] == plain.meta["labels"] == 4
    assert valued.meta["label_values"] == values
    assert list(valued.arrays) == list(plain.arrays)
    for name, array in plain.arrays.items():
        assert array.tobytes() == valued.arrays[name].tobytes(), name
    assert idkit("info valued.safetensors") == 0
    assert f"label_values: {', '.join(map(str, values))}\n" in capsys.readouterr().out


def test_labels_of_no_training_row_have_no_prior(capsys: pytest.CaptureFixture[str]) -> None:
    u = np.arange(64) % 6
    save("mine.npz", u=u, split=(u == 2).astype(np.uint8))
    assert idkit("train --data mine.npz --model ivae --arch mlp3 --dz 2 --steps 3 -o m.npz") == 0
    made = files.read("m.npz")
    assert made.arrays["prior.mu"].shape == (5, 2)
    assert made.meta["label_values"] == [0, 1, 3, 4, 5]
    error = capsys.readouterr().err
    assert "note: labels in test rows alone, of which the model learns nothing: 2\n" in error
    assert "cannot be built" not in error  # 5 values are enough


def test_runs_of_a_version_without_label_values_are_known_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert idkit(SHORT) == 0
    old = model(1)
    meta = {key: value for key, value in old.meta.items() if key != "label_values"}
    files.write(old.label, old.arrays, meta, force=True)
    capsys.readouterr()
    assert idkit(SHORT) == 0
    assert [row["status"] for row in table(capsys)] == ["skipped"]


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_small_batches_start_like_large_ones(batch: int) -> None:
    line = f"train --model vae --dz 4 --steps 1 --batch-size {batch} -q -o m.npz"
    assert idkit(line) == 0
    assert files.read("m.npz").arrays["history/objective"][-1] > -64  # of 64 pixels by a coin, -44


def test_an_objective_that_needs_no_training_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(64, 4)).astype(np.float32)
    save("mine.npz", x=x)
    constant = -2 * np.log(2 * np.pi * 0.01) - x.astype(np.float64).var(0).sum() / 0.02
    line = "train --data mine.npz --model vae --arch mlp3 --dz 2"
    assert idkit(f"{line} --steps 3 --seed 1-2") == 0
    error = capsys.readouterr().err
    assert "warning: seeds 1-2: the objective (-" in error
    assert f"is below that of a constant output, {constant:.5g}: train longer" in error
    assert "untrained" not in error
    assert idkit("train --model vae --dz 4 --steps 2 --lr 0.5 -o m.npz") == 0
    error = capsys.readouterr().err
    assert "warning: seed 1: the objective (-" in error
    assert "is below that of its untrained start: train longer, or lower --lr" in error
    save("mine.npz")
    assert idkit(f"{line} --steps 200 --lr 0.01") == 0
    assert "below" not in capsys.readouterr().err
    assert idkit("train --data mine.npz --model untrained --arch mlp3 --dz 2") == 0
    assert "below" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "count"),
    [
        ("--model vae --arch mlp3 --dz 2", 1),
        ("--model vae --arch mlp3 --dz 2 -o m.npz", 1),
        ("--model vae --arch mlp3 --dz 2 --standardize", 0),
        ("--model gmmflow", 0),  # which scales by itself
        ("--model pca", 0),
    ],
)
def test_unscaled_data_earn_one_note(
    words: str, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.random.default_rng(0).normal(size=(64, 4))
    save("mine.npz", x=x * [1e-3, 1, 1, 1e2], u=None)
    steps = "" if "pca" in words else "--steps 3"
    assert idkit(f"train --data mine.npz {steps} {words}") == 0
    error = capsys.readouterr().err
    assert error.count("note: x goes from -") == count
    assert error.count("the standard deviation of its columns is from 0.00") == count


@pytest.mark.parametrize("kind", ["flat", "images"])
def test_standardised_data_train_as_data_that_were_standardised_before(kind: str) -> None:
    rng = np.random.default_rng(0)
    split = (np.arange(64) % 4 == 0).astype(np.uint8)
    if kind == "flat":
        x = rng.normal(size=(64, 4)) * [1e-3, 1, 1e3, 1e6] + [1, 0, 50, -3e5]
        x = x.astype(np.float32)
        train = x[split == 0].astype(np.float64)
        before = (x - train.mean(0)) / train.std(0)
    else:
        x = rng.integers(0, 256, (64, 1, 4, 4)).astype(np.uint8)
        train = x[split == 0].astype(np.float64)
        before = (x - train.mean()) / train.std()
    save("raw.npz", x=x, split=split)
    save("before.npz", x=before.astype(np.float32), split=split)
    line = "train --model vade --arch mlp --dz 2 --components 4 --steps 9 --batch-size 16 -q"
    assert idkit(line, "--data", "raw.npz", "--standardize") == 0
    assert idkit(line, "--data", "before.npz") == 0
    name = "vade-mlp-dz2-components4-steps9-batchsize16"
    one, other = model(1, name=f"raw-{name}-standardize"), model(1, name=f"before-{name}")
    assert one.meta["settings"]["standardize"] is True
    assert one.meta["command"].endswith("--standardize --seed 1")
    assert len(one.meta["standardize"]["mean"]) == x.shape[1]
    for key, array in other.arrays.items():
        np.testing.assert_allclose(one.arrays[key], array, rtol=1e-4, atol=1e-6, err_msg=key)
    for made in (one, other):
        assert idkit("embed", made.label, "-q", "--responsibilities") == 0
    folders = [str(Path(made.label).with_name("latents.npz")) for made in (one, other)]
    latents, expected = (files.read(path) for path in folders)
    for key in ("z", "log_var", "responsibilities"):
        np.testing.assert_allclose(latents.arrays[key], expected.arrays[key], rtol=1e-3, atol=1e-5)
    assert latents.meta["settings"]["standardize"] is True
    assert idkit(one.meta["command"].replace("--data raw", "--data raw.npz"), "-q", "-o", "b") == 0
    assert contents(Path("b")) == {
        path: content
        for path, content in contents(Path("runs")).items()
        if path.startswith("raw-") and path.endswith("model.safetensors")
    }


@pytest.mark.parametrize("words", ["", "--likelihood bernoulli", "--likelihood logistic"])
def test_only_numbers_of_any_size_can_be_standardised(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert idkit(f"train --standardize --steps 1 {words}") == 2
    error = capsys.readouterr().err
    assert "give --likelihood gaussian" in error
    assert error.count("\n") == 1


def test_a_batch_of_more_than_all_rows_is_cut_and_this_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = "train --data mine.npz --model vae --arch mlp3 --steps 3 --batch-size"
    assert idkit(line, "1000") == 0
    captured = capsys.readouterr()
    assert captured.err.count("note: --batch-size 1000 is cut to 64, all rows there are\n") == 1
    assert idkit(line, "64") == 0  # is the same run
    captured = capsys.readouterr()
    assert "cut" not in captured.err
    assert "\tskipped\t" in captured.out
    assert [path.name for path in Path("runs").iterdir()] == ["mine-vae-mlp3-dz4-steps3-s1"]


def test_synthetic_data_by_its_name_are_those_of_seed_0() -> None:
    words = "--per-segment 20 --segments 4 -q"
    assert idkit(f"synth tcl {words} -o tcl.npz") == 0
    assert idkit("train --data tcl.npz --model ivae --steps 3 -q") == 0
    (folder,) = Path("runs").iterdir()
    assert folder.name == "tcl-persegment20-segments4-ivae-mlp3-dz5-steps3-s1"
    made = files.read(str(folder / "model.safetensors"))
    assert made.meta["labels"] == 4
    assert made.meta["training"]["batch_size"] == 80  # 256 of the recipe, cut down


# One file


@pytest.mark.parametrize("out", ["m.safetensors", "m.npz"])
def test_one_seed_may_go_into_one_file(out: str) -> None:
    assert idkit(SHORT) == 0
    assert idkit(SHORT, "-o", out) == 0
    made, expected = files.read(out), model(1)
    assert made.meta == expected.meta
    for name, array in expected.arrays.items():
        assert np.array_equal(made.arrays[name], array), name
    assert sorted(p.name for p in Path().iterdir()) == sorted([out, "mine.npz", "runs"])


def test_one_file_is_not_for_two_seeds_nor_in_place_of_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert idkit(SHORT, "--seed", "1-2", "-o", "m.npz") == 2
    assert "m.npz is one file, --seed 1-2 are 2 runs" in capsys.readouterr().err
    Path("m.npz").write_bytes(b"mine")
    assert idkit(SHORT, "-o", "m.npz") == 3
    assert "m.npz exists: --force replaces it" in capsys.readouterr().err
    assert Path("m.npz").read_bytes() == b"mine"
    assert idkit(SHORT, "-o", "m.npz", "--force") == 0
    assert files.read("m.npz").schema == "idkit.model/1"


def test_a_folder_may_be_called_as_a_file() -> None:
    Path("runs.csv").mkdir()
    assert idkit(SHORT, "-o", "runs.csv") == 0
    assert model(1, "runs.csv").schema == "idkit.model/1"


def test_a_pipe_from_data_to_latents(
    idkit: Callable[..., subprocess.CompletedProcess[str]], home: Path
) -> None:
    python = " ".join(idkit("--version").args[:3])  # ... -m idkit
    line = (
        f"{python} synth tcl --per-segment 20 --seed 7 -q | tee tcl.safetensors | "
        f"{python} train --data - --model ivae --steps 5 -q -o - | "
        f"{python} embed - --data tcl.safetensors -q -o - | {python} info - --json"
    )
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert "idkit.latents/1" in json.dumps(told)
    assert sorted(p.name for p in home.iterdir()) == ["mine.npz", "tcl.safetensors"]


# What does not go together


def test_another_configuration_in_the_same_place_is_refused_unless_forced(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert idkit(SHORT) == 0
    before = contents(Path("runs"))
    save("mine.npz", u=None)
    assert idkit(SHORT) == 3
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"runs/{NAME}-s1/model.safetensors was made before mine.npz changed (" in error
    assert "--force" in error
    assert contents(Path("runs")) == before
    assert idkit(SHORT, "--force") == 0
    assert model(1).meta["labels"] == 0


def test_force_trains_again_and_leaves_other_seeds_alone() -> None:
    assert idkit(SHORT, "--seed", "1-2") == 0
    before = model(1).sha256
    for seed in (1, 2):
        os.utime(f"runs/{NAME}-s{seed}/model.safetensors", ns=(LONG_AGO, LONG_AGO))
    assert idkit(SHORT, "--seed", "2", "--force") == 0
    assert [written(seed) == LONG_AGO for seed in (1, 2)] == [True, False]
    assert model(1).sha256 == before


def written(seed: int) -> int:
    return Path(f"runs/{NAME}-s{seed}/model.safetensors").stat().st_mtime_ns


def test_an_array_of_a_file_is_data_of_its_own() -> None:
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        save("mine.npz", x=None, u=None, a=rng.normal(size=(20, 3)), b=rng.normal(size=(20, 4)))
        assert idkit(f"train --data mine.npz:{name} --model vae --arch mlp3 --epochs 1 -q") == 0
    folders = sorted(path.name for path in Path("runs").iterdir())
    assert folders == ["mine-a-vae-mlp3-dz3-epochs1-s1", "mine-b-vae-mlp3-dz4-epochs1-s1"]
    paths = [f"runs/{folder}/model.safetensors" for folder in folders]
    for _ in range(2):
        save("mine.npz", x=None, u=None, a=rng.normal(size=(20, 3)), b=rng.normal(size=(20, 4)))
    assert idkit("embed", *paths) == 3  # these are other data
    assert files.read(paths[0]).meta["inputs"][0]["key"] == "a"


def test_seeds_whose_objective_ceases_to_be_finite_are_named_and_the_others_saved(
    capsys: pytest.CaptureFixture[str],
) -> None:
    x = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    x[5] = 1e30  # its square is not finite: whoever meets this row in the one step fails
    save("mine.npz", x=x)
    line = "train --data mine.npz --model vae --arch mlp3 --steps 1 --batch-size 16 -q"
    for _ in range(2):  # the second time, all is known
        assert idkit(line, "--seed", "1-12", "--json") == 5
        captured = capsys.readouterr()
        rows = json.loads(captured.out)["rows"]
        failed = [row for row in rows if row["status"] == "failed"]
        assert 0 < len(failed) < 12
        assert captured.err.count("\n") == 1
        assert "ceased to be finite" in captured.err
        for row in rows:
            made = files.read(row["path"])
            assert ("failed_at" in made.meta) == (row in failed)
            assert (
                Path(row["path"]).name == ("failed" if row in failed else "model") + ".safetensors"
            )
            assert all(np.isfinite(array).all() for array in made.arrays.values())
        assert [row["objective"] for row in failed] == [None] * len(failed)
    assert len(list(Path("runs").glob("*/model.safetensors"))) == 12 - len(failed)


@pytest.mark.parametrize("out", ["m.npz", "m.safetensors", "-"])
def test_nothing_is_written_of_a_seed_that_failed(
    out: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    save("mine.npz", x=np.full((64, 4), 1e30, np.float32))
    assert idkit(SHORT, "-o", out) == 5
    captured = capfdbinary.readouterr()
    assert captured.out == b""
    assert captured.err == (
        b"idkit train: seed 1: the objective ceased to be finite (a smaller --lr, or rescaled "
        b"columns, may help); nothing is written\n"
    )
    assert [path.name for path in Path().iterdir()] == ["mine.npz"]


def test_what_is_kept_of_one_seed_that_failed_is_told_and_how_to_try_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    save("mine.npz", x=np.full((64, 4), 1e30, np.float32))
    assert idkit(SHORT) == 5
    first = capsys.readouterr().err
    assert "may help); it is kept as failed.safetensors and never scored\n" in first
    assert idkit(SHORT) == 5
    assert "never scored; --force tries again\n" in capsys.readouterr().err


NAN = np.full((64, 4), np.nan)


@pytest.mark.parametrize(
    ("changes", "words", "message"),
    [
        ({"x": NAN}, "", "64 of 64 rows hold NaN"),
        ({"x": np.full((64, 4), 1e200)}, "", "too large for float32"),
        ({"x": np.zeros((64, 3, 2))}, "", "observations have shape (64, 3, 2)"),
        ({"x": np.zeros(64)}, "", "observations have shape (64,)"),
        ({"x": np.zeros((64, 0))}, "", "observations have shape (64, 0)"),
        ({"x": np.zeros((0, 4)), "u": None}, "", "observations have shape (0, 4)"),
        ({"x": np.full((64, 4), "a")}, "", "expected numbers"),
        ({"x": np.zeros((64, 4), complex)}, "", "complex"),
        ({"u": np.zeros(63, int)}, "", "'u' has 63 rows, the observations have 64"),
        ({"u": np.zeros((64, 2), int)}, "", "'u' has shape (64, 2)"),
        ({"u": np.zeros(64)}, "", "type float64: whole numbers; u.astype(int) makes labels"),
        ({"u": np.full(64, -1)}, "", "'u' is -1 in 64 of 64 rows"),
        ({"u": np.eye(64)}, "", "one-hot; u.argmax(axis=1) makes labels of it"),
        ({"u": np.array(3)}, "", "'u' has no rows"),
        ({"s": np.zeros(64)}, "", "'s' has shape (64,)"),
        ({"split": np.full(64, 2)}, "", "'split' must be 0 (train) or 1 (test)"),
        ({"split": np.ones(64, int)}, "", "and 0 for some"),
        ({"u": None}, "--model ivae", "ivae needs labels"),
        ({}, "--likelihood bernoulli", "scores numbers from 0 to 1"),
        ({}, "--likelihood logistic", "stored as uint8"),
    ],
)
def test_data_that_nothing_can_be_trained_on_are_one_line(
    changes: dict[str, Any], words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    save("mine.npz", **changes)
    assert idkit(SHORT, *words.split()) == 3
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["mine.npz"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--seed 1,,2", "write them as 1-10,12"),
        ("--seed 3-1", "write 1-3"),
        ("--seed 1-1000000", "more than 10000"),
        ("--seed -1", "cannot read '-1' as seeds"),
        ("--seed 99999999999999999999", "too large"),
        ("--batch-seeds few", "expected auto or a number"),
        ("--batch-seeds 0", "expected auto or a number"),
        ("--threads 0", "--threads"),
        ("--lr nan", "a step size is positive"),
        ("--lr 0", "a step size is positive"),
        ("--dz 0", "--dz"),
        ("--device meta", "torch cannot compute on --device meta here"),
        ("--vary nothing", "--vary"),
        ("--likelihood gausian", "did you mean 'gaussian'"),
        ("--components 3", "unknown knob of vae"),
        ("-p variance=-1", "variance is -1.0: it must be positive"),
        ("-p hidden=0", "hidden is 0"),
        ("-p kl=exact", "unknown value of kl 'exact'"),
        ("-p =3", "write it as -p NAME=VALUE"),
        ("-o runs.npz --seed 1-3", "name a folder"),
        ("-o model.npy", "cannot write a model as 'model.npy': end it in .npz or .safetensors"),
        ("-o model.PT", "cannot write a model as 'model.PT'"),
    ],
)
def test_commands_that_make_no_sense_are_one_line(
    words: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert idkit(SHORT, *words.split()) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert [path.name for path in Path().iterdir()] == ["mine.npz"]


def test_a_place_that_is_none_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("notes.txt").write_text("mine")
    for out in ("notes.txt", "notes.txt/runs", "nowhere/m.npz"):
        assert idkit(SHORT, "-o", out) == 3
        error = capsys.readouterr().err
        assert out.split("/")[0] in error
        assert error.count("\n") == 1
    assert Path("notes.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["my data [1].npz", "übung.npz", ".npz"])
def test_the_name_of_a_file_is_no_path_and_no_pattern(name: str) -> None:
    shutil.move("mine.npz", name)
    line = "train --model vae --arch mlp3 --steps 12 --batch-size 16 -q --save-seconds 0"
    assert idkit(line, "--data", name) == 0
    (folder,) = Path("runs").iterdir()
    assert folder.name.endswith("-vae-mlp3-dz4-steps12-batchsize16-s1")
    assert not set(folder.name) & set(" []/*")


def test_a_file_does_not_choose_its_folder() -> None:
    meta = files.metadata("idkit.data/1", "synth", (), data="../../elsewhere")
    files.write("evil.npz", {"x": np.zeros((20, 3), np.float32)}, meta)
    assert idkit("train --data evil.npz --model vae --arch mlp3 --epochs 1 -q") == 0
    (folder,) = Path("runs").iterdir()
    assert folder.name == "_.._elsewhere-vae-mlp3-dz3-epochs1-s1"
    assert not Path("../../elsewhere").exists()


@pytest.mark.parametrize(
    ("channels", "likelihood", "k"), [(3, "logistic", 100), (1, "gaussian", 40)]
)
def test_colour_images_of_a_file_are_trained_on_as_the_paper_does(
    channels: int, likelihood: str, k: int
) -> None:
    x = np.random.default_rng(0).integers(256, size=(64, channels, 8, 8)).astype(np.uint8)
    save("mine.npz", x=x)
    assert idkit("train --data mine.npz --model vade --epochs 1 -q -o one.npz") == 0
    made = files.read("one.npz").meta
    assert (made["likelihood"], made["knobs"]["components"]) == (likelihood, k)
    assert made["variant"] == {}


def test_grey_pixels_are_drawn_afresh_unless_told_otherwise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = "train --model vae --epochs 1 -q"
    for words in ("", "--binarize dynamic", "--binarize none"):
        assert idkit(f"{line} {words}") == 0
    usual, grey = (
        files.read(f"runs/digits-vae-mlp-dz20{end}/model.safetensors")
        for end in ("-epochs1-s1", "-binarizenone-epochs1-s1")
    )
    assert usual.arrays["history/objective"] != grey.arrays["history/objective"]
    assert grey.meta["command"].endswith("-p binarize=none --epochs 1 --seed 1")
    capsys.readouterr()
    assert idkit(f"{SHORT} --binarize none") == 2
    assert "binarize" in capsys.readouterr().err
