"""Too little memory for the libraries is one line and exit 3, never a condition that holds."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from idkit.cli import cramped
from tests.conftest import command

resource = pytest.importorskip("resource")
BLOCKED = """
import sys
class Blocked:
    library = sys.argv.pop(1)
    def find_spec(self, name, path=None, target=None):
        if name == self.library:
            raise {error}
sys.meta_path.insert(0, Blocked())
from idkit.cli import main
main()
"""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        np.save(name, np.random.default_rng(0).standard_normal((40, 3)))
    np.savez("x.npz", x=np.zeros((20, 3), np.float32))
    return tmp_path


def limited(words: list[str], megabytes: int) -> subprocess.CompletedProcess[str]:
    """Runs a command in so much of an address space."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))

    return subprocess.run(
        command(words), preexec_fn=limit, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.skipif(sys.platform != "linux", reason="address spaces are not limited here")
@pytest.mark.parametrize(
    ("line", "megabytes"),
    [
        ("train --data x.npz", 60),
        ("train --data x.npz", 100),  # OpenBLAS ends the process itself, with 1
        ("train --data x.npz", 250),
        ("train --data x.npz", 400),  # torch cannot be loaded
        ("mcc a.npy b.npy --fail-if 'mcc_out > 0'", 100),
        ("mcc a.npy b.npy", 160),  # SciPy's OpenBLAS tries for ever
        ("wilcoxon t.csv", 100),
        ("plot latents a.npy", 160),
        ("info a.npy", 90),
        ("synth linear -o d.npz", 100),
    ],
)
def test_too_little_memory_for_the_libraries_is_one_line(line: str, megabytes: int) -> None:
    done = limited(line.replace("'", "").split(" --fail-if")[0].split(), megabytes)
    assert done.returncode == 3
    assert done.stderr.startswith(f"idkit {line.split()[0]}: not enough memory for ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""
    assert sorted(path.name for path in Path().iterdir()) == ["a.npy", "b.npy", "x.npz"]


@pytest.mark.skipif(sys.platform != "linux", reason="address spaces are not limited here")
def test_what_needs_no_libraries_needs_no_memory() -> None:
    assert limited(["--help"], 60).returncode == 0
    assert limited(["mcc", "--help"], 60).returncode == 0


def test_enough_memory_is_enough() -> None:
    done = limited(["info", "a.npy", "-q"], 400)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        ("ImportError('libx.so: failed to map segment from shared object')", 3, "not enough"),
        ("OSError('libx.so: cannot allocate memory in static TLS block')", 3, "not enough"),
        ("MemoryError()", 3, "not enough"),
        ("RuntimeError('std::bad_alloc')", 3, "not enough"),
        (
            "SystemError('error return without exception set')",
            4,
            "cannot load a library: ",
        ),
        ("AttributeError('x', name='x')", 4, "cannot load"),
        ("ModuleNotFoundError(\"No module named 'numpy'\", name='numpy')", 4, "cannot load numpy"),
        (
            "ImportError('undefined symbol: x', name='numpy')",
            4,
            "numpy: undefined symbol: x: install",
        ),
    ],
)
def test_a_library_that_cannot_be_loaded_is_one_line(error: str, code: int, said: str) -> None:
    words = ["numpy", "mcc", "a.npy", "b.npy"]
    done = subprocess.run(
        [sys.executable, "-c", BLOCKED.replace("{error}", error), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_error_of_idkits_own_is_no_library_that_is_missing() -> None:
    with pytest.raises(ImportError) as raised:
        from idkit.cli import nothing  # type: ignore[attr-defined]  # noqa: F401
    assert cramped.library(raised.value) is None
    assert not cramped.is_lack(raised.value)


def test_an_error_beside_loading_is_a_bug() -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        _ = 1 // 0
    assert cramped.library(raised.value) is None
