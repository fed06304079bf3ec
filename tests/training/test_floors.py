"""What a trained model should be above: against closed forms, and a start made by hand."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from scipy.special import expit
from scipy.stats import norm
from torch import Tensor, nn

from idkit.densities.likelihoods import Likelihood, bernoulli, gaussian, logistic
from idkit.models import Frame, Terms, identity, vae
from idkit.nets import Noise, mlp3
from idkit.training import floors
from idkit.training.fit import Ensembles, Rows, Settings

SETTINGS = Settings(steps=1, batch_size=4, lr=1e-3, factor=0.5, patience=0)
LINEAR = Frame((3,), 0, 2, False, mlp3.encoder, mlp3.decoder, gaussian.build)


def bytes_(n: int = 40) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(256, (n, 1, 2, 3), generator=generator).to(torch.uint8)


def rows(x: Tensor) -> Rows:
    return Rows(x, torch.zeros(len(x), dtype=torch.int64))


@pytest.mark.parametrize("variance", [0.01, 4.0])
def test_a_constant_gaussian_predicts_the_mean(variance: float) -> None:
    x = torch.randn(50, 3, generator=torch.Generator().manual_seed(0)) * 2 + 5
    found = gaussian.build((3,), variance=variance).constant(x)
    expected = norm(x.numpy().mean(0), math.sqrt(variance)).logpdf(x.numpy()).sum(1).mean()
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_a_constant_bernoulli_has_the_entropy_of_its_pixels() -> None:
    x = bytes_()
    p = x.double().mean(0).numpy() / 255
    expected = (p * np.log(p) + (1 - p) * np.log(1 - p)).sum()
    for mode in (True, False):  # it draws nothing, in training neither
        likelihood = bernoulli.build((1, 2, 3)).train(mode)
        assert float(likelihood.constant(x)) == pytest.approx(expected, rel=1e-6)
        assert float(likelihood.constant(x / 255)) == pytest.approx(expected, rel=1e-6)
    black = torch.zeros(4, 1, 2, 3, dtype=torch.uint8)
    assert float(bernoulli.build((1, 2, 3)).constant(black)) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("edges", ["tails", "none"])
def test_a_constant_logistic_is_as_good_as_the_best_of_its_widths(edges: logistic.Edges) -> None:
    x = bytes_()
    levels = x.double().numpy()
    loc = (levels + 0.5).mean(0) / 256 - 0.5

    def score(scale: float) -> float:
        upper, lower = ((levels + e) / 256 - 0.5 - loc for e in (1, 0))
        above, below = expit(upper / scale), expit(lower / scale)
        if edges == "tails":
            above[levels == 255], below[levels == 0] = 1, 0
        return float(np.log(above - below).sum((1, 2, 3)).mean())

    best = max(score(scale) for scale in np.logspace(-1.25, 0, 6))
    found = float(logistic.build((1, 2, 3), edges=edges).constant(x))
    assert found == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("build", [gaussian.build, bernoulli.build, logistic.build])
def test_no_training_is_needed_for_a_constant_prediction(build: type[Likelihood]) -> None:
    """The best of all outputs that are the same for every row is not far above it."""
    x = bytes_()
    likelihood = build((1, 2, 3)).eval()  # type: ignore[call-arg,attr-defined]  # it is a function
    h = torch.zeros(1, 1, 2, 3, requires_grad=True)
    parameters = [h, *likelihood.parameters()]
    adam = torch.optim.Adam(parameters, lr=0.05)
    for _ in range(600):
        adam.zero_grad()
        loss = -likelihood(h).log_prob(likelihood.observe(x).scored).mean()
        loss.backward()
        adam.step()
    best = -float(loss.detach())
    found = float(likelihood.constant(x))
    assert best - 0.01 * abs(best) < found < best + 1e-3 * abs(best)


class Fixed(nn.Module):
    """A model whose objective tells which rows it met, and draws noise."""

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:  # noqa: ARG002 - the room's signature
        scatter = noise.normal((len(x),)).mean()
        return {"objective": x.mean() + scatter - 7, "penalty": torch.tensor(7.0)}


@pytest.mark.parametrize("n", [1, 3, 100, 1000])
def test_the_start_is_the_mean_over_all_of_the_data_less_its_error(n: int) -> None:
    x = torch.arange(n).float()[:, None]
    found = floors.start(Ensembles(Fixed, rows(x), SETTINGS), 1)
    spread = math.sqrt(float(x.var(correction=0)) + 1) / math.sqrt(256)
    middle = (n - 1) / 2
    assert middle - 8 * spread - 2 < found < middle + 2 * spread


def test_the_start_is_that_of_the_seed() -> None:
    x = torch.randn(300, 3, generator=torch.Generator().manual_seed(0))
    ensembles = Ensembles(partial(vae.build, LINEAR), rows(x), SETTINGS)
    found = [floors.start(ensembles, seed) for seed in (1, 2, 1)]
    assert found[0] == found[2] != found[1]
    assert max(found) < floors.constant(ensembles)  # it does not know the data yet


def test_what_has_no_decoder_has_no_constant_prediction() -> None:
    frame = Frame((3,), 0, 3, False, mlp3.encoder, mlp3.decoder, gaussian.build)
    ensembles = Ensembles(partial(identity.build, frame), rows(torch.zeros(5, 3)), SETTINGS)
    assert floors.constant(ensembles) == -math.inf


def test_what_steers_a_training_does_not_count() -> None:
    history = {"objective": np.array([-9.0, -5.0]), "penalty": np.array([3.0, 2.0])}
    assert floors.reached(history) == -3
    del history["penalty"]
    assert floors.reached(history) == -5
