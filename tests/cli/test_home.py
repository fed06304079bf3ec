"""`~` in every path, and a user without a home folder or a name."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from idkit import files
from idkit.cli import home, run
from idkit.errors import UsageError

Ran = subprocess.CompletedProcess[str]
NOBODY = """
import os, pwd, sys
def unknown(uid): raise KeyError(uid)
pwd.getpwuid = unknown  # as the system has it for a user without an entry
from idkit.cli import main
main()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, beside the home folder, which holds some files."""
    at_home, work = tmp_path / "home", tmp_path / "work"
    at_home.mkdir()
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("HOME", str(at_home))
    rng = np.random.default_rng(0)
    for name in "ab":
        np.savez(at_home / name, z=rng.standard_normal((40, 3)), u=np.arange(40) % 2)
    np.savez(at_home / "x.npz", x=rng.standard_normal((20, 3)).astype(np.float32))
    return at_home


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ("mcc ~/a.npz ~/b.npz:z -o~/s.npz", ["s.npz"]),
        ("mcc ~/a.npz ~/b.npz -o=~/s.npz", ["s.npz"]),
        ("mcc ~/a.npz ~/b.npz --out=~/s.npz --to=~/a.npz:z", ["s.npz"]),
        ("mcc ~/a.npz ~/b.npz --null=within-label --perms=9 --labels=~/a.npz:u", []),
        ("align ~/a.npz ~/b.npz --to=~/a.npz --out=~/m.npz", ["m.npz"]),
        ("align ~/a.npz ~/b.npz --apply --out=~/moved", ["moved/a.npz", "moved/b.npz"]),
        ("plot latents ~/a.npz --out=~/l.svg", ["l.svg"]),
        ("synth permuted --from=~/a.npz --out=~/p.npz", ["p.npz"]),
        ("info ~/a.npz ~/b.npz", []),
        ("data list --data-root=~/D", []),
        (
            "train --data=~/x.npz --model vae --arch mlp3 --dz 2 --steps 3 --out=~/runs",
            ["runs/x-vae-mlp3-dz2-steps3-s1/model.safetensors"],
        ),
    ],
)
def test_a_tilde_is_the_home_folder_wherever_it_begins_a_path(
    line: str, made: list[str], place: Path
) -> None:
    before = {path for path in place.rglob("*") if path.is_file()}
    assert run([*line.split(), "-q"]) == 0
    after = {path for path in place.rglob("[!.]*") if path.is_file() and ".cache" not in path.parts}
    assert sorted(str(path.relative_to(place)) for path in after - before) == made
    assert list(Path().iterdir()) == []


def test_a_tilde_elsewhere_is_a_letter(place: Path) -> None:
    for name in ("~draft.npz", "a~.npz"):
        Path(name).write_bytes((place / "a.npz").read_bytes())
        assert run(["mcc", name, "~/b.npz", "-q"]) == 0
    assert home.expanded("-") == "-"
    assert home.expanded("digits") == "digits"


def test_a_folder_of_data_sets_in_the_environment_is_expanded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], place: Path
) -> None:
    monkeypatch.setenv("IDKIT_DATA", "~/D")
    assert run(["data", "list"]) == 0
    assert f"\t{place}/D/" in capsys.readouterr().out


def without_home(*words: str, home: str | None = None) -> Ran:
    """Runs a command as a user whom the system does not know."""
    hidden = ("HOME", "LOGNAME", "USER", "LNAME", "USERNAME", "XDG_CACHE_HOME", "MPLCONFIGDIR")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, "-c", NOBODY, *words],
        env={**env, "TMPDIR": str(Path().absolute()), **({"HOME": home} if home else {})},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.skipif(os.name != "posix", reason="every user is known here")
@pytest.mark.parametrize("home", [None, "/nonexistent"])
@pytest.mark.parametrize(
    "line", ["data list", "data list --data-root D", "data verify digits", "plot latents {}/a.npz"]
)
def test_a_user_without_a_home_can_work(line: str, home: str | None, place: Path) -> None:
    done = without_home(*line.format(place).split(), "-q", home=home)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="every user is known here")
@pytest.mark.parametrize("data", ["", "--data-root D", "--data {}/x.npz --arch mlp3"])
def test_a_user_without_a_home_can_train(data: str, place: Path) -> None:
    words = f"train {data.format(place)} --model vae --dz 2 --steps 3 -q".split()
    done = without_home(*words)
    assert (done.returncode, done.stderr) == (0, "")
    (path,) = Path("runs").glob("*/model.safetensors")
    assert files.read(str(path)).schema == "idkit.model/1"


@pytest.mark.skipif(os.name != "posix", reason="every user is known here")
def test_a_tilde_without_a_home_is_told() -> None:
    done = without_home("info", "~/a.npz")
    assert done.returncode == 2
    assert done.stderr == (
        "idkit info: there is no home folder for the ~ of ~/a.npz: write it out\n"
    )


def test_libraries_that_ask_for_a_name_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    import getpass
    import pwd

    def unknown(_uid: int) -> None:
        raise KeyError

    for name in home.NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("USER", "")
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    home.settle()
    assert getpass.getuser() == f"uid{os.getuid()}"


def test_a_tilde_alone_is_the_home_folder(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.expanded("~") == str(place)
    monkeypatch.setattr(Path, "expanduser", _none)
    with pytest.raises(UsageError, match="no home folder for the ~ of ~: write it out"):
        home.expanded("~")


def _none(_path: Path) -> Callable[..., Path]:
    raise RuntimeError
