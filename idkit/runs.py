"""The folder of runs: where each stands, what is finished, what can be gone on with.

runs/digits-vade-mlp-dz20-s1/model.safetensors     a finished run
runs/digits-vade-mlp-dz20-s2/failed.safetensors    one whose objective ceased to be finite
runs/.partial/digits-vade-mlp-dz20/s3,4.safetensors   seeds that are being trained
runs/.partial/digits-vade-mlp-dz20/s3.lock         one that a process is training right now
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit import __version__, files, schemas
from idkit.errors import IdkitError
from idkit.locks import Holder, Locks

MODEL, FAILED, LATENTS = "model.safetensors", "failed.safetensors", "latents.npz"
SCHEMA = schemas.MODEL
CHECKPOINT = schemas.CHECKPOINT
LONGEST_LIST = 40  # characters of a list of seeds in a file name
NOBODY = -1  # stands in a checkpoint for a seed that is to begin again
READS = 3  # of a file that others may replace or remove meanwhile
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
        try:
            artefact = files.read(str(path), schema=SCHEMA)
        except IdkitError:
            if path.exists():
                raise
            return None  # another process has just begun it again
        self._refuse_other(artefact.meta, f"{path} was made")
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

    def checkpoints(self, wanted: Collection[int] | None = None) -> list[tuple[Path, list[int]]]:
        """What can be gone on with: files and their seeds, those with the most steps first.

        Args:
            wanted: of these seeds; None for all of the group. A file may hold others, too.

        Raises:
            IdkitError: when one is of another configuration, or version of idkit.
        """
        found = []
        for path in sorted(self._begun.glob("s*.safetensors")):
            artefact = _checkpoint(path)
            seeds = _held(artefact)
            if artefact is None or (wanted is not None and not set(wanted) & set(seeds)):
                continue
            if artefact.meta["version"] != __version__:
                raise IdkitError(
                    f"{path} was begun by idkit {artefact.meta['version']}, this is {__version__}: "
                    "finish it there, or --force to begin again"
                )
            self._refuse_other(artefact.meta["run"], f"{path} was made")
            found.append((-int(artefact.arrays["step"]), path, seeds))
        return [(path, seeds) for _, path, seeds in sorted(found)]

    def begun_together(self, seeds: Sequence[int]) -> list[list[int]]:
        """Seeds of one checkpoint beside each other, which alone goes on exactly; then the rest."""
        parts, left = [], list(seeds)
        for _, held in self.checkpoints(seeds):
            kept = [seed for seed in held if seed in left]
            parts += [kept] if kept else []
            left = [seed for seed in left if seed not in kept]
        return [*parts, left]

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
        for path, held in self.checkpoints(seeds):
            needed = any(seed not in seeds and not self.file(seed).exists() for seed in held)
            if path != but and not needed:
                path.unlink(missing_ok=True)

    def forget(self, seeds: Sequence[int]) -> None:
        """Removes the runs of some seeds, and what was begun of them; other seeds keep theirs."""
        for path in self._begun.glob("s*.safetensors"):
            try:
                artefact = _checkpoint(path)
            except IdkitError:  # it is damaged: nobody can go on with it
                path.unlink(missing_ok=True)
                continue
            held = _held(artefact)
            if artefact is None or not set(seeds) & set(held):
                continue
            left = [NOBODY if seed in seeds else seed for seed in artefact.arrays["seeds"].tolist()]
            if any(seed in held and not self.file(seed).exists() for seed in left):
                arrays = {**artefact.arrays, "seeds": np.array(left)}
                files.write(str(path), arrays, artefact.meta, force=True)
            if not any(seed in held and not self.file(seed).exists() for seed in left):
                path.unlink(missing_ok=True)  # they may have been finished as we wrote
        for seed in seeds:
            for name in (MODEL, FAILED):
                (self.run(seed) / name).unlink(missing_ok=True)

    @contextmanager
    def shared(self) -> Iterator[Locks]:
        """Locks on the seeds of the group; at the end nothing is left of those that have ended."""
        new = not self.folder.exists()
        locks = Locks(self._begun, {"run": dict(self.meta)})
        try:
            with locks:
                yield locks
                locks.sweep()
        finally:
            if self._begun.is_dir() and locks.alone():
                files.sweep(self._begun)
            with suppress(OSError):  # a folder that is not empty is still needed
                self._begun.rmdir()
                self._begun.parent.rmdir()
                if new:
                    self.folder.rmdir()

    def claim(
        self, locks: Locks, seeds: Sequence[int], *, again: Collection[int] = ()
    ) -> tuple[list[int], dict[int, Holder]]:
        """Locks those seeds that are to be trained and that no other process is training.

        Args:
            locks: as of `shared`.
            seeds: the seeds.
            again: those of them whose finished runs are to be removed.

        Returns:
            The seeds that are ours until they are released, and who trains others. Those that
            another process has finished meanwhile are in neither.

        Raises:
            IdkitError: when one was finished in another configuration.
        """
        ours, elsewhere = [], {}
        for seed in seeds:
            holder = locks.take(_lock(seed))
            if holder is not None:
                elsewhere[seed] = holder
            elif seed in again:
                self.forget([seed])
                ours.append(seed)
            elif self.finished(seed) is not None:
                locks.release(_lock(seed))
            else:
                ours.append(seed)
        return ours, elsewhere

    def release(self, locks: Locks, seeds: Sequence[int]) -> None:
        """Gives seeds back that were claimed."""
        for seed in seeds:
            locks.release(_lock(seed))

    def elsewhere(
        self, locks: Locks, seeds: Sequence[int], *, again: Collection[int] = ()
    ) -> dict[int, Holder]:
        """Which of some seeds other processes are training, and who they are.

        Args:
            locks: as of `shared`.
            seeds: the seeds.
            again: those of them whose runs are to be removed, whatever they are.

        Raises:
            IdkitError: when one of the others is being trained in another configuration.
        """
        holders = {seed: locks.holder(_lock(seed)) for seed in seeds}
        found = {seed: holder for seed, holder in holders.items() if holder is not None}
        for seed, holder in found.items():
            if seed not in again and "run" in holder.about:
                said = f"{self.run(seed)} is being trained by {holder}"
                self._refuse_other(holder.about["run"], said)
        return found

    @property
    def _begun(self) -> Path:
        """The folder of what is being trained."""
        return self.folder / ".partial" / self.name

    def _checkpoint(self, seeds: Sequence[int]) -> Path:
        listed = ",".join(str(seed) for seed in seeds)
        if len(listed) > LONGEST_LIST:
            listed = f"{seeds[0]}-{seeds[-1]}-{hashlib.sha256(listed.encode()).hexdigest()[:12]}"
        return self._begun / f"s{listed}.safetensors"

    def _refuse_other(self, found: Mapping[str, Any], said: str) -> None:
        """Refuses a run that was trained otherwise, naming the first difference."""
        ours, theirs = (_flat(meta) for meta in (self.meta, found))
        lacking = {key for key in ours.keys() - theirs.keys() if key.partition(".")[0] in LATER}
        for key in sorted((ours.keys() | theirs.keys()) - lacking):
            if ours.get(key) != theirs.get(key):
                raise IdkitError(
                    f"{said} {_difference(key, theirs.get(key), ours.get(key))}: give "
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


def _checkpoint(path: Path) -> files.Artefact | None:
    """A checkpoint; None where its seeds have just been finished by another process."""
    for _ in range(READS):
        try:
            found = files.read(str(path), schema=CHECKPOINT)
            files.require(found, "version", "run", "seeds", "step")
            return found
        except IdkitError as error:
            if not path.exists():
                return None
            damage = error
    raise damage


def _held(checkpoint: files.Artefact | None) -> list[int]:
    """The seeds that can be gone on with."""
    if checkpoint is None:
        return []
    return [seed for seed in checkpoint.arrays["seeds"].tolist() if seed != NOBODY]


def _lock(seed: int) -> str:
    return f"s{seed}"


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
