"""Densities against closed forms, torch's own, and what they must integrate to."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import trapezoid
from torch import Tensor, nn
from torch.distributions import (
    Categorical,
    Distribution,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

from idkit import shelf
from idkit.densities.likelihoods import bernoulli, gaussian
from idkit.densities.mixture import DiagonalMixture, Mixture
from idkit.densities.normal import Conditional, Posterior, Table, one_hot, standard, xavier
from idkit.errors import UsageError
from idkit.nets import mlp3
from idkit.training.streams import Live

LIKELIHOODS = shelf.names("densities/likelihoods")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def general(logits: Tensor, mu: Tensor, log_var: Tensor) -> MixtureSameFamily:
    """The same mixture by torch's general density."""
    return MixtureSameFamily(
        Categorical(logits=logits), Independent(Normal(mu, torch.exp(log_var / 2)), 1)
    )


def parameters(k: int, d: int, seed: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """Logits, means and log-variances of a mixture."""
    g = generator(seed)
    shapes = ((k,), (k, d), (k, d))
    return [torch.randn(s, generator=g, dtype=dtype).requires_grad_() for s in shapes]


def test_the_divergence_of_two_normals_is_the_known_number() -> None:
    q = Normal(torch.tensor(1.0), torch.tensor(0.5).sqrt())
    assert float(kl_divergence(q, standard(q.loc))) == pytest.approx(0.596574, abs=5e-7)


@given(
    k=st.integers(1, 6), d=st.integers(1, 5), n=st.integers(1, 7), seed=st.integers(0, 2**32 - 1)
)
def test_the_mixture_is_torchs_with_all_gradients(k: int, d: int, n: int, seed: int) -> None:
    ours, theirs = parameters(k, d, seed), parameters(k, d, seed)
    z = 3 * torch.randn(n, d, generator=generator(seed), dtype=torch.float64)
    weights = torch.randn(n, generator=generator(seed + 1), dtype=torch.float64)
    inputs = (z.clone().requires_grad_(), z.clone().requires_grad_())
    found = DiagonalMixture(*ours).log_prob(inputs[0])
    expected = general(*theirs).log_prob(inputs[1])
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)
    (found @ weights).backward()
    (expected @ weights).backward()
    for mine, other in zip((*ours, inputs[0]), (*theirs, inputs[1]), strict=True):
        assert mine.grad is not None
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("far", [1e2, 1e6, 1e12])
def test_far_away_the_density_is_small_and_its_gradient_finite(far: float) -> None:
    logits, mu, log_var = parameters(5, 3, 0, torch.float32)
    z = (far * torch.randn(10, 3, generator=generator(1))).requires_grad_()
    found = DiagonalMixture(logits, mu, log_var).log_prob(z)
    exact = general(logits.double(), mu.double(), log_var.double()).log_prob(z.double())
    torch.testing.assert_close(found.double(), exact, rtol=3e-6, atol=0)
    found.sum().backward()
    for parameter in (logits, mu, log_var, z):
        assert parameter.grad is not None
        assert parameter.grad.isfinite().all()


@pytest.mark.parametrize("offset", [0, 10, 100])
def test_where_the_origin_lies_does_not_matter_even_in_float32(offset: float) -> None:
    logits, mu, log_var = (p.detach() for p in parameters(40, 20, 0, torch.float32))
    z = torch.randn(50, 20, generator=generator(1))
    z, mu = z + offset, mu + offset  # rounded here, so that only the density's error is seen
    exact = general(logits.double(), mu.double(), log_var.double()).log_prob(z.double())
    found = DiagonalMixture(logits, mu, log_var).log_prob(z)
    torch.testing.assert_close(found.double(), exact, rtol=0, atol=1e-4)


def test_the_names_of_components_do_not_matter_but_their_weights_do() -> None:
    logits, mu, log_var = parameters(6, 3, 0)
    z = torch.randn(20, 3, dtype=torch.float64, generator=generator(1))
    order = torch.randperm(6, generator=generator(2))
    before = DiagonalMixture(logits, mu, log_var).log_prob(z)
    relabelled = DiagonalMixture(logits[order], mu[order], log_var[order]).log_prob(z)
    torch.testing.assert_close(relabelled, before)
    shifted = DiagonalMixture(logits + 5, mu, log_var).log_prob(z)
    torch.testing.assert_close(shifted, before)  # logits have no origin ...
    swapped = DiagonalMixture(logits[order], mu, log_var).log_prob(z)
    assert (swapped - before).abs().max() > 0.1  # ... but which is which counts


def test_a_mixture_integrates_to_1() -> None:
    grid = torch.linspace(-60, 60, 200_001, dtype=torch.float64)
    density = DiagonalMixture(*parameters(4, 1, 3)).log_prob(grid.unsqueeze(1)).exp()
    assert trapezoid(density.detach().numpy(), grid.numpy()) == pytest.approx(1, abs=1e-9)


def test_samples_follow_the_density() -> None:
    mixture: Distribution = DiagonalMixture(*(p.detach() for p in parameters(3, 2, 5)))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        drawn = mixture.sample(torch.Size([200_000]))
    error = 5 * mixture.variance.sqrt() / math.sqrt(200_000)
    assert ((drawn.mean(0) - mixture.mean).abs() < error).all()
    torch.testing.assert_close(drawn.var(0), mixture.variance, rtol=0.02, atol=0)


def test_responsibilities_are_bayes_rule_and_sum_to_1() -> None:
    mixture = Mixture(4, 2, start="normal").double()
    z = 5 * torch.randn(30, 2, dtype=torch.float64, generator=generator())
    found = mixture.responsibilities(z)
    torch.testing.assert_close(found.sum(1), torch.ones(30, dtype=torch.float64))
    made = mixture()
    joint = torch.stack(
        [
            torch.softmax(made.mixture_distribution.logits, 0)[k]
            * MultivariateNormal(mu, torch.diag(log_var.exp())).log_prob(z).exp()
            for k, (mu, log_var) in enumerate(zip(mixture.mu, mixture.log_var, strict=True))
        ],
        1,
    )
    torch.testing.assert_close(found, joint / joint.sum(1, keepdim=True))


def test_far_apart_components_own_their_means() -> None:
    mixture = Mixture(3, 2, start="normal")
    with torch.no_grad():
        mixture.mu.copy_(torch.tensor([[0.0, 0], [50, 0], [0, 50]]))
        mixture.log_var.zero_()
    torch.testing.assert_close(mixture.responsibilities(mixture.mu), torch.eye(3))


def test_a_mixture_starts_with_equal_weights_and_different_components() -> None:
    mixture = Mixture(8, 3, start="uniform")
    assert mixture().mixture_distribution.probs.tolist() == pytest.approx([1 / 8] * 8)
    assert len(mixture.mu.unique()) == len(mixture.log_var.unique()) == 24


def test_one_standard_component_is_the_standard_normal() -> None:
    mixture = Mixture(1, 4, start="normal")
    with torch.no_grad():
        mixture.mu.zero_()
        mixture.log_var.zero_()
    z = torch.randn(10, 4, generator=generator())
    torch.testing.assert_close(mixture().log_prob(z), standard(z).log_prob(z).sum(1))


def test_xavier_starts_have_the_stated_spread() -> None:
    table = torch.empty(300, 200)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        xavier(table, "normal")
        assert table.std() == pytest.approx(math.sqrt(2 / 500), rel=0.02)
        xavier(table, "uniform")
        assert table.abs().max() == pytest.approx(math.sqrt(6 / 500), rel=0.001)


def test_a_table_gives_each_label_its_row() -> None:
    table = Table(5, 3, start="normal")
    u = torch.tensor([4, 0, 4])
    p = table(u)
    torch.testing.assert_close(p.loc, table.mu[u])
    torch.testing.assert_close(p.scale, torch.exp(table.log_var[u] / 2))
    p.loc.sum().backward()
    assert table.mu.grad is not None
    assert table.mu.grad.sum(1).tolist() == [3, 0, 0, 0, 6]


def test_a_table_may_hold_its_means_at_0() -> None:
    table = Table(5, 3, start="normal", learn_mean=False)
    assert not table.mu.any()
    assert [name for name, p in table.named_parameters() if p.requires_grad] == ["log_var"]


def test_a_conditional_prior_knows_nothing_but_the_label() -> None:
    p = Conditional(4, 3)(torch.tensor([1, 2, 1]))
    assert p.loc.shape == p.scale.shape == (3, 3)
    assert (p.scale > 0).all()
    torch.testing.assert_close(p.loc[0], p.loc[2], rtol=0, atol=0)
    assert not torch.equal(p.loc[0], p.loc[1])


def test_one_hot_is_torchs() -> None:
    u = torch.tensor([3, 0, 2, 2])
    torch.testing.assert_close(one_hot(u, 4), nn.functional.one_hot(u, 4).float())


def test_a_posterior_is_its_encoders_normal() -> None:
    encoder = mlp3.encoder((5,), 2)
    x = torch.randn(7, 5, generator=generator())
    q = Posterior(encoder)(x)
    torch.testing.assert_close((q.loc, q.scale), encoder(x), rtol=0, atol=0)


# Likelihoods


def stored(shape: tuple[int, ...] = (2, 3, 3), n: int = 5) -> Tensor:
    """Images as data sets store them, with both extremes among them."""
    x = torch.randint(256, (n, *shape), generator=generator(), dtype=torch.uint8)
    x[0], x[1] = 0, 255
    return x


@pytest.fixture(params=LIKELIHOODS)
def build(request: pytest.FixtureRequest) -> Any:
    """`build` of each likelihood in the room."""
    return shelf.take("densities/likelihoods", request.param, "build")


def test_a_likelihood_has_one_event_for_each_observation(build: Any) -> None:
    likelihood = build((2, 3, 3))
    observed = likelihood.observe(stored(), Live(generator()))
    assert observed.seen.shape == observed.scored.shape == (5, 2, 3, 3)
    assert observed.seen.dtype == observed.scored.dtype == torch.float32
    h = torch.randn(5, 2, 3, 3, generator=generator()).requires_grad_()
    p = likelihood(h)
    assert p.batch_shape == (5,)
    assert p.event_shape == (2, 3, 3)
    log_px = p.log_prob(observed.scored)
    assert log_px.isfinite().all()
    log_px.sum().backward()
    assert h.grad is not None
    assert h.grad.isfinite().all()


def test_observations_are_independent_pixels(build: Any) -> None:
    likelihood = build((2, 3, 3)).eval()
    x, h = stored(), torch.randn(5, 2, 3, 3, generator=generator())
    whole = likelihood(h).log_prob(likelihood.observe(x).scored)
    pixels = build((1,)).eval()
    if dict(likelihood.named_parameters()):
        pixels.load_state_dict(likelihood.state_dict())
    parts = pixels(h.view(-1, 1)).log_prob(pixels.observe(x.view(-1, 1)).scored)
    torch.testing.assert_close(parts.view(5, -1).sum(1), whole, rtol=1e-4, atol=1e-3)


def test_in_eval_mode_what_is_seen_depends_on_no_chance(build: Any) -> None:
    likelihood = build((2, 3, 3)).eval()
    first, again = likelihood.observe(stored()), likelihood.observe(stored())
    assert torch.equal(first.seen, again.seen)
    assert torch.equal(first.scored, again.scored)
    assert first.seen.abs().max() <= 0.5


@given(logit=st.floats(-30, 30))
def test_black_and_white_share_all_the_mass(logit: float) -> None:
    p = bernoulli.build((1,))(torch.full((2, 1), logit, dtype=torch.float64))
    mass = p.log_prob(torch.tensor([[0.0], [1.0]], dtype=torch.float64)).exp()
    assert float(mass.sum()) == pytest.approx(1, abs=1e-12)
    assert float(mass[1]) == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-9)


def test_zero_logits_cost_one_bit_a_pixel() -> None:
    likelihood = bernoulli.build((1, 28, 28))
    scored = likelihood.observe(stored((1, 28, 28)), Live(generator())).scored
    bits = -likelihood(torch.zeros(5, 1, 28, 28)).log_prob(scored) / (784 * math.log(2))
    assert bits.tolist() == pytest.approx([1.0] * 5, abs=1e-6)


def test_binarisation_is_fresh_in_training_with_grey_as_the_probability_of_white() -> None:
    likelihood, noise = bernoulli.build((100,)), Live(generator())
    levels = torch.linspace(0, 255, 100).to(torch.uint8)
    x = levels.expand(4000, 100).contiguous()
    first, second = likelihood.observe(x, noise), likelihood.observe(x, noise)
    assert first.scored.unique().tolist() == [0, 1]
    assert not torch.equal(first.scored, second.scored)
    assert torch.equal(first.seen, first.scored - 0.5)
    share = torch.cat([first.scored, second.scored]).mean(0)
    error = 5 * torch.sqrt(levels / 255 * (1 - levels / 255) / 8000)
    assert ((share - levels / 255).abs() <= error).all()  # 0 is never white, 255 always


def test_binarisation_may_be_left_out() -> None:
    likelihood = bernoulli.build((2, 3, 3), binarize="none")
    torch.testing.assert_close(likelihood.observe(stored()).scored, stored() / 255)


def test_binarising_without_noise_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="needs noise"):
        bernoulli.build((2, 3, 3)).observe(stored())


@pytest.mark.parametrize("variance", [0.01, 2.0])
def test_the_gaussian_integrates_to_1_with_its_variance(variance: float) -> None:
    grid = torch.linspace(-30, 30, 100_001, dtype=torch.float64)
    p = gaussian.build((1,), variance=variance)(torch.full((len(grid), 1), 0.7).double())
    density = p.log_prob(grid.unsqueeze(1)).exp().numpy()
    x = grid.numpy()
    assert trapezoid(density, x) == pytest.approx(1, abs=1e-9)
    assert trapezoid(density * x, x) == pytest.approx(0.7, abs=1e-6)
    assert trapezoid(density * (x - 0.7) ** 2, x) == pytest.approx(variance, rel=1e-6)


def test_the_gaussian_scores_what_is_stored_and_bytes_around_0() -> None:
    likelihood = gaussian.build((5,))
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32))
    assert likelihood.observe(x).scored is x
    assert likelihood.observe(x).seen is x
    levels = likelihood.observe(torch.tensor([[0, 255]], dtype=torch.uint8)).seen
    assert levels.tolist() == [[-0.5, 0.5]]


@pytest.mark.parametrize("variance", [0.0, -1.0])
def test_a_variance_that_is_none_is_refused(variance: float) -> None:
    with pytest.raises(UsageError, match="variance is"):
        gaussian.build((1,), variance=variance)
