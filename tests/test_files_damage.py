"""Bad input: each kind is one line that says what was found, before memory is taken for it."""

import contextlib
import io
import json
import pickle
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from idkit import files
from idkit.cli import run
from idkit.errors import LONGEST, SPEAKER, DamagedError, ExitCode, IdkitError
from idkit.files.members import Arrays

Z = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
META = files.metadata("idkit.latents/1", "embed", [])


def npy(array: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def npy_claiming(header: str, data: bytes = bytes(40), version: int = 1) -> bytes:
    length = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + length + header.encode() + data


def described(shape: Any, descr: Any = "<f4", fortran: Any = False) -> str:
    return repr({"descr": descr, "fortran_order": fortran, "shape": shape})


def safetensor(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def tensor(shape: Any, begin: Any, end: Any, dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def npz(method: int = zipfile.ZIP_STORED, **arrays: Any) -> bytes:
    return zipped({f"{name}.npy": npy(array) for name, array in arrays.items()}, method)


def bomb() -> bytes:
    """A zip of 300 kB whose one member unpacks to 300 MB."""
    return npz(zipfile.ZIP_DEFLATED, z=np.zeros((300, 1_000_000), np.uint8))


def patched(content: bytes, marker: bytes, offset: int, value: bytes) -> bytes:
    """`content` with bytes replaced, counted from the last place where `marker` stands."""
    at = content.rindex(marker) + offset
    return content[:at] + value + content[at + len(value) :]


def lying_zip(offset: int, size: int) -> bytes:
    """A deflated NPZ whose central directory lies about a size."""
    return patched(npz(zipfile.ZIP_DEFLATED, z=Z), b"PK\x01\x02", offset, struct.pack("<I", size))


def claiming_member(header: str, method: int) -> bytes:
    return zipped({"z.npy": npy_claiming(header)}, method)


PICKLE = "idkit never unpickles"
NO_HEADER = "damaged safetensors file: invalid JSON"
CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", r"is empty \(0 bytes\)"),
    "text": (lambda: b"Dear reader,\nthis is a letter.\n", "line 2 has 1 cells, the header has 2"),
    "text of one line": (lambda: b"hello", "no rows below 'hello'"),
    "white space": (lambda: b" \n\n ", "no rows below"),
    "latin-1 text": (lambda: b"a,b\nM\xfcller,2\n", "not .safetensors, .npz, .npy or a table"),
    "UTF-16 text": (lambda: "a,b\n1,2\n".encode("utf-16"), "UTF-16 text: save it as UTF-8"),
    "JSON": (lambda: b'{"rows": [{"mcc": 0.5}]}', "is JSON: arrays come as .npz"),
    "PNG": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(50), "is a PNG image"),
    "PDF": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(50), "is a PDF document"),
    "HDF5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(50), "is an HDF5 file; with the NAME"),
    "gzip": (lambda: b"\x1f\x8b\x08\x00" + bytes(50), "is gzip: unpack it first"),
    "noise": (lambda: bytes(range(128, 228)), "it begins with the bytes 80 81 82"),
    "pickle": (lambda: pickle.dumps({"z": Z}), f"is a Python pickle, which {PICKLE}"),
    "old pickle": (lambda: pickle.dumps({"z": Z}, 2), f"is a Python pickle, which {PICKLE}"),
    ".pt": (
        lambda: zipped({"model/data.pkl": b"\x80\x02}.", "model/data/0": bytes(8)}),
        rf"is a PyTorch file \(pickle inside\), which {PICKLE}",
    ),
    "old .pt": (
        lambda: pickle.dumps(0x1950A86A20F9469CFC6C, 2) + bytes(9),
        f"is a PyTorch file .*{PICKLE}",
    ),
    "zip of something": (
        lambda: zipped({"a.txt": b"a"}),
        r"without .npy arrays \(it holds a.txt\)",
    ),
    "zip of nothing": (lambda: zipped({}), r"without .npy arrays \(it holds nothing\)"),
    # .npy
    "npy of objects": (lambda: npy(np.array([{}])), f"pickled Python objects, which {PICKLE}"),
    "npy of records": (
        lambda: npy(np.zeros(2, "f4,i4")),
        "is a structured array of the fields f0, f1: name one as FILE:array.f0",
    ),
    "npy of raw bytes": (lambda: npy(np.zeros(2, "V2")), "holds raw bytes .bfloat16"),
    "npy of dates": (lambda: npy(np.zeros(2, "M8[s]")), "holds datetime64.s., not real numbers"),
    "npy cut off in its values": (lambda: npy(Z)[:-1], "claims 5 x 2 = 40 bytes.* holds 39 bytes"),
    "npy cut off in its header": (lambda: npy(Z)[:40], "ends inside its .npy header"),
    "npy cut off in its magic": (lambda: npy(Z)[:7], "does not begin like an .npy array"),
    "npy with a tail": (lambda: npy(Z) + bytes(8), "claims 5 x 2 = 40 bytes, the file holds 48"),
    "npy of a later version": (lambda: b"\x93NUMPY\x09" + npy(Z)[7:], "does not begin like"),
    "npy of 10^12 rows": (
        lambda: npy_claiming(described((10**12, 10))),
        "claims 1000000000000 x 10 = 40 TB, the file holds 40 bytes",
    ),
    "npy of 10^30 rows": (lambda: npy_claiming(described((10**30,))), "claims an impossible shape"),
    "npy of 0 x 10^30": (lambda: npy_claiming(described((0, 10**30))), "claims an impossible"),
    "npy of 100 axes": (lambda: npy_claiming(described((1,) * 100)), "claims an impossible shape"),
    "npy of 10^12 nothings": (
        lambda: npy_claiming(described((10**12,), "<U0")),
        "has a damaged .npy header",
    ),
    "npy of huge text": (lambda: npy_claiming(described((1,), "<U99999999")), "claims 1 = 400 MB"),
    "npy of -1 rows": (lambda: npy_claiming(described((-1, 2))), "damaged .npy header"),
    "npy of True rows": (lambda: npy_claiming(described((True, 2))), "damaged .npy header"),
    "npy of a list of rows": (lambda: npy_claiming(described([5, 2])), "damaged .npy header"),
    "npy of half a row": (lambda: npy_claiming(described((0.5,))), "damaged .npy header"),
    "npy of no known type": (lambda: npy_claiming(described((5, 2), "<q9")), "damaged .npy header"),
    "npy of no order": (lambda: npy_claiming(described((5, 2), "<f4", 7)), "damaged .npy header"),
    "npy without a shape": (lambda: npy_claiming("{'descr': '<f4'}"), "damaged .npy header"),
    "npy header of code": (
        lambda: npy_claiming("__import__('os').getpid()"),
        "damaged .npy header",
    ),
    "npy header of brackets": (lambda: npy_claiming("(" * 9000), "damaged .npy header"),
    "npy header of minuses": (lambda: npy_claiming("-" * 9000 + "1"), "damaged .npy header"),
    "npy header of a number": (lambda: npy_claiming("9" * 9000), "damaged .npy header"),
    "npy header too long": (
        lambda: npy_claiming(" " * (1 << 21), version=2),
        "claims an .npy header of 2097152 bytes",
    ),
    "npy header of nothing": (lambda: npy_claiming(" " * 20000), "damaged .npy header"),
    "npy of a negative number of arrays": (
        lambda: npy_claiming(described((-1,)).replace("-1", "np.int64(-1)")),
        "damaged .npy header",
    ),
    "npy of arrays of arrays": (
        lambda: npy_claiming(described((5,), ("<f4", (2,)))),
        "damaged .npy header",
    ),
    "npy of characters that do not exist": (
        lambda: npy_claiming(described((1,), "<U1"), b"\xff\xff\xff\x7f"),
        "holds text of characters that do not exist",
    ),
    "npy header of 4 GB": (
        lambda: b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}",
        "claims an .npy header of 4294967295 bytes",
    ),
    # NPZ
    "npz cut off": (lambda: npz(z=Z)[:-30], r"truncated or damaged zip \(NPZ\)"),
    "npz, only its beginning": (lambda: b"PK\x03\x04" + bytes(100), "truncated or damaged zip"),
    "npz of objects": (lambda: npz(z=np.array([{}])), f":z holds pickled Python objects.*{PICKLE}"),
    "npz of 10^12 rows, stored": (
        lambda: claiming_member(described((10**12, 10)), zipfile.ZIP_STORED),
        ":z claims 1000000000000 x 10 = 40 TB, the file holds 40 bytes",
    ),
    "npz of 10^12 rows, deflated": (
        lambda: claiming_member(described((10**12, 10)), zipfile.ZIP_DEFLATED),
        ":z claims 1000000000000 x 10 = 40 TB, the file holds 40 bytes",
    ),
    "npz with a member that is no array": (
        lambda: zipped({"z.npy": b"hello"}),
        ":z does not begin like an .npy array",
    ),
    "zip bomb": (bomb, "claims to unpack .* kB to 300 MB: refused as a zip bomb"),
    "npz that understates": (lambda: lying_zip(24, 100), "truncated or damaged"),
    "npz that overstates": (lambda: lying_zip(24, 4_000_000_000), "truncated or damaged"),
    "npz that holds less than it says": (
        lambda: lying_zip(20, 4_000_000_000),
        "does not lie inside the file",
    ),
    "npz with a wrong offset": (lambda: lying_zip(42, 9), ":z does not lie inside the file"),
    "npz with a method of its own": (
        lambda: patched(npz(zipfile.ZIP_DEFLATED, z=Z), b"PK\x01\x02", 10, b"\x09"),
        "uses zip method 9",
    ),
    "npz with a flipped bit": (
        lambda: patched(npz(zipfile.ZIP_DEFLATED, z=Z), b"PK\x01\x02", -4, b"\x55"),
        "does not unpack|truncated or damaged",
    ),
    "npz under a password": (
        lambda: patched(npz(z=Z), b"PK\x01\x02", 8, b"\x01"),
        "is encrypted",
    ),
    "npz with metadata that is not JSON": (
        lambda: npz(z=Z, idkit=np.array("hello")),
        "metadata under 'idkit' that is not JSON",
    ),
    "npz with metadata that is not an object": (
        lambda: npz(z=Z, idkit=np.array("[1]")),
        "metadata under 'idkit' that names no schema",
    ),
    "npz with metadata too deep": (
        lambda: npz(z=Z, idkit=np.array("[" * 100_000)),
        "metadata under 'idkit' that is not JSON",
    ),
    # safetensors
    "safetensors cut off": (
        lambda: safetensor({"z": tensor([5, 2], 0, 40)}, Z.tobytes()[:-1]),
        "truncated or damaged safetensors file: .*not fully covered",
    ),
    "safetensors with a tail": (
        lambda: safetensor({"z": tensor([5, 2], 0, 40)}, Z.tobytes() + b"!"),
        "truncated or damaged safetensors file: .*not fully covered",
    ),
    "safetensors cut off in its header": (
        lambda: safetensor({"z": tensor([5, 2], 0, 40)}, length=1000),
        "truncated or damaged safetensors file: invalid header length",
    ),
    "safetensors header of 18 EB": (
        lambda: safetensor({}, length=2**64 - 1),
        "truncated or damaged safetensors file: header too large",
    ),
    "safetensors of 10^12 rows": (
        lambda: safetensor({"z": tensor([10**12, 10], 0, 40)}, Z.tobytes()),
        "damaged safetensors file: invalid shape",
    ),
    "safetensors of 10^30 rows": (
        lambda: safetensor({"z": tensor([10**30], 0, 40)}, Z.tobytes()),
        NO_HEADER,
    ),
    "safetensors of 0 x 10^30": (
        lambda: safetensor({"z": tensor([0, 10**30], 0, 0)}),
        NO_HEADER,
    ),
    "safetensors of 0 x 10^12 x 10^12": (
        lambda: safetensor({"z": tensor([0, 10**12, 10**12], 0, 0)}),
        ":z claims an impossible shape",
    ),
    "safetensors of 100 axes": (
        lambda: safetensor({"z": tensor([1] * 100, 0, 4)}, bytes(4)),
        ":z claims an impossible shape",
    ),
    "safetensors out of range": (
        lambda: safetensor({"z": tensor([5, 2], 0, 10**15)}, Z.tobytes()),
        "damaged safetensors file: invalid shape",
    ),
    "safetensors that overlap": (
        lambda: safetensor({"a": tensor([5], 0, 20), "b": tensor([5], 10, 30)}, bytes(30)),
        "damaged safetensors file: invalid offset for tensor `b`",
    ),
    "safetensors with a hole": (
        lambda: safetensor({"a": tensor([5], 0, 20), "b": tensor([5], 24, 44)}, bytes(44)),
        "damaged safetensors file: invalid offset for tensor `b`",
    ),
    "safetensors backwards": (
        lambda: safetensor({"z": tensor([0], 40, 0)}, bytes(40)),
        "damaged safetensors file: invalid offset",
    ),
    "safetensors at -1": (
        lambda: safetensor({"z": tensor([1], -1, 3)}, bytes(3)),
        NO_HEADER,
    ),
    "safetensors of -5 rows": (
        lambda: safetensor({"z": tensor([-5], 0, 20)}),
        NO_HEADER,
    ),
    "safetensors of 1.5 rows": (
        lambda: safetensor({"z": tensor([1.5], 0, 6)}),
        NO_HEADER,
    ),
    "safetensors of three offsets": (
        lambda: safetensor({"z": {"dtype": "F32", "shape": [], "data_offsets": [0, 4, 8]}}),
        NO_HEADER,
    ),
    "safetensors without a type": (
        lambda: safetensor({"z": {"shape": [5]}}),
        NO_HEADER,
    ),
    "safetensors of a list type": (
        lambda: safetensor({"z": tensor([1], 0, 4, dtype=["F32"])}, bytes(4)),
        NO_HEADER,
    ),
    "safetensors of a number": (
        lambda: safetensor({"z": 3}),
        NO_HEADER,
    ),
    "safetensors of float4": (
        lambda: safetensor({"z": tensor([8], 0, 4, dtype="F4")}, bytes(4)),
        ":z holds F4: save float32",
    ),
    "safetensors of no known type": (
        lambda: safetensor({"z": tensor([4], 0, 4, dtype="Q4")}, bytes(4)),
        "unknown variant",
    ),
    "safetensors of metadata of numbers": (
        lambda: safetensor({"__metadata__": {"idkit": 3}, "z": tensor([1], 0, 4)}, bytes(4)),
        NO_HEADER,
    ),
    "safetensors with a name twice": (
        lambda: safetensor(b'{"z": {}, "z": {}}'),
        NO_HEADER,
    ),
    "safetensors of half a JSON": (
        lambda: safetensor(b'{"z": '),
        NO_HEADER,
    ),
    "safetensors too deep": (
        lambda: safetensor(b'{"z":' + b"[" * 100_000),
        NO_HEADER,
    ),
    "safetensors of no arrays": (lambda: safetensor({}), r"no array 'z'.*it holds no arrays"),
    # CSV
    "CSV with a ragged line": (lambda: b"a,b\n1,2\n3\n", "line 3 has 1 cells, the header has 2"),
    "CSV with a typing error": (
        lambda: b"a,b\n1,2\n3,4x\n",
        "column 'b' holds numbers, but row 2 has '4x'",
    ),
    "CSV of words": (lambda: b"a,b\nx,y\n", r"no column of numbers \(a, b\)"),
    "CSV with a name twice": (lambda: b"a,a\n1,2\n", "two columns named 'a'"),
    "CSV with no end to a quote": (lambda: b'a,b\n1,"2\n3,4\n', "line 3: unexpected end"),
    "CSV with a giant cell": (lambda: b"a\n" + b"1" * 200_000, "field larger than field limit"),
    "CSV with late binary": (lambda: b"a\n" + b"1\n" * 5000 + b"\xff", r"is not UTF-8 text \(byte"),
}


def touch(path: Path) -> None:
    """Reads as a command that wants latents does."""
    files.as_floats(files.read(str(path)).array("z"), str(path))


@pytest.mark.parametrize("case", CASES)
def test_is_refused_in_one_line(case: str, tmp_path: Path) -> None:
    content, message = CASES[case]
    path = tmp_path / "bad.npz"
    path.write_bytes(content())
    with pytest.raises(IdkitError, match=message) as caught:
        touch(path)
    assert "\n" not in str(caught.value)
    assert path.name in str(caught.value)  # a long path is cut in its middle
    assert len(str(caught.value)) <= LONGEST - SPEAKER
    assert list(tmp_path.iterdir()) == [path]


class TestNoFile:
    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(IdkitError, match=r"no such file: .*a.npz$"):
            files.read(str(tmp_path / "a.npz"))

    def test_missing_with_a_near_one(self, tmp_path: Path) -> None:
        (tmp_path / "latents.npz").touch()
        with pytest.raises(IdkitError, match=r"latent.npz: did you mean '.*/latents.npz'\?"):
            files.read(str(tmp_path / "latent.npz"))

    def test_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(IdkitError, match=r"no such file: .* \(there is no folder .*runz\)"):
            files.read(str(tmp_path / "runz" / "a.npz"))

    def test_folder(self, tmp_path: Path) -> None:
        (tmp_path / "run").mkdir()
        (tmp_path / "run" / "latents.npz").touch()
        with pytest.raises(IdkitError, match=r"run is a folder: did you mean '.*run/latents.npz'"):
            files.read(str(tmp_path / "run"))

    def test_name_too_long(self, tmp_path: Path) -> None:
        with pytest.raises(IdkitError, match=r"cannot read .*: File name too long"):
            files.read(str(tmp_path / ("a" * 300)))

    def test_loop_of_links(self, tmp_path: Path) -> None:
        (tmp_path / "a").symlink_to(tmp_path / "a")
        with pytest.raises(IdkitError, match=r"cannot read .*: Too many levels of symbolic links"):
            files.read(str(tmp_path / "a"))

    def test_file_as_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        with pytest.raises(IdkitError, match=r"cannot read .*: Not a directory"):
            files.read(str(tmp_path / "a" / "b"))


def test_one_bad_array_does_not_spoil_the_others(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", z=Z, notes=np.array([{"lr": 1}], dtype=object))
    artefact = files.read(str(tmp_path / "a.npz"))
    assert np.array_equal(artefact.array("z"), Z)
    with pytest.raises(IdkitError, match=PICKLE):
        artefact.array("notes")


def test_constant_arrays_are_no_bombs(tmp_path: Path) -> None:
    ones = np.ones((1_000_000, 4), np.float32)
    np.savez_compressed(tmp_path / "a.npz", z=ones)
    assert (tmp_path / "a.npz").stat().st_size * 900 < ones.nbytes
    assert np.array_equal(files.read(str(tmp_path / "a.npz")).array("z"), ones)


METHODS = {
    "stored": zipfile.ZIP_STORED,
    "deflated": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_no_flipped_bit_of_an_npz_gives_other_values(method: int, tmp_path: Path) -> None:
    """Every byte in its turn: what is read is what was written, or nothing is."""
    names = np.array(["a", "b", "c", "d", "e"])
    content = npz(method, z=Z, names=names, idkit=np.array(json.dumps(META)))
    path = tmp_path / "a.npz"
    refused = 0
    for at in range(len(content)):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << at % 8]) + content[at + 1 :])
        try:
            artefact = files.read(str(path))
            z = artefact.array("z")
            labels = artefact.arrays["names"]
        except IdkitError:
            refused += 1
            continue
        assert artefact.meta == META
        assert z.tobytes() == Z.tobytes()
        assert z.shape == Z.shape
        assert labels.tolist() == names.tolist()
    assert refused > len(content) / 2  # the rest are dates, rights and padding


@pytest.mark.parametrize("extension", ["npz", "safetensors"])
def test_a_file_cut_off_anywhere_is_refused(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{extension}"
    files.write(str(path), {"z": Z, "u": np.arange(5)}, META)
    content = path.read_bytes()
    for length in range(1, len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(IdkitError):
            files.read(str(path))


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
@pytest.mark.parametrize("rows", [50, 60_000])  # read whole, and mapped
def test_a_wrong_checksum_is_found(method: int, rows: int, tmp_path: Path) -> None:
    z = np.random.default_rng(0).normal(size=(rows, 10))
    content = npz(method, z=z, u=np.arange(3))
    right = struct.pack("<I", zlib.crc32(npy(z)))
    path = tmp_path / "a.npz"
    path.write_bytes(content.replace(right, b"\x01\x02\x03\x04"))
    artefact = files.read(str(path))
    assert artefact.arrays["u"].tolist() == [0, 1, 2]
    with pytest.raises(DamagedError, match=r"a.npz:z does not .*: truncated or damaged"):
        artefact.arrays["z"]
    with pytest.raises(DamagedError, match=r"a.npz:z does not .*: truncated or damaged"):
        files.summarise(artefact.arrays.members["z"])


@pytest.mark.parametrize(
    "line",
    [
        "mcc a.npz b.npz",
        "mcc b.npz a.npz:z --json",
        "align a.npz b.npz -o out.npz",
        "synth permuted --from a.npz -o out.npz",
        "train --data a.npz --model pca --dz 2",
        "plot latents a.npz b.npz -o out.svg",
    ],
)
def test_no_command_uses_values_that_one_flipped_bit_has_changed(
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    z = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    name = "x" if line.startswith("train") else "z"
    for path in ("a.npz", "b.npz"):
        Path(path).write_bytes(zipped({f"{name}.npy": npy(z)}))
    content = bytearray(Path("a.npz").read_bytes())
    content[content.index(z.tobytes()) + 30] ^= 1  # the last digit of one value
    Path("a.npz").write_bytes(content)
    with pytest.raises(zipfile.BadZipFile, match="Bad CRC-32"):
        np.load("a.npz")[name]
    assert run(line.split()) == ExitCode.BAD_INPUT
    streams = capsys.readouterr()
    assert streams.out == ""
    assert f"a.npz:{name} does not match its checksum: truncated or damaged" in streams.err
    assert {path.name for path in tmp_path.iterdir()} == {"a.npz", "b.npz"}


def valid() -> list[bytes]:
    """One file of each format, as idkit or numpy write them."""
    several = [np.zeros(3, "f4,i4"), np.array(["ab", "c"]), np.zeros(2, "M8[s]"), np.array(2j)]
    written = [npy(array) for array in (Z, np.asfortranarray(Z), *several)]
    written += [npz(method, z=Z, u=np.arange(5), w=several[1]) for method in METHODS.values()]
    written += [safetensor({"z": tensor([20], 0, 20, "F8_E4M3")}, bytes(20))]
    with tempfile.TemporaryDirectory() as folder:
        for extension in ("npz", "safetensors"):
            path = Path(folder) / f"a.{extension}"
            files.write(str(path), {"z": Z, "u": np.arange(5)}, META)
            written.append(path.read_bytes())
    return [*written, b"a,b,u\n1,2,0\n3,4,1\n", b'[{"a": 1}, {"a": null}]']


def use_all(content: bytes) -> None:
    """Opens a file in every way; an error of idkit's is a line, and any other a failed test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(content)
        for opener in (files.read, files.read_table, files.read_any):
            try:
                opened = opener(str(path))
                uses = uses_of(opened.arrays) if isinstance(opened, files.Artefact) else []
            except IdkitError as error:
                assert "\n" not in str(error)  # noqa: PT017  # no error at all is right as well
                continue
            for use in uses:
                with contextlib.suppress(IdkitError):
                    use()


def uses_of(arrays: Arrays) -> list[Callable[[], Any]]:
    """What commands do with the arrays of a file."""
    loads = [partial(arrays.__getitem__, name) for name in arrays]
    summaries = [partial(files.summarise, member) for member in arrays.members.values()]
    listed = [lambda load=load: load().tolist() for load in loads]
    return [*summaries, *loads, *listed]


@given(
    st.sampled_from(valid()),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=4),
    st.just(1) | st.floats(0, 1),
)
def test_no_damage_is_a_bug(content: bytes, flips: list[tuple[float, int]], kept: float) -> None:
    damaged = bytearray(content)
    for where, value in flips:
        damaged[int(where * len(damaged))] = value
    use_all(bytes(damaged[: max(1, round(kept * len(damaged)))]))


@given(st.binary(min_size=1) | st.text(min_size=1).map(str.encode))
@example(b"\x93NUMPY")
@example(b"PK\x05\x06")
@example(b"\x00\x00\x00\x00\x00\x00\x00\x00{")
@example(b"\x02\x00\x00\x00\x00\x00\x00\x00{}")
@example(b"[1e999]")
@example(b'{"a": ' + b"9" * 5000 + b"}")
def test_no_content_is_a_bug(content: bytes) -> None:
    use_all(content)
