"""Mixings have an exact inverse, and matrices are what they are said to be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idkit import mixing
from idkit.errors import UsageError
from idkit.mixing import Activation, First, Mixing


@given(
    seed=st.integers(0, 2**32 - 1),
    d=st.integers(1, 6),
    count=st.integers(0, 4),
    activation=st.sampled_from(["leaky", "xtanh"]),
    first=st.sampled_from(["activation", "matrix"]),
    slope=st.floats(0.05, 1),
)
@settings(max_examples=60, deadline=None)
def test_unmixing_is_the_inverse_of_mixing(
    seed: int, d: int, count: int, activation: Activation, first: First, slope: float
) -> None:
    rng = np.random.default_rng(seed)
    made = Mixing(mixing.conditioned(rng, count, d), activation, slope, first)
    s = 3 * rng.standard_normal((20, d))
    worst = float(np.prod(made.condition)) / slope**count  # amplification of rounding errors
    np.testing.assert_allclose(made.unmix(made.mix(s)), s, atol=1e-13 * max(1.0, worst))


def test_the_order_of_activation_and_matrix_is_as_stated() -> None:
    matrix = np.array([[[0.0, 2.0], [1.0, 0.0]]])
    s = np.array([[-1.0, 3.0]])
    after = Mixing(matrix, "leaky", 0.2, "activation")
    np.testing.assert_allclose(after.mix(s), [[3.0, -0.4]])  # (-0.2, 3) times the matrix
    between = Mixing(np.concatenate([matrix, matrix]), "leaky", 0.2, "matrix")
    np.testing.assert_allclose(between.mix(s), [[-0.4, 6.0]])  # (3, -2), (3, -0.4), (-0.4, 6)
    bent = Mixing(matrix, "xtanh", 0.1, "activation")
    np.testing.assert_allclose(bent.mix(s), [[np.tanh(3) + 0.3, 2 * (np.tanh(-1) - 0.1)]])


def test_a_mixing_is_made_again_of_its_matrices_and_facts() -> None:
    made = Mixing(mixing.rotations(np.random.default_rng(0), 2, 3), "xtanh", 0.1, "matrix")
    again = Mixing.of(made.matrices, made.facts)
    s = np.random.default_rng(1).standard_normal((5, 3))
    assert np.array_equal(again.mix(s), made.mix(s))


def test_rotations_are_orthogonal_and_well_conditioned_ones_have_unit_columns() -> None:
    rng = np.random.default_rng(0)
    turned = mixing.rotations(rng, 3, 4)
    np.testing.assert_allclose(
        turned @ turned.mT, np.broadcast_to(np.eye(4), (3, 4, 4)), atol=1e-12
    )
    drawn = mixing.conditioned(rng, 100, 4)
    np.testing.assert_allclose((drawn**2).sum(1), 1)
    plain = rng.uniform(-1, 1, (2000, 4, 4))
    plain /= np.linalg.norm(plain, axis=1, keepdims=True)
    bound = np.percentile(np.linalg.cond(plain), 27)
    assert np.linalg.cond(drawn).max() < bound


def test_more_matrices_than_are_drawn_are_refused() -> None:
    with pytest.raises(UsageError, match="1001 well-conditioned matrices"):
        mixing.conditioned(np.random.default_rng(0), 1001, 3)


@given(
    seed=st.integers(0, 2**32 - 1),
    d=st.integers(1, 5),
    activation=st.sampled_from(["leaky", "xtanh"]),
    first=st.sampled_from(["activation", "matrix"]),
)
@settings(max_examples=30, deadline=None)
def test_the_distortion_is_the_condition_number_of_the_jacobian(
    seed: int, d: int, activation: Activation, first: First
) -> None:
    rng = np.random.default_rng(seed)
    made = Mixing(mixing.conditioned(rng, 3, d), activation, 0.2, first)
    s = rng.standard_normal((1, d))
    step = 1e-6 * np.eye(d)
    jacobian = (made.mix(s + step) - made.mix(s - step)) / 2e-6
    if np.abs(jacobian - (made.mix(s + 2 * step) - made.mix(s)) / 2e-6).max() < 1e-4:  # no kink
        np.testing.assert_allclose(made.distortion(s), np.linalg.cond(jacobian), rtol=1e-3)


def test_rotations_alone_distort_nothing() -> None:
    rng = np.random.default_rng(0)
    made = Mixing(mixing.rotations(rng, 3, 4), "leaky", 1.0, "activation")
    np.testing.assert_allclose(made.distortion(rng.standard_normal((5, 4))), 1)
