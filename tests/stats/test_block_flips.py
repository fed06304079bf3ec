"""Sign flips of whole blocks against brute force, and what they must and must not ignore."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from idkit.stats import flips
from idkit.stats.block_flips import block_flips
from idkit.stats.signed_rank import Zeros, signed_rank, signed_ranks

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
ZEROS: tuple[Zeros, ...] = ("wilcox", "pratt")
cells = st.lists(st.tuples(st.integers(-6, 6), st.integers(0, 5)), min_size=1, max_size=30).map(
    lambda rows: (np.array([d for d, _ in rows], float), np.array([block for _, block in rows]))
)


@given(cells, st.sampled_from(ZEROS))
def test_p_is_the_share_of_all_block_arrangements(
    table: tuple[Floats, Integers], zeros: Zeros
) -> None:
    d, blocks = table
    ranks = signed_ranks(d, zeros=zeros)
    sums = np.array([ranks[blocks == block].sum() for block in np.unique(blocks)])
    every = [abs(np.dot(signs, sums)) for signs in product((-1, 1), repeat=sums.size)]
    share = float(np.mean(np.array(every) >= abs(sums.sum()) - 1e-9))
    assert block_flips(d, blocks, zeros=zeros).p == pytest.approx(share, rel=1e-12)


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=25).map(lambda d: np.array(d, float)))
def test_blocks_of_one_cell_give_the_signed_rank_test(d: Floats) -> None:
    assert block_flips(d, np.arange(d.size)).p == signed_rank(d).p


@given(cells)
def test_names_and_order_of_blocks_do_not_matter(table: tuple[Floats, Integers]) -> None:
    d, blocks = table
    turned = np.arange(d.size)[::-1]
    assert block_flips(d, 100 - 7 * blocks) == block_flips(d, blocks)
    assert block_flips(d[turned], blocks[turned]) == block_flips(d, blocks)


@given(cells)
def test_turning_all_signs_keeps_p(table: tuple[Floats, Integers]) -> None:
    d, blocks = table
    assert block_flips(-d, blocks) == block_flips(d, blocks)


def test_copies_within_a_block_are_evidence_for_signed_rank_only() -> None:
    d, blocks = np.tile([1.0, 2.0, 3.0], 6), np.tile([0, 1, 2], 6)
    assert signed_rank(d).p < 1e-4
    assert block_flips(d, blocks).p == 0.25


def test_blocks_without_a_difference_bear_no_evidence() -> None:
    found = block_flips(np.array([0.0, 0.0, 1.0, 2.0]), np.array([0, 0, 1, 2]))
    assert (found.blocks, found.p) == (2, 0.5)


def test_many_blocks_are_exact_too() -> None:
    rng = np.random.default_rng(0)
    d, blocks = rng.normal(0.2, 1, 200), np.repeat(np.arange(50), 4)
    found = block_flips(d, blocks)
    ranks = np.add.reduceat(signed_ranks(d), np.arange(0, 200, 4))
    drawn = np.abs(rng.choice([-1, 1], (200_000, 50)) @ ranks)
    share = np.mean(drawn >= abs(ranks.sum()))
    assert found.method == "exact"
    assert found.p == pytest.approx(share, abs=5 * np.sqrt(share / 200_000))


def test_few_blocks_of_very_many_cells_are_enumerated() -> None:
    d = np.random.default_rng(0).normal(1, 1, 60_000)
    found = block_flips(d, np.repeat(np.arange(6), 10_000))
    assert (found.p, found.method) == (2**-5, "exact")


@given(st.lists(st.integers(-40, 40), min_size=17, max_size=19).map(np.array))
def test_enumeration_and_dynamic_programming_agree(weights: Integers) -> None:
    sizes = np.abs(weights[weights != 0])
    sums = np.array([0])
    for size in sizes:
        sums = np.concatenate([sums, sums + size])
    reach = int(sizes.sum() - abs(weights.sum())) // 2
    expected = 1.0 if weights.sum() == 0 else min(1.0, 2 * float(np.mean(sums <= reach)))
    assert flips.two_sided(weights.astype(np.int64)).p == pytest.approx(expected, rel=1e-12)


def test_p_of_very_many_blocks_on_one_side_is_a_bound() -> None:
    found = block_flips(np.arange(1.0, 1101), np.arange(1100))
    assert (found.p, found.method) == (flips.SMALLEST, "exact, p is an upper bound")
