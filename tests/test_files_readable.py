"""What numpy's and safetensors' own readers read, idkit reads, to the last bit."""

import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from idkit import files
from idkit.errors import IdkitError

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
SCALARS = (
    hnp.scalar_dtypes()
    | hnp.byte_string_dtypes(min_len=1)
    | hnp.unicode_string_dtypes(min_len=1, endianness="?")
)
STRUCTURED = hnp.array_dtypes(hnp.scalar_dtypes(), min_size=1, max_size=3, allow_subarrays=True)
ANYTHING = hnp.arrays(SCALARS | STRUCTURED, SHAPES)
NUMBERS = hnp.arrays(
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="=")
    | hnp.unsigned_integer_dtypes(endianness="=")
    | hnp.floating_dtypes(endianness="=", sizes=(16, 32, 64))
    | hnp.complex_number_dtypes(endianness="=", sizes=(64,)),
    SHAPES,
)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1).filter(
    lambda name: name not in {"idkit", "__metadata__"}
)
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
Z = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def same(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    """Equal in type with its byte order, in shape, and in every bit."""
    alike = found.dtype == expected.dtype and found.shape == expected.shape
    return alike and found.tobytes() == expected.tobytes()


def npy(array: NDArray[Any], version: Any = None) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy says which of its versions read this
        np.lib.format.write_array(stream, array, version, allow_pickle=False)
    return stream.getvalue()


def npy_of(header: str, data: bytes, version: tuple[int, int] = (1, 0)) -> bytes:
    length = struct.pack("<H" if version == (1, 0) else "<I", len(header))
    return np.lib.format.magic(*version) + length + header.encode() + data


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
    return stream.getvalue()


def opened(content: bytes, where: Path) -> files.Artefact:
    path = where / "a.bin"
    path.write_bytes(content)
    return files.read(str(path))


class TestNpy:
    @given(ANYTHING, st.sampled_from("CF"), st.sampled_from([None, (1, 0), (2, 0), (3, 0)]))
    def test_any_type_order_and_version(
        self, array: NDArray[Any], order: Any, version: Any
    ) -> None:
        try:
            content = npy(np.asarray(array, order=order), version)
        except ValueError:  # names of fields that a version does not hold
            content = npy(np.asarray(array, order=order), (3, 0))
        expected = np.load(io.BytesIO(content))
        with folder() as here:
            found = opened(content, here).arrays["array"]
            assert same(found, expected)
            assert found.flags.f_contiguous == expected.flags.f_contiguous

    def test_a_header_of_python_2(self, tmp_path: Path) -> None:
        header = "{'descr': '<f4', 'fortran_order': False, 'shape': (5L, 3L), }"
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # nobody is told to save the file again
            found = opened(npy_of(header, Z.tobytes()), tmp_path).array()
        assert same(found, Z)

    @pytest.mark.parametrize(
        "shape", ["(np.int64(5), np.int32(3))", "(5, numpy.uint8(3))", "(np.int64(5), 3)"]
    )
    @pytest.mark.parametrize("descr", ["'<f4'", "np.str_('<f4')", "dtype('<f4')"])
    @pytest.mark.parametrize("fortran", ["False", "np.False_"])
    def test_a_header_of_numpy_scalars(
        self, shape: str, descr: str, fortran: str, tmp_path: Path
    ) -> None:
        header = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}"
        assert same(opened(npy_of(header, Z.tobytes()), tmp_path).array(), Z)

    @pytest.mark.parametrize("version", [(1, 0), (2, 0)])
    def test_a_header_of_more_than_10_kilobytes(
        self, version: tuple[int, int], tmp_path: Path
    ) -> None:
        header = "{'descr': '<f4', 'fortran_order': False, 'shape': (5, 3), }" + " " * 60_000
        content = npy_of(header, Z.tobytes(), version)
        assert same(np.load(io.BytesIO(content), max_header_size=100_000), Z)
        assert same(opened(content, tmp_path).array(), Z)

    @pytest.mark.parametrize("descr", ["<U0", "|S0", "|V0"])
    @pytest.mark.parametrize("shape", [(), (3, 2), (0,)])
    @pytest.mark.parametrize("method", [None, *METHODS])
    def test_elements_of_no_size(
        self, descr: str, shape: tuple[int, ...], method: int | None, tmp_path: Path
    ) -> None:
        header = repr({"descr": descr, "fortran_order": True, "shape": shape})
        content = npy_of(header, b"")
        packed = content if method is None else zipped({"array": content}, method)
        found = opened(packed, tmp_path).arrays
        assert same(found["array"], np.load(io.BytesIO(content)))
        assert files.summarise(found.members["array"]) is None

    def test_the_first_of_several_arrays_as_numpy_reads_it(self, tmp_path: Path) -> None:
        assert same(opened(npy(Z) + npy(Z + 1), tmp_path).array(), Z)

    def test_fields_of_a_structured_array_by_name(self, tmp_path: Path) -> None:
        fields = [("id", "<i8"), ("größe", "<f4", (3,))]
        table = np.zeros(5, fields)
        table["id"], table["größe"] = np.arange(5), Z
        path = tmp_path / "a.npy"
        path.write_bytes(npy(table))
        assert same(files.read(f"{path}:array.größe").array("z"), Z)
        assert files.read(f"{path}:array.id").array().tolist() == [0, 1, 2, 3, 4]
        listed = "of the fields id, größe: name one as FILE:array.größe"
        with pytest.raises(IdkitError, match=listed):
            files.read(str(path)).array("z")  # nobody guesses
        (tmp_path / "b.npz").write_bytes(zipped({"t.npy": npy(table), "t.id.npy": npy(Z)}))
        found = files.read(str(tmp_path / "b.npz"))
        assert same(found.arrays["t.größe"], Z)
        assert same(found.arrays["t.id"], Z)  # an array of that name is itself
        assert same(found.array("z"), Z)  # the only matrix that is no field


class TestNpz:
    @given(st.dictionaries(NAMES, ANYTHING, max_size=3), st.sampled_from(METHODS), st.booleans())
    @settings(max_examples=60)
    def test_any_type_method_and_suffix(
        self, arrays: dict[str, NDArray[Any]], method: int, suffix: bool
    ) -> None:
        members = {name + ".npy" * suffix: npy(array, None) for name, array in arrays.items()}
        content = zipped({**members, "last.npy": npy(Z), "README": b"not an array"}, method)
        expected = np.load(io.BytesIO(content))
        with folder() as here:
            found = opened(content, here).arrays
            whole = {name for name, member in found.members.items() if not member.part}
            assert whole == {name for name in expected.files if name != "README"}
            assert all(same(found[name], expected[name]) for name in whole)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_long_members(self, method: int, order: Any, tmp_path: Path) -> None:
        z = np.random.default_rng(0).integers(0, 9, (1_100_000, 4), np.int8)
        z = np.asarray(z, order=order)
        found = opened(zipped({"z.npy": npy(z)}, method), tmp_path)
        summary = files.summarise(found.arrays.members["z"])
        assert same(found.array("z"), z)
        assert summary == files.Summary(0, 8, 0, 0)

    def test_the_last_of_two_of_one_name_as_numpy_reads_it(self, tmp_path: Path) -> None:
        stream = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with zipfile.ZipFile(stream, "w") as archive:
                archive.writestr("z.npy", npy(Z))
                archive.writestr("z.npy", npy(Z + 1))
        assert same(opened(stream.getvalue(), tmp_path).array("z"), Z + 1)

    def test_a_name_without_suffix_comes_first_as_numpy_has_it(self, tmp_path: Path) -> None:
        content = zipped({"z": npy(Z), "z.npy": npy(Z + 1)})
        assert same(np.load(io.BytesIO(content))["z"], Z)
        assert same(opened(content, tmp_path).array("z"), Z)

    def test_what_macos_adds_is_no_array(self, tmp_path: Path) -> None:
        fork = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(80)
        members = {"d/z.npy": npy(Z), "__MACOSX/d/._z.npy": fork, "d/._z.npy": fork, "d/": b""}
        found = opened(zipped(members), tmp_path)
        assert list(found.arrays) == ["d/z"]
        assert same(found.array("z"), Z)

    def test_a_member_that_cannot_be_read_does_not_spoil_the_others(self, tmp_path: Path) -> None:
        content = zipped({"z.npy": npy(Z), "u.npy": b"hello", "v.npy": b"", "w.npy": npy(Z)[:30]})
        found = opened(content, tmp_path)
        assert same(found.array("z"), Z)
        for name in "uvw":
            with pytest.raises(IdkitError, match=f":{name} (does not begin|ends inside)"):
                found.arrays[name]

    def test_more_bytes_after_an_array(self, tmp_path: Path) -> None:
        content = zipped({"z.npy": npy(Z) + b"tail", "y.npy": npy(Z) + bytes(99)})
        assert same(np.load(io.BytesIO(content))["z"], Z)
        assert same(opened(content, tmp_path).array("z"), Z)


class TestSafetensors:
    @given(st.dictionaries(NAMES, NUMBERS, max_size=5))
    def test_any_type_that_its_numpy_reader_knows(self, arrays: dict[str, NDArray[Any]]) -> None:
        with folder() as here:
            path = here / "a.safetensors"
            safetensors.numpy.save_file(arrays, path, {"format": "pt", "epoch": "3"})
            found = files.read(str(path)).arrays
            expected = safetensors.numpy.load_file(path)
            assert set(found) == set(expected)
            assert all(same(found[name], array) for name, array in expected.items())

    @given(st.dictionaries(NAMES, NUMBERS, max_size=5))
    def test_the_library_writes_what_idkit_writes(self, arrays: dict[str, NDArray[Any]]) -> None:
        meta = files.metadata("idkit.latents/1", "embed", [])
        text = json.dumps(meta, sort_keys=True, separators=(",", ":"))
        with folder() as here:
            files.write(str(here / "a.safetensors"), arrays, meta)
            found = (here / "a.safetensors").read_bytes()
        assert found == safetensors.numpy.save(arrays, {"idkit": text})

    def test_tensors_in_any_order_and_with_none_between(self, tmp_path: Path) -> None:
        header = {
            "c": {"dtype": "I64", "shape": [2], "data_offsets": [20, 36]},
            "none": {"dtype": "F64", "shape": [0, 7], "data_offsets": [20, 20]},
            "a": {"shape": [5, 2], "data_offsets": [0, 20], "dtype": "I16"},
            "one": {"dtype": "U8", "shape": [], "data_offsets": [36, 37]},
        }
        text = json.dumps(header).encode() + b"  \n"
        data = np.arange(10, dtype="<i2").tobytes() + np.array([7, 8]).tobytes() + b"\x09"
        content = struct.pack("<Q", len(text)) + text + data
        found = opened(content, tmp_path).arrays
        expected = safetensors.numpy.load(content)
        assert all(same(found[name], array) for name, array in expected.items())
        assert found["a"].tolist() == np.arange(10).reshape(5, 2).tolist()
        assert found["c"].tolist() == [7, 8]
        assert (found["none"].shape, found["one"].item()) == ((0, 7), 9)

    @pytest.mark.parametrize(
        ("code", "name"),
        [
            ("BF16", "bfloat16"),
            ("F8_E5M2", "float8_e5m2"),
            ("F8_E4M3", "float8_e4m3fn"),
            ("F8_E4M3FNUZ", "float8_e4m3fnuz"),
            ("F8_E5M2FNUZ", "float8_e5m2fnuz"),
            ("F8_E8M0", "float8_e8m0fnu"),
        ],
    )
    def test_every_number_of_a_narrow_type_is_widened_exactly(
        self, code: str, name: str, tmp_path: Path
    ) -> None:
        torch = pytest.importorskip("torch")
        bits = np.arange(1 << 16, dtype="<u2") if code == "BF16" else np.arange(256, dtype="u1")
        signed = bits.view("i2") if code == "BF16" else bits
        expected = torch.from_numpy(signed).view(getattr(torch, name)).to(torch.float32).numpy()
        header = {
            "4": {"dtype": "F4", "shape": [4], "data_offsets": [0, 2]},
            "z": {"dtype": code, "shape": [bits.size], "data_offsets": [2, 2 + bits.nbytes]},
        }
        text = json.dumps(header).encode()
        content = struct.pack("<Q", len(text)) + text + bytes(2) + bits.tobytes()
        artefact = opened(content, tmp_path)
        assert artefact.arrays.members["z"].dtype == name
        found = artefact.arrays["z"]
        number = ~np.isnan(expected)
        assert np.array_equal(np.isnan(found), ~number)
        assert found[number].tobytes() == expected[number].tobytes()  # the sign of zero, too
        finite = expected[np.isfinite(expected)]
        summary = files.summarise(artefact.arrays.members["z"])
        odd = bits.size - finite.size
        assert summary == files.Summary(finite.min(), finite.max(), odd, None)
        with pytest.raises(IdkitError, match="holds F4"):
            artefact.arrays["4"]

    def test_a_pipe_is_read_as_the_file_is(self, tmp_path: Path) -> None:
        z = np.random.default_rng(0).normal(size=(300_000, 2))
        safetensors.numpy.save_file({"z": z, "b": np.ones(3, bool)}, tmp_path / "a.safetensors")
        script = "from idkit import files; print(files.read('-').array('z').sum())"
        with (tmp_path / "a.safetensors").open("rb") as stdin:
            done = subprocess.run(
                [sys.executable, "-c", script], stdin=stdin, capture_output=True, check=True
            )
        assert float(done.stdout) == z.sum()

    def test_nothing_is_written_where_files_are_read(self, tmp_path: Path) -> None:
        safetensors.numpy.save_file({"z": Z}, tmp_path / "a.safetensors")
        script = (
            "import os; from idkit import files; a = files.read('a.safetensors'); "
            "print(a.array('z').shape, len(os.listdir('/proc/self/fd')))"
        )
        environment = {**os.environ, "TMPDIR": "/nowhere", "TMP": "/nowhere", "TEMP": "/nowhere"}
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "(5, 3) 4\n"  # standard streams, and the folder that is listed
        assert [path.name for path in tmp_path.iterdir()] == ["a.safetensors"]


def as_idkit_wrote(arrays: dict[str, NDArray[Any]], meta: str) -> bytes:
    """safetensors as idkit laid it out itself, up to 0.1: larger elements first, then by name."""
    header: dict[str, Any] = {"__metadata__": {"idkit": meta}}
    names = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))
    codes = {"f4": "F32", "f8": "F64", "i8": "I64", "f2": "F16", "u1": "U8", "b1": "BOOL"}
    end = 0
    for name in names:
        begin, end = end, end + arrays[name].nbytes
        header[name] = {
            "dtype": codes[arrays[name].dtype.str[1:]],
            "shape": list(arrays[name].shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(arrays[n].tobytes() for n in names)


LATENTS = {"z": Z, "u": np.arange(5), "log_var": -Z, "s": Z[:, :2].copy()}
DATA = {"x": np.zeros((2, 1, 8, 8), np.uint8), "u": np.arange(2), "s": Z}
MODEL = {
    "encoder.0.weight": Z,
    "encoder.0.bias": Z[0].copy(),
    "history/objective": np.arange(3.0),
    "empty": np.zeros((0, 3), np.float16),
    "one": np.array(3.0),
}


@pytest.mark.parametrize(
    "arrays", [LATENTS, DATA, MODEL, {}], ids=["latents", "data", "model", "-"]
)
def test_the_bytes_are_those_that_idkit_laid_out_itself(
    arrays: dict[str, NDArray[Any]], tmp_path: Path
) -> None:
    meta = files.metadata("idkit.latents/1", "embed --data 'naïve \"x\"'", [], seed=3)
    text = json.dumps(meta, sort_keys=True, separators=(",", ":"))
    files.write(str(tmp_path / "a.safetensors"), arrays, meta)
    assert (tmp_path / "a.safetensors").read_bytes() == as_idkit_wrote(arrays, text)


@given(st.dictionaries(NAMES, NUMBERS, max_size=6))
def test_every_tensor_is_aligned(arrays: dict[str, NDArray[Any]]) -> None:
    with folder() as here:
        files.write(str(here / "a.safetensors"), arrays, {"schema": "a/1"})
        content = (here / "a.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    assert length % 8 == 0
    for name, entry in json.loads(content[8 : 8 + length]).items():
        if name != "__metadata__":
            assert entry["data_offsets"][0] % arrays[name].itemsize == 0
