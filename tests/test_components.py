"""What a mixture uses of its components: closed forms, and words that name a collapse."""

import json
from math import exp, log
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from idkit import files
from idkit.cli import run
from idkit.components import Use, use

Shares = list[float]


def found(share: Shares, entropy: float) -> Use:
    history = np.array([9.0, entropy])
    made = use({"occupancy.share": np.array(share), "history/entropy": history})
    assert made is not None
    return made


def test_equal_shares_and_sure_rows_tell_as_many_kinds_as_there_are_components() -> None:
    made = found([0.25] * 4, 0.0)
    assert (made.components, made.largest) == (4, 0.25)
    assert made.used == pytest.approx(4)
    assert made.told == pytest.approx(4)
    assert not made.collapsed


def test_one_component_for_all_rows_is_a_collapse_that_names_its_share() -> None:
    made = found([0.98, 0.01, 0.01], 0.0)
    assert made.collapsed
    assert (
        str(made) == "1.1 of 3 in use, 1.1 kinds of rows told apart: collapsed, one component "
        "holds 98% of the rows"
    )


def test_components_that_lie_on_one_another_are_a_collapse_though_all_are_in_use() -> None:
    made = found([0.2] * 5, log(5))
    assert made.used == pytest.approx(5)
    assert made.told == pytest.approx(1)
    assert made.collapsed
    assert str(made).endswith("rows belong to several components alike")


def test_a_mixture_of_one_component_has_nothing_to_lose() -> None:
    assert not found([1.0], 0.0).collapsed


def test_what_is_told_apart_is_the_mutual_information() -> None:
    """Four kinds of rows, each torn between two components of its own."""
    rows = np.kron(np.eye(4), [0.5, 0.5])
    made = found(list(rows.mean(0)), log(2))
    assert made.used == pytest.approx(8)
    assert made.told == pytest.approx(4)


@given(
    share=arrays_of.arrays(np.float64, st.integers(1, 9), elements=st.floats(0, 1)),
    entropy=st.floats(0, 5),
)
def test_the_numbers_keep_their_ranges(share: np.ndarray, entropy: float) -> None:
    total = share.sum()
    made = found(
        list(share / total if total > 1e-3 else np.full(len(share), 1 / len(share))), entropy
    )
    assert 1 <= made.told <= made.used <= made.components + 1e-9
    assert 1 / made.components - 1e-9 <= made.largest <= 1 + 1e-9


@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"occupancy.share": np.ones(3) / 3},
        {"occupancy.share": np.ones(3) / 3, "history/entropy": np.array([])},
    ],
)
def test_a_model_without_a_trained_mixture_has_no_use_of_it(arrays: dict[str, np.ndarray]) -> None:
    assert use(arrays) is None


@pytest.fixture
def collapsed(tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    arrays = {"occupancy.share": np.array([0.95, 0.05]), "history/entropy": np.array([0.5, 0.0])}
    files.write(str(path), arrays, files.metadata("idkit.model/1", "train", (), model="vade"))
    return path


def test_info_names_a_collapse(collapsed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", str(collapsed)]) == 0
    assert (
        "  components: 1.2 of 2 in use, 1.2 kinds of rows told apart: collapsed, one component "
        "holds 95% of the rows\n" in capsys.readouterr().out
    )
    assert run(["info", "--json", str(collapsed)]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    spread = -0.95 * log(0.95) - 0.05 * log(0.05)
    assert row["components"]["collapsed"]
    assert row["components"]["told"] == pytest.approx(exp(spread))


def test_info_says_nothing_of_components_where_there_are_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "z.npy", np.ones((3, 2)))
    assert run(["info", "--json", str(tmp_path / "z.npy")]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["components"] is None


def test_training_names_the_seeds_that_collapsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mixture of two that has hardly begun to learn cannot tell its components apart."""
    monkeypatch.chdir(tmp_path)
    words = ["train", "--components", "2", "--seed", "1,3", "--epochs", "1"]
    assert run(words) == 0
    told = capsys.readouterr().err
    for seed in (1, 3):
        assert f"note: seed {seed}: components: " in told
        assert "of 2 in use" in told
    assert run(words) == 0
    assert "in use" not in capsys.readouterr().err
