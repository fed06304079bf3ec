"""Closed pipes are silent, signals have their codes: as every tool of a shell."""

import json
import os
import shlex
import subprocess
from pathlib import Path

import numpy as np
import pytest

from idkit import files
from tests.conftest import command


@pytest.mark.parametrize(
    "line", ["mcc a.npy b.npy -q", "mcc a.npy b.npy --json -q", "info a.npy", "--help", "mcc -h"]
)
def test_a_reader_that_has_gone_is_no_error(line: str, tmp_path: Path) -> None:
    for seed, name in enumerate("ab"):
        np.save(tmp_path / name, np.random.default_rng(seed).standard_normal((40, 3)))
    reader, writer = os.pipe()
    os.close(reader)  # nobody will ever read
    done = subprocess.run(
        command(line.split()), cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert done.returncode == 0
    assert done.stderr == b""


def piped(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    python = shlex.join(command([]))
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line.replace("idkit", python)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["", "--name 'my data'"])
def test_synthetic_data_from_a_pipe_are_made_again_for_embed(name: str, tmp_path: Path) -> None:
    done = piped(
        f"idkit synth tcl --seed 7 --per-segment 50 {name} -q | tee tcl.safetensors | "
        "idkit train --data - --model ivae --seed 1 --steps 60 -q -o - | tee model.npz | "
        "idkit embed - -q -o - | tee latents.safetensors | idkit info - --json",
        tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "idkit.latents/1" in json.dumps(json.loads(done.stdout))
    given = piped("cat model.npz | idkit embed - --data - -q -o z.npz", tmp_path)
    assert given.returncode == 2  # one of them can be the pipe
    given = piped("idkit embed model.npz --data tcl.safetensors -q -o z.npz", tmp_path)
    assert given.returncode == 0
    ours, theirs = (files.read(str(tmp_path / f)) for f in ("latents.safetensors", "z.npz"))
    assert ours.arrays.keys() == theirs.arrays.keys()
    for key in ours.arrays:
        assert np.array_equal(ours.arrays[key], theirs.arrays[key]), key
    assert ours.meta["rows"] == theirs.meta["rows"]


def test_a_file_of_synthetic_data_that_is_gone_is_made_again(tmp_path: Path) -> None:
    line = (
        "idkit synth linear --rows 80 -q -o gone.npz && "
        "idkit train --data gone.npz --model vae --steps 3 -q -o m.npz && "
        "idkit embed m.npz -q -o before.npz && rm gone.npz && idkit embed m.npz -q -o after.npz"
    )
    assert piped(line, tmp_path).returncode == 0
    before, after = (files.read(str(tmp_path / f"{name}.npz")) for name in ("before", "after"))
    assert before.sha256 == after.sha256


def test_what_cannot_be_made_again_is_asked_for(tmp_path: Path) -> None:
    line = (
        "idkit synth linear -q | idkit train --data - --model vae --steps 3 -q -o m.npz && "
        "idkit embed m.npz -q -o z.npz"
    )
    assert piped(line, tmp_path).returncode == 0
    made = files.read(str(tmp_path / "m.npz"))
    for changes in ({"seed": 1}, {"kind": "other"}, {"options": {"noise": 3}}):
        meta = {**made.meta, "synth": {**made.meta["synth"], **changes}}
        files.write(str(tmp_path / "m.npz"), made.arrays, meta, force=True)
        done = piped("idkit embed m.npz -q -o other.npz", tmp_path)
        assert done.returncode == 3
        assert "was trained on data from a pipe" in done.stderr
        assert done.stderr.count("\n") == 1
