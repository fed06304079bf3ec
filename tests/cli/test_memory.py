"""`--memory`: sizes as people write them, what is free, and what is refused before it begins."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from idkit.cli import memory, run
from idkit.errors import UsageError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in "abc":
        np.save(f"{name}.npy", rng.standard_normal((300, 80)))
    np.savez("x.npz", x=rng.standard_normal((200, 4)).astype(np.float32))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("4G", 4 * 2**30), ("4GiB", 4 * 2**30), ("4gib", 4 * 2**30), ("4GB", 4 * 10**9),
        ("500M", 500 * 2**20), ("1.5GiB", 3 * 2**29), ("64k", 2**16), ("2T", 2**41),
        (" 8 G ", 2**33), ("1000", 1000), ("1000B", 1000), (".5K", 512), ("1.K", 1024),
    ],
)  # fmt: skip
def test_sizes_as_people_write_them(text: str, count: int) -> None:
    assert memory.parse(text) == count


@pytest.mark.parametrize(
    "text",
    [
        "",
        "G",
        "-1G",
        "4X",
        "4 G B",
        "1e9",
        "nan",
        "inf",
        "0",
        "0.5",
        "4Gi",
        "1,5G",
        "half",
        "9" * 400,
    ],
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected a size as 4G, 500M or 1\.5GiB"):
        memory.parse(text)


@pytest.mark.parametrize(
    "line",
    [
        "mcc a.npy b.npy c.npy -o s.npz",
        "mcc a.npy b.npy c.npy --null rows --perms 3 --corr spearman",
        "align a.npy b.npy c.npy -o al.npz",
        "align a.npy b.npy c.npy --apply -o moved",
        "train --data x.npz --model vae --steps 1",
        "train --data x.npz --model gmmflow --steps 1 -p hidden=50",
    ],
)
def test_what_needs_more_is_refused_with_the_number(
    line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.iterdir())
    assert run([*line.split(), "--memory", "64K"]) == 3
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "of memory, 64 KiB are allowed" in said.err
    assert "or a larger --memory" in said.err
    left = sorted(folder.iterdir())
    assert [path for path in left if path.name != "moved"] == before


def test_embedding_is_refused_with_the_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(["train", "--data", "x.npz", "--model", "pca", "--dz", "2", "-q", "-o", "m.npz"]) == 0
    )
    capsys.readouterr()
    assert run(["embed", "m.npz", "-o", "z.npz", "--memory", "1M"]) == 3
    assert "embedding 200 rows of x by m.npz needs about 8" in capsys.readouterr().err
    assert not Path("z.npz").exists()
    assert run(["embed", "m.npz", "-o", "z.npz", "--memory", "1G"]) == 0


def test_other_rows_of_an_alignment_are_bounded_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["align", "a.npy", "b.npy", "-o", "al.npz", "-q"]) == 0
    for name in "ab":
        np.save(f"new-{name}.npy", np.load(f"{name}.npy")[:90])
    line = "mcc al.npz new-a.npy new-b.npy -q"
    assert run([*line.split(), "--memory", "64K"]) == 3
    assert "comparing 2 runs of 90 x 80 needs" in capsys.readouterr().err
    assert run(line.split()) == 0


@pytest.mark.parametrize(
    "command", ["mcc a.npy b.npy", "align a.npy b.npy", "train", "embed m.npz"]
)
def test_a_wrong_size_is_a_usage_error(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command.split(), "--memory", "lots"]) == 2
    assert "--memory is 'lots': expected a size as 4G" in capsys.readouterr().err


def test_the_size_bears_on_no_result(capsys: pytest.CaptureFixture[str]) -> None:
    for name, size in (("s.npz", "1G"), ("t.npz", "2G")):
        assert run(["mcc", "a.npy", "b.npy", "-q", "-o", name, "--memory", size]) == 0
    assert Path("s.npz").read_bytes() == Path("t.npz").read_bytes()
    capsys.readouterr()


# What is free where a container has a limit: the kernel's own files, in a folder that looks like it


def write(folder: Path, **texts: str | int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name.replace("_", ".", 1)).write_text(f"{text}\n")


def second(root: Path, path: str, limit: str | int, used: int, cache: int = 0) -> None:
    stat = f"anon 5\ninactive_file {cache}\nactive_file 7"
    write(root / path, memory_max=limit, memory_current=used, memory_stat=stat)


def first(root: Path, path: str, limit: int, used: int, cache: int = 0) -> None:
    folder = root / "memory" / path
    write(folder, memory_stat=f"cache 9\ntotal_inactive_file {cache}")
    (folder / "memory.limit_in_bytes").write_text(f"{limit}\n")
    (folder / "memory.usage_in_bytes").write_text(f"{used}\n")


@pytest.fixture
def left(folder: Path) -> Callable[[str], list[int]]:
    """What the limits of the groups leave to a process that is in some of them."""

    def ask(groups: str) -> list[int]:
        (folder / "cgroup").write_text(groups)
        return sorted(memory._of_containers(folder / "sys", folder / "cgroup"))

    return ask


def test_the_limit_of_a_container_less_what_is_taken(
    folder: Path, left: Callable[[str], list[int]]
) -> None:
    second(folder / "sys", "", 1000, 400, 100)
    assert left("0::/\n") == [700]


def test_every_group_above_binds(folder: Path, left: Callable[[str], list[int]]) -> None:
    second(folder / "sys", "slurm", 9000, 1000)
    second(folder / "sys", "slurm/job_7", "max", 900)
    second(folder / "sys", "slurm/job_7/step_0", 2000, 500)
    assert left("0::/slurm/job_7/step_0\n") == [1500, 8000]


def test_the_older_tree_of_memory_alone(folder: Path, left: Callable[[str], list[int]]) -> None:
    first(folder / "sys", "docker/ab", 5000, 4000, 500)
    first(folder / "sys", "", 2**63 - 4096, 6000)
    groups = "5:cpu,cpuacct:/docker/ab\n4:memory:/docker/ab\n0::/\n"
    assert left(groups) == [1500, 2**63 - 4096 - 6000]


def test_a_container_sees_its_own_group_as_the_root(
    folder: Path, left: Callable[[str], list[int]]
) -> None:
    second(folder / "sys", "", 3000, 1000)
    assert left("0::/not/to/be/seen/from/within\n") == [2000]


def test_more_taken_than_allowed_leaves_nothing(
    folder: Path, left: Callable[[str], list[int]]
) -> None:
    second(folder / "sys", "a", 1000, 1200)
    assert left("0::/a\n") == [0]


def test_no_groups_no_limit(folder: Path, left: Callable[[str], list[int]]) -> None:
    assert left("") == []
    assert left("4:memory:/a\n0::/b\nnonsense\n") == []
    assert list(memory._of_containers(folder / "sys", folder / "nothing")) == []


def test_half_of_what_is_free_is_the_default() -> None:
    free = memory.available("cpu")
    assert 0.3 * free < memory.allowed(None) < 0.7 * free  # others use the machine, too
    assert memory.allowed("3M") == 3 * 2**20


@pytest.mark.parametrize("line", ["mcc a.npz b.npz", "align a.npz b.npz", "train --data a.npz:z"])
def test_what_a_file_unpacks_to_is_bounded_too(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate("ab"):
        z = np.random.default_rng(seed).integers(9, size=(20_000, 8)).astype(np.float64)
        np.savez_compressed(f"{name}.npz", z=z)  # 1.3 MB each
    assert run([*line.split(), "--memory", "1M"]) == 3
    assert "a.npz:z" in capsys.readouterr().err
    assert run(["mcc", "a.npz", "b.npz", "-q"]) == 0  # the limit was that command's
