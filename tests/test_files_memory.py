"""What a file claims to unpack to takes no memory that the file itself does not grant."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from idkit import files
from idkit.errors import IdkitError
from idkit.files.members import Member

MEGABYTE = 1_000_000
PEAK = (  # of the memory of a process, in megabytes
    "from pathlib import Path\n"
    "def peak(): return next(int(line.split()[1]) for line in "
    "Path('/proc/self/status').read_text().splitlines() if line.startswith('VmHWM')) // 1000\n"
)
needs_proc = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")


@pytest.fixture(autouse=True)
def no_limit() -> Iterator[None]:
    yield
    files.limit_memory(None)


def header(shape: tuple[int, ...], descr: str = "|u1", *, fortran: bool = False) -> bytes:
    stream = io.BytesIO()
    fields = {"descr": descr, "fortran_order": fortran, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, fields)
    return stream.getvalue()


def zeros(path: Path, sizes: dict[str, int], method: int = zipfile.ZIP_DEFLATED) -> None:
    """Members of so many megabytes of zeros, some thousandth of that in the file."""
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        for name, megabytes in sizes.items():
            with archive.open(f"{name}.npy", "w") as member:
                member.write(header((megabytes, MEGABYTE)))
                for _ in range(megabytes):
                    member.write(bytes(MEGABYTE))


def run(script: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PEAK + script],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@needs_proc
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_what_unpacks_to_much_is_run_through_and_not_kept(method: int, tmp_path: Path) -> None:
    zeros(tmp_path / "a.npz", {"a": 100, "b": 100, "c": 100}, method)
    assert (tmp_path / "a.npz").stat().st_size < 2 * MEGABYTE
    script = "from idkit.cli import run; import numpy; before = peak(); run(['info', 'a.npz'])"
    *lines, taken = run(f"{script}; print(peak() - before)", tmp_path).splitlines()
    assert [line.split("\t")[:5] for line in lines[-3:]] == [
        [name, "uint8", "100 x 1000000", "0", "0"] for name in "abc"
    ]
    assert int(taken) < 80


def test_the_limit_is_that_of_the_file_and_not_of_each_member(tmp_path: Path) -> None:
    zeros(tmp_path / "a.npz", {"a": 100, "b": 100, "c": 100})
    artefact = files.read(str(tmp_path / "a.npz"))
    assert artefact.arrays["a"].shape == artefact.arrays["b"].shape == (100, MEGABYTE)
    with pytest.raises(
        IdkitError, match=r":c claims to unpack .* kB to 100 MB, 200 MB are unpacked"
    ):
        artefact.arrays["c"]
    assert not artefact.arrays["a"].any()


@needs_proc
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_a_bomb_is_refused_before_it_goes_off(method: int, tmp_path: Path) -> None:
    zeros(tmp_path / "a.npz", {"z": 300}, method)
    script = (
        "from idkit import files; from idkit.errors import IdkitError; before = peak()\n"
        "try: files.read('a.npz').array('z')\n"
        "except IdkitError as error: print(error); print(peak() - before)"
    )
    message, taken = run(script, tmp_path).splitlines()
    assert message.endswith("to 300 MB: refused as a zip bomb; save it with numpy.savez")
    assert int(taken) < 80


def test_what_does_not_deflate_much_may_be_large(tmp_path: Path) -> None:
    z = np.random.default_rng(0).integers(0, 256, (1000, 1000), np.uint8)
    np.savez_compressed(tmp_path / "a.npz", z0=z, z1=z, z2=z, zero=np.zeros(10**8))
    artefact = files.read(str(tmp_path / "a.npz"))
    assert all(np.array_equal(artefact.arrays[f"z{i}"], z) for i in range(3))
    with pytest.raises(IdkitError, match=r":zero claims to unpack .* to 800 MB"):
        artefact.arrays["zero"]


def test_the_users_own_limit_is_named_with_what_is_needed(tmp_path: Path) -> None:
    zeros(tmp_path / "a.npz", {"a": 30, "b": 30})
    bits = np.zeros((1000, 10_000), np.uint16)
    safetensors.numpy.save_file({"z": bits}, tmp_path / "z.safetensors")
    content = (tmp_path / "z.safetensors").read_bytes().replace(b'"U16"', b'"BF16"')
    start = int.from_bytes(content[:8], "little") + 1
    (tmp_path / "z.safetensors").write_bytes(start.to_bytes(8, "little") + content[8:])
    files.limit_memory(50 * MEGABYTE)
    artefact = files.read(str(tmp_path / "a.npz"))
    assert artefact.arrays["a"].nbytes == 30 * MEGABYTE
    with pytest.raises(IdkitError, match=r":b needs 30 MB of memory, 30 MB .*, and 50 MB may be"):
        artefact.arrays["b"]
    assert files.read(str(tmp_path / "z.safetensors")).array().nbytes == 40 * MEGABYTE
    files.limit_memory(30 * MEGABYTE)
    with pytest.raises(IdkitError, match=r":z needs 40 MB of memory, and 30 MB may be used"):
        files.read(str(tmp_path / "z.safetensors")).array()


@needs_proc
@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("f.npy", "files.summarise(files.read('f.npy').arrays.members['array'])"),
        ("s.npz", "files.summarise(files.read('s.npz').arrays.members['z'])"),
        ("s.npz", "files.read('s.npz').array('z')[:9].sum()"),
        ("b.safetensors", "files.summarise(files.read('b.safetensors').arrays.members['z'])"),
    ],
)
def test_stored_values_are_run_through_in_bounded_memory(
    name: str, use: str, tmp_path: Path
) -> None:
    rows = 1_600_000  # of 64 values of 4 bytes: 410 MB, sparse
    start = header((rows, 64), "<f4", fortran=True)
    if name == "b.safetensors":
        text = f'{{"z":{{"dtype":"BF16","shape":[{rows},64],"data_offsets":[0,{rows * 128}]}}}}'
        start = len(text).to_bytes(8, "little") + text.encode()
    with (tmp_path / name).open("wb") as file:
        if name == "s.npz":
            with (
                zipfile.ZipFile(file, "w") as archive,
                archive.open("z.npy", "w", force_zip64=True) as member,
            ):
                member.write(start)
                for _ in range(64):
                    member.write(bytes(rows * 4))
        else:
            file.write(start)
            file.truncate(len(start) + rows * (128 if name == "b.safetensors" else 256))
    script = f"from idkit import files; before = peak(); {use}; print(peak() - before)"
    assert int(run(script, tmp_path)) < 100


SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6)
NUMBERS = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.unsigned_integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64))
)


@given(hnp.arrays(NUMBERS, SHAPES), st.sampled_from("CF"), st.integers(1, 9))
def test_a_summary_of_pieces_is_that_of_the_whole(
    array: NDArray[Any], order: Any, count: int
) -> None:
    """However the values are cut into pieces, in whatever order the file has them."""
    array = np.asarray(array, order=order)
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    flat = array.reshape(-1, order="F" if fortran else "C")
    width = 1 if fortran else max(1, flat.size // max(1, array.shape[0] if array.ndim else 1))

    def pieces(_count: int) -> Iterator[NDArray[Any]]:
        step = count * width
        yield from (flat[at : at + step] for at in range(0, flat.size, step))

    found = files.summarise(
        Member(array.dtype.name, array.shape, lambda: array, pieces, fortran=fortran)
    )
    finite = array[np.isfinite(array)]
    assert found is not None
    assert (found.low, found.high) == (
        (finite.min(), finite.max()) if finite.size else (None, None)
    )
    assert found.nonfinite == array.size - finite.size
    if array.ndim >= 2 and len(array) >= 2 and finite.size:
        columns = array.reshape(len(array), -1).T
        held = [{value for value in column if np.isfinite(value)} for column in columns]
        assert found.constant == sum(len(values) == 1 for values in held)
