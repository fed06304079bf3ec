"""Thirty ways to hold it wrong: one line, the right exit code, nothing left behind."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from idkit.cli import run
from idkit.errors import ExitCode

RNG = np.random.default_rng(0)
USAGE, BAD, MISSING = ExitCode.USAGE, ExitCode.BAD_INPUT, ExitCode.MISSING


def latents(folder: Path) -> None:
    """Files that are in order, for commands to trip over something else."""
    for name in "ab":
        np.save(folder / f"{name}.npy", RNG.standard_normal((40, 3)))
    np.save(folder / "short.npy", RNG.standard_normal((30, 3)))


def with_nan(folder: Path) -> None:
    z = RNG.standard_normal((40, 3))
    z[5, 1] = np.nan
    np.save(folder / "bad.npy", z)


def with_inf(folder: Path) -> None:
    z = RNG.standard_normal((40, 3))
    z[5, 1] = np.inf
    np.save(folder / "bad.npy", z)


def empty(folder: Path) -> None:
    (folder / "bad.npy").touch()


def truncated(folder: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, RNG.standard_normal((40, 3)))
    (folder / "bad.npy").write_bytes(stream.getvalue()[:-100])


def pickled(folder: Path) -> None:
    np.save(folder / "bad.npy", np.array([{"a": 1}, None]), allow_pickle=True)


def pickle_file(folder: Path) -> None:
    (folder / "bad.pt").write_bytes(pickle.dumps({"z": [1, 2, 3]}))


def picture(folder: Path) -> None:
    (folder / "bad.npy").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))


def wrong_rank(folder: Path) -> None:
    np.save(folder / "bad.npy", RNG.standard_normal((40, 3, 2)))


def scalar(folder: Path) -> None:
    np.save(folder / "bad.npy", np.array(1.0))


def text_array(folder: Path) -> None:
    np.save(folder / "bad.npy", np.array(["a", "b"]))


def no_rows(folder: Path) -> None:
    np.save(folder / "bad.npy", np.zeros((0, 3)))


def npy_claims_too_much(folder: Path) -> None:
    stream = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (10**12, 50)}
    np.lib.format.write_array_header_1_0(stream, header)
    (folder / "bad.npy").write_bytes(stream.getvalue() + bytes(1000))


def safetensors_claims_too_much(folder: Path) -> None:
    tensor = {"dtype": "F32", "shape": [10**12, 50], "data_offsets": [0, 2 * 10**14]}
    header = json.dumps({"z": tensor}).encode()
    (folder / "bad.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(100))


def safetensors_absurd_header(folder: Path) -> None:
    (folder / "bad.safetensors").write_bytes(struct.pack("<Q", 2**60) + b"{}" + bytes(100))


def zip_bomb(folder: Path) -> None:
    stream = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (10**9, 50)}
    np.lib.format.write_array_header_1_0(stream, header)
    with zipfile.ZipFile(folder / "bad.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("z.npy", stream.getvalue() + bytes(10**6))


def two_keys(folder: Path) -> None:
    np.savez(folder / "bad.npz", left=np.zeros((9, 2)), right=np.zeros((9, 2)))


def folder_of_that_name(folder: Path) -> None:
    (folder / "bad.npy").mkdir()


def existing_output(folder: Path) -> None:
    np.savez(folder / "out.npz", z=np.zeros(3))


def closed_folder(folder: Path) -> None:
    (folder / "closed").touch()  # a file where a folder is wanted: root may write anywhere


def table_without_value(folder: Path) -> None:
    (folder / "t.csv").write_text("model,cell\na,1\nb,1\n")


def table_with_words(folder: Path) -> None:
    (folder / "t.csv").write_text("model,cell,mcc\na,1,0.5\nb,1,high\n")


def data_of_rank_3(folder: Path) -> None:
    np.savez(folder / "d.npz", x=np.zeros((9, 3, 2), np.float32))


def data_without_labels(folder: Path) -> None:
    np.savez(folder / "d.npz", x=RNG.standard_normal((90, 3)).astype(np.float32))


def data_with_short_labels(folder: Path) -> None:
    np.savez(folder / "d.npz", x=np.zeros((9, 3), np.float32), u=np.zeros(8, np.int64))


def nothing(_folder: Path) -> None:
    pass


CASES: list[tuple[Callable[[Path], None], str, int, str]] = [
    (nothing, "mcc a.npy missing.npy", BAD, "missing.npy"),
    (nothing, "mcc a.npy b.npz", BAD, "b.npy"),  # names the near file
    (nothing, "mcc a.npy", BAD, "two or more"),
    (nothing, "mcc a.npy short.npy", BAD, "30"),
    (nothing, "mcc a.npy b.npy --mode weak --cca-dim 0", USAGE, "cca-dim"),
    (nothing, "mcc a.npy b.npy --mode stron", USAGE, "strong"),
    (nothing, "mcc - -", USAGE, "standard input"),
    (nothing, "mcc", USAGE, "Missing argument"),
    (nothing, "mcc a.npy b.npy --frobnicate", USAGE, "--frobnicate"),
    (nothing, "mcc a.npy:w b.npy", BAD, "'w'"),
    (nothing, "mcc a.npy b.npy -o scores.txt", USAGE, ".npz"),
    (existing_output, "mcc a.npy b.npy -o out.npz", BAD, "--force"),
    (closed_folder, "mcc a.npy b.npy -o closed/out.npz", BAD, "closed"),
    (nothing, "mcc a.npy b.npy -o nowhere/out.npz", BAD, "nowhere"),
    (empty, "mcc a.npy bad.npy", BAD, "empty"),
    (truncated, "mcc a.npy bad.npy", BAD, "bad.npy"),
    (pickled, "mcc a.npy bad.npy", BAD, "pickle"),
    (pickle_file, "mcc a.npy bad.pt", BAD, "pickle"),
    (picture, "mcc a.npy bad.npy", BAD, "PNG"),
    (wrong_rank, "mcc a.npy bad.npy", BAD, "(40, 3, 2)"),
    (scalar, "mcc a.npy bad.npy", BAD, "bad.npy"),
    (text_array, "mcc a.npy bad.npy", BAD, "bad.npy"),
    (no_rows, "mcc a.npy bad.npy", BAD, "(0, 3)"),
    (with_nan, "mcc a.npy bad.npy", BAD, "bad.npy"),
    (with_inf, "mcc a.npy bad.npy", BAD, "bad.npy"),
    (npy_claims_too_much, "mcc a.npy bad.npy", BAD, "1000000000000"),
    (safetensors_claims_too_much, "mcc a.npy bad.safetensors", BAD, "bad.safetensors"),
    (safetensors_absurd_header, "mcc a.npy bad.safetensors", BAD, "bad.safetensors"),
    (zip_bomb, "mcc a.npy bad.npz", BAD, "bad.npz"),
    (two_keys, "mcc a.npy bad.npz", BAD, "left"),
    (folder_of_that_name, "mcc a.npy bad.npy", BAD, "folder"),
    (nothing, "align a.npy short.npy -o out.npz", BAD, "30"),
    (table_without_value, "wilcoxon t.csv --value mcc --by model --pair cell", BAD, "mcc"),
    (table_with_words, "wilcoxon t.csv --value mcc --by model --pair cell", BAD, "high"),
    (nothing, "wilcoxon a.npy", BAD, "a.npy"),
    (nothing, "plot curve a.npy -o f.png", BAD, "a.npy"),
    (nothing, "plot curv a.npy -o f.png", USAGE, "curve"),
    (nothing, "train --model vada", USAGE, "vade"),
    (nothing, "train --arch mpl", USAGE, "mlp"),
    (nothing, "train --seed 5-1", USAGE, "1-5"),
    (nothing, "train --seed one", USAGE, "1-10,12"),
    (nothing, "train --components 0", USAGE, "components"),
    (nothing, "train -p componets=3", USAGE, "components"),
    (nothing, "train -p components", USAGE, "NAME=VALUE"),
    (nothing, "train --epochs 1 --steps 1", USAGE, "--steps"),
    (nothing, "train --lr -1", USAGE, "--lr"),
    (nothing, "train --dz 100000000000", BAD, "memory"),
    (nothing, "synth tcl --segments 100000000000 -o d.npz", BAD, "memory"),
    (nothing, "train --device abacus", USAGE, "abacus"),
    (nothing, "train --data digit", USAGE, "digits"),
    (nothing, "train --data none.npz", BAD, "none.npz"),
    (closed_folder, "train --epochs 1 -o closed/runs", BAD, "closed"),
    (data_of_rank_3, "train --data d.npz", BAD, "(9, 3, 2)"),
    (data_without_labels, "train --data d.npz --model ivae", BAD, "labels"),
    (data_with_short_labels, "train --data d.npz", BAD, "8 rows"),
    (nothing, "synth tlc -o d.npz", USAGE, "tcl"),
    (nothing, "synth tcl --layers 0 -o d.npz", USAGE, "layers"),
    (nothing, "embed a.npy", BAD, "idkit train"),
    (nothing, "info missing.npz", BAD, "missing.npz"),
]


@pytest.mark.parametrize(
    ("prepare", "line", "code", "text"), CASES, ids=[f"{c[0].__name__}: {c[1]}" for c in CASES]
)
def test_bad_input_is_one_line_with_its_exit_code(
    prepare: Callable[[Path], None],
    line: str,
    code: int,
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    latents(tmp_path)
    prepare(tmp_path)
    monkeypatch.chdir(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert run(line.split()) == code
    streams = capsys.readouterr()
    assert streams.out == ""
    assert text in streams.err
    assert len(streams.err.splitlines()) == 1
    assert streams.err.startswith("idkit " + line.split()[0])
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert after == before
