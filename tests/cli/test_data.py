"""`idkit data`, and training on a data set that has to be fetched."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from idkit.cli import run

Ran = subprocess.CompletedProcess[str]
Idkit = Callable[..., Ran]
REAL = Path(__file__).parents[3] / "shared" / "data"
OFFLINE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "no_proxy": ""}
real_mnist = pytest.mark.skipif(not (REAL / "MNIST").exists(), reason="the real MNIST is not here")


def rows(done: Ran) -> dict[str, str]:
    return {row["data"]: row["status"] for row in json.loads(done.stdout)["rows"]}


def test_list_names_every_set_and_where_it_would_lie(idkit: Idkit, tmp_path: Path) -> None:
    done = idkit("data", "list", "--json", env={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert done.returncode == 0
    found = rows(done)
    assert found["digits"] == "comes with idkit"
    assert {found[n] for n in ("mnist", "fashion-mnist", "cifar10", "svhn")} == {"absent"}
    assert found["tcl"] == "generated"
    paths = {row["data"]: row["path"] for row in json.loads(done.stdout)["rows"]}
    assert paths["mnist"] == str(tmp_path / "cache" / "idkit" / "MNIST" / "raw")


@pytest.mark.parametrize("command", ["train", "fetch", "verify"])
def test_a_set_that_is_not_here_is_one_line_and_exit_4(
    command: str, idkit: Idkit, tmp_path: Path
) -> None:
    words = {
        "train": ("train", "--data", "svhn"),
        "fetch": ("data", "fetch", "svhn", "-q"),
        "verify": ("data", "verify", "svhn"),
    }[command]
    done = idkit(*words, "--data-root", str(tmp_path / "here"), env=OFFLINE)
    assert done.returncode == 4
    (line,) = done.stderr.splitlines()
    assert "svhn" in line
    assert str(tmp_path / "here") in line
    assert "fetch" in line


def test_a_folder_is_taken_from_the_option_then_the_environment(
    idkit: Idkit, tmp_path: Path
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    environment = {"IDKIT_DATA": str(tmp_path / "a")}
    assert str(tmp_path / "a") in idkit("data", "list", env=environment).stdout
    chosen = idkit("data", "list", "--data-root", str(tmp_path / "b"), env=environment)
    assert str(tmp_path / "b") in chosen.stdout
    assert str(tmp_path / "a") not in chosen.stdout


def test_a_name_that_is_almost_right_is_helped(idkit: Idkit) -> None:
    done = idkit("data", "fetch", "cifar")
    assert done.returncode == 2
    assert "did you mean 'cifar10'" in done.stderr


def test_what_comes_with_idkit_needs_no_fetching(idkit: Idkit) -> None:
    done = idkit("data", "fetch", "digits", "digits", "--json", env=OFFLINE)
    assert done.returncode == 0
    assert rows(done) == {"digits": "comes with idkit"}


def test_data_alone_says_what_is_missing(idkit: Idkit) -> None:
    done = idkit("data")
    assert done.returncode == 2
    assert "idkit data --help" in done.stderr


def test_a_damaged_file_is_found(idkit: Idkit, tmp_path: Path) -> None:
    (tmp_path / "train_32x32.mat").write_bytes(b"half")
    (tmp_path / "test_32x32.mat").write_bytes(b"half")
    done = idkit("data", "verify", "--json", "--data-root", str(tmp_path))
    assert done.returncode == 3
    assert "'idkit data fetch svhn" in done.stderr
    assert {row["status"] for row in json.loads(done.stdout)["rows"]} == {"damaged"}


@real_mnist
def test_the_real_mnist_is_whole_and_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IDKIT_DATA", str(REAL))

    def idkit(*words: str) -> str:
        assert run(words) == 0
        return capsys.readouterr().out

    assert "damaged" not in idkit("data", "verify")
    assert json.loads(idkit("data", "fetch", "mnist", "--json"))["rows"][0]["status"] == "present"
    idkit("train", "--data", "mnist", "--model", "ivae", "--steps", "2")
    (model,) = tmp_path.glob("runs/mnist-ivae-mlp-dz50-*/model.safetensors")
    assert json.loads(idkit("embed", str(model), "--json"))["rows"][0]["n"] == 10_000
    assert str(REAL) not in idkit("info", str(model))  # where data lie bears on no result


def test_nothing_to_verify_is_not_verified(idkit: Idkit, tmp_path: Path) -> None:
    done = idkit("data", "verify", "--data-root", str(tmp_path))
    assert done.returncode == 4
    assert "no data set lies under" in done.stderr
    assert len(done.stderr.splitlines()) == 1
