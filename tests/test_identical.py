"""Coordinates that all runs share to the last digit, against a comparison of whole columns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from idkit import identical

Floats = NDArray[np.floating]


def noise(seed: int, n: int = 300, d: int = 4) -> Floats:
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


@settings(max_examples=25)
@given(st.data())
def test_they_are_those_whose_columns_are_equal(data: st.DataObject) -> None:
    n, runs = data.draw(st.sampled_from([5, 64, 300])), data.draw(st.integers(2, 4))
    shared = noise(99, n, 3)
    shared[:, 2] = np.arange(n) == 1  # rarely anything but 0, and yet not dead
    places = [data.draw(st.permutations(range(6)))[:3] for _ in range(runs)]
    many = data.draw(st.integers(0, 3))
    zs, orders = [], []
    for run, at in enumerate(places):
        z = noise(run, n, 6)
        z[:, at[:many]] = shared[:, :many]
        order = np.random.default_rng(run).permutation(n)
        stored = np.empty_like(z)
        stored[order] = z
        zs.append(stored.astype(np.float64) if run == 1 else stored)
        orders.append(order)
    found = identical.coordinates(zs, orders)
    assert sorted(found) == sorted(tuple((at[j],) for at in places) for j in range(many))


def test_one_row_that_differs_is_enough_and_constant_ones_are_dead() -> None:
    one, two = noise(0), noise(1)
    one[:, 0] = two[:, 0] = np.arange(300)
    one[:, 1] = two[:, 1] = 7
    assert identical.coordinates([one, two], [None, None]) == [((0,), (0,))]
    for row in (0, 7, 299):
        other = two.copy()
        other[row, 0] += 1
        assert identical.coordinates([one, other], [None, None]) == []


@pytest.mark.parametrize("n", [3, 4000])
def test_coordinates_of_a_grid_have_their_place(n: int) -> None:
    grids = [noise(seed, n, 12).reshape(n, 3, 2, 2) for seed in (0, 1)]
    grids[1][:, 2, 0, 1] = grids[0][:, 2, 0, 1]
    assert identical.coordinates(grids, [None, None]) == [((2, 0, 1), (2, 0, 1))]
