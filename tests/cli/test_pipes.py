"""Closed pipes are silent, signals have their codes: as every tool of a shell."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import command


@pytest.mark.parametrize(
    "line", ["mcc a.npy b.npy -q", "mcc a.npy b.npy --json -q", "info a.npy", "--help", "mcc -h"]
)
def test_a_reader_that_has_gone_is_no_error(line: str, tmp_path: Path) -> None:
    for name in "ab":
        np.save(tmp_path / name, np.random.default_rng(0).standard_normal((40, 3)))
    reader, writer = os.pipe()
    os.close(reader)  # nobody will ever read
    done = subprocess.run(
        command(line.split()), cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert done.returncode == 0
    assert done.stderr == b""
