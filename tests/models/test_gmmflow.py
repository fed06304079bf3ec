"""Flows: the change of variables, the way back, and training by the engine of all models."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture
from torch import Tensor

from idkit import files
from idkit.assembly import Design, builder
from idkit.cli import run
from idkit.densities.flow import Flow, Step
from idkit.errors import UsageError
from idkit.training.embed import posterior
from idkit.training.fit import Ensembles, Outcome, Rows, Settings, Training

STEPS: tuple[Step, ...] = ("affine", "spline")


def normal(n: int, d: int = 3, seed: int = 0) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def flow(transform: Step, d: int = 3, layers: int = 3) -> Any:
    """A flow in double precision whose maps are far from the identity."""
    torch.manual_seed(0)
    made = Flow(d, layers=layers, hidden=16, transform=transform)
    with torch.no_grad():
        for parameter in made.layers.parameters():
            parameter.mul_(2)
    made.standardise(3 * normal(500, d, seed=1) + 1)
    return made.double()


def log_density(p: Any, x: Tensor) -> Tensor:
    """That of x where z is standard normal."""
    z, volume = p(x)
    density: Tensor = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1) + volume
    return density


@pytest.mark.parametrize("transform", STEPS)
def test_the_volume_is_that_of_the_jacobian(transform: Step) -> None:
    p = flow(transform)
    x = 3 * normal(20).double() + 1
    jacobian: Any = torch.vmap(torch.func.jacrev(lambda row: p(row.unsqueeze(0))[0][0]))(x)
    torch.testing.assert_close(p(x)[1], torch.linalg.slogdet(jacobian).logabsdet)
    assert (jacobian - torch.diag_embed(jacobian.diagonal(dim1=1, dim2=2))).abs().max() > 0.01


@pytest.mark.parametrize("transform", STEPS)
def test_the_way_back_leads_back(transform: Step) -> None:
    p = flow(transform)
    x = 3 * normal(20).double() + 1
    z, _ = p(x)
    for way in reversed(p._transforms()):
        z = way.inv(z)
    torch.testing.assert_close(z, x)


@pytest.mark.parametrize("transform", STEPS)
def test_the_density_has_mass_1(transform: Step) -> None:
    p = flow(transform, d=2)
    axis = torch.linspace(-40, 42, 1200, dtype=torch.float64)
    with torch.no_grad():
        density = log_density(p, torch.cartesian_prod(axis, axis)).exp()
    assert float(density.sum() * (axis[1] - axis[0]) ** 2) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("transform", STEPS)
def test_in_each_layer_a_dimension_depends_on_those_before_it_alone(transform: Step) -> None:
    p = flow(transform, layers=2)
    x = normal(1).double()[0]
    first, second = (torch.func.jacrev(way)(x) for way in p._transforms()[1:])
    assert first.triu(1).abs().max() == 0
    assert second.tril(-1).abs().max() == 0
    assert min(first.tril(-1).abs().max(), second.triu(1).abs().max()) > 0


def test_standardising_is_part_of_the_density() -> None:
    p = flow("affine")
    x = normal(50).double()
    before = log_density(p, x)
    p.mean.mul_(10.0).add_(3.0)  # as if the same data had come in other units
    p.scale.mul_(10.0)
    torch.testing.assert_close(log_density(p, 10 * x + 3), before - 3 * np.log(10))


def test_a_constant_column_keeps_its_scale() -> None:
    p = flow("affine")
    p.standardise(torch.tensor([[1.0, 0.0, 7.0], [3.0, 4.0, 7.0]]))
    assert p.mean.tolist() == [2, 2, 7]
    assert p.scale.tolist() == [1, 2, 1]


def design(d: int, **knobs: Any) -> Design:
    return Design("gmmflow", None, None, (d,), 0, d, False, knobs)


def trained(made: Design, x: Tensor, seeds: list[int], steps: int) -> list[Outcome]:
    rows = Rows(x, torch.zeros(len(x), dtype=torch.int64))
    settings = Settings(steps=steps, batch_size=256, lr=1e-2, factor=0.5, patience=20)
    training = Training.start(Ensembles(builder(made), rows, settings), seeds)
    while not training.done:
        training.advance()
    return training.outcomes()


def model(made: Design, outcome: Outcome) -> Any:
    module = builder(made)()
    module.load_state_dict({name: torch.tensor(value) for name, value in outcome.state.items()})
    return module.eval()


def test_training_raises_the_likelihood_above_that_of_the_mixture_in_the_data_space() -> None:
    """Data on a bent band, which a few Gaussians alone describe badly."""
    z = normal(2000, 2)
    x = torch.stack([3 * z[:, 0], 0.3 * z[:, 1] + z[:, 0] ** 2], dim=1)
    (outcome,) = trained(design(2, components=2, layers=4, hidden=16), x, [1], 400)
    mixture = GaussianMixture(2, covariance_type="diag", random_state=0).fit(x.numpy())
    assert outcome.history["objective"][-1] > mixture.score(x.numpy()) + 0.3


def test_a_seed_is_the_same_alone_and_among_others() -> None:
    x = normal(512, 3) ** 3
    made = design(3, layers=2, components=3)
    together, (alone,) = trained(made, x, [4, 5], 4), trained(made, x, [5], 4)
    np.testing.assert_allclose(
        alone.history["objective"], together[1].history["objective"], rtol=1e-5
    )
    assert together[0].history["objective"][0] != together[1].history["objective"][0]


def test_the_objective_recorded_is_the_exact_log_likelihood() -> None:
    x = normal(256, 3) ** 3
    made = design(3, layers=2, components=3)
    (outcome,) = trained(made, x, [1], 1)
    torch.manual_seed(0)
    fresh = trained(made, x, [1], 0)[0]
    module = model(made, fresh)
    with torch.no_grad():
        z, volume = module.flow(x)
        expected = float((module.mixture().log_prob(z) + volume).mean())
    assert outcome.history["objective"][0] == pytest.approx(expected, rel=1e-5)


def test_what_is_embedded_is_z_of_x_as_points() -> None:
    x = normal(300, 3)
    made = design(3, layers=2, components=3)
    module = model(made, trained(made, x, [1], 2)[0])
    z, deviation = posterior(module, x.numpy())
    assert deviation is None
    with torch.no_grad():
        np.testing.assert_allclose(z, module.flow(x)[0], atol=1e-6)


def test_the_use_of_the_base_and_the_condition_of_the_theorem_are_recorded() -> None:
    (outcome,) = trained(design(2, layers=2, components=7), normal(512, 2), [1], 4)
    assert 1 <= outcome.history["perplexity"][-1] <= 7
    assert outcome.history["rank_L"].tolist() == [4, 4]


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (Design("gmmflow", None, None, (1, 8, 8), 0, 64, True), "vectors of 2 or more"),
        (Design("gmmflow", None, None, (1,), 0, 1, False), "vectors of 2 or more"),
        (Design("gmmflow", None, None, (4,), 0, 3, False), "d_z = d_x = 4"),
        (design(4, components=0), "components is 0"),
        (design(4, layers=0), "layers is 0"),
    ],
)
def test_what_makes_no_flow_is_refused(made: Design, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        builder(made)()


def test_the_command_trains_one_with_the_papers_numbers(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(["synth", "tcl", "--per-segment", "20", "-o", "tcl.npz"])
    assert run(["train", "--data", "tcl.npz", "--model", "gmmflow", "--steps", "3"]) == 0
    (made,) = tmp_path.glob("runs/tcl-persegment20-gmmflow-dz5-steps3-s1/model.safetensors")
    found = files.read(str(made))
    assert found.meta["knobs"]["components"] == 50
    assert found.meta["training"]["batch_size"] == 256
    assert len([name for name in found.arrays if name.endswith("hyper.0.weight")]) == 10
    assert run(["embed", str(made)]) == 0
