"""Which seeds are trained side by side, and how a signal is heard: behind `idkit train`."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idkit import files
from idkit.cli import crew, plan, run, seeds
from idkit.cli.signals import Signalled, SignalledError
from idkit.errors import UsageError
from idkit.runs import SCHEMA, Group

NOWHERE = Group(Path("/nowhere"), "none", {})
numbers = st.lists(st.integers(0, 99), min_size=1, max_size=30, unique=True)


@given(asked=numbers, most=st.integers(1, 16), processes=st.integers(1, 5), data=st.data())
def test_every_seed_is_trained_once_beside_the_same_others(
    asked: list[int], most: int, processes: int, data: st.DataObject
) -> None:
    todo = data.draw(st.lists(st.sampled_from(asked), unique=True))
    whole = plan.batches(NOWHERE, asked, asked, most=most, processes=processes)
    assert sorted(seed for batch in whole for seed in batch) == sorted(asked)
    sizes = [len(batch) for batch in whole]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(whole) >= min(processes, len(asked))
    rest = plan.batches(NOWHERE, asked, todo, most=most, processes=processes)
    left = [[seed for seed in batch if seed in todo] for batch in whole]
    assert rest == [batch for batch in left if batch]


def test_seeds_that_were_begun_together_stay_together(tmp_path: Path) -> None:
    group = Group(tmp_path, "name", files.metadata(SCHEMA, "", ()))
    for held, step in (([4, 2, 9], 5), ([2, 7], 3)):
        group.save_checkpoint(held, {"seeds": np.array(held), "step": np.array(step)})
    found = plan.batches(group, [1, 2, 3, 4, 7], [1, 2, 3, 4, 7], most=16, processes=2)
    assert found == [[4, 2], [7], [1, 3]]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--components 3000", "one seed needs about"),
        ("--batch-seeds 2000 --seed 1-3000", "2000 seeds in one computation need about"),
        (
            "--batch-seeds 2000 --seed 1-3000 --threads 4",
            "by 4 processes (--memory; by default half of what is free): give a smaller",
        ),
    ],
)
def test_what_does_not_fit_into_memory_is_refused(
    words: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(f"train --data tcl --steps 1 -q --memory 1.43MiB {words}".split()) == 3
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert "of memory, 1.43 MiB are allowed" in error
    assert list(tmp_path.iterdir()) == []


def test_only_seeds_that_are_asked_for_need_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["--batch-seeds", "2000", "--seed", "1-2", "--memory", "1.43MiB"]
    assert run(["train", "--data", "tcl", "--steps", "1", "-q", *words]) == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1", [1]), ("1-3,7", [1, 2, 3, 7]), ("7,1-3,2", [7, 1, 2, 3]), (" 4 , 0-0", [4, 0])],
)
def test_seeds_as_people_write_them(text: str, expected: list[int]) -> None:
    assert seeds.parse(text) == expected


@given(numbers)
def test_seeds_are_shown_as_they_can_be_read(listed: list[int]) -> None:
    assert seeds.parse(seeds.shown(listed)) == listed


@pytest.mark.parametrize("text", ["", ",", "1-", "-1", "a", "1.5", "1--2", "3-1", "1 2", "0x1"])
def test_what_is_no_list_of_seeds(text: str) -> None:
    with pytest.raises(UsageError):
        seeds.parse(text)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_a_wish_while_training_and_what_it_was_afterwards(
    number: signal.Signals,
) -> None:
    before = signal.getsignal(number)
    with crew.stopping_on_signals() as stop:
        assert not stop.asked()
        os.kill(os.getpid(), number)
        assert stop.asked()
        assert stop.signal == number
        with pytest.raises(KeyboardInterrupt):  # a second one does not wait
            os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_a_signal_that_a_library_has_swallowed_is_heard_when_training_begins() -> None:
    before = signal.signal(signal.SIGINT, Signalled())
    try:
        with pytest.raises(SignalledError):
            os.kill(os.getpid(), signal.SIGINT)
        with crew.stopping_on_signals() as stop:
            assert stop.signal == signal.SIGINT
    finally:
        signal.signal(signal.SIGINT, before)
