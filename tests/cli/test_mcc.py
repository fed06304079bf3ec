"""`idkit mcc` as a user drives it: files in, a table out, and an exit code for scripts."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from idkit import files
from idkit.cli import run
from idkit.errors import ExitCode

Floats = NDArray[np.float64]
Row = dict[str, Any]
KEYS = ["data", "model", "arch", "d_z", "settings", "embedded", "mode", "corr"]
KEYS += ["k", "runs", "pairs", "n"]
KEYS += ["mcc_in", "mcc_out", "ci_low", "ci_high", "chance_in", "chance_out", "p", "dead"]
RNG = np.random.default_rng(0)
SHARED = RNG.standard_normal((300, 4)) ** 3


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def rows(capsys: pytest.CaptureFixture[str]) -> Callable[..., list[Row]]:
    """Runs `idkit mcc ... --json` and gives its rows."""

    def ask(*words: str) -> list[Row]:
        assert run(["mcc", *words, "--json"]) == ExitCode.DONE
        document = json.loads(capsys.readouterr().out)
        assert document["schema"].startswith("idkit.")
        made: list[Row] = document["rows"]
        return made

    return ask


def permuted(seed: int, noise: float = 0.0) -> Floats:
    """The shared latents in another order, with other signs and scales."""
    rng = np.random.default_rng(seed)
    moved = SHARED[:, rng.permutation(4)] * rng.choice([-2.0, 0.5], 4)
    return np.asarray(moved + noise * rng.standard_normal(SHARED.shape))


def foreign(*seeds: int, noise: float = 0.5) -> list[str]:
    names = [f"{seed}.npy" for seed in seeds]
    for seed, name in zip(seeds, names, strict=True):
        np.save(name, permuted(seed, noise))
    return names


def ours(
    model: str, seed: int, *, rows: str = "abc", noise: float = 0.5, folder: str = "runs"
) -> str:
    """A latents file as `idkit embed` writes it."""
    path = Path(folder) / f"digits-{model}-s{seed}" / "latents.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    what = {"data": "digits", "model": model, "arch": "mlp", "d_z": 4, "seed": seed}
    meta = files.metadata("idkit.latents/1", "embed", [], rows=rows, split="test", **what)
    z = permuted(seed, noise).astype(np.float32)
    files.write(str(path), {"z": z, "u": np.arange(300) % 3, "s": SHARED}, meta, force=True)
    return str(path)


def test_copies_up_to_order_sign_and_scale_score_one(rows: Callable[..., list[Row]]) -> None:
    (row,) = rows(*foreign(1, 2, 3, noise=0))
    assert [name for name in row if name in KEYS] == KEYS
    assert row["mcc_in"] == pytest.approx(1)
    assert (row["mcc_out"], row["ci_low"], row["ci_high"]) == pytest.approx((1, 1, 1))
    assert (row["runs"], row["pairs"], row["n"], row["k"], row["d_z"]) == (3, 3, 300, 4, 4)
    assert (row["data"], row["model"], row["arch"], row["p"], row["dead"]) == (None,) * 4 + (0,)
    assert row["chance_in"] < 0.3
    assert 1 < row["active"] <= 4


def test_a_rotation_is_the_same_to_weak_and_not_to_strong(
    rows: Callable[..., list[Row]],
) -> None:
    np.save("a.npy", SHARED)
    np.save("b.npy", SHARED @ np.linalg.qr(RNG.standard_normal((4, 4)))[0])
    strong, weak = rows("a.npy", "b.npy", "--mode", "strong,weak")
    assert (strong["mode"], weak["mode"]) == ("strong", "weak")
    assert weak["mcc_out"] == pytest.approx(1)
    assert strong["mcc_out"] < 0.95
    assert rows("a.npy", "b.npy", "--mode", "strong", "--mode", "weak") == [strong, weak]


def test_runs_are_grouped_by_what_their_files_say(
    rows: Callable[..., list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    named = [ours(model, seed) for model in ("vae", "vade") for seed in (1, 2, 3)]
    vae, vade = rows(*named)
    assert (vae["model"], vade["model"]) == ("vae", "vade")
    assert (vae["data"], vae["arch"], vae["runs"]) == ("digits", "mlp", 3)
    assert run(["mcc", *named, ours("ivae", 1), *foreign(1, 2)]) == ExitCode.DONE
    streams = capsys.readouterr()
    assert len(streams.out.splitlines()) == 4
    assert "digits-ivae-s1" in streams.err
    assert "two or more" in streams.err


def test_files_of_foreign_tools_go_straight_in(rows: Callable[..., list[Row]]) -> None:
    np.save("a.npy", permuted(1))
    np.savez("b.npz", embedding=permuted(2).astype(np.float16))
    save_file({"mu": permuted(3).astype(np.float32)}, "c.safetensors")
    header = "z0,z1,z2,z3\n"
    lines = "\n".join(",".join(map(str, line)) for line in permuted(4))
    Path("d.csv").write_text(header + lines + "\n")
    np.savez("e.npz", left=np.zeros(9), right=np.asfortranarray(permuted(5)).astype(">f8"))
    (row,) = rows("a.npy", "b.npz", "c.safetensors", "d.csv", "e.npz:right")
    assert row["runs"] == 5
    assert row["mcc_out"] > 0.99


@pytest.mark.parametrize("dtype", ["int16", "uint8", "bool", "float16"])
def test_a_single_column_of_any_real_numbers_is_a_run(
    dtype: str, rows: Callable[..., list[Row]]
) -> None:
    z = (SHARED[:, 0] > 0) if dtype == "bool" else np.clip(SHARED[:, 0] * 3 + 9, 0, 200)
    np.save("a.npy", z.astype(dtype))
    np.save("b.npy", (z == 0) if dtype == "bool" else z.astype(dtype) + np.ones(1, dtype))
    (row,) = rows("a.npy", "b.npy")
    assert row["d_z"] == 1
    assert row["mcc_out"] == pytest.approx(1)


@pytest.mark.parametrize("command", ["mcc", "align"])
def test_latents_that_are_converted_are_said_once(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save("half.npy", permuted(1).astype(np.float16))
    np.save("whole.npy", (100 * permuted(2)).astype(np.int32))
    assert run([command, "half.npy", "whole.npy", *foreign(3)]) == ExitCode.DONE
    said = capsys.readouterr().err
    assert said.count("float16, int32 of 2 files is read as float64") == 1
    assert run([command, *foreign(1, 2)]) == ExitCode.DONE
    assert "read as" not in capsys.readouterr().err


def test_one_run_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["mcc", ours("vade", 1)]) == ExitCode.BAD_INPUT
    streams = capsys.readouterr()
    assert streams.out == ""
    assert len(streams.err.splitlines()) == 1
    assert "embed another seed" in streams.err


def test_files_of_different_origin_are_told_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["mcc", ours("vade", 1), *foreign(1)]) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert "files of different origin are separate groups" in said
    assert "--to FILE:KEY" in said
    assert said.count("\n") == 1


def test_rows_that_are_known_to_differ_are_refused_and_unknown_ones_are_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["mcc", ours("vae", 1), ours("vae", 2, rows="xyz")]) == ExitCode.BAD_INPUT
    assert "embed different rows" in capsys.readouterr().err
    assert run(["mcc", ours("vae", 1), ours("vae", 2)]) == ExitCode.DONE
    said = capsys.readouterr().err
    assert "same order" not in said
    assert "matched by position, row identity verified by their hash" in said
    assert run(["mcc", *foreign(1, 2)]) == ExitCode.DONE
    said = capsys.readouterr().err
    assert "matched by position, row identity unverified" in said
    assert "same order (all have 300" in said


WORDS = np.array([f"w{i}" for i in range(300)])


def named(name: str, order: Any, seed: int, *, suffix: str = "npz", **more: Any) -> str:
    """A run of another tool, with a name a row, its rows in some order."""
    z, words = permuted(seed, 0.5)[order], WORDS[order]
    if suffix == "csv":
        lines = [
            f"{word}," + ",".join(map(repr, row.tolist()))
            for word, row in zip(words, z, strict=True)
        ]
        Path(f"{name}.csv").write_text("\n".join(["word,a,b,c,d", *lines]) + "\n")
    else:
        columns = {key: column[order] for key, column in more.items()}
        np.savez(f"{name}.npz", z=z, words=words, **columns)
    return f"{name}.{suffix}"


@pytest.mark.parametrize("suffix", ["npz", "csv"])
@pytest.mark.parametrize(
    "words", ["--mode strong,weak", "--mode weak --corr spearman", "--null rows --perms 9"]
)
def test_rows_are_matched_by_name_as_if_the_files_had_been_sorted(
    suffix: str, words: str, rows: Callable[..., list[Row]]
) -> None:
    orders = [np.random.default_rng(seed).permutation(300) for seed in (1, 2, 3)]
    mixed = [named(f"m{i}", order, i, suffix=suffix) for i, order in enumerate(orders)]
    sorted_ = [named(f"s{i}", orders[0], i, suffix=suffix) for i in range(3)]
    assert rows(*mixed, *words.split()) == rows(*sorted_, *words.split(), "--id", "none")


def test_rows_that_not_all_files_have_are_left_out_and_said(
    rows: Callable[..., list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    order = np.random.default_rng(1).permutation(300)
    files_ = [named("a", np.arange(300), 1), named("b", order[:290], 2), named("c", order, 3)]
    common = np.sort(order[:290])
    expected = rows(*(named(f"s{i}", common, i) for i in (1, 2, 3)))
    (row,) = rows(*files_, "-o", "s.npz")
    assert [row] == expected
    assert row["n"] == 290
    assert run(["mcc", "s.npz"]) == ExitCode.DONE
    said = capsys.readouterr().err
    assert "matched by name ('words'): 290 rows are in all files, left out are 10 of 300 of" in said


def test_everything_that_files_hold_of_their_rows_moves_with_them(
    rows: Callable[..., list[Row]],
) -> None:
    orders = [np.random.default_rng(seed).permutation(300) for seed in (1, 2)]
    more: dict[str, Any] = {"u": np.arange(300) % 3, "s": SHARED}
    mixed = [named(f"m{i}", order, i, **more) for i, order in enumerate(orders)]
    sorted_ = [named(f"s{i}", orders[0], i, **more) for i in range(2)]
    np.savez("truth.npz", x=np.zeros(9), s=SHARED, names=WORDS)
    np.savez("u.npz", u=(np.arange(300) % 3)[orders[1]], id=WORDS[orders[1]])
    plain = SHARED[orders[0]]
    np.savez("plain.npz", s=plain)
    np.save("u.npy", (np.arange(300) % 3)[orders[0]])
    test = ("--null", "within-label", "--perms", "9")
    for to in (["--to", "sources"], test):
        assert rows(*mixed, *to) == rows(*sorted_, *to, "--id", "none")
    assert rows(*mixed, "--to", "truth.npz") == rows(*sorted_, "--to", "plain.npz", "--id", "none")
    assert rows(*mixed, "--to", "plain.npz") == rows(*sorted_, "--to", "plain.npz", "--id", "none")
    for labels in ("u.npz", "u.npy"):
        assert rows(*mixed, *test, "--labels", labels) == rows(*sorted_, *test, "--id", "none")
    np.save("short.npy", np.arange(290))
    assert run(["mcc", *mixed, *test, "--labels", "short.npy"]) == ExitCode.BAD_INPUT


@pytest.mark.parametrize("command", ["mcc", "align"])
def test_names_that_match_nothing_are_one_line_and_an_option_decides(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b = named("a", np.arange(300), 1), named("b", np.arange(300)[::-1], 2)
    np.savez("other.npz", z=SHARED, words=np.char.add("x", WORDS))
    np.savez("twice.npz", z=SHARED, words=WORDS[np.arange(300) // 2], token=WORDS)
    np.savez("none.npz", z=permuted(3, 0.5))
    for words, code, text in (
        ((a, b), ExitCode.DONE, "matched by name ('words')"),
        ((a, b, "--id", "none"), ExitCode.DONE, "matched by position"),
        ((a, b, "--id", "token"), ExitCode.BAD_INPUT, "no file has an array 'token'"),
        ((a, "other.npz"), ExitCode.BAD_INPUT, "no row name in common"),
        ((a, "twice.npz", "--id", "words"), ExitCode.BAD_INPUT, "in row 1 and in row 2"),
        ((a, "none.npz"), ExitCode.DONE, "warning: none.npz without row names"),
    ):
        assert run([command, *words]) == code
        streams = capsys.readouterr()
        assert text in streams.err
        assert bool(streams.out) == (code == ExitCode.DONE)


def test_ground_truth_comes_from_the_files_or_from_a_file(
    rows: Callable[..., list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    named = [ours("ivae", seed, noise=0) for seed in (1, 2, 3)]
    np.savez("truth.npz", x=SHARED[:, :1], s=SHARED)
    for to in ("sources", "truth.npz", "truth.npz:s"):
        (row,) = rows(*named, "--to", to)
        assert (row["runs"], row["pairs"]) == (3, 3)
        assert row["mcc_out"] == pytest.approx(1, abs=1e-6)
        assert row["ci_low"] is not None
    (alone,) = rows(named[0], "--to", "sources")
    assert alone["mcc_out"] == pytest.approx(1, abs=1e-6)
    assert run(["mcc", *foreign(1, 2), "--to", "sources"]) == ExitCode.BAD_INPUT
    assert "holds 's'" in capsys.readouterr().err


def test_all_sources_are_scored_beside_those_that_have_a_match(
    rows: Callable[..., list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2, 3):
        order = np.random.default_rng(seed).permutation(4)[:3]
        np.savez(f"{seed}.npz", z=SHARED[:, order], s=SHARED)
    named = ["1.npz", "2.npz", "3.npz"]
    (row,) = rows(*named, "--to", "sources", "-o", "s.npz")
    assert row["mcc_out"] == pytest.approx(1)
    assert (row["unmatched"], row["mcc_in_all"], row["mcc_out_all"]) == (
        1,
        pytest.approx(3 / 4),
        pytest.approx(3 / 4),
    )
    assert rows("s.npz") == [row]
    for pair in rows(*named, "--to", "sources", "--pairs"):
        assert pair["mcc_out_all"] == pytest.approx(3 / 4)
    assert run(["mcc", "s.npz", "--fail-if", "unmatched > 0"]) == ExitCode.CONDITION_FALSE
    streams = capsys.readouterr()
    assert "sources: 1 of 4 sources have no match" in streams.err
    assert streams.out.splitlines()[0].endswith("\tunmatched\tmcc_in_all\tmcc_out_all")
    (apart,) = rows(*named)
    assert (apart["unmatched"], apart["mcc_in_all"], apart["mcc_out_all"]) == (None,) * 3


def test_scores_of_an_older_idkit_are_read(rows: Callable[..., list[Row]]) -> None:
    table = rows(*foreign(1, 2, 3), "--mode", "strong,weak", "-o", "s.npz")
    kept = files.read("s.npz")
    added = ("notes", "wanted", "unmatched", "mcc_in_all", "mcc_out_all")
    for group in kept.meta["groups"]:
        for name in added:
            del group[name]
    files.write("old.npz", kept.arrays, kept.meta)
    assert rows("old.npz") == table


def labels_only(*names: str) -> NDArray[np.int64]:
    u = RNG.integers(0, 10, 600)
    for name in names:
        np.save(name, 2 * RNG.standard_normal((10, 6))[u] + RNG.standard_normal((600, 6)))
    return u


def test_what_only_labels_explain_is_significant_among_rows_and_not_within_labels(
    rows: Callable[..., list[Row]],
) -> None:
    np.save("u.npy", labels_only("a.npy", "b.npy"))
    among = rows("a.npy", "b.npy", "--mode", "weak", "--null", "rows", "--perms", "39")[0]
    within = rows(
        *("a.npy", "b.npy", "--mode", "weak", "--null", "within-label", "--perms", "39"),
        *("--labels", "u.npy"),
    )[0]
    assert among["mcc_out"] == within["mcc_out"] > 0.4
    assert among["p"] == 1 / 40
    assert within["p"] > 0.1
    assert within["chance_out"] > 0.3 > among["chance_out"]


def test_labels_are_those_in_the_files_where_none_are_given(
    rows: Callable[..., list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = rows(ours("ivae", 1), ours("ivae", 2), "--null", "within-label", "--perms", "9")
    assert row["p"] == 0.1
    assert run(["mcc", *foreign(1, 2), "--null", "within-label"]) == ExitCode.BAD_INPUT
    assert "holds 'u'" in capsys.readouterr().err


def test_pairs_and_curve_are_tables_of_the_same_numbers(rows: Callable[..., list[Row]]) -> None:
    named = foreign(1, 2, 3, 4)
    (row,) = rows(*named)
    pairs = rows(*named, "--pairs")
    assert {pair["chance_in"] for pair in pairs} == {row["chance_in"]}
    assert {pair["chance_out"] for pair in pairs} == {row["chance_out"]}
    assert [(pair["a"], pair["b"]) for pair in pairs][:2] == [
        ("1.npy", "2.npy"),
        ("1.npy", "3.npy"),
    ]
    assert [pair["seed_a"] for pair in pairs] == [None] * 6  # which nobody knows
    assert np.mean([pair["mcc_out"] for pair in pairs]) == pytest.approx(row["mcc_out"])
    curve = rows(*named, "--curve")
    assert [point["components"] for point in curve] == [1, 2, 3, 4]
    assert curve[-1]["mcc_out"] == pytest.approx(row["mcc_out"])
    assert curve[0]["mcc_in"] >= curve[-1]["mcc_in"]


def test_self_pairs_are_counted_and_said(
    rows: Callable[..., list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = rows(*foreign(1, 2, 3), "--self-pairs")
    assert row["pairs"] == 6
    assert run(["mcc", *foreign(1, 2, 3), "--self-pairs"]) == ExitCode.DONE
    assert "3 of the pairs are a run with itself" in capsys.readouterr().err


def test_the_run_that_others_are_compared_with_has_no_row(
    rows: Callable[..., list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    names = foreign(1, 2, 3)
    (without,) = rows(*names[1:], "--to", names[0])
    assert rows(*names, "--to", f"./{names[0]}") == [without]
    assert run(["mcc", *names, "--to", names[0], "--pairs"]) == ExitCode.DONE
    streams = capsys.readouterr()
    assert len(streams.out.splitlines()) == 3
    assert "1.npy is not compared with itself: its own pair is left out" in streams.err
    assert run(["mcc", names[0], "--to", names[0]]) == ExitCode.BAD_INPUT
    assert "1.npy is all there is to compare with itself" in capsys.readouterr().err


def test_a_run_counts_once_and_a_warning_names_what_is_left_out(
    rows: Callable[..., list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    names = foreign(1, 2, 3)
    expected = rows(*names)
    shutil.copytree(".", "copies", ignore=shutil.ignore_patterns("copies"))
    save_file({"z": np.load("2.npy")}, "2.safetensors")
    again = [f"copies/{name}" for name in names]
    assert rows(*names, *again, "2.safetensors", names[0]) == expected
    assert run(["mcc", *names, "2.safetensors", "-o", "s.npz"]) == ExitCode.DONE
    assert "left out: 2.safetensors (equal to 2.npy)" in capsys.readouterr().err
    assert run(["mcc", "s.npz"]) == ExitCode.DONE
    assert "left out: 2.safetensors (equal to 2.npy)" in capsys.readouterr().err
    truth = rows(*names[1:], "--to", names[0])
    assert rows(*names, *again, "--to", again[0]) == truth
    for argv in (["1.npy", "1.npy"], [*names[:1], *again[:1]]):
        assert run(["mcc", *argv]) == ExitCode.BAD_INPUT
        streams = capsys.readouterr()
        assert "one run counts once" in streams.err
        assert len(streams.err.splitlines()) == 1
        assert streams.out == ""


def test_a_seed_counts_once_and_equal_latents_of_other_seeds_are_said(
    rows: Callable[..., list[Row]], capsys: pytest.CaptureFixture[str]
) -> None:
    named = [ours("vae", seed) for seed in (1, 2, 3)]
    twice = [ours("vae", seed, folder="again", noise=0.1) for seed in (1, 2, 3)]
    assert rows(*named, *twice) == rows(*named)
    assert run(["mcc", *named, *twice]) == ExitCode.DONE
    assert "(seed 2, as runs/digits-vae-s2/latents.npz)" in capsys.readouterr().err
    files_ = []
    for seed in (1, 2, 3):
        what = {"data": "digits", "model": "pca", "arch": None, "d_z": 4, "seed": seed}
        meta = files.metadata("idkit.latents/1", "embed", [], rows="abc", **what)
        files.write(f"pca{seed}.npz", {"z": SHARED}, meta)
        files_.append(f"pca{seed}.npz")
    (row,) = rows(*files_)
    assert (row["runs"], row["mcc_out"]) == (3, pytest.approx(1))
    assert run(["mcc", *files_]) == ExitCode.DONE
    assert capsys.readouterr().err.count("equal latents of different seeds (1, 2 and 3)") == 1


def test_files_of_two_families_are_said_to_be_pooled(capsys: pytest.CaptureFixture[str]) -> None:
    for folder, seeds in (("A", (1, 2)), ("B", (3, 4)), ("runs/1", (5,)), ("runs/2", (6,))):
        Path(folder).mkdir(parents=True)
        for seed in seeds:
            name = "z" if len(seeds) == 1 else seed
            np.save(f"{folder}/{name}.npy", permuted(seed, 0.5))
    two = ["A/1.npy", "A/2.npy", "B/3.npy", "B/4.npy"]
    assert run(["mcc", *two, "-o", "s.npz"]) == ExitCode.DONE
    assert "warning: files of 2 folders (A and B) are compared as one" in capsys.readouterr().err
    assert run(["mcc", "s.npz"]) == ExitCode.DONE
    assert "files of 2 folders" in capsys.readouterr().err
    for one in (["runs/1/z.npy", "runs/2/z.npy"], two[:2], [ours("vae", 1), ours("vae", 2)]):
        assert run(["mcc", *one]) == ExitCode.DONE
        assert "folders" not in capsys.readouterr().err


@pytest.mark.parametrize("command", ["mcc", "align"])
def test_transposed_files_are_said_before_anything_is_computed(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        np.save(f"{name}.npy", RNG.standard_normal((20, 300)))
        np.save(f"{name}2.npy", RNG.standard_normal((2, 300)))
    assert run([command, "a.npy", "b.npy"]) == ExitCode.DONE
    first = capsys.readouterr().err.splitlines()[0]
    assert "every file has more coordinates than rows (the first 20 rows of 300 coord" in first
    assert run([command, "a2.npy", "b2.npy"]) == ExitCode.BAD_INPUT
    said = capsys.readouterr().err
    assert "a2.npy has 2 rows of 300 coordinates, 4 rows are needed: if it is transposed" in said
    assert len(said.splitlines()) == 1
    np.save("c.npy", RNG.standard_normal((20, 3)))
    assert run([command, "a.npy", "c.npy"]) == ExitCode.DONE
    assert "every file has" not in capsys.readouterr().err


def test_a_coordinate_that_is_the_same_in_every_file_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    count = np.arange(0.0, 600.0, 2.0)[:, None]
    np.save("a.npy", np.hstack([count, permuted(1, 0.5)]))
    np.savez("b.npz", z=np.hstack([count, permuted(2, 0.5)]).astype(np.float32))
    lines = [",".join(map(repr, row)) for row in np.hstack([count, permuted(3, 0.5)]).tolist()]
    Path("c.csv").write_text("\n".join(["a,b,c,d,e", *lines]) + "\n")
    assert run(["mcc", "a.npy", "b.npz", "c.csv"]) == ExitCode.DONE
    assert "warning: z[:, 0] is identical in every file, row by row" in capsys.readouterr().err
    np.save("d.npy", np.hstack([permuted(4, 0.5), count]))
    assert run(["align", "a.npy", "d.npy"]) == ExitCode.DONE
    assert "z[:, 0] of a.npy is identical in every file" in capsys.readouterr().err
    assert run(["mcc", *foreign(1, 2)]) == ExitCode.DONE
    assert "identical" not in capsys.readouterr().err


def test_a_grid_is_compared_position_by_position(rows: Callable[..., list[Row]]) -> None:
    z = RNG.standard_normal((80, 3, 2, 2))
    for name, order in (("a", [0, 1, 2]), ("b", [2, 0, 1]), ("c", [1, 0, 2])):
        np.save(name, z[:, order])
    (row,) = rows("a.npy", "b.npy", "c.npy", "-o", "s.npz")
    assert row["mcc_out"] == pytest.approx(1)
    assert (row["pairs"], row["k"]) == (3, 3)
    assert len(rows("a.npy", "b.npy", "c.npy", "--pairs")) == 3


@pytest.mark.parametrize(
    ("shape", "grid", "last"),
    [
        ((80, 3, 2, 2), "2 x 2 positions of 3 coordinates", ""),
        ((80, 1, 2, 4), "2 x 4 positions of 1 coordinate each", ""),
        ((80, 3, 3, 3), "3 x 3 positions of 3 coordinates", ""),
        ((80, 2, 3, 5), "3 x 5 positions of 2 coordinates", ""),
        ((80, 2, 2, 5), "2 x 5 positions of 2 coordinates", "2 x 2 positions of 5 coordinates"),
        ((80, 3, 3, 1), "3 x 1 positions of 3 coordinates", "3 x 3 positions of 1 coordinate,"),
    ],
)
def test_a_grid_is_said_and_coordinates_that_come_last_are_recognised(
    shape: tuple[int, ...], grid: str, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in "ab":
        np.save(name, RNG.standard_normal(shape))
    assert run(["mcc", "a.npy", "b.npy", "-o", "s.npz"]) == ExitCode.DONE
    said = capsys.readouterr().err
    assert f"are read as a grid: {grid}" in said
    assert ("numpy.moveaxis(z, -1, 1)" in said) == bool(last)
    assert last in said
    assert run(["mcc", "s.npz"]) == ExitCode.DONE
    assert f"are read as a grid: {grid}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("mcc_out < 0.5", ExitCode.DONE),
        ("mcc_out<2", ExitCode.CONDITION_FALSE),
        ("runs >= 3", ExitCode.CONDITION_FALSE),
        ("dead != 0", ExitCode.DONE),
        ("p > 0.05", ExitCode.BAD_INPUT),
        ("mc_out < 1", ExitCode.USAGE),
        ("mcc_out below 1", ExitCode.USAGE),
        ("mcc_out < high", ExitCode.USAGE),
    ],
)
def test_a_condition_decides_the_exit_code(
    text: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["mcc", *foreign(1, 2, 3), "--fail-if", text]) == code
    streams = capsys.readouterr()
    if code == ExitCode.CONDITION_FALSE:
        assert "holds" in streams.err
        assert streams.out


def test_scores_are_kept_in_a_file_that_gives_the_same_tables(
    rows: Callable[..., list[Row]],
) -> None:
    named = [ours(model, seed) for model in ("vae", "vade") for seed in (1, 2, 3)]
    table = rows(*named, "--mode", "strong,weak", "--cca-dim", "3", "-o", "scores.npz")
    kept = files.read("scores.npz", schema="idkit.scores/1")
    assert [group["mcc_out"] for group in kept.meta["groups"]] == [row["mcc_out"] for row in table]
    assert [group["seeds"] for group in kept.meta["groups"]] == [[1, 2, 3]] * 4
    assert kept.arrays["1/pairs"].shape == (3, 2)
    assert kept.arrays["1/in"].shape == kept.arrays["1/out"].shape == (3, 3)
    assert kept.arrays["1/out"].mean() == pytest.approx(table[1]["mcc_out"])
    assert rows("scores.npz") == table
    assert rows("scores.npz", "--pairs") == rows(
        *named, "--mode", "strong,weak", "--cca-dim", "3", "--pairs"
    )


def test_a_test_that_was_asked_for_is_kept_with_its_draws(rows: Callable[..., list[Row]]) -> None:
    (row,) = rows(*foreign(1, 2, 3), "--null", "rows", "--perms", "19", "-o", "s.safetensors")
    assert row["p"] == 0.05
    kept = files.read("s.safetensors")
    assert kept.arrays["0/shuffled_out"].shape == (19,)
    assert kept.meta["groups"][0]["p_in"] == 0.05
    assert rows("s.safetensors") == [row]


@pytest.mark.parametrize("suffix", ["npz", "safetensors"])
def test_the_same_command_in_two_folders_writes_the_same_bytes(suffix: str) -> None:
    for top in ("one", "two"):
        named = [ours("vae", seed, folder=f"{top}/runs") for seed in (1, 2, 3)]
        argv = ["mcc", *named, "--mode", "weak,strong", "-o", f"{top}/scores.{suffix}"]
        assert run([*argv, "--to", "sources"]) == ExitCode.DONE
    one, two = (Path(top, f"scores.{suffix}").read_bytes() for top in ("one", "two"))
    assert one == two
    assert b"two" not in two


def test_an_existing_output_is_kept_and_force_replaces_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    named = foreign(1, 2)
    Path("scores.npz").write_bytes(b"mine")
    assert run(["mcc", *named, "-o", "scores.npz"]) == ExitCode.BAD_INPUT
    assert Path("scores.npz").read_bytes() == b"mine"
    assert run(["mcc", *named, "-o", "scores.npz", "--force"]) == ExitCode.DONE
    assert Path("scores.npz").read_bytes() != b"mine"
    capsys.readouterr()


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        ({}, "'groups' is missing, which idkit.scores/1 needs: make it again ('idkit mcc')"),
        ({"groups": [{}]}, "'groups[0].data' is missing"),
        ({"groups": [1]}, "'groups[0]' is 1, expected an object"),
    ],
    ids=str,
)
def test_scores_that_idkit_did_not_write_are_one_line(
    meta: Row, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = files.metadata("idkit.scores/1", "mcc", [], **meta)
    files.write("s.npz", {"0/in": np.zeros((1, 1))}, whole)
    assert run(["mcc", "s.npz"]) == ExitCode.BAD_INPUT
    assert text in capsys.readouterr().err


def test_options_that_would_have_to_score_anew_are_refused_on_scores(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["mcc", *foreign(1, 2), "-o", "s.npz"]) == ExitCode.DONE
    refused = ("--mode weak", "--null rows", "--rematch", "--split first", "--seed 4")
    for words in map(str.split, refused):
        assert run(["mcc", "s.npz", *words]) == ExitCode.USAGE
        assert "has been scored" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--perms", "9"], "--null"),
        (["--labels", "u.npy"], "within-label"),
        (["--pairs", "--curve"], "two tables"),
        (["--cca-dim", "0"], "cca-dim"),
        (["--seed", str(2**63)], "--seed is 9223372036854775808: it is at most"),
        (["--mode", "strong,wek"], "'weak'"),
        (["--corr", "kendall"], "corr"),
        (["--perms", "0", "--null", "rows"], "perms"),
        (["--null", "rows", "--pairs"], "--null tests a group, --pairs has no row of it"),
        (["--null", "rows", "--curve"], "--curve has no row of it"),
        (["--null", "rows", "--streams"], "--streams has no row of it"),
        (["--self-pairs", "--to", "1.npy"], "--self-pairs are pairs of runs"),
        (["--fail-if", "mcc_out < nan"], "'nan'"),
        (["--fail-if", "mcc_out < inf"], "is not a finite number"),
    ],
)
def test_options_that_make_no_sense_are_usage_errors(
    words: Sequence[str], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["mcc", *foreign(1, 2), *words]) == ExitCode.USAGE
    streams = capsys.readouterr()
    assert streams.out == ""
    assert text in streams.err
    assert len(streams.err.splitlines()) == 1


def test_warnings_name_the_run_and_the_number(capsys: pytest.CaptureFixture[str]) -> None:
    names = foreign(1, 2)
    dead = permuted(3)
    dead[:, 1:3] = 7
    np.save("dead.npy", dead)
    assert run(["mcc", *names, "dead.npy", "--mode", "weak"]) == ExitCode.DONE
    streams = capsys.readouterr()
    assert "dead.npy: 2 dead (constant)" in streams.err
    assert "cca-dim 20 is brought down to 2" in streams.err
    header, line = (text.split("\t") for text in streams.out.splitlines())
    assert dict(zip(header, line, strict=True))["dead"] == "2"
    assert run(["mcc", *names, "-q"]) == ExitCode.DONE
    assert capsys.readouterr().err == ""


def test_a_pipe_carries_scores_and_latents(idkit: Callable[..., Any], folder: Path) -> None:
    named = foreign(1, 2, 3)
    written = idkit("mcc", named[0], named[1], "-", stdin=(folder / named[2]).read_bytes())
    assert written.returncode == 0
    header, row = (line.split("\t") for line in written.stdout.splitlines()[:2])
    assert row[header.index("runs")] == "3"


def test_the_order_of_files_changes_no_mean(rows: Callable[..., list[Row]]) -> None:
    named = foreign(1, 2, 3, 4)
    one, two = rows(*named), rows(*reversed(named))
    for key in ("mcc_in", "mcc_out", "ci_low", "ci_high"):
        assert one[0][key] == pytest.approx(two[0][key], abs=1e-12)
