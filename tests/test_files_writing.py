"""Writing: whole or not at all, and never over a file that the user did not offer."""

import contextlib
import io
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from idkit import files
from idkit.cli import run
from idkit.errors import IdkitError, UsageError
from idkit.files.outputs import writing

Z = np.arange(12.0).reshape(6, 2)
META = files.metadata("idkit.latents/1", "embed", [])
WRITERS: dict[str, Callable[..., None]] = {
    "a.npz": lambda path, **options: files.write(path, {"z": Z}, META, **options),
    "a.safetensors": lambda path, **options: files.write(path, {"z": Z}, META, **options),
    "a.svg": lambda path, **options: files.write_bytes(path, b"<svg/>", **options),
}
each_writer = pytest.mark.parametrize("name", WRITERS)


@pytest.fixture
def terminal() -> Iterator[str]:
    """A terminal by its path."""
    ends = os.openpty()
    yield os.ttyname(ends[1])
    for end in ends:
        os.close(end)


def half_way(path: str, error: type[BaseException]) -> None:
    """Writes a part, and fails."""
    with writing(path, force=True) as stream:
        stream.write(b"half")
        stream.flush()
        raise error


class TestExistingFile:
    @each_writer
    def test_is_refused_and_left_alone(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / name
        path.write_bytes(b"old")
        with pytest.raises(IdkitError, match=rf"{name} exists: --force replaces it"):
            WRITERS[name](str(path))
        assert path.read_bytes() == b"old"
        assert list(tmp_path.iterdir()) == [path]

    @each_writer
    def test_is_replaced_on_request(self, name: str, tmp_path: Path) -> None:
        path = tmp_path / name
        path.write_bytes(b"old")
        WRITERS[name](str(path), force=True)
        assert path.read_bytes() != b"old"
        assert list(tmp_path.iterdir()) == [path]

    def test_that_came_up_meanwhile_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "a.svg"
        with contextlib.ExitStack() as stack:
            stack.enter_context(writing(str(path), force=False)).write(b"mine")
            path.write_bytes(b"theirs")
            with pytest.raises(IdkitError, match="exists"):
                stack.close()
        assert path.read_bytes() == b"theirs"
        assert list(tmp_path.iterdir()) == [path]

    def test_may_be_the_one_that_is_being_read(self, tmp_path: Path) -> None:
        path = str(tmp_path / "a.npz")
        large = np.random.default_rng(0).normal(size=(200_000, 2))
        files.write(path, {"z": large}, META)
        mapped = files.read(path).array("z")
        files.write(path, {"z": mapped[::-1]}, META, force=True)
        assert np.array_equal(mapped, large)
        assert np.array_equal(files.read(path).array("z"), large[::-1])

    def test_behind_a_link_is_replaced_there(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "real" / "a.svg").write_bytes(b"old")
        (tmp_path / "a.svg").symlink_to(tmp_path / "real" / "a.svg")
        files.write_bytes(str(tmp_path / "a.svg"), b"new", force=True)
        assert (tmp_path / "a.svg").is_symlink()
        assert (tmp_path / "real" / "a.svg").read_bytes() == b"new"


class TestFailure:
    """Whatever happens in the middle, the folder is as it was."""

    @pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
    @pytest.mark.parametrize("before", [None, b"old"])
    def test_leaves_the_old_file_or_none(
        self, error: type[BaseException], before: bytes | None, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.npz"
        if before is not None:
            path.write_bytes(before)
        with pytest.raises(error):
            half_way(str(path), error)
        assert [file.read_bytes() for file in tmp_path.iterdir()] == [before] * bool(before)

    @pytest.mark.parametrize("name", ["a.npz", "a.safetensors"])
    def test_of_the_disk_is_one_line(self, name: str, tmp_path: Path) -> None:
        script = (
            "import resource, numpy as np; from idkit import files; from idkit.errors import *\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
            f"try: files.write('{name}', {{'z': np.ones((10_000, 10))}}, {{'schema': 'a/1'}})\n"
            "except IdkitError as error: print(error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout == f"cannot write {name}: File too large\n"
        assert list(tmp_path.iterdir()) == []

    def test_by_kill_leaves_the_old_file(self, tmp_path: Path) -> None:
        (tmp_path / "a.npz").write_bytes(b"old")
        script = (
            "import os, signal; from idkit.files.outputs import writing\n"
            "with writing('a.npz', force=True) as stream:\n"
            "    stream.write(b'half'); stream.flush(); os.kill(os.getpid(), signal.SIGKILL)"
        )
        done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=False)
        assert done.returncode == -signal.SIGKILL
        assert (tmp_path / "a.npz").read_bytes() == b"old"
        files.sweep(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]

    def test_of_metadata_comes_before_the_file(self, tmp_path: Path) -> None:
        for meta in ({"schema": "a/1", "loss": float("nan")}, {"schema": object()}):
            with pytest.raises((ValueError, TypeError)):
                files.write(str(tmp_path / "a.npz"), {"z": Z}, meta)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("array", [np.array([{}]), np.zeros(2, "M8[s]"), np.zeros(2, "V3")])
    def test_of_a_type_comes_before_the_file(
        self, array: np.ndarray[tuple[int], np.dtype[np.void]], tmp_path: Path
    ) -> None:
        with pytest.raises(TypeError, match=r"'z' holds .*, which no artefact can hold"):
            files.write(str(tmp_path / "a.npz"), {"z": array}, META)
        assert list(tmp_path.iterdir()) == []

    def test_of_text_in_safetensors_names_the_cure(self, tmp_path: Path) -> None:
        with pytest.raises(IdkitError, match=r"cannot hold 'names' .*: write an .npz"):
            files.write(str(tmp_path / "a.safetensors"), {"names": np.array(["a"])}, META)
        files.write(str(tmp_path / "a.npz"), {"names": np.array(["a"])}, META)
        assert files.read(str(tmp_path / "a.npz")).array().tolist() == ["a"]

    @pytest.mark.parametrize("name", ["idkit", "__metadata__"])
    def test_of_a_name_that_is_taken(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=f"cannot be called {name}"):
            files.write(str(tmp_path / "a.npz"), {name: Z}, META)


class TestLeftovers:
    """What killed commands leave is swept by the next write, and nobody's else."""

    SCRIPT = (
        "import os, signal, sys; from idkit.files.outputs import writing\n"
        "with writing('half.npz', force=True) as stream:\n"
        "    stream.write(b'half'); stream.flush(); print('begun', flush=True)\n"
        "    {}\n"
    )
    KILLED = SCRIPT.format("os.kill(os.getpid(), signal.SIGKILL)")
    WAITING = SCRIPT.format("sys.stdin.read()")

    def names(self, folder: Path) -> list[str]:
        return sorted(path.name for path in folder.iterdir())

    def leave(self, folder: Path) -> Path:
        """What a command leaves that is killed in the midst of its work."""
        before = set(folder.iterdir())
        subprocess.run([sys.executable, "-c", self.KILLED], cwd=folder, check=False)
        (leftover,) = set(folder.iterdir()) - before
        return leftover

    @each_writer
    def test_of_a_killed_command_go_with_the_next_write(self, name: str, tmp_path: Path) -> None:
        leftovers = [self.leave(tmp_path), self.leave(tmp_path)]
        assert all(path.match(".idkit-*.tmp") for path in leftovers)
        WRITERS[name](str(tmp_path / name))
        assert self.names(tmp_path) == [name]

    def test_of_a_command_that_is_still_writing_stay(self, tmp_path: Path) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", self.WAITING],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"begun\n"
            files.write_bytes(str(tmp_path / "a.svg"), b"<svg/>")
            files.sweep(tmp_path)
            assert len(self.names(tmp_path)) == 2
            writer.communicate()
        assert self.names(tmp_path) == ["a.svg", "half.npz"]

    def test_of_a_killed_command_that_nobody_has_waited_for_go(self, tmp_path: Path) -> None:
        with subprocess.Popen(
            [sys.executable, "-c", self.WAITING],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"begun\n"
            writer.kill()
            os.waitid(os.P_PID, writer.pid, os.WEXITED | os.WNOWAIT)  # ended, but still listed
            files.write_bytes(str(tmp_path / "a.svg"), b"<svg/>")
            assert self.names(tmp_path) == ["a.svg"]

    def test_of_this_very_command_stay(self, tmp_path: Path) -> None:
        with writing(str(tmp_path / "a.svg"), force=False) as stream:
            stream.write(b"<svg/>")
            files.write_bytes(str(tmp_path / "b.svg"), b"<svg/>")
        assert self.names(tmp_path) == ["a.svg", "b.svg"]

    @pytest.mark.parametrize("hours", [1, 23, 25])
    def test_of_another_machine_go_after_a_day(self, hours: int, tmp_path: Path) -> None:
        leftover = self.leave(tmp_path)
        machine, process, rest = leftover.name.removeprefix(".idkit-").split("-")
        assert process.isdigit()
        other = leftover.rename(tmp_path / f".idkit-{machine[::-1]}-{process}-{rest}")
        long_ago = time.time() - 3600 * hours
        os.utime(other, (long_ago, long_ago))
        files.sweep(tmp_path)
        files.write_bytes(str(tmp_path / "a.svg"), b"<svg/>")
        assert self.names(tmp_path) == [other.name] * (hours < 24) + ["a.svg"]

    def test_that_name_nobody_go_at_once_only_where_nobody_writes(self, tmp_path: Path) -> None:
        (tmp_path / ".idkit-0123.tmp").write_bytes(b"half")
        files.write_bytes(str(tmp_path / "a.svg"), b"<svg/>")
        assert self.names(tmp_path) == [".idkit-0123.tmp", "a.svg"]
        files.sweep(tmp_path)
        assert self.names(tmp_path) == ["a.svg"]

    def test_other_files_stay(self, tmp_path: Path) -> None:
        others = [".idkit-notes.txt", ".tmp", "idkit-a-1-b.tmp", ".idkit", "x.tmp"]
        for name in others:
            (tmp_path / name).touch()
        files.sweep(tmp_path)
        files.write_bytes(str(tmp_path / "a.svg"), b"<svg/>")
        assert self.names(tmp_path) == sorted([*others, "a.svg"])

    @pytest.mark.parametrize("line", ["mcc a.npy b.npy -o s.npz", "synth linear -o s.npz"])
    def test_every_command_that_writes_sweeps(
        self, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        for seed, name in enumerate("ab"):
            np.save(f"{name}.npy", np.random.default_rng(seed).normal(size=(50, 2)))
        self.leave(tmp_path)
        assert run(line.split()) == 0
        assert self.names(tmp_path) == ["a.npy", "b.npy", "s.npz"]


class TestPlace:
    @each_writer
    def test_in_no_folder_is_refused(self, name: str, tmp_path: Path) -> None:
        path = str(tmp_path / "runs" / name)
        with pytest.raises(IdkitError, match=r"there is no folder .*runs \(mkdir -p"):
            WRITERS[name](path)
        assert list(tmp_path.iterdir()) == []

    @each_writer
    def test_that_is_a_folder_is_refused(self, name: str, tmp_path: Path) -> None:
        (tmp_path / name).mkdir()
        with pytest.raises(IdkitError, match="is a folder: name a file in it"):
            WRITERS[name](str(tmp_path / name), force=True)

    @pytest.mark.parametrize("call", ["write('a.npz', {}, {})", "refuse_existing('a', force=True)"])
    @pytest.mark.parametrize("mode", [0o555, 0o000])
    def test_in_a_closed_folder_is_refused(self, mode: int, call: str, tmp_path: Path) -> None:
        tmp_path.chmod(mode | 0o700 * (os.geteuid() == 0))
        script = (
            "import os; from idkit import files; from idkit.errors import IdkitError\n"
            "if os.geteuid() == 0: os.setuid(65534)  # nothing is closed to root\n"
            f"try: files.{call}\n"
            "except IdkitError as error: print(error)"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert re.fullmatch(r"cannot write a(\.npz)?: .*(not writable|denied)\n", done.stdout)

    @pytest.mark.skipif(not Path("/proc/self").exists(), reason="writes into /proc")
    def test_where_the_system_takes_no_files_is_one_line(self) -> None:
        with pytest.raises(IdkitError, match=r"cannot write /proc/a\.npz: "):
            files.write("/proc/a.npz", {"z": Z}, META)

    def test_in_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a").touch()
        with pytest.raises(IdkitError, match=r"there is no folder .*/a \("):
            files.write(str(tmp_path / "a" / "b.npz"), {"z": Z}, META)

    def test_refusals_come_before_long_work(self, tmp_path: Path) -> None:
        (tmp_path / "a.npz").touch()
        files.refuse_existing(None, force=False)
        files.refuse_existing(str(tmp_path / "b.npz"), force=False)
        files.refuse_existing(str(tmp_path / "a.npz"), force=True)
        for path in (tmp_path / "a.npz", tmp_path / "runs" / "a.npz", tmp_path):
            with pytest.raises(IdkitError):
                files.refuse_existing(str(path), force=False)
        assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]

    @pytest.mark.parametrize("name", ["a", "a.npy", "a.pt", "a.npz.bak", "npz"])
    def test_without_a_format_is_refused(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"cannot tell the format of .*\.npz or \.safetensors"):
            files.write(str(tmp_path / name), {"z": Z}, META)
        assert list(tmp_path.iterdir()) == []

    def test_new_files_get_the_usual_permissions(self, tmp_path: Path) -> None:
        (tmp_path / "usual").touch()
        files.write_bytes(str(tmp_path / "a.svg"), b"<svg/>")
        usual = stat.S_IMODE((tmp_path / "usual").stat().st_mode)
        assert stat.S_IMODE((tmp_path / "a.svg").stat().st_mode) == usual


class TestStandardOutput:
    def test_is_safetensors(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        stdout = io.TextIOWrapper(io.BytesIO())
        monkeypatch.setattr(sys, "stdout", stdout)
        files.write("-", {"z": Z}, META)
        files.write(str(tmp_path / "a.safetensors"), {"z": Z}, META)
        stdout.seek(0)
        assert stdout.buffer.read() == (tmp_path / "a.safetensors").read_bytes()

    def test_to_a_terminal_is_refused(
        self, terminal: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for path in ("-", terminal):
            with open(terminal, "w") as stdout:
                monkeypatch.setattr(sys, "stdout", stdout)
                with pytest.raises(UsageError, match="the output is binary"):
                    files.refuse_existing(path, force=True)
                with pytest.raises(UsageError, match="the output is binary"):
                    files.write_bytes(path, b"\x89PNG", force=True)
        assert list(tmp_path.iterdir()) == []

    def test_a_device_is_written_to_and_stays(self) -> None:
        files.write("/dev/null", {"z": Z}, META)
        files.write_bytes("/dev/null", b"<svg/>")
        assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)

    def test_a_full_device_is_one_line(self) -> None:
        with pytest.raises(IdkitError, match="cannot write /dev/full: No space left on device"):
            files.write_bytes("/dev/full", b"<svg/>")

    def test_a_pipe_with_a_name_is_written_to(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe.safetensors"
        os.mkfifo(pipe)
        writer = threading.Thread(target=files.write, args=(str(pipe), {"z": Z}, META))
        writer.start()
        assert np.array_equal(files.read(str(pipe)).array("z"), Z)
        writer.join()

    def test_a_closed_pipe_stays_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reading, writing_end = os.pipe()
        os.close(reading)
        with io.TextIOWrapper(io.FileIO(writing_end, "w")) as stdout:
            monkeypatch.setattr(sys, "stdout", stdout)
            with pytest.raises(BrokenPipeError):
                files.write("-", {"z": np.zeros(100_000)}, META)
