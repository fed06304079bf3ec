"""The schedule of every seed against torch's, which knows one."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.optim.lr_scheduler import ReduceLROnPlateau

from idkit.training.plateau import Plateau

CPU = torch.device("cpu")
losses = st.lists(st.integers(1, 40).map(lambda tenths: tenths / 10), min_size=1, max_size=30)


def torchs(values: list[float], factor: float, patience: int) -> list[float]:
    """The step size after each epoch by torch, which minimises."""
    optimiser = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    schedule = ReduceLROnPlateau(optimiser, factor=factor, patience=patience)
    found = []
    for value in values:
        schedule.step(value)
        found.append(optimiser.param_groups[0]["lr"])
    return found


def ours(columns: list[list[float]], factor: float, patience: int) -> list[list[float]]:
    """The step sizes after each epoch of some seeds, whose objectives are the negative losses."""
    plateau = Plateau.start(1.0, len(columns), CPU)
    found = []
    for values in zip(*columns, strict=True):
        plateau.update(-torch.tensor(values), factor=factor, patience=patience)
        found.append(plateau.lr.tolist())
    return found


@given(values=losses, factor=st.sampled_from([0.1, 0.5, 0.8]), patience=st.integers(0, 5))
def test_the_step_size_is_torchs(values: list[float], factor: float, patience: int) -> None:
    found = [row[0] for row in ours([values], factor, patience)]
    # below 1e-8 torch leaves the step size as it is
    assert found == pytest.approx(torchs(values, factor, patience), rel=1e-5, abs=2e-8)


def test_every_seed_has_a_schedule_of_its_own() -> None:
    columns = [[3.0, 2.0, 1.0, 0.5, 0.2], [3.0, 3.0, 3.0, 3.0, 3.0], [1.0, 2.0, 0.5, 2.0, 2.0]]
    together = ours(columns, 0.5, 1)
    for seed, values in enumerate(columns):
        assert [row[seed] for row in together] == torchs(values, 0.5, 1)
    assert together[-1] == [1.0, 0.25, 0.5]


def test_a_rise_must_be_of_one_part_in_ten_thousand_whatever_the_sign() -> None:
    for start, enough, too_little in ((-100, -99.98, -99.995), (100, 100.02, 100.005)):
        plateau = Plateau.start(1.0, 2, CPU)
        plateau.update(torch.tensor([start, start]), factor=0.5, patience=0)
        plateau.update(torch.tensor([enough, too_little]), factor=0.5, patience=0)
        assert plateau.lr.tolist() == [1.0, 0.5]


def test_what_is_no_number_is_no_rise() -> None:
    plateau = Plateau.start(1.0, 1, CPU)
    for _ in range(2):
        plateau.update(torch.tensor([torch.nan]), factor=0.5, patience=0)
    assert plateau.lr.tolist() == [0.25]
