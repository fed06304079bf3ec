"""`idkit synth`, as a user runs it."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from idkit import files
from idkit.cli import run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def scores(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, float]]:
    capsys.readouterr()
    assert run(["mcc", "-q", "--json", *words]) == 0
    rows: list[dict[str, float]] = json.loads(capsys.readouterr().out)["rows"]
    return rows


@pytest.mark.parametrize("kind", ["tcl", "imca", "linear"])
def test_the_condition_of_the_mixing_is_told_and_stored(
    kind: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["synth", kind, "-o", "d.npz"]) == 0
    told = capsys.readouterr().err
    stored = files.read(str(home / "d.npz")).array("condition")
    assert f"matrices: {', '.join(f'{number:.3g}' for number in stored)}\n" in told


@pytest.mark.parametrize(
    "words",
    ["tcl", "tcl --mixing cond --activation xtanh", "tcl --layers 1", "imca", "linear"],
)
def test_the_exact_inverse_is_the_ceiling(
    words: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kind, *given = words.split()
    assert run(["synth", kind, *given, "-o", "d.npz"]) == 0
    assert run(["synth", "unmixed", "--from", "d.npz", "-o", "z.npz"]) == 0
    (row,) = scores(capsys, "z.npz", "--to", "sources")
    assert row["mcc_out"] == pytest.approx(1, abs=1e-6)
    assert (home / "z.npz").exists()


def test_the_ceiling_stands_in_one_table_with_what_was_trained(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["synth", "tcl", "--per-segment", "50", "-o", "d.npz"])
    run(["synth", "unmixed", "--from", "d.npz", "-o", "ceiling.npz"])
    run(["train", "--data", "d.npz", "--model", "ica", "--seed", "1"])
    (model,) = home.glob("runs/*/model.safetensors")
    run(["embed", str(model)])
    latents = files.read(str(model.with_name("latents.npz")))
    assert latents.meta["rows"] == files.read("ceiling.npz").meta["rows"]
    assert latents.meta["data"] == files.read("ceiling.npz").meta["data"]
    ica, ceiling = scores(capsys, latents.label, "ceiling.npz", "--to", "sources")
    assert ica["mcc_out"] < 0.95 < ceiling["mcc_out"]


@pytest.fixture
def latents(home: Path) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    z = (rng.standard_normal((2000, 4)) * [1, 2, 3, 4]).astype(np.float32)
    np.save(home / "z.npy", z)
    return z


@pytest.mark.parametrize(
    ("up_to", "strong", "weak"),
    [("permutation", True, True), ("rotation", False, True), ("affine", False, True)],
)
@pytest.mark.usefixtures("latents")
def test_copies_are_the_same_up_to_the_stated_map_and_no_less(
    up_to: str, strong: bool, weak: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in "12":
        given = ["--up-to", up_to, "--seed", seed, "-o", f"{seed}.npz"]
        assert run(["synth", "permuted", "--from", "z.npy", *given]) == 0
    for mode, same in (("strong", strong), ("weak", weak)):
        (row,) = scores(capsys, "1.npz", "2.npz", "--mode", mode, "--cca-dim", "4")
        assert (row["mcc_out"] > 0.9999) == same


def test_the_map_is_in_the_file(latents: NDArray[np.float32]) -> None:
    run(["synth", "permuted", "--from", "z.npy", "--up-to", "affine", "-o", "copy.npz"])
    copy = files.read("copy.npz")
    np.testing.assert_allclose(
        copy.array("z"),
        latents @ copy.arrays["matrix"] + copy.arrays["shift"],
        rtol=1e-5,
        atol=1e-5,
    )


@pytest.mark.usefixtures("latents")
def test_a_permutation_has_one_entry_in_each_row_and_column() -> None:
    run(["synth", "permuted", "--from", "z.npy", "-o", "copy.npz"])
    there = files.read("copy.npz").arrays["matrix"] != 0
    assert there.sum(0).tolist() == there.sum(1).tolist() == [1, 1, 1, 1]


@pytest.mark.usefixtures("latents")
def test_noise_brings_the_score_down_to_its_closed_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for seed in "12":
        given = ["--noise", "0.75", "--seed", seed, "-o", f"{seed}.npz"]
        run(["synth", "permuted", "--from", "z.npy", *given])
    (to_given,) = scores(capsys, "1.npz", "--to", "z.npy")
    (to_copy,) = scores(capsys, "1.npz", "2.npz")
    assert to_given["mcc_out"] == pytest.approx(1 / np.sqrt(1 + 0.75**2), abs=0.02)
    assert to_copy["mcc_out"] == pytest.approx(1 / (1 + 0.75**2), abs=0.03)


def test_a_grid_is_permuted_at_every_position_alike(home: Path) -> None:
    z = np.random.default_rng(0).standard_normal((50, 3, 2, 2)).astype(np.float32)
    np.save(home / "z.npy", z)
    run(["synth", "permuted", "--from", "z.npy", "-o", "copy.npz"])
    copy = files.read("copy.npz")
    assert copy.array("z").shape == z.shape
    order = np.abs(copy.arrays["matrix"]).argmax(0)
    for row, column in np.ndindex(2, 2):
        corr = np.corrcoef(z[:, order, row, column].T, copy.array("z")[:, :, row, column].T)
        np.testing.assert_allclose(np.abs(np.diag(corr[:3, 3:])), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("tcl --up-to affine", 2, "No such option"),
        ("linear --per-segment 5", 2, "No such option"),
        ("permuted", 2, "--from"),
        ("permuted --from z.npy --noise -1", 2, "noise is -1.0: at least 0"),
        ("permuted --from cube.npy", 3, "(5, 2, 2)"),
        ("permuted --from text.npy", 3, "not real numbers"),
        ("unmixed --from z.npy", 3, "does not say how its data were mixed"),
        ("tcl --mixing conds", 2, "'rotations', 'cond'"),
    ],
)
@pytest.mark.usefixtures("latents")
def test_what_makes_no_sense_is_one_line_and_leaves_nothing(
    words: str, code: int, said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(home / "cube.npy", np.zeros((5, 2, 2)))
    np.save(home / "text.npy", np.array([["a", "b"]]))
    assert run(["synth", *words.split(), "-o", "out.npz"]) == code
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not (home / "out.npz").exists()


def test_every_kind_has_help_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    run(["synth", "--help"])
    listed = capsys.readouterr().out
    for kind, option in (("tcl", "--activation"), ("imca", "--dependence"), ("linear", "--rows")):
        assert f"  {kind} " in listed
        run(["synth", kind, "--help"])
        assert option in capsys.readouterr().out


def test_the_same_command_gives_the_same_bytes(home: Path, idkit: Callable[..., object]) -> None:
    for name in ("a.npz", "b.npz"):
        idkit("synth", "imca", "--seed", "3", "--per-segment", "20", "-o", name)
    assert (home / "a.npz").read_bytes() == (home / "b.npz").read_bytes()


def test_data_bear_the_name_that_they_are_given(home: Path) -> None:
    small = ["synth", "tcl", "--per-segment", "20", "-q"]
    assert run([*small, "--name", "tcl 20/a", "-o", "named.npz"]) == 0
    assert run([*small, "--seed", "2", "-o", "plain.npz"]) == 0
    named, plain = files.read(str(home / "named.npz")), files.read(str(home / "plain.npz"))
    assert named.meta["data"] == "tcl 20/a"
    assert named.meta["command"] == "synth tcl --per-segment 20 --name 'tcl 20/a' --seed 0"
    assert plain.meta["data"] == "tcl-persegment20-seed2"
    assert run(["train", "--data", "named.npz", "--model", "pca", "-q"]) == 0
    assert list(Path("runs").glob("tcl_20_a-pca-*"))
    assert run(["synth", "tcl", "--name", " ", "-o", "no.npz"]) == 2
    assert not Path("no.npz").exists()
