"""The folder of runs: what is finished, what is begun, what does not belong together."""

import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from idkit import files
from idkit.errors import IdkitError
from idkit.runs import CHECKPOINT, FAILED, MODEL, SCHEMA, Group, model_arrays, split_model

ARRAYS = {"weight": np.arange(3, dtype=np.float32)}


def group(folder: Path, name: str = "digits-vae-mlp-dz3", **changes: Any) -> Group:
    training = {"lr": 0.1, "steps": 10, **changes}
    return Group(folder, name, files.metadata(SCHEMA, "", (), model="vae", training=training))


def begin(group: Group, seeds: list[int], step: int = 4) -> None:
    arrays = {"seeds": np.array(seeds), "step": np.array(step), "flat": np.zeros((len(seeds), 2))}
    group.save_checkpoint(seeds, arrays)


def begun(group: Group) -> list[list[int]]:
    return [seeds for _, seeds in group.checkpoints()]


def left(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_run_is_found_again_with_what_was_said_of_it(tmp_path: Path) -> None:
    ours = group(tmp_path)
    assert ours.finished(1) is None
    path = ours.save(1, ARRAYS, "train --seed 1", None)
    assert path == tmp_path / "digits-vae-mlp-dz3-s1" / MODEL == ours.file(1)
    made = ours.finished(1)
    assert made is not None
    assert (made.meta["seed"], made.meta["command"]) == (1, "train --seed 1")
    assert "failed_at" not in made.meta
    assert np.array_equal(made.arrays["weight"], ARRAYS["weight"])
    assert ours.finished(2) is None


def test_a_failed_run_has_another_name_and_gives_way_to_a_good_one(tmp_path: Path) -> None:
    ours = group(tmp_path)
    assert ours.save(1, ARRAYS, "train", 7).name == FAILED
    made = ours.finished(1)
    assert made is not None
    assert made.meta["failed_at"] == 7
    ours.save(1, ARRAYS, "train", None)
    assert left(tmp_path) == ["digits-vae-mlp-dz3-s1", f"digits-vae-mlp-dz3-s1/{MODEL}"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": 0.2}, "made with training.lr 0.1, this command has 0.2"),
        ({"steps": 20}, "made with training.steps 10, this command has 20"),
        ({"init": "data"}, 'made with training.init no such setting, this command has "data"'),
    ],
)
def test_another_configuration_is_refused_by_its_difference(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    ours, other = group(tmp_path), group(tmp_path, **changes)
    ours.save(1, ARRAYS, "train", None)
    begin(ours, [2])
    with pytest.raises(IdkitError, match=f"{MODEL} was {message}: give another --out, or --force"):
        other.finished(1)
    with pytest.raises(IdkitError, match=f"s2.safetensors was {message}"):
        other.checkpoints()
    other.forget([1])
    assert other.finished(1) is None
    assert other.checkpoints([1]) == []  # what is begun of seed 2 is in nobody's way
    assert begun(ours) == [[2]]
    other.forget([2])
    assert other.checkpoints() == []


def test_what_may_differ_between_the_runs_of_a_group(tmp_path: Path) -> None:
    ours = group(tmp_path)
    later = Group(tmp_path, ours.name, {**ours.meta, "version": "99.0"})
    ours.save(1, ARRAYS, "train --seed 1", None)
    assert later.finished(1) is not None


def test_a_file_of_another_kind_in_its_place_is_refused(tmp_path: Path) -> None:
    ours = group(tmp_path)
    path = ours.save(1, ARRAYS, "train", None)
    files.write(str(path), ARRAYS, files.metadata("idkit.latents/1", "embed", ()), force=True)
    with pytest.raises(IdkitError, match=r"is idkit.latents/1, not idkit.model/1"):
        ours.finished(1)


def test_checkpoints_are_found_by_their_seeds_those_with_the_most_steps_first(
    tmp_path: Path,
) -> None:
    ours = group(tmp_path)
    begin(ours, [1, 2], step=4)
    begin(ours, [5], step=8)
    begin(ours, list(range(20, 90)), step=6)  # too long a list for a name
    assert begun(ours) == [[5], list(range(20, 90)), [1, 2]]
    begin(ours, [1, 2], step=12)
    assert begun(ours) == [[1, 2], [5], list(range(20, 90))]
    path, _ = ours.checkpoints()[0]
    assert files.read(str(path)).schema == CHECKPOINT


def test_a_newer_checkpoint_of_what_is_left_takes_the_place_of_an_older(tmp_path: Path) -> None:
    ours = group(tmp_path)
    begin(ours, [1, 2, 3], step=4)
    ours.save(1, ARRAYS, "train", None)
    begin(ours, [2, 3], step=8)
    assert begun(ours) == [[2, 3]]
    begin(ours, [3], step=12)
    assert begun(ours) == [[3], [2, 3]]  # seed 2 still needs it


def test_checkpoints_go_when_none_of_their_seeds_needs_them(tmp_path: Path) -> None:
    ours = group(tmp_path)
    begin(ours, [1, 2])
    begin(ours, [3])
    ours.save(1, ARRAYS, "train", None)
    ours.drop_checkpoints([1])
    assert sorted(begun(ours)) == [[1, 2], [3]]
    ours.save(2, ARRAYS, "train", 7)  # one that failed is finished, too
    ours.drop_checkpoints([2])
    assert begun(ours) == [[3]]


def test_a_checkpoint_of_another_idkit_is_refused_until_forced(tmp_path: Path) -> None:
    ours = group(tmp_path)
    begin(ours, [1])
    path, _ = ours.checkpoints()[0]
    made = files.read(str(path))
    files.write(str(path), made.arrays, {**made.meta, "version": "0.0.1"}, force=True)
    with pytest.raises(IdkitError, match=r"was begun by idkit 0\.0\.1, this is "):
        ours.checkpoints()
    ours.forget([2])
    with pytest.raises(IdkitError, match=r"was begun by idkit 0\.0\.1, this is "):
        ours.checkpoints()
    ours.forget([1])
    assert begun(ours) == []


def test_a_seed_that_begins_again_leaves_what_is_begun_of_others(tmp_path: Path) -> None:
    ours = group(tmp_path)
    begin(ours, [1, 2, 3], step=8)
    ours.save(1, ARRAYS, "train", None)
    ours.forget([1, 3])
    assert ours.finished(1) is None
    assert begun(ours) == [[2]]
    (path, _), *_ = ours.checkpoints()
    assert files.read(str(path)).arrays["flat"].shape == (3, 2)  # a row for each, as it was
    assert ours.begun_together([1, 2, 3]) == [[2], [1, 3]]
    ours.forget([2])
    assert begun(ours) == []


def test_a_damaged_checkpoint_is_refused_until_forced(tmp_path: Path) -> None:
    ours = group(tmp_path)
    begin(ours, [1])
    path, _ = ours.checkpoints()[0]
    path.write_bytes(path.read_bytes()[:99])
    with pytest.raises(IdkitError, match=r"s1\.safetensors"):
        ours.checkpoints([1])
    ours.forget([1])
    assert begun(ours) == []


@pytest.mark.parametrize("name", ["a[1]", "a*", "a?b", "digits vae"])
def test_a_name_is_not_a_pattern(name: str, tmp_path: Path) -> None:
    ours = group(tmp_path, name)
    begin(ours, [1])
    assert begun(ours) == [[1]]
    ours.forget([1])
    assert begun(ours) == []


def test_groups_whose_names_begin_alike_are_apart(tmp_path: Path) -> None:
    ours, longer = group(tmp_path, "digits-vae"), group(tmp_path, "digits-vae-steps9", steps=9)
    begin(ours, [1])
    begin(longer, [1])
    longer.save(2, ARRAYS, "train", None)
    ours.forget([1, 2])
    assert begun(ours) == []
    assert begun(longer) == [[1]]
    assert longer.finished(2) is not None


def test_a_seed_is_trained_by_one_command_and_others_are_free(tmp_path: Path) -> None:
    ours, other = group(tmp_path / "runs"), group(tmp_path / "runs")
    with ours.shared() as locks, other.shared() as theirs:
        assert ours.claim(locks, [1, 2]) == ([1, 2], {})
        claimed, elsewhere = other.claim(theirs, [2, 3])
        assert (claimed, list(elsewhere)) == ([3], [2])
        assert str(elsewhere[2]) == f"process {os.getpid()} on {socket.gethostname()}"
        assert list(other.elsewhere(theirs, [1, 2, 3, 4])) == [1, 2]
        ours.save(1, ARRAYS, "train", None)
        ours.release(locks, [1, 2])
        assert other.claim(theirs, [1, 2]) == ([2], {})  # 1 is finished
        assert other.elsewhere(theirs, [1, 2, 3]) == {}
    assert left(tmp_path) == ["runs", *(f"runs/{name}" for name in left(tmp_path / "runs"))]
    assert left(tmp_path / "runs") == ["digits-vae-mlp-dz3-s1", f"digits-vae-mlp-dz3-s1/{MODEL}"]


def test_a_seed_that_is_claimed_to_begin_again_is_not_finished_any_more(tmp_path: Path) -> None:
    ours = group(tmp_path)
    ours.save(1, ARRAYS, "train", None)
    ours.save(2, ARRAYS, "train", None)
    with ours.shared() as locks:
        assert ours.claim(locks, [1, 2], again=[2]) == ([2], {})
        assert ours.finished(1) is not None
        assert ours.finished(2) is None


def test_a_seed_that_is_trained_otherwise_is_refused_while_it_is(tmp_path: Path) -> None:
    ours, other = group(tmp_path), group(tmp_path, lr=0.2)
    with ours.shared() as locks, other.shared() as theirs:
        ours.claim(locks, [1])
        said = (
            rf"digits-vae-mlp-dz3-s1 is being trained by process {os.getpid()} on .* with "
            r"training.lr 0.1, this command has 0.2: give another --out, or --force"
        )
        with pytest.raises(IdkitError, match=said):
            other.elsewhere(theirs, [1])
        assert other.elsewhere(theirs, [2]) == {}
        assert list(other.elsewhere(theirs, [1], again=[1])) == [1]


def test_nothing_is_left_of_an_empty_folder_of_runs(tmp_path: Path) -> None:
    ours = group(tmp_path / "runs")
    with ours.shared() as locks:
        ours.claim(locks, [1])
    assert left(tmp_path) == []


def test_what_is_begun_stays_when_the_command_ends(tmp_path: Path) -> None:
    ours = group(tmp_path)
    with ours.shared():
        begin(ours, [1])
    assert begun(ours) == [[1]]
    with ours.shared():
        ours.save(1, ARRAYS, "train", None)
        ours.drop_checkpoints([1])
    assert left(tmp_path) == ["digits-vae-mlp-dz3-s1", f"digits-vae-mlp-dz3-s1/{MODEL}"]


def test_what_killed_commands_left_is_swept_away_by_the_last_to_leave(tmp_path: Path) -> None:
    ours = group(tmp_path)
    begin(ours, [1])
    half = tmp_path / ".partial" / ours.name / ".idkit-0123.tmp"
    half.write_bytes(b"half")
    ours.run(1).mkdir()
    (ours.run(1) / ".idkit-4567.tmp").write_bytes(b"half")
    with ours.shared() as locks:
        ours.claim(locks, [2])
        with group(tmp_path).shared() as theirs:
            assert ours.claim(theirs, [1]) == ([1], {})
            ours.save(1, ARRAYS, "train", None)
            ours.drop_checkpoints([1])
        assert half.exists()  # it might be of somebody who writes just now
    assert left(tmp_path) == ["digits-vae-mlp-dz3-s1", f"digits-vae-mlp-dz3-s1/{MODEL}"]


def test_state_and_history_come_apart_again() -> None:
    history = {"objective": np.arange(4.0)}
    state, found = split_model(model_arrays(ARRAYS, history))
    assert state.keys() == ARRAYS.keys()
    assert found.keys() == history.keys()
    assert np.array_equal(found["objective"], history["objective"])
