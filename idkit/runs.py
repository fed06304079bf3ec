"""The folder of runs: where each stands, what is finished, what can be gone on with.

runs/digits-vade-mlp-dz20-s1/model.safetensors     a finished run
runs/digits-vade-mlp-dz20-s2/failed.safetensors    one whose objective ceased to be finite
runs/.partial/digits-vade-mlp-dz20/s3,4.safetensors   seeds that are being trained
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from idkit import __version__, files
from idkit.errors import IdkitError

MODEL, FAILED, LATENTS = "model.safetensors", "failed.safetensors", "latents.npz"
SCHEMA = "idkit.model/1"
CHECKPOINT = "idkit.checkpoint/1"
LONGEST_LIST = 40  # characters of a list of seeds in a file name
LOCK_TRIES = 100  # a folder that others made and removed as often meanwhile cannot be made
HASH = 8  # digits of a hash that people can tell from another
VARIABLE = ("schema", "version", "command", "seed", "seeds", "failed_at", "compiled")
LATER = ("label_values", "x")  # metadata that runs of earlier versions lack
Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Group:
    """Runs that differ only in their seed, and the folder they are in.

    Attributes:
        folder: the folder of all runs.
        name: what the names of its runs begin with, as `digits-vade-mlp-dz20`.
        meta: the metadata of a run but for its seed; two runs of a name must agree on it.
    """

    folder: Path
    name: str
    meta: Mapping[str, Any]

    def run(self, seed: int) -> Path:
        """The folder of one run."""
        return self.folder / f"{self.name}-s{seed}"

    def file(self, seed: int) -> Path:
        """The file of a finished run."""
        model = self.run(seed) / MODEL
        return model if model.exists() else self.run(seed) / FAILED

    def finished(self, seed: int) -> files.Artefact | None:
        """The run of a seed, trained or failed; None where there is none yet.

        Raises:
            IdkitError: when the folder holds a run of another configuration.
        """
        path = self.file(seed)
        if not path.exists():
            return None
        artefact = files.read(str(path), schema=SCHEMA)
        self._refuse_other(artefact.meta, str(path))
        return artefact

    def save(self, seed: int, arrays: Arrays, command: str, failed_at: int | None) -> Path:
        """Writes a finished run, in place of one that is there.

        Returns:
            The path of the file.
        """
        folder = self.run(seed)
        folder.mkdir(parents=True, exist_ok=True)
        files.sweep(folder)
        path = folder / (MODEL if failed_at is None else FAILED)
        meta = {**self.meta, "command": command, "seed": seed}
        if failed_at is not None:
            meta["failed_at"] = failed_at
        files.write(str(path), arrays, meta, force=True)
        (folder / (FAILED if failed_at is None else MODEL)).unlink(missing_ok=True)
        return path

    def checkpoints(self) -> list[tuple[Path, list[int]]]:
        """What can be gone on with: files and their seeds, those with the most steps first.

        Raises:
            IdkitError: when one is of another configuration, or version of idkit.
        """
        found = []
        for path in sorted(self._begun.glob("s*.safetensors")):
            try:
                artefact = files.read(str(path), schema=CHECKPOINT)
            except IdkitError:
                if path.exists():
                    raise
                continue  # another worker has just finished these seeds
            if artefact.meta["version"] != __version__:
                raise IdkitError(
                    f"{path} was begun by idkit {artefact.meta['version']}, this is {__version__}: "
                    "finish it there, or --force to begin again"
                )
            self._refuse_other(artefact.meta["run"], str(path))
            seeds = [int(seed) for seed in artefact.arrays["seeds"]]
            found.append((-int(artefact.arrays["step"]), path, seeds))
        return [(path, seeds) for _, path, seeds in sorted(found)]

    def save_checkpoint(self, seeds: Sequence[int], arrays: Arrays) -> None:
        """Writes all that changes in training, in place of what was there for these seeds."""
        self._begun.mkdir(parents=True, exist_ok=True)
        meta = files.metadata(CHECKPOINT, "train", (), run=dict(self.meta))
        path = self._checkpoint(seeds)
        files.write(str(path), arrays, meta, force=True)
        self._drop_checkpoints(seeds, but=path)

    def drop_checkpoints(self, seeds: Sequence[int]) -> None:
        """Removes what is no longer needed once all these seeds are finished."""
        self._drop_checkpoints(seeds, but=None)

    def _drop_checkpoints(self, seeds: Sequence[int], *, but: Path | None) -> None:
        """Removes checkpoints none of whose seeds need them: finished ones, or some given."""
        for path, held in self.checkpoints():
            needed = any(seed not in seeds and not self.file(seed).exists() for seed in held)
            if path != but and not needed:
                path.unlink(missing_ok=True)

    def forget(self, seeds: Sequence[int]) -> None:
        """Removes the runs of some seeds, and what was begun of the whole group."""
        for seed in seeds:
            for name in (MODEL, FAILED):
                (self.run(seed) / name).unlink(missing_ok=True)
        for path in self._begun.glob("s*.safetensors"):
            path.unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other commands from training the same group meanwhile.

        Raises:
            IdkitError: when another command does.
        """
        lock = self._begun / "lock"
        new = not self.folder.exists()
        with self._locked(lock):
            files.sweep(self._begun)
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
                with suppress(OSError):  # a folder that is not empty is still needed
                    self._begun.rmdir()
                    self._begun.parent.rmdir()
                    if new:
                        self.folder.rmdir()

    def _locked(self, lock: Path) -> IO[str]:
        """A stream that holds the lock until it is closed."""
        for _ in range(LOCK_TRIES):
            try:
                lock.parent.mkdir(parents=True, exist_ok=True)
                stream = open(lock, "w")  # noqa: SIM115 - the caller closes it
            except FileNotFoundError:  # a command that ended has just removed the folder
                continue
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(stream.fileno()), lock.stat()):
                    return stream
            except BlockingIOError:
                stream.close()
                raise IdkitError(
                    f"another idkit train is working on {self.folder / self.name}-*: wait for it, "
                    "or give another --out"
                ) from None
            except FileNotFoundError:  # it has just removed the file that we had opened
                pass
            stream.close()
        raise IdkitError(
            f"cannot make the folder {lock.parent}, or keep a file in it: give another --out"
        )

    @property
    def _begun(self) -> Path:
        """The folder of what is being trained."""
        return self.folder / ".partial" / self.name

    def _checkpoint(self, seeds: Sequence[int]) -> Path:
        listed = ",".join(str(seed) for seed in seeds)
        if len(listed) > LONGEST_LIST:
            listed = f"{seeds[0]}-{seeds[-1]}-{hashlib.sha256(listed.encode()).hexdigest()[:12]}"
        return self._begun / f"s{listed}.safetensors"

    def _refuse_other(self, found: Mapping[str, Any], path: str) -> None:
        """Refuses a run that was trained otherwise, naming the first difference."""
        ours, theirs = (_flat(meta) for meta in (self.meta, found))
        lacking = {key for key in ours.keys() - theirs.keys() if key.partition(".")[0] in LATER}
        for key in sorted((ours.keys() | theirs.keys()) - lacking):
            if ours.get(key) != theirs.get(key):
                raise IdkitError(
                    f"{path} was made {_difference(key, theirs.get(key), ours.get(key))}: give "
                    "another --out, or --force to replace it"
                )


def model_arrays(state: Arrays, history: Arrays) -> dict[str, NDArray[Any]]:
    """The arrays of a model/1 artefact."""
    return {**state, **{f"history/{name}": means for name, means in history.items()}}


def split_model(arrays: Arrays) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """The state and the history of a model/1 artefact."""
    history = {n.removeprefix("history/"): arrays[n] for n in arrays if n.startswith("history/")}
    state = {n: np.asarray(arrays[n]) for n in arrays if not n.startswith("history/")}
    return state, history


def _flat(meta: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested metadata as one level, without what may differ between runs of a group."""
    flat: dict[str, Any] = {}
    for key, value in meta.items():
        name = f"{above}{key}"
        if name in VARIABLE:
            continue
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{name}.")
        else:
            flat[name] = json.loads(json.dumps(value))
    return flat


def _difference(key: str, theirs: Any, ours: Any) -> str:
    """How two runs differ, as the end of a sentence on the first."""
    if key == "inputs" and theirs and ours:
        was, now = theirs[0], ours[0]
        if was["name"] == now["name"] and was["sha256"] != now["sha256"]:
            hashes = f"{was['sha256'][:HASH]}... to {now['sha256'][:HASH]}..."
            name = "standard input" if now["name"] == "-" else now["name"]
            return f"before {name} changed ({hashes})"
        if was["name"] != now["name"]:
            return f"from {was['name']}, this command reads {now['name']}"
    return f"with {key} {_shown(theirs)}, this command has {_shown(ours)}"


def _shown(value: Any) -> str:
    return "no such setting" if value is None else json.dumps(value)
