"""What every test may ask for."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import hypothesis
import pytest

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"  # before numpy is loaded; many test processes share few cores

collect_ignore = ["held.py"]  # a program that alters idkit in its own process

hypothesis.settings.register_profile("idkit", deadline=None)  # no test is a stopwatch
hypothesis.settings.load_profile("idkit")

Ran = subprocess.CompletedProcess[str]


@pytest.fixture
def idkit(tmp_path: Path) -> Callable[..., Ran]:
    """Runs an `idkit` command in an empty folder, as a user would."""

    def run(*words: str, stdin: bytes | None = None, env: dict[str, str] | None = None) -> Ran:
        done = subprocess.run(
            command(words),
            cwd=tmp_path,
            input=stdin,
            capture_output=True,
            env={**os.environ, **(env or {})},
            check=False,
        )
        out, err = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
        return subprocess.CompletedProcess(done.args, done.returncode, out, err)

    return run


def command(words: Sequence[str]) -> list[str]:
    """An `idkit` command line for a process of its own."""
    return [sys.executable, "-m", "idkit", *words]
