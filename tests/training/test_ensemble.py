"""The stacked computation against each model on its own, by torch's own means."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from idkit.densities.likelihoods import gaussian
from idkit.models import Frame, Terms, vade
from idkit.nets import Dropout, Noise, Stack, mlp3
from idkit.training.ensemble import Batches, Ensemble, Weights
from idkit.training.streams import Draw, Live, Replay

D_X, N = 5, 12
FRAME = Frame((D_X,), 0, 3, False, mlp3.encoder, mlp3.decoder, gaussian.build)


class Normed(nn.Module):
    """A net with batch statistics, dropout, and a parameter that is not trained."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = Stack(
            *(nn.Linear(D_X, 6, bias=False), nn.BatchNorm1d(6), nn.ReLU()),
            *(Dropout(0.5), nn.Linear(6, 2)),
        )
        self.held = nn.Parameter(torch.tensor(3.0), requires_grad=False)

    def objective(self, x: Tensor, u: Tensor, noise: Noise) -> Terms:
        h = self.trunk(x, noise)
        return {"objective": -(h - self.held).square().mean(), "spread": h.std() + u.sum()}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def models(kind: str, seeds: int) -> list[Any]:
    with torch.random.fork_rng():
        torch.manual_seed(4)
        if kind == "normed":
            return [Normed() for _ in range(seeds)]
        return [vade.build(FRAME, components=4) for _ in range(seeds)]


def batches(draws: list[Draw], seeds: int, steps: int) -> Batches:
    g = generator(1)
    x = torch.randn(seeds, steps, N, D_X, generator=g)
    u = torch.randint(3, (seeds, steps, N), generator=g)
    return Batches(x, u, [torch.stack([d.many(steps, g) for _ in range(seeds)]) for d in draws])


def plainly(model: Any, made: Batches, seed: int, lr: float) -> tuple[Any, list[Terms]]:
    """A model trained by an ordinary loop, and its terms at each step."""
    model = copy.deepcopy(model).train()
    optimiser = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=lr)
    found = []
    for step in range(made.u.shape[1]):
        noise = Replay([drawn[seed, step] for drawn in made.drawn])
        terms = model.objective(made.x[seed, step], made.u[seed, step], noise)
        optimiser.zero_grad()
        (-terms["objective"]).backward()
        optimiser.step()
        found.append({name: value.detach() for name, value in terms.items()})
    return model, found


def prepared(kind: str, seeds: int, steps: int = 6) -> tuple[list[Any], Ensemble, Batches]:
    members = models(kind, seeds)
    ensemble = Ensemble(members[0], torch.randn(N, D_X), torch.zeros(N, dtype=torch.int64))
    return members, ensemble, batches(ensemble.draws, seeds, steps)


@pytest.mark.parametrize("kind", ["vade", "normed"])
@pytest.mark.parametrize("seeds", [1, 3])
def test_every_seed_is_trained_as_by_an_ordinary_loop(kind: str, seeds: int) -> None:
    members, ensemble, made = prepared(kind, seeds)
    weights, rates = ensemble.stack(members), torch.tensor([1e-3, 1e-2, 1e-1])[:seeds]
    terms = ensemble.run(weights, made, rates)
    for seed, (member, state) in enumerate(zip(members, ensemble.states(weights), strict=True)):
        expected, found = plainly(member, made, seed, float(rates[seed]))
        for name, values in terms.items():
            plain = torch.stack([step[name] for step in found])
            torch.testing.assert_close(values[seed], plain, rtol=1e-4, atol=1e-5)
        for name, value in expected.state_dict().items():
            torch.testing.assert_close(state[name], value, rtol=1e-3, atol=1e-5)


def test_stacking_loses_nothing() -> None:
    members, ensemble, _ = prepared("normed", 3)
    weights = ensemble.stack(members)
    for member, state in zip(members, ensemble.states(weights), strict=True):
        assert list(state) == list(member.state_dict())
        for name, value in member.state_dict().items():
            assert torch.equal(state[name], value), name
            assert state[name].dtype == value.dtype, name


def test_stacked_weights_are_copies() -> None:
    members, ensemble, made = prepared("normed", 2)
    before = copy.deepcopy(members[0].state_dict())
    ensemble.run(ensemble.stack(members), made, torch.full((2,), 0.1))
    for name, value in members[0].state_dict().items():
        assert torch.equal(value, before[name]), name


def run_of(weights: Weights, ensemble: Ensemble, made: Batches) -> dict[str, Tensor]:
    return ensemble.run(weights, made, torch.full((len(weights.flat),), 0.01))


@pytest.mark.parametrize("kind", ["vade", "normed"])
def test_some_steps_and_then_others_are_all_of_them(kind: str) -> None:
    members, ensemble, made = prepared(kind, 2)
    whole, parted = ensemble.stack(members), ensemble.stack(members)
    terms = run_of(whole, ensemble, made)
    parts = [run_of(parted, ensemble, made.part(*span)) for span in ((0, 1), (1, 4), (4, 6))]
    for name, values in terms.items():
        assert torch.equal(torch.cat([part[name] for part in parts], 1), values)
    assert torch.equal(parted.flat, whole.flat)


def test_a_seed_is_the_same_whoever_is_beside_it() -> None:
    # up to the order of float additions, which a library may choose by the size of the stack;
    # batch statistics are one kernel for all seeds
    for kind, rtol in (("vade", 1e-5), ("normed", 1e-4)):
        members, ensemble, made = prepared(kind, 4)
        whole, some = ensemble.stack(members), ensemble.stack([members[2], members[0]])
        pick = [2, 0]
        run_of(whole, ensemble, made)
        chosen = Batches(made.x[pick], made.u[pick], [drawn[pick] for drawn in made.drawn])
        run_of(some, ensemble, chosen)
        torch.testing.assert_close(some.flat, whole.flat[pick], rtol=rtol, atol=rtol / 100)


def test_batch_statistics_are_each_seeds_own_and_serve_in_eval_mode() -> None:
    members, ensemble, made = prepared("normed", 2)
    weights = ensemble.stack(members)
    run_of(weights, ensemble, made)
    mean = weights.fixed["model.trunk.layers.1.running_mean"]
    assert not torch.allclose(mean[0], mean[1])
    assert weights.fixed["model.trunk.layers.1.num_batches_tracked"].tolist() == [6, 6]
    for seed, state in enumerate(ensemble.states(weights)):
        model = Normed()
        model.load_state_dict(state)
        model.eval()
        x = made.x[seed, 0]
        layers = list(model.trunk.layers)
        h = layers[0](x)
        shifted = (h - mean[seed]) / torch.sqrt(state["trunk.layers.1.running_var"] + 1e-5)
        torch.testing.assert_close(
            layers[1](h), shifted * state["trunk.layers.1.weight"] + state["trunk.layers.1.bias"]
        )
        torch.testing.assert_close(model.trunk(x[:3]), model.trunk(x)[:3])


def test_what_is_not_trained_stays() -> None:
    members, ensemble, made = prepared("normed", 2)
    weights = ensemble.stack(members)
    assert ensemble.parameters == sum(p.numel() for p in members[0].parameters()) - 1
    run_of(weights, ensemble, made)
    assert [float(state["held"]) for state in ensemble.states(weights)] == [3, 3]


def test_the_noise_of_a_step_is_found_by_asking_the_model() -> None:
    _, ensemble, _ = prepared("normed", 2)
    assert ensemble.draws == [Draw("uniform", (N, 6))]
    noise = Live(generator())
    vade.build(FRAME).objective(torch.randn(N, D_X), torch.zeros(N), noise)
    assert noise.draws == [Draw("normal", (N, 3))]


def test_a_model_is_asked_without_being_changed() -> None:
    model = Normed().eval()
    before = copy.deepcopy(model.state_dict())
    Ensemble(model, torch.randn(N, D_X), torch.zeros(N, dtype=torch.int64))
    assert not model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
