"""`idkit align` as a user drives it: maps in a file, latents in one frame, and what replicates."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from idkit import files, shelf
from idkit.cli import run
from idkit.errors import ExitCode

Floats = NDArray[np.float32]
Row = dict[str, Any]
RNG = np.random.default_rng(0)
SHARED = (RNG.standard_normal((300, 4)) ** 3).astype(np.float32)
HELD_OUT = (RNG.standard_normal((90, 4)) ** 3).astype(np.float32)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def rows(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[Row]]:
    def ask(*words: str) -> list[Row]:
        assert run([*words, "--json"]) == ExitCode.DONE
        made: list[Row] = json.loads(capsys.readouterr().out)["rows"]
        return made

    return ask


def permuted(z: Floats, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1, 1], z.shape[1]).astype(np.float32)
    return np.asarray((z * signs)[:, rng.permutation(z.shape[1])])


def planted(*seeds: int, rows: str = "abc") -> list[str]:
    """Runs that are one another up to the order and the signs of their coordinates."""
    names = []
    for seed in seeds:
        path = Path("runs", f"s{seed}", "latents.npz")
        path.parent.mkdir(parents=True, exist_ok=True)
        what = {"data": "digits", "model": "vae", "arch": "mlp", "d_z": 4, "seed": seed}
        meta = files.metadata("idkit.latents/1", "embed", [], rows=rows, split="test", **what)
        u = np.arange(300) % 3
        files.write(str(path), {"z": permuted(SHARED, seed), "u": u}, meta, force=True)
        names.append(str(path))
    return names


def test_every_pair_is_mapped_and_scored(rows: Callable[..., list[Row]]) -> None:
    table = rows("align", *planted(1, 2, 3))
    assert [(row["a"], row["b"]) for row in table] == [
        ("s1/latents.npz", "s2/latents.npz"),
        ("s1/latents.npz", "s3/latents.npz"),
        ("s2/latents.npz", "s3/latents.npz"),
    ]
    assert [row["mcc_out"] for row in table] == pytest.approx([1] * 3)


@pytest.mark.parametrize("mode", shelf.names("align"))
@pytest.mark.parametrize("to", ["all-pairs", "medoid", "runs/s2/latents.npz"])
def test_mcc_reads_an_alignment_and_scores_it_as_it_scores_the_latents(
    mode: str, to: str, rows: Callable[..., list[Row]]
) -> None:
    named = planted(1, 2, 3)
    table = rows("align", *named, "--mode", mode, "--to", to, "-o", "maps.npz")
    assert len(table) == (3 if to == "all-pairs" else 2)
    (read,) = rows("mcc", "maps.npz")
    assert (read["runs"], read["mode"], read["model"]) == (3, mode, "vae")
    if to == "all-pairs":
        assert [read] == rows("mcc", *named, "--mode", mode)
    assert read["mcc_out"] == pytest.approx(np.mean([row["mcc_out"] for row in table]))


def test_an_alignment_that_does_not_know_of_other_data_is_read(
    rows: Callable[..., list[Row]],
) -> None:
    rows("align", *planted(1, 2), "-o", "maps.npz")
    made = files.read("maps.npz")
    groups = [{k: v for k, v in group.items() if k != "embedded"} for group in made.meta["groups"]]
    files.write("old.npz", made.arrays, {**made.meta, "groups": groups})
    assert rows("mcc", "old.npz") == rows("mcc", "maps.npz")


@pytest.mark.parametrize("mode", shelf.names("align"))
def test_an_alignment_is_scored_on_rows_that_it_was_not_fitted_to(
    mode: str, rows: Callable[..., list[Row]]
) -> None:
    rows("align", *planted(1, 2, 3), "--mode", mode, "-o", "maps.npz")
    for seed in (1, 2, 3):
        np.save(f"{seed}.npy", permuted(HELD_OUT, seed))
    (row,) = rows("mcc", "maps.npz", "1.npy", "2.npy", "3.npy")
    assert (row["n"], row["runs"], row["pairs"]) == (90, 3, 3)
    assert row["mcc_out"] == pytest.approx(1, abs=1e-5)
    assert 0 < row["chance_out"] < 0.3
    unrelated = [f"{seed}.npy" for seed in (1, 2)] + ["z.npy"]
    np.save("z.npy", RNG.standard_normal((90, 4)))
    assert rows("mcc", "maps.npz", *unrelated)[0]["mcc_out"] < 0.8


def named(name: str, z: NDArray[Any], order: Any, **more: Any) -> str:
    """A run of another tool, with a name a row, its rows in some order."""
    words = np.array([f"w{i}" for i in range(len(z))])[order]
    np.savez(f"{name}.npz", z=z[order], words=words, **more)
    return f"{name}.npz"


@pytest.mark.parametrize("mode", shelf.names("align"))
@pytest.mark.parametrize("to", ["all-pairs", "medoid", "reference.npz"])
def test_maps_are_fitted_and_scored_on_rows_of_one_name(
    mode: str, to: str, rows: Callable[..., list[Row]]
) -> None:
    rng = np.random.default_rng(0)
    orders = [rng.permutation(300) for _ in range(3)]
    noisy = [permuted(SHARED, i) + 0.1 * rng.standard_normal((300, 4)) for i in range(4)]
    mixed = [named(f"m{i}", noisy[i], orders[i]) for i in range(3)]
    for where, order in (("mixed", orders[2]), ("sorted", orders[0])):
        Path(where).mkdir()
        named(f"{where}/reference", noisy[3], order)
    sorted_ = [named(f"s{i}", noisy[i], orders[0]) for i in range(3)]
    how = ("--mode", mode, "--to")
    one = rows("align", *mixed, *how, to.replace("ref", "mixed/ref"), "-o", "m.npz")
    two = rows("align", *sorted_, *how, to.replace("ref", "sorted/ref"), "-o", "s.npz")
    assert [row["mcc_out"] for row in one] == [row["mcc_out"] for row in two]
    maps, expected = files.read("m.npz"), files.read("s.npz")
    for name in expected.arrays:
        np.testing.assert_array_equal(maps.arrays[name], expected.arrays[name])

    fresh = [permuted(HELD_OUT, i) for i in range(4)]
    ends = [fresh[i] + 0.1 * rng.standard_normal((90, 4)) for i in range(3 + (to[0] == "r"))]
    turned = [rng.permutation(90) for _ in ends]
    other = [named(f"o{i}", z, turned[i]) for i, z in enumerate(ends)]
    plain = [named(f"p{i}", z, turned[0]) for i, z in enumerate(ends)]
    assert rows("mcc", "m.npz", *other) == rows("mcc", "m.npz", *plain, "--id", "none")


def test_apply_moves_every_row_of_a_file_in_its_own_order_with_its_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    turned = np.random.default_rng(0).permutation(300)[:250]
    named("a", SHARED, np.arange(300))
    named("b", permuted(SHARED, 1), turned, token=turned)
    argv = ["align", "a.npz", "b.npz", "--apply", "--to", "a.npz", "-o", "moved", "--id", "words"]
    assert run(argv) == ExitCode.DONE
    assert "left out are 50 of 300 of a.npz" in capsys.readouterr().err
    first, second = files.read("moved/a.npz"), files.read("moved/b.npz")
    np.testing.assert_array_equal(first.array("z"), SHARED)
    np.testing.assert_array_equal(second.array("z"), SHARED[turned])
    np.testing.assert_array_equal(second.arrays["words"], [f"w{i}" for i in turned])
    assert list(second.arrays) == ["words", "z"]


@pytest.mark.parametrize("mode", shelf.names("align"))
@pytest.mark.parametrize("to", ["medoid", "dead.npy", "a.npy"])
def test_a_run_without_any_variance_is_aligned_with_a_score_of_0(
    mode: str, to: str, rows: Callable[..., list[Row]]
) -> None:
    np.save("dead.npy", np.zeros((300, 4)))
    np.save("a.npy", SHARED)
    np.save("b.npy", permuted(SHARED, 1))
    names = ["dead.npy", "a.npy", "b.npy"]
    table = rows("align", *names, "--mode", mode, "--to", to, "-o", "maps.npz")
    assert {row["mcc_out"] for row in table if "dead.npy" in (row["a"], row["b"])} == {0}
    (row,) = rows("mcc", "maps.npz")
    assert row["mcc_out"] == pytest.approx(0 if to == "dead.npy" else 1 / 2)
    np.save("zeros.npy", np.zeros((90, 4)))
    np.save("c.npy", HELD_OUT)
    np.save("d.npy", permuted(HELD_OUT, 1))
    (other,) = rows("mcc", "maps.npz", "zeros.npy", "c.npy", "d.npy")
    assert other["mcc_out"] == pytest.approx(row["mcc_out"], abs=1e-5)
    table = rows("align", *names, "--mode", mode, "--to", to, "--apply", "-o", "moved")
    assert all(np.isfinite(files.read(f"moved/{name[:-4]}.npz").array("z")).all() for name in names)


def test_a_run_that_is_given_twice_is_aligned_once(
    rows: Callable[..., list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    for name, seed in (("a", 1), ("b", 2), ("copy", 1)):
        np.save(f"{name}.npy", permuted(SHARED, seed))
    assert [(row["a"], row["b"]) for row in rows("align", "a.npy", "b.npy", "copy.npy")] == [
        ("a.npy", "b.npy")
    ]
    (row,) = rows("align", "a.npy", "b.npy", "copy.npy", "--to", "copy.npy")
    assert (row["a"], row["b"]) == ("b.npy", "a.npy")
    argv = ["align", "a.npy", "b.npy", "copy.npy", "--apply", "-o", "moved"]
    assert run(argv) == ExitCode.DONE
    assert "left out: copy.npy (equal to a.npy)" in capsys.readouterr().err
    assert sorted(path.name for path in Path("moved").iterdir()) == ["a.npz", "b.npz"]


def test_an_alignment_of_other_runs_is_refused(
    capsys: pytest.CaptureFixture[str], rows: Callable[..., list[Row]]
) -> None:
    named = planted(1, 2, 3)
    rows("align", *named, "-o", "maps.npz")
    for others, text in (
        (named[:2], "3 runs"),
        (named[::-1], "same order"),
        (named, "fitted to"),
        (["narrow.npy"] * 3, "(4, 4)"),
    ):
        np.save("narrow.npy", SHARED[:, :2])
        assert run(["mcc", "maps.npz", *others]) == ExitCode.BAD_INPUT
        streams = capsys.readouterr()
        assert text in streams.err
        assert len(streams.err.splitlines()) == 1


def test_apply_brings_all_runs_into_one_frame_with_their_signs(
    rows: Callable[..., list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    named = planted(1, 2, 3)
    assert run(["align", *named, "--apply", "-o", "moved"]) == ExitCode.DONE
    assert "moved/s1/latents.npz" in capsys.readouterr().err
    moved = [files.read(f"moved/s{seed}/latents.npz") for seed in (1, 2, 3)]
    for one in moved[1:]:
        np.testing.assert_array_equal(one.array("z"), moved[0].array("z"))
    assert moved[1].schema == "idkit.latents/1"
    assert (moved[1].meta["seed"], moved[1].meta["model"], moved[1].meta["rows"]) == (
        (2, "vae", "abc")
    )
    assert moved[1].array("z").dtype == np.float32
    np.testing.assert_array_equal(moved[0].arrays["u"], np.arange(300) % 3)
    assert rows("mcc", *(f"moved/s{seed}/latents.npz" for seed in (1, 2, 3)))[0]["runs"] == 3


def test_apply_writes_beside_the_inputs_and_keeps_what_is_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    np.save("a.npy", SHARED)
    np.save("b.npy", permuted(SHARED, 1))
    assert run(["align", "a.npy", "b.npy", "--apply", "--to", "a.npy"]) == ExitCode.DONE
    for name in ("a-aligned.npz", "b-aligned.npz"):
        np.testing.assert_array_equal(files.read(name).array("z"), SHARED)
    capsys.readouterr()
    before = Path("a-aligned.npz").stat().st_mtime_ns
    assert run(["align", "a.npy", "b.npy", "--apply"]) == ExitCode.BAD_INPUT
    assert "exists" in capsys.readouterr().err
    assert Path("a-aligned.npz").stat().st_mtime_ns == before


@pytest.mark.parametrize("mode", ["weak", "affine"])
def test_apply_undoes_an_affine_map(mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    np.save("a.npy", SHARED)
    np.save("b.npy", (SHARED @ RNG.standard_normal((4, 4)) + 5).astype(np.float32))
    argv = ["align", "b.npy", "--to", "a.npy", "--apply", "--mode", mode, "-o", "moved"]
    assert run(argv) == ExitCode.DONE
    np.testing.assert_allclose(files.read("moved/b.npz").array("z"), SHARED, atol=1e-2)
    capsys.readouterr()


def test_coordinates_that_replicate_are_listed_best_first(
    rows: Callable[..., list[Row]],
) -> None:
    np.save("a.npy", SHARED)
    for name in ("b", "c"):
        z = permuted(SHARED, 1) * 3
        z[:, -1] = RNG.standard_normal(300)  # one coordinate is lost in each
        np.save(f"{name}.npy", z)
    table = rows("align", "a.npy", "b.npy", "c.npy", "--to", "a.npy", "--min-corr", "0.9")
    assert [row["runs"] for row in table] == [2, 2, 2, 0]
    assert {row["of"] for row in table} == {2}
    assert {row["reference"] for row in table} == {"a.npy"}
    lost = int(np.argmin([abs(np.corrcoef(x, z[:, :3].T)[0, 1:]).max() for x in SHARED.T]))
    assert table[-1]["coordinate"] == lost


def test_a_coordinate_is_averaged_over_the_runs_that_have_a_match_for_it(
    rows: Callable[..., list[Row]],
) -> None:
    np.save("a.npy", SHARED)
    np.save("b.npy", SHARED[:, [2, 0]])
    np.save("c.npy", SHARED[:, [1, 2]])
    table = rows("align", "a.npy", "b.npy", "c.npy", "--to", "a.npy", "--min-corr", "0")
    assert {row["coordinate"]: row["runs"] for row in table} == {0: 1, 1: 1, 2: 2, 3: 0}
    assert [row["corr_out"] for row in table[:3]] == pytest.approx([1, 1, 1])
    assert (table[3]["coordinate"], table[3]["corr_in"], table[3]["corr_out"]) == (3, None, None)


def test_runs_of_other_widths_are_aligned(rows: Callable[..., list[Row]]) -> None:
    np.save("a.npy", SHARED)
    np.save("b.npy", SHARED[:, [2, 0]])
    np.save("c.npy", SHARED[:, [1, 2, 3]])
    (row, *_) = rows("align", "a.npy", "b.npy", "c.npy", "-o", "maps.npz")
    assert (row["k"], row["d_z"]) == (2, None)
    for name in "abc":
        np.save(f"{name}-other.npy", np.load(f"{name}.npy")[::2])
    assert rows("mcc", "maps.npz", *(f"{name}-other.npy" for name in "abc"))[0]["pairs"] == 3
    assert rows("align", "b.npy", "a.npy", "--apply", "--to", "a.npy", "-o", "m")
    moved = files.read("m/b.npz").array("z")
    np.testing.assert_array_equal(moved[:, [0, 2]], SHARED[:, [0, 2]])
    assert not moved[:, [1, 3]].any()


def test_the_same_command_in_two_folders_writes_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for top in ("one", "two"):
        (tmp_path / top).mkdir()
        monkeypatch.chdir(tmp_path / top)
        named = planted(1, 2, 3)
        assert run(["align", *named, "--mode", "weak", "-o", "maps.npz"]) == ExitCode.DONE
        assert run(["align", *named, "--apply", "-o", "moved"]) == ExitCode.DONE
    for name in ("maps.npz", "moved/s2/latents.npz"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    capsys.readouterr()


def test_an_alignment_goes_down_a_pipe(
    capsysbinary: pytest.CaptureFixture[bytes], idkit: Callable[..., Any]
) -> None:
    named = planted(1, 2, 3)
    assert run(["align", *named, "--mode", "weak", "-o", "-"]) == ExitCode.DONE
    done = idkit("mcc", "-", stdin=capsysbinary.readouterr().out)
    assert done.returncode == 0
    assert "weak" in done.stdout.splitlines()[1].split("\t")


@pytest.mark.parametrize(
    ("line", "code", "text"),
    [
        ("align {0}", ExitCode.BAD_INPUT, "two or more"),
        ("align {0} {1} --mode wek", ExitCode.USAGE, "'weak'"),
        ("align {0} {1} --min-corr 0.5 --mode weak", ExitCode.USAGE, "strong"),
        ("align {0} {1} --apply --to all-pairs", ExitCode.USAGE, "--to medoid"),
        ("align {0} {1} --apply -o -", ExitCode.USAGE, "FOLDER"),
        ("align - {1} --apply", ExitCode.USAGE, "not '-'"),
        ("align {0} {1} --apply -o x.npz", ExitCode.USAGE, "give a folder, -o FOLDER, not x.npz"),
        ("align {0} {1} --mode wek", ExitCode.USAGE, "unknown mode 'wek': did you mean 'weak'?"),
        ("align {0} {1} -o maps.txt", ExitCode.USAGE, ".npz"),
        ("align {0} --to {0}", ExitCode.BAD_INPUT, "alone in its group"),
        ("align {0} {0} --apply", ExitCode.BAD_INPUT, "one run counts once"),
        ("align x.npy x.npz --apply", ExitCode.BAD_INPUT, "both be written"),
        ("align grid.npy grids.npy", ExitCode.BAD_INPUT, "grid"),
        ("align {0} {1} --to nowhere.npz", ExitCode.BAD_INPUT, "nowhere.npz"),
    ],
)
def test_what_cannot_be_aligned_is_one_line(
    line: str,
    code: int,
    text: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = planted(1, 2)
    for name in ("grid", "grids"):
        np.save(name, RNG.standard_normal((300, 2, 2, 2)))
    np.save("x.npy", SHARED)
    np.savez("x.npz", -SHARED)
    if " - " in line:
        piped = io.TextIOWrapper(io.BytesIO(Path(named[0]).read_bytes()))
        monkeypatch.setattr("sys.stdin", piped)
    before = sorted(map(str, Path().rglob("*")))
    assert run(line.format(*named).split()) == code
    streams = capsys.readouterr()
    assert streams.out == ""
    assert text in streams.err
    assert len(streams.err.splitlines()) == 1
    assert sorted(map(str, Path().rglob("*"))) == before
