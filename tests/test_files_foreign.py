"""Files of other tools: each is told what it is, and the line that converts it does."""

import bz2
import gzip
import io
import lzma
import pickle
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from idkit import files
from idkit.errors import LONGEST, SPEAKER, IdkitError

Z = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)


def saved(save: Callable[[Any], Any]) -> bytes:
    stream = io.BytesIO()
    save(stream)
    return stream.getvalue()


def joblib_file(**options: Any) -> Callable[[], bytes]:
    import joblib

    return lambda: saved(lambda stream: joblib.dump({"z": Z, "k": 3}, stream, **options))


def torch_file(*, old: bool) -> Callable[[], bytes]:
    def made() -> bytes:
        torch = pytest.importorskip("torch")
        held = {"z": torch.from_numpy(Z), "u": torch.arange(20)}
        return saved(lambda s: torch.save(held, s, _use_new_zipfile_serialization=not old))

    return made


def mat_file() -> bytes:
    import scipy.io

    return saved(lambda stream: scipy.io.savemat(stream, {"NAME": Z}))


def matrix_market() -> bytes:
    import scipy.io
    import scipy.sparse

    return saved(lambda stream: scipy.io.mmwrite(stream, scipy.sparse.coo_matrix(Z)))


def objects_npz() -> bytes:
    words = np.array(["a", "bc"] * 10, dtype=object)
    return saved(lambda stream: np.savez(stream, z=words, x=Z))


def structured() -> NDArray[Any]:
    table = np.zeros(len(Z), [(name, "f4") for name in "abc"])
    for column, name in enumerate("abc"):
        table[name] = Z[:, column]
    return table


def zip_of(*names: str) -> bytes:
    def save(stream: Any) -> None:
        with zipfile.ZipFile(stream, "w") as archive:
            for name in names:
                archive.writestr(name, b"content")

    return saved(save)


HELD = {"z": Z, "k": 3}
CONVERTED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a.pkl": (lambda: pickle.dumps(HELD), "is a Python pickle, which idkit never unpickles"),
    "p2.pkl": (lambda: pickle.dumps(Z, 2), "is a Python pickle"),
    "p1.pkl": (lambda: pickle.dumps(HELD, 1), "is a Python pickle"),
    "p0.pkl": (lambda: pickle.dumps(HELD, 0), "is a Python pickle"),
    "list.pkl": (lambda: pickle.dumps(Z.tolist(), 0), "is a Python pickle"),
    "a.pkl.gz": (lambda: gzip.compress(pickle.dumps(HELD)), "is a joblib file, or a packed pickle"),
    "a.joblib": (joblib_file(), "is a joblib file, which idkit never unpickles"),
    "zlib.joblib": (joblib_file(compress=3), "is a joblib file, or a packed pickle"),
    "bz2.joblib": (joblib_file(compress=("bz2", 3)), "is a joblib file, or a packed pickle"),
    "xz.joblib": (joblib_file(compress=("xz", 3)), "is a joblib file, or a packed pickle"),
    "lzma.joblib": (joblib_file(compress=("lzma", 3)), "is a joblib file, or a packed pickle"),
    "a.pt": (torch_file(old=False), r"is a PyTorch file \(pickle inside\), which idkit never unp"),
    "old.pt": (torch_file(old=True), r"is a PyTorch file \(pickle inside\), which idkit never unp"),
    "a.mat": (mat_file, "is a MATLAB file; with the NAME of the matrix"),
    "a.mtx": (matrix_market, "is a Matrix Market file"),
    "objects.npy": (
        lambda: saved(lambda s: np.save(s, np.array(Z.tolist(), dtype=object))),
        "holds pickled Python objects, which idkit never unpickles",
    ),
    "dict.npy": (
        lambda: saved(lambda s: np.save(s, np.array(HELD, dtype=object))),
        "holds pickled Python objects",
    ),
    "fields.npy": (
        lambda: saved(lambda s: np.save(s, structured())),
        "fields.npy:array is a structured array of the fields a, b, c: name one as FILE:arr",
    ),
    "fields.npz": (
        lambda: saved(lambda s: np.savez(s, points=structured())),
        "fields.npz:points is a structured array of the fields a, b, c: name one as FILE:po",
    ),
    "objects.npz": (objects_npz, "objects.npz:z holds pickled Python objects"),
}


@pytest.mark.parametrize("name", CONVERTED)
def test_the_line_makes_a_file_that_idkit_reads(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, what = CONVERTED[name]
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content())
    with pytest.raises(IdkitError, match=what) as caught:
        files.read(name).array("z")
    assert len(str(caught.value)) <= LONGEST - SPEAKER
    line = re.search(r'python -c "(.*)"$', str(caught.value))
    assert line is not None
    done = subprocess.run(
        [sys.executable, "-c", line[1]], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (made,) = [path for path in tmp_path.iterdir() if path.name != name]
    found = files.read(str(made))
    if name == "objects.npz":
        assert found.arrays["z"].tolist() == ["a", "bc"] * 10
        assert np.array_equal(found.arrays["x"], Z)
    else:
        assert np.array_equal(found.array("z").astype(np.float32), Z)


TOLD: dict[str, tuple[bytes, str]] = {
    "a.npz": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n",
        "is a git-lfs pointer, not the file itself: run 'git lfs pull'",
    ),
    "b.npz": (b"\n<!DOCTYPE html>\n<html>...", "is an HTML page, not data: download"),
    "c.npz": (b"\xef\xbb\xbf<HTML lang=en>", "is an HTML page, not data: download"),
    "d.npz": (b'<?xml version="1.0"?><Error><Code>403</Code></Error>', "is an XML document"),
    "a.csv.gz": (gzip.compress(b"a,b\n1,2\n"), "is gzip: unpack it first"),
    "a.csv.bz2": (bz2.compress(b"a,b\n1,2\n"), "is bzip2: unpack it first"),
    "a.npy.xz": (lzma.compress(b"\x93NUMPY"), "is xz: unpack it first"),
    "a.tar": (bytes(257) + b"ustar\x0000" + bytes(248), "is a tar archive: unpack it first"),
    "a.rds": (
        gzip.compress(b"X\n\x00\x00\x00\x03\x00\x04\x03\x02"),
        r"is a file of R: in R, write.csv\(readRDS\('a.rds'\), 'a.csv'",
    ),
    "a.RData": (gzip.compress(b"RDX3\nX\n\x00\x00\x00\x03"), "is a workspace of R; with the NAME"),
    "a.xlsx": (zip_of("[Content_Types].xml", "xl/workbook.xml"), "is an Excel workbook"),
    "a.ods": (zip_of("mimetype", "content.xml"), "is an office document: save its table as .csv"),
    "a.xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(9), "is an old Office file"),
    "a.keras": (zip_of("metadata.json", "config.json", "model.weights.h5"), "is a Keras model"),
    "a.zarr.zip": (zip_of(".zgroup", "z/.zarray", "z/0.0"), "is a zarr archive: python -c"),
    "a.zip": (zip_of("a.csv", "b.csv"), r"a zip file without .npy arrays \(it holds a.csv, b.csv"),
    "a.h5": (
        b"\x89HDF\r\n\x1a\n" + bytes(50),
        r"is an HDF5 file; with the NAME .*h5py.File\('a.h5",
    ),
    "a.h5ad": (b"\x89HDF\r\n\x1a\n" + bytes(50), "is an AnnData file: .*read_h5ad"),
    "b.mat": (
        b"MATLAB 7.3 MAT-file, Platform".ljust(124) + bytes(12),
        "is a MATLAB 7.3 file.*h5py",
    ),
    "a.parquet": (
        b"PAR1\x15\x04\x15" + bytes(50),
        r"is a Parquet file: .*read_parquet\('a.parquet",
    ),
    "a.feather": (b"ARROW1\x00\x00" + bytes(50), "is an Arrow file: .*read_feather"),
    "w.bin": (b"3 2\n</s> " + np.arange(2, dtype="f4").tobytes() + b"\xff", "file of word2vec: .*"),
    "a.gguf": (b"GGUF\x03\x00\x00\x00" + bytes(9), "is a GGUF model"),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_is_recognised_is_said(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, what = TOLD[name]
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    for opener in (files.read, files.read_any, files.read_table):
        if not (opener is files.read_table and content.startswith(b"PK")):
            with pytest.raises(IdkitError, match=what):
                opener(name)


@pytest.mark.parametrize(
    "text",
    [
        "A\n2\n3\n",  # begins like R's own text
        "(dp0,x\n1,2\n",  # like a pickle
        "cell\nabc\nq\n",
        "version,n\n1,2\n",
        "<x>,y\n1,2\n",
    ],
)
def test_tables_that_begin_like_something_else_are_tables(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    names = text.split("\n", 1)[0].split(",")
    assert list(files.read_table(str(tmp_path / "t.csv")).columns) == names


class TestNotThere:
    def test_a_dangling_link_says_where_it_leads(self, tmp_path: Path) -> None:
        (tmp_path / "a.npz").symlink_to("runs/latents.npz")
        for source in (tmp_path / "a.npz", f"{tmp_path / 'a.npz'}:z"):
            with pytest.raises(
                IdkitError, match=r"a.npz is a link to runs/latents.npz, which is n"
            ):
                files.read(str(source))

    def test_git_annex_is_recognised(self, tmp_path: Path) -> None:
        (tmp_path / "a.npz").symlink_to(".git/annex/objects/Xx/Yy/SHA256E-s9--ab.npz/SHA256E-s9")
        with pytest.raises(IdkitError, match="which is not there: 'git annex get' fetches it"):
            files.read(str(tmp_path / "a.npz"))

    def test_a_folder_of_zarr(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        Path("a.zarr").mkdir()
        Path("a.zarr/zarr.json").write_text("{}")
        with pytest.raises(IdkitError, match=r"a folder of zarr: .*np.save\('a.npy', zarr.open\("):
            files.read("a.zarr")


def test_names_that_a_shell_would_take_apart_are_left_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ('it"s.pkl', "$HOME.pkl", "a'b.pkl", "long" * 30 + ".pkl"):
        Path(name).write_bytes(pickle.dumps(HELD))
        with pytest.raises(IdkitError, match=r"pickle.load\(open\('FILE', 'rb'\)\).*'FILE.npz'"):
            files.read(name)


def test_the_name_alone_where_the_path_is_long(tmp_path: Path) -> None:
    path = tmp_path / ("folder" * 8) / "a.pkl"
    path.parent.mkdir()
    path.write_bytes(pickle.dumps(HELD))
    with pytest.raises(IdkitError) as caught:
        files.read(str(path))
    assert len(str(caught.value)) <= LONGEST - SPEAKER
    assert "np.savez(" in str(caught.value)
    assert str(caught.value).endswith('"')
