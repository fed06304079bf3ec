"""Power by resampling: it is the level at no shift, grows with shift and cells, and is seeded."""

import numpy as np
import pytest

from idkit.errors import UsageError
from idkit.stats.power import DRAWS, TARGET, power, rejected
from idkit.stats.signed_rank import signed_rank

NOISE = np.random.default_rng(0).normal(0, 0.05, 24).round(4)
ERROR = 4 * np.sqrt(0.25 / DRAWS)  # of a share, at the most


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize(("cells", "level"), [(6, 2 / 64), (7, 6 / 128), (8, 10 / 256)])
def test_at_no_shift_the_power_is_the_level_of_the_exact_test(cells: int, level: float) -> None:
    """Level: arrangements with W+ at most the critical values 0, 2, 3, and their mirror images."""
    found = rejected(NOISE, cells, shift=0.0, rng=rng())
    assert found == pytest.approx(level, abs=4 * np.sqrt(level / DRAWS))


def test_it_is_the_share_of_resampled_tables_that_signed_rank_rejects() -> None:
    draws, shift = rng(), 0.03
    tables = draws.choice(NOISE, (600, 24)) * draws.choice([-1, 1], (600, 24)) + shift
    share = np.mean([signed_rank(table).p <= 0.05 for table in tables])
    assert rejected(NOISE, 24, shift=shift, rng=rng()) == pytest.approx(share, abs=0.06)


def test_it_grows_with_the_shift_and_with_the_cells() -> None:
    by_shift = [rejected(NOISE, 24, shift=s, rng=rng()) for s in (0.0, 0.02, 0.04, 0.2)]
    by_cells = [rejected(NOISE, n, shift=0.02, rng=rng()) for n in (6, 24, 100, 400)]
    assert by_shift == sorted(by_shift)
    assert by_cells == sorted(by_cells)
    assert by_shift[-1] == by_cells[-1] == 1.0


def test_fewer_than_six_cells_have_no_power() -> None:
    assert rejected(NOISE, 5, shift=10.0, rng=rng()) == 0.0


def test_the_needed_cells_are_where_the_power_passes_its_target() -> None:
    plan = power(NOISE, shift=0.03, rng=rng())
    assert plan.needed is not None
    rest = NOISE - np.median(NOISE)
    assert rejected(rest, plan.needed + 3, shift=0.03, rng=rng()) > TARGET - ERROR
    assert rejected(rest, plan.needed - 3, shift=0.03, rng=rng()) < TARGET + ERROR


def test_a_shift_that_no_table_shows_needs_more_than_there_are() -> None:
    assert power(NOISE, shift=1e-5, rng=rng()).needed is None


@pytest.mark.parametrize("differences", [[0.3] * 9, [0.0] * 9, [0.1 + 0.2, 0.3], [0.3]])
def test_of_differences_that_do_not_vary_nothing_is_known(differences: list[float]) -> None:
    plan = power(np.array(differences), shift=0.01, rng=rng())
    assert (plan.n, plan.power, plan.needed) == (len(differences), None, None)
    assert "nothing is known" in plan.withheld


def test_the_side_of_the_shift_and_the_shift_of_the_table_do_not_matter() -> None:
    up, down = (power(NOISE, shift=shift, rng=rng()) for shift in (0.02, -0.02))
    assert up.power == pytest.approx(down.power, abs=ERROR)
    moved = power(NOISE + 0.5, shift=0.02, rng=rng())
    assert moved.power == pytest.approx(up.power, abs=ERROR)


def test_one_seed_one_plan() -> None:
    assert power(NOISE, shift=0.02, rng=rng()) == power(NOISE, shift=0.02, rng=rng())


@pytest.mark.parametrize("shift", [0.0, np.nan, np.inf])
def test_there_must_be_a_shift_to_find(shift: float) -> None:
    with pytest.raises(UsageError, match="other than 0"):
        power(NOISE, shift=shift, rng=rng())
