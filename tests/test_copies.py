"""A run counts once, in whatever files and formats it is given."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from idkit import copies, files, latents

Floats = NDArray[Any]
Z = np.random.default_rng(0).standard_normal((200, 3)).astype(np.float32)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ours(name: str, z: Floats, seed: int | None, **what: Any) -> str:
    what = {"data": "digits", "model": "vae", "arch": "mlp", "d_z": 3, "seed": seed, **what}
    files.write(name, {"z": z}, files.metadata("idkit.latents/1", "embed", [], **what), force=True)
    return name


def kept(*names: str) -> tuple[list[str], list[str]]:
    """The runs that stay, and what is said."""
    runs = latents.read(names)
    found = copies.distinct(runs, names)
    assert {*found.runs, *(run for run, _ in found.again)} == set(runs)
    return [run.label for run in found.runs], list(found.warnings)


def test_copies_links_and_other_formats_are_one_run() -> None:
    np.save("a.npy", Z)
    shutil.copy("a.npy", "copy.npy")
    Path("link.npy").symlink_to("a.npy")
    np.savez_compressed("c.npz", z=np.asfortranarray(Z))
    save_file({"mu": Z}, "d.safetensors")
    np.save("big.npy", Z.astype(">f8"))
    np.save("b.npy", -Z)
    found, said = kept(
        *("a.npy", "b.npy", "copy.npy", "link.npy", "c.npz", "d.safetensors", "big.npy", "a.npy")
    )
    assert found == ["a.npy", "b.npy"]
    assert said == [
        "warning: one run counts once, left out: copy.npy (equal to a.npy), link.npy (equal to "
        "a.npy), c.npz (equal to a.npy), d.safetensors (equal to a.npy) and 2 more"
    ]


@pytest.mark.parametrize(
    ("one", "two", "equal"),
    [
        (Z, Z.copy(), True),
        (Z, Z[::-1], False),
        (Z, Z[:199], False),
        (Z, Z.reshape(200, 3, 1, 1), False),
        (Z, Z.astype(np.float16), True),
        (np.zeros((9, 2)), -np.zeros((9, 2)), True),
        (np.full((9, 2), 1e300), np.full((9, 2), np.inf, np.float16), True),
        (1e9 + Z.astype(float), 1e9 + Z[::-1].astype(float), False),
        (np.eye(9, dtype=np.int64), np.eye(9), True),
        (np.eye(9, dtype=bool), np.eye(9), True),
    ],
    ids=str,
)
def test_arrays_are_equal_in_the_precision_of_the_coarser(
    one: Floats, two: Floats, equal: bool
) -> None:
    assert copies.same(one, two) is equal


@pytest.mark.parametrize("row", [0, 1, 77, 199])
def test_one_value_that_differs_makes_another_run(row: int) -> None:
    other = Z.copy()
    other[row, 1] = np.nextafter(other[row, 1], np.float32(9))
    np.save("a.npy", Z)
    np.save("b.npy", other)
    assert kept("a.npy", "b.npy") == (["a.npy", "b.npy"], [])


def test_one_seed_is_one_run_even_if_its_latents_differ() -> None:
    names = [ours("a.npz", Z, 1), ours("b.npz", -Z, 1, statistic="sample"), ours("c.npz", Z, 2)]
    found, said = kept(*names)
    assert found == ["a.npz", "c.npz"]
    assert said[0] == "warning: one run counts once, left out: b.npz (seed 1, as a.npz)"


def test_equal_latents_of_several_seeds_stay_with_one_note() -> None:
    names = [ours(f"{seed}.npz", Z if seed != 3 else -Z, seed) for seed in range(1, 8)]
    found, said = kept(*names)
    assert found == names
    assert len(said) == 1
    assert "1.npz, 2.npz, 4.npz, 5.npz and 2 more hold equal latents of different seeds" in said[0]


def test_without_a_seed_equal_latents_are_one_run() -> None:
    assert kept(ours("a.npz", Z, 1), ours("b.npz", Z, None))[0] == ["a.npz"]
    assert kept(ours("a.npz", Z, None), ours("b.npz", Z, 1))[0] == ["a.npz"]


def test_two_arrays_of_one_file_are_two_unless_they_are_equal() -> None:
    meta = files.metadata("idkit.latents/1", "embed", [], seed=1)
    files.write("a.npz", {"z": Z, "log_var": -Z, "again": Z}, meta)
    np.savez("b.npz", one=Z, two=-Z, three=Z)
    assert kept("a.npz:z", "a.npz:log_var", "a.npz", "a.npz:again")[0] == [
        "a.npz:z",
        "a.npz:log_var",
    ]
    assert len(kept("b.npz:one", "b.npz:two", "b.npz:three")[0]) == 2
