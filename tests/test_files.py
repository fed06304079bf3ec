"""Reading: what was written comes back, from every format, at no cost until it is touched."""

import hashlib
import io
import json
import mmap
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from idkit import files
from idkit.errors import IdkitError, UsageError
from idkit.files.sources import MAPPED_FROM

META = files.metadata("idkit.latents/1", "embed --split test", [], data="digits", seed=3)
EXTENSIONS = ("npz", "safetensors")
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
NUMBERS = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.unsigned_integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64))
)
ARRAYS = hnp.arrays(NUMBERS, SHAPES)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1).filter(
    lambda name: name not in {"idkit", "__metadata__"}
)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def same(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    """Equal in type but for the byte order, in shape, and in every bit."""
    little = found.dtype.newbyteorder("<"), expected.dtype.newbyteorder("<")
    bits = found.astype(little[0]).tobytes() == expected.astype(little[1]).tobytes()
    return little[0] == little[1] and found.shape == expected.shape and bits


def latents(rows: int = 50, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(rows, 4)).astype(np.float32)


@given(st.dictionaries(NAMES, ARRAYS, max_size=4), st.sampled_from(EXTENSIONS))
def test_what_is_written_is_read(arrays: dict[str, NDArray[Any]], extension: str) -> None:
    with folder() as here:
        path = str(here / f"a.{extension}")
        files.write(path, arrays, META)
        artefact = files.read(path)
        assert artefact.meta == META
        assert artefact.schema == "idkit.latents/1"
        assert set(artefact.arrays) == set(arrays)
        assert all(same(artefact.arrays[name], array) for name, array in arrays.items())


@given(st.dictionaries(NAMES, ARRAYS, max_size=4), st.sampled_from(EXTENSIONS))
def test_same_content_same_bytes_whatever_its_order(
    arrays: dict[str, NDArray[Any]], extension: str
) -> None:
    shuffled = {
        name: np.asfortranarray(array).reshape(array.shape).astype(array.dtype.newbyteorder(">"))
        for name, array in reversed(arrays.items())
    }
    with folder() as here:
        files.write(str(here / f"a.{extension}"), arrays, META)
        files.write(str(here / f"b.{extension}"), shuffled, dict(reversed(META.items())))
        assert (here / f"a.{extension}").read_bytes() == (here / f"b.{extension}").read_bytes()


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_other_content_other_bytes(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{extension}"
    written = set()
    for arrays, meta in (
        ({"z": latents()}, META),
        ({"z": latents(seed=1)}, META),
        ({"x": latents()}, META),
        ({"z": latents()}, {**META, "seed": 4}),
    ):
        files.write(str(path), arrays, meta, force=True)
        written.add(path.read_bytes())
    assert len(written) == 4


@given(st.dictionaries(NAMES, ARRAYS, max_size=4))
def test_the_formats_own_library_reads_what_we_write(arrays: dict[str, NDArray[Any]]) -> None:
    with folder() as here:
        path = here / "a.safetensors"
        files.write(str(path), arrays, META)
        loaded = safetensors.numpy.load_file(path)
        with safetensors.safe_open(path, framework="np") as opened:
            assert json.loads(opened.metadata()["idkit"]) == META
            assert len(opened.metadata()) == 1
    assert set(loaded) == set(arrays)
    assert all(same(loaded[name], array) for name, array in arrays.items())


@given(st.dictionaries(NAMES, ARRAYS, max_size=4))
def test_we_read_what_the_formats_own_library_writes(arrays: dict[str, NDArray[Any]]) -> None:
    plain = {
        name: np.asarray(array, array.dtype.newbyteorder("="), order="C")
        for name, array in arrays.items()
    }
    with folder() as here:
        safetensors.numpy.save_file(plain, here / "a.safetensors", {"format": "np"})
        artefact = files.read(str(here / "a.safetensors"))
        assert artefact.schema is None
        assert artefact.meta == {}
        assert all(same(artefact.arrays[name], array) for name, array in arrays.items())


@given(ARRAYS)
def test_numpy_reads_what_we_write(array: NDArray[Any]) -> None:
    with folder() as here:
        files.write(str(here / "a.npz"), {"z": array}, META)
        with np.load(here / "a.npz", allow_pickle=False) as loaded:
            assert set(loaded.files) == {"idkit", "z"}
            assert same(loaded["z"], array)
            assert json.loads(str(loaded["idkit"])) == META
        with zipfile.ZipFile(here / "a.npz") as archive:
            assert archive.testzip() is None
            assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@given(ARRAYS, st.sampled_from("CF"), st.sampled_from((np.savez, np.savez_compressed)))
def test_we_read_what_numpy_writes(
    array: NDArray[Any], order: Any, savez: Callable[..., None]
) -> None:
    ordered = np.asarray(array, order=order)
    with folder() as here:
        savez(here / "a.npz", ordered)
        np.save(here / "a.npy", ordered, allow_pickle=False)
        for name in ("a.npz", "a.npy"):
            found = files.read(str(here / name)).array("z")
            assert same(found, array)
            assert found.dtype.byteorder == array.dtype.byteorder or array.dtype.itemsize == 1


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_npy_header_is_read(version: Any, tmp_path: Path) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, latents(), version, allow_pickle=False)
    assert same(files.read(str(tmp_path / "a.npy")).array(), latents())


@given(hnp.arrays(np.float32, SHAPES))
def test_bfloat16_is_widened_exactly(array: NDArray[np.float32]) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    with np.errstate(all="ignore"):
        half = torch.from_numpy(array.copy()).to(torch.bfloat16)
    with folder() as here:
        save_file({"z": half}, here / "a.safetensors")
        artefact = files.read(str(here / "a.safetensors"))
        assert artefact.arrays.members["z"].dtype == "bfloat16"
        assert same(artefact.array("z"), half.to(torch.float32).numpy())


def test_the_format_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    for extension in EXTENSIONS:
        files.write(str(tmp_path / f"a.{extension}"), {"z": latents()}, META)
    np.save(tmp_path / "a.npy", latents())
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    kinds = {}
    for file in list(tmp_path.iterdir()):
        disguised = tmp_path / f"{file.suffix[1:]}.dat"
        file.rename(disguised)
        kinds[file.suffix] = str(files.read(str(disguised)).kind)
    assert kinds == {
        ".npz": "NPZ",
        ".safetensors": "safetensors",
        ".npy": "npy",
        ".csv": "CSV or TSV",
    }


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_standard_input_gives_what_the_file_gives(
    extension: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"a.{extension}"
    files.write(str(path), {"z": latents(), "u": np.arange(50)}, META)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(path.read_bytes())))
    piped, direct = files.read("-:z"), files.read(f"{path}:z")
    assert (piped.label, piped.name, piped.key) == ("standard input", "-", "z")
    assert same(piped.array("u"), direct.array("u"))
    assert piped.meta == direct.meta
    assert piped.sha256 == direct.sha256


def test_a_pipe_with_a_name_is_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", latents())
    script = "import sys; from idkit import files; print(files.read(sys.argv[1]).array().shape)"
    command = f"{sys.executable} -c '{script}' <(cat a.npy)"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "(50, 4)\n"


def test_the_hash_is_of_the_whole_file(tmp_path: Path) -> None:
    np.save(tmp_path / "small.npy", latents())
    np.save(tmp_path / "large.npy", latents(rows=400_000))
    for path in tmp_path.iterdir():
        expected = hashlib.sha256(path.read_bytes()).hexdigest()
        assert files.read(str(path)).sha256 == expected


def test_metadata_names_its_inputs_and_no_folder(tmp_path: Path) -> None:
    files.write(str(tmp_path / "a.npz"), {"z": latents()}, META)
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    opened = files.read(str(tmp_path / "a.npz")), files.read_table(str(tmp_path / "t.csv"))
    meta = files.metadata("idkit.scores/1", "mcc", opened, mode="weak")
    assert meta["mode"] == "weak"
    assert [one["name"] for one in meta["inputs"]] == ["a.npz", "t.csv"]
    assert meta["inputs"][0]["sha256"] == opened[0].sha256
    assert str(tmp_path) not in json.dumps(meta)


class TestWhichArray:
    @pytest.fixture
    def path(self, tmp_path: Path) -> str:
        path = str(tmp_path / "a.npz")
        np.savez(path, x=latents(), u=np.arange(50), s=latents(seed=2))
        return path

    def test_the_key_wins(self, path: str) -> None:
        assert same(files.read(f"{path}:s").array("x"), latents(seed=2))

    def test_then_the_first_preferred_that_is_there(self, path: str) -> None:
        assert same(files.read(path).array("z", "s", "x"), latents(seed=2))

    def test_then_the_only_one(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "b.npz", embedding=latents())
        assert same(files.read(str(tmp_path / "b.npz")).array("z"), latents())

    def test_then_the_only_matrix(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "b.npz", embedding=latents(), labels=np.arange(50), n=np.array(3))
        assert same(files.read(str(tmp_path / "b.npz")).array("z"), latents())

    def test_else_the_keys_are_listed(self, path: str) -> None:
        with pytest.raises(IdkitError, match=r"no array 'z'.*a.npz:KEY \(it holds s, u, x\)"):
            files.read(path).array("z")

    def test_a_wrong_key_names_the_nearest(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "b.npz", embedding=latents())
        with pytest.raises(IdkitError, match="no array 'embeding': did you mean 'embedding'"):
            files.read(f"{tmp_path / 'b.npz'}:embeding")

    def test_a_file_whose_name_holds_a_colon_wins(self, tmp_path: Path) -> None:
        np.save(tmp_path / "a:z.npy", latents())
        assert files.read(str(tmp_path / "a:z.npy")).key is None


class TestSchema:
    def test_another_artefact_is_refused_with_what_to_do(self, tmp_path: Path) -> None:
        files.write(str(tmp_path / "a.npz"), {"z": latents()}, {**META, "schema": "idkit.model/1"})
        with pytest.raises(
            IdkitError, match=r"is idkit.model/1, not idkit.latents/1 \('idkit embed'"
        ):
            files.read(str(tmp_path / "a.npz"), schema="idkit.latents/1")

    def test_its_own_and_foreign_files_pass(self, tmp_path: Path) -> None:
        files.write(str(tmp_path / "a.npz"), {"z": latents()}, META)
        np.save(tmp_path / "b.npy", latents())
        assert files.read(str(tmp_path / "a.npz"), schema="idkit.latents/1").meta == META
        assert files.read(str(tmp_path / "b.npy"), schema="idkit.latents/1").schema is None


class TestStandardInput:
    def test_is_named_once_at_most(self) -> None:
        files.single_stdin(["a.npz", "-:z", "b-", "-b"])
        with pytest.raises(UsageError, match="given 2 times"):
            files.single_stdin(["-", "a.npz", "-:z"])

    def test_from_a_terminal_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        _, terminal = os.openpty()
        with os.fdopen(terminal) as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            with pytest.raises(UsageError, match="terminal"):
                files.read("-")


class TestMapping:
    """Large files cost no memory until they are touched, and not much then."""

    MEGABYTES = 400

    @pytest.mark.parametrize("extension", ["npy", "npz", "safetensors"])
    def test_large_arrays_are_views_of_the_file(self, extension: str, tmp_path: Path) -> None:
        path = tmp_path / f"a.{extension}"
        z = latents(rows=MAPPED_FROM // 8)
        if extension == "npy":
            np.save(path, z)
        else:
            files.write(str(path), {"z": z, "by": np.arange(3, dtype=np.int8)}, META)
        artefact = files.read(str(path))
        found = artefact.array("z")
        assert isinstance(artefact.content.buffer, mmap.mmap)
        assert np.shares_memory(found, np.frombuffer(artefact.content.buffer, np.uint8))
        assert found.flags.aligned
        assert not found.flags.writeable
        assert same(found, z)

    @pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
    @pytest.mark.parametrize(
        ("use", "limit"),
        [
            ("a.array('z')[:10].sum()", 50),
            ("files.summarise(a.array('z'))", 100),
            ("sum(block.sum() for block in files.blocks(a.array('z')))", 100),
            ("a.sha256", 50),
        ],
    )
    def test_memory_is_bounded(self, use: str, limit: int, tmp_path: Path) -> None:
        rows = self.MEGABYTES * 250_000 // 64
        header = {"descr": "<f4", "fortran_order": False, "shape": (rows, 64)}
        with (tmp_path / "a.npy").open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            file.truncate(file.tell() + rows * 64 * 4)  # a sparse file
        script = (
            "from pathlib import Path; from idkit import files\n"
            "def peak(): return next(int(line.split()[1]) for line in "
            "Path('/proc/self/status').read_text().splitlines() if line.startswith('VmHWM'))\n"
            f"before = peak(); a = files.read('a.npy'); {use}; print((peak() - before) // 1024)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert int(done.stdout) < limit

    def test_more_files_than_the_usual_limit(self, tmp_path: Path) -> None:
        np.save(tmp_path / "a.npy", latents(rows=MAPPED_FROM // 8))
        for number in range(60):
            (tmp_path / f"{number}.npy").symlink_to(tmp_path / "a.npy")
        script = (
            "import resource; from idkit import files\n"
            "_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
            "resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))\n"
            "print(len([files.read(f'{number}.npy') for number in range(60)]))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout == "60\n"


class TestNumbers:
    @pytest.mark.parametrize(
        ("stored", "expected"),
        [
            ("?", "f4"),
            ("i1", "f4"),
            ("u2", "f4"),
            ("i4", "f8"),
            ("u8", "f8"),
            ("f2", "f4"),
            ("f4", "f4"),
            (">f4", "f4"),
            ("f8", "f8"),
            (">f8", "f8"),
            ("g", "f8"),
        ],
    )
    def test_become_floats_that_hold_them(self, stored: str, expected: str) -> None:
        array = np.array([[0, 1], [1, 0]]).astype(stored)
        floats = files.as_floats(array, "a")
        assert floats.dtype == np.dtype(expected)
        assert floats.dtype.isnative
        assert np.array_equal(floats, array)

    @given(hnp.arrays(hnp.integer_dtypes(sizes=(8, 16, 32)), SHAPES))
    def test_no_integer_of_32_bits_or_less_is_rounded(self, array: NDArray[Any]) -> None:
        assert np.array_equal(files.as_floats(array, "a").astype(array.dtype), array)

    def test_floats_are_not_copied(self) -> None:
        z = latents()
        assert files.as_floats(z, "a") is z

    @pytest.mark.parametrize("dtype", ["c8", "U3", "S3", "M8[s]"])
    def test_other_things_are_refused(self, dtype: str) -> None:
        with pytest.raises(IdkitError, match=r"a.npz holds .*, not real numbers"):
            files.as_floats(np.zeros(3, dtype), "a.npz")

    @given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, min_side=0)), st.integers(1, 50))
    def test_blocks_are_the_rows_in_order(self, array: NDArray[Any], values: int) -> None:
        found = list(files.blocks(array, values=values))
        assert same(np.concatenate([array[:0], *found]), array)
        assert all(block.size <= values or len(block) == 1 for block in found)
        assert all(np.shares_memory(block, array) for block in found if block.size)


class TestSummary:
    @given(hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)))
    def test_agrees_with_the_definitions(self, array: NDArray[Any]) -> None:
        summary = files.summarise(array)
        finite = array[np.isfinite(array)]
        assert summary is not None
        assert summary.nonfinite == array.size - finite.size
        assert summary.low == (finite.min() if finite.size else None)
        assert summary.high == (finite.max() if finite.size else None)

    def test_counts_the_columns_that_never_change(self) -> None:
        z = latents()
        z[:, 1], z[:, 3], z[7, 3] = 2, np.nan, 5
        found = files.summarise(z)
        assert found is not None
        assert (found.nonfinite, found.constant) == (49, 2)

    def test_says_nothing_about_what_is_not_real(self) -> None:
        assert files.summarise(np.array(["a"])) is None


def test_a_key_may_hold_a_colon(tmp_path: Path) -> None:
    z = np.arange(6.0).reshape(3, 2)
    path = str(tmp_path / "odd.safetensors")
    files.write(path, {"emb:key": z, "other": z + 1}, {"schema": "idkit.data/1"})
    np.testing.assert_array_equal(files.read(f"{path}:emb:key").array(), z)
