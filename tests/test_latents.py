"""Latents from anywhere become runs, and runs become groups."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idkit import files, latents
from idkit.errors import IdkitError

USUAL: dict[str, Any] = {"data": "digits", "model": "vae", "arch": "mlp", "d_z": 3, "seed": 1}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept(name: str, shape: tuple[int, ...] = (20, 3), **what: Any) -> latents.Run:
    meta = files.metadata("idkit.latents/1", "embed", [], **{**USUAL, **what})
    files.write(f"{name}.npz", {"z": np.zeros(shape)}, {**meta, "d_z": shape[1]})
    return latents.read([f"{name}.npz"])[0]


def foreign(name: str, shape: tuple[int, ...] = (20, 3)) -> latents.Run:
    np.save(f"{name}.npy", np.zeros(shape))
    return latents.read([f"{name}.npy"])[0]


@pytest.mark.parametrize(
    "what",
    [
        {"data": "mnist"},
        {"model": "vade"},
        {"arch": "convnet"},
        {"settings": {"lr": 0.1}},
        {"split": "train"},
        {"statistic": "sample"},
        {"shape": (20, 4)},
        {"shape": (20, 3, 2, 2)},
    ],
    ids=str,
)
def test_runs_that_differ_in_more_than_their_seed_are_not_one_group(what: dict[str, Any]) -> None:
    found = latents.groups([kept("a", seed=1), kept("b", seed=2), kept("c", **what)])
    assert [len(group.runs) for group in found] == [2, 1]
    assert [run.seed for run in found[0].runs] == [1, 2]
    assert str(found[0]) == "digits vae mlp, d_z 3"


def test_what_goes_without_saying_does_not_part_a_group() -> None:
    runs = [kept("a"), kept("b", split="test", statistic="mean", settings={})]
    assert len(latents.groups(runs)) == 1


def test_files_that_say_nothing_are_one_group_of_whatever_widths() -> None:
    (group,) = latents.groups([foreign("a"), foreign("b", (20, 5)), foreign("c", (20,))])
    assert (group.model, group.d_z, group.trusted) == (None, None, True)
    assert [run.z.shape for run in group.runs] == [(20, 3), (20, 5), (20, 1)]


def test_rows_are_trusted_only_where_no_hash_is_known() -> None:
    assert latents.groups([kept("a", rows="x"), kept("b", rows="x", seed=2)])[0].trusted is False
    assert latents.groups([kept("c", rows="x"), kept("d", seed=2)])[0].trusted is True
    for order in (["e", "f", "g"], ["g", "f", "e"]):
        runs = [kept(name + order[0], rows={"e": "x", "f": None, "g": "y"}[name]) for name in order]
        with pytest.raises(IdkitError, match="embed different rows"):
            latents.groups(runs)


def test_names_begin_below_the_folder_that_holds_all(folder: Path) -> None:
    for seed in "12":
        (folder / "runs" / seed).mkdir(parents=True)
        kept(f"runs/{seed}/latents", seed=int(seed))
    sources = ["runs/1/latents.npz", f"{folder}/runs/2/latents.npz"]
    (group,) = latents.groups(latents.read(sources))
    assert group.names == [os.path.join(seed, "latents.npz") for seed in "12"]  # noqa: PTH118
    assert latents.below(["a.npy"]) == ["a.npy"]


def test_what_runs_hold_about_rows_must_be_the_same_in_all() -> None:
    def held(name: str, u: list[int] | None) -> latents.Run:
        z = np.full((4, 2), float(ord(name)))
        arrays = {"z": z} | ({} if u is None else {"u": np.array(u)})
        np.savez(f"{name}.npz", **arrays)
        return latents.read([f"{name}.npz"])[0]

    one, two, none = held("a", [1, 2, 3, 4]), held("b", [1, 2, 3, 5]), held("c", None)
    np.testing.assert_array_equal(latents.groups([none, one])[0].shared("u"), [1, 2, 3, 4])
    with pytest.raises(IdkitError, match=r"b\.npz and a\.npz hold different 'u'"):
        latents.groups([one, two])[0].shared("u")
    with pytest.raises(IdkitError, match="none of the files"):
        latents.groups([none])[0].shared("u")


def test_another_artefact_is_no_latents_unless_an_array_of_it_is_named() -> None:
    meta = files.metadata("idkit.data/1", "synth", [])
    files.write("d.npz", {"x": np.zeros((9, 2)), "s": np.ones((9, 3))}, meta)
    with pytest.raises(IdkitError, match=r"is idkit\.data/1, not idkit\.latents/1 .* d\.npz:KEY"):
        latents.read(["d.npz"])
    (run,) = latents.read(["d.npz:s"])
    assert run.z.shape == (9, 3)
    assert run.label == "d.npz:s"


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.zeros((4, 2), dtype=complex), "complex128"),
        (np.array(["a", "b"]), "not real numbers"),
        (np.zeros((4, 2, 3)), r"\(4, 2, 3\)"),
        (np.zeros((4, 0)), r"\(4, 0\)"),
        (np.zeros(()), r"\(\)"),
    ],
    ids=["complex", "text", "rank 3", "no columns", "scalar"],
)
def test_what_is_no_matrix_of_real_numbers_is_refused(array: Any, text: str) -> None:
    np.save("bad.npy", array)
    with pytest.raises(IdkitError, match=text):
        latents.read(["bad.npy"])


@pytest.mark.parametrize(
    "stored",
    [
        lambda z: z.astype(np.float16),
        lambda z: z.astype(">f4"),
        lambda z: np.asfortranarray(z),
        lambda z: z.astype(np.int32),
    ],
    ids=["float16", "big-endian", "fortran", "int32"],
)
def test_values_are_taken_as_they_are_stored(stored: Callable[[Any], Any]) -> None:
    z = np.arange(12.0).reshape(4, 3)
    np.save("z.npy", stored(z))
    np.testing.assert_array_equal(latents.read(["z.npy"])[0].z, z)
