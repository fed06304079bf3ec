"""The discretised logistic likelihood: masses, their limits, and known values."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from idkit.densities.likelihoods import logistic
from idkit.densities.likelihoods.logistic import DiscretizedLogistic, Edges
from idkit.errors import IdkitError

LEVELS = torch.arange(256.0, dtype=torch.float64)
SUBSET = Path(__file__).parents[2] / "shared" / "data" / "cifar10_subset.npz"
locations = st.floats(-0.5, 0.5)
log_scales = st.floats(-8, 2)


def masses(loc: float, log_scale: float, edges: Edges) -> torch.Tensor:
    scale = torch.tensor(log_scale, dtype=torch.float64).exp()
    at = torch.tensor(loc, dtype=torch.float64)
    return DiscretizedLogistic(at, scale, edges=edges).log_prob(LEVELS).exp()


@given(locations, log_scales)
def test_masses_with_tails_sum_to_1(loc: float, log_scale: float) -> None:
    assert float(masses(loc, log_scale, "tails").sum()) == pytest.approx(1, abs=1e-9)


@given(locations, st.floats(-4, 2))
def test_masses_are_differences_of_the_logistic_function(loc: float, log_scale: float) -> None:
    bounds = (np.arange(257) / 256 - 0.5 - loc) / math.exp(log_scale)
    expected = np.diff(expit(bounds))
    np.testing.assert_allclose(masses(loc, log_scale, "none"), expected, rtol=1e-6, atol=1e-12)
    bounds[[0, -1]] = -np.inf, np.inf
    expected = np.diff(expit(bounds))
    np.testing.assert_allclose(masses(loc, log_scale, "tails"), expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(("log_scale", "known"), [(0, 0.24492), (-1, 0.59124), (-2, 0.95149)])
def test_known_sums_without_tails(log_scale: float, known: float) -> None:
    assert float(masses(0, log_scale, "none").sum()) == pytest.approx(known, abs=5e-6)


@given(locations, st.floats(-6, 1))
def test_light_and_dark_are_treated_alike(loc: float, log_scale: float) -> None:
    for edges in ("tails", "none"):
        mirrored = masses(-loc, log_scale, edges).flip(0)
        torch.testing.assert_close(masses(loc, log_scale, edges), mirrored)


def test_the_log_mass_is_finite_where_the_mass_underflows() -> None:
    narrow = DiscretizedLogistic(torch.tensor(-0.4), torch.tensor(1e-4), edges="tails")
    far = narrow.log_prob(torch.tensor(255.0))
    assert torch.isfinite(far)
    assert far < -8000


@pytest.mark.parametrize("edges", ["tails", "none"])
def test_mean_and_sample_agree_with_the_masses(edges: Edges) -> None:
    for loc, log_scale in ((-0.45, -1.0), (0.1, -3.0), (0.3, 0.0)):
        share = masses(loc, log_scale, edges)
        share = share / share.sum()
        at, scale = torch.tensor([loc]), torch.tensor([log_scale]).exp()
        distribution = DiscretizedLogistic(at, scale, edges=edges)
        mean, std = (
            float((share * LEVELS).sum()),
            float((share * LEVELS**2).sum() - (share * LEVELS).sum() ** 2) ** 0.5,
        )
        assert float(distribution.mean) == pytest.approx(mean, rel=1e-4)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            drawn = distribution.sample((40_000,))
        assert drawn.shape == (40_000, 1)
        assert set(drawn.unique().tolist()) <= set(LEVELS.tolist())
        assert float(drawn.mean()) == pytest.approx(mean, abs=4 * std / 200)
        if std < 10:
            counts = torch.bincount(drawn.long().ravel(), minlength=256) / len(drawn)
            torch.testing.assert_close(counts.double(), share, atol=0.012, rtol=0)


def test_values_off_the_levels_are_refused_when_asked_to_look() -> None:
    distribution = DiscretizedLogistic(
        torch.zeros(()), torch.ones(()), edges="tails", validate_args=True
    )
    with pytest.raises(ValueError, match="support"):
        distribution.log_prob(torch.tensor(256.0))


def test_locations_stay_within_the_centres_of_the_outer_bins() -> None:
    likelihood = logistic.build((1, 1, 2))
    inside = likelihood(torch.tensor([[[[-9.0, 9.0]]]]))
    torch.testing.assert_close(
        inside.base_dist.loc.ravel(), torch.tensor([-1.0, 1.0]) * (0.5 - 1 / 512)
    )


def test_the_encoder_sees_pixels_and_levels_are_scored() -> None:
    likelihood = logistic.build((3, 2, 2))
    x = torch.arange(12, dtype=torch.uint8).view(1, 3, 2, 2) * 23
    observed = likelihood.observe(x)
    torch.testing.assert_close(observed.seen, x / 255 - 0.5)
    torch.testing.assert_close(observed.scored, x.float())
    with pytest.raises(IdkitError, match="--likelihood gaussian"):
        likelihood.observe(observed.seen)


def test_one_learnt_scale_for_all_pixels_gets_a_gradient() -> None:
    likelihood = logistic.build((3, 4, 4))
    assert [(n, p.item()) for n, p in likelihood.named_parameters()] == [("log_scale", 0.0)]
    levels = torch.full((2, 3, 4, 4), 128.0)
    logged = likelihood(torch.zeros(levels.shape)).log_prob(levels)
    assert logged.shape == (2,)
    logged.sum().backward()
    assert likelihood.log_scale.grad is not None
    assert likelihood.log_scale.grad < 0  # narrower would be better


@pytest.mark.skipif(not SUBSET.exists(), reason="no images of CIFAR-10 here")
def test_bits_of_a_pixel_at_the_start_on_photographs() -> None:
    x = torch.from_numpy(np.load(SUBSET)["x"])
    bits = {}
    for edges in ("tails", "none"):
        likelihood = logistic.build((3, 32, 32), edges=edges)
        levels = likelihood.observe(x).scored
        logged = likelihood(torch.zeros_like(levels)).log_prob(levels)
        bits[edges] = float(-logged.detach().mean()) / (3 * 32 * 32 * math.log(2))
    assert bits["none"] == pytest.approx(10.03, abs=0.01)
    assert 9.8 < bits["tails"] < bits["none"]  # black and white pixels have the mass of a tail
