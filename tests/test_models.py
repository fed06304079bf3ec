"""What every file of `models` keeps, and the theorems that tie the families together."""

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal

from idkit import shelf
from idkit.assembly import Design, builder, recipe
from idkit.densities.likelihoods import gaussian
from idkit.errors import IdkitError, UsageError
from idkit.models import Frame, Surveyor, ivae, sample, vade, vae
from idkit.nets import mlp3
from idkit.training.fit import Ensembles, Outcome, Rows, Settings, Training
from idkit.training.initialise import initialise
from idkit.training.streams import Live

MODELS = shelf.names("models")
VECTORS, IMAGES = (5,), (1, 8, 8)
N, LABELS, D_Z = 40, 4, 3
FRAME = Frame(VECTORS, LABELS, D_Z, False, mlp3.encoder, mlp3.decoder, gaussian.build)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(shape: tuple[int, ...], n: int = N) -> Rows:
    """Observations as stored, in clusters by their label: images as bytes, vectors in [0, 1]."""
    u = torch.arange(n) % LABELS
    centres = torch.rand(LABELS, *shape, generator=generator(1))
    x = (centres[u] + 0.1 * torch.randn(n, *shape, generator=generator(2))).clamp(0, 1)
    return Rows((255 * x).to(torch.uint8) if len(shape) > 1 else x, u)


def designs(model: str) -> Iterator[Design]:
    """Every combination of nets, likelihood and shape that a model may meet, fitting or not."""
    for shape in (VECTORS, IMAGES):
        own = recipe(model, shape)
        archs = (None,) if own.get("arch", "") is None else shelf.names("nets")
        likelihoods = (
            (None,) if own.get("likelihood", "") is None else shelf.names("densities/likelihoods")
        )
        for arch, likelihood in product(archs, likelihoods):
            d_z = own.get("d_z", D_Z)
            yield Design(model, arch, likelihood, shape, LABELS, d_z, len(shape) > 1)


def ready(design: Design, seed: int = 0) -> Any:
    """A model at the start of training."""
    model: Any = initialise(builder(design), generator(seed))
    data = rows(design.shape)
    if isinstance(model, Surveyor):
        model.survey(data.x, data.u, generator(seed))
    return model


@cache
def fitting(model: str) -> tuple[Design, ...]:
    """The combinations that fit; the others say so by one line."""
    found = []
    for design in designs(model):
        try:
            data = rows(design.shape)
            module = ready(design)
            if trains(model):
                module.objective(data.x, data.u, Live(generator()))
            module.eval().embed(data.x, data.u)
        except IdkitError:
            continue
        found.append(design)
    return tuple(found)


def trains(model: str) -> bool:
    """Whether there are steps to be done."""
    return bool(recipe(model, VECTORS).get("steps", 1))


TRAINED = [name for name in MODELS if trains(name)]


# The room's contract


@pytest.mark.parametrize("model", MODELS)
def test_something_fits_every_model(model: str) -> None:
    assert fitting(model)


@pytest.mark.parametrize("model", TRAINED)
def test_terms_are_finite_scalars_and_one_is_the_objective(model: str) -> None:
    for design in fitting(model):
        data = rows(design.shape)
        terms = ready(design).objective(data.x, data.u, Live(generator()))
        assert "objective" in terms
        for name, value in terms.items():
            assert value.shape == (), name
            assert value.isfinite(), name


@pytest.mark.parametrize("model", TRAINED)
def test_the_objective_moves_every_trained_parameter(model: str) -> None:
    for design in fitting(model):
        module, data = ready(design), rows(design.shape)
        module.objective(data.x, data.u, Live(generator()))["objective"].backward()
        for name, parameter in module.named_parameters():
            if parameter.requires_grad:
                assert parameter.grad is not None, name
                assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("model", TRAINED)
def test_chance_comes_from_the_noise_given(model: str) -> None:
    for design in fitting(model):
        module, data = ready(design), rows(design.shape)
        before = torch.get_rng_state()
        values = []
        for seed in (3, 3, 4):
            noise = Live(generator(seed))
            with torch.no_grad():
                values.append(module.objective(data.x, data.u, noise)["objective"])
        assert torch.equal(torch.get_rng_state(), before)
        assert values[0] == values[1]
        assert (values[0] == values[2]) == (not noise.draws)


@pytest.mark.parametrize("model", MODELS)
def test_a_model_is_its_state(model: str) -> None:
    for design in fitting(model):
        data = rows(design.shape)
        module, other = ready(design).eval(), ready(design, seed=1).eval()
        other.load_state_dict(module.state_dict())
        with torch.no_grad():
            ours, theirs = (m.embed(data.x, data.u) for m in (module, other))
        torch.testing.assert_close(*(z(q) for q in (ours, theirs)), rtol=0, atol=0)


def z(q: Normal | Tensor) -> Tensor:
    return q if isinstance(q, Tensor) else q.loc


@pytest.mark.parametrize("model", MODELS)
def test_embedding_depends_on_a_row_and_on_nothing_else(model: str) -> None:
    for design in fitting(model):
        module, data = ready(design).eval(), rows(design.shape)
        before = torch.get_rng_state()
        with torch.no_grad():
            whole = z(module.embed(data.x, data.u))
            again = z(module.embed(data.x, data.u))
            back = z(module.embed(data.x.flip(0), data.u.flip(0))).flip(0)
            alone = [z(module.embed(data.x[i : i + 1], data.u[i : i + 1])) for i in range(4)]
        assert torch.equal(torch.get_rng_state(), before)
        assert whole.shape[:2] == (N, design.d_z)
        assert whole.isfinite().all()
        torch.testing.assert_close(again, whole, rtol=0, atol=0)
        torch.testing.assert_close(back, whole, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(torch.cat(alone), whole[:4], rtol=1e-4, atol=1e-5)


def train(design: Design, seeds: list[int], steps: int, lr: float = 3e-3) -> list[Outcome]:
    settings = Settings(steps=steps, batch_size=20, lr=lr, factor=0.8, patience=50)
    training = Training.start(Ensembles(builder(design), rows(design.shape), settings), seeds)
    while not training.done:
        training.advance()
    return training.outcomes()


@pytest.mark.parametrize("model", TRAINED)
def test_a_model_can_be_trained_beside_its_like(model: str) -> None:
    """Everything in it has a batching rule, and seeds stay apart."""
    likeliest = {(d.likelihood, d.shape): d for d in fitting(model)}  # one arch for each
    for design in likeliest.values():
        (alone,), beside = train(design, [2], 2), train(design, [1, 2], 2)[1]
        for name, value in alone.history.items():
            assert beside.history[name] == pytest.approx(value, rel=1e-3), name


@pytest.mark.parametrize("model", TRAINED)
def test_the_objective_rises_in_training(model: str) -> None:
    design = next(d for d in fitting(model) if d.arch in (None, "mlp3"))
    for outcome in train(design, [1, 2], 120):
        objective = outcome.history["objective"]
        assert outcome.failed_at is None
        assert objective[-3:].mean() > objective[:3].mean()


# How the families are tied


def pair(left: nn.Module, right: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Two models, the second with all parameters of the first that it has, too."""
    right.load_state_dict(left.state_dict(), strict=False)
    return left, right


def terms(model: Any, seed: int = 5) -> dict[str, Tensor]:
    data = rows(VECTORS)
    found: dict[str, Tensor] = model.objective(data.x, data.u, Live(generator(seed)))
    return found


def test_vade_with_one_standard_component_is_the_vae() -> None:
    clustered = vade.build(FRAME, components=1)
    with torch.no_grad():
        clustered.mixture.mu.zero_()
        clustered.mixture.log_var.zero_()
    _, plain = pair(clustered, vae.build(FRAME, kl="mc"))
    found = terms(clustered)
    assert found.pop("entropy") == 0
    torch.testing.assert_close(found, terms(plain))
    with torch.no_grad():
        clustered.mixture.mu.fill_(0.5)
    assert abs(terms(clustered)["kl"] - terms(plain)["kl"]) > 0.01


@pytest.mark.parametrize("kl", ["closed", "mc"])
def test_ivae_whose_labels_say_nothing_is_the_vae(kl: Literal["closed", "mc"]) -> None:
    told = ivae.build(FRAME, kl=kl)
    table = next(told.prior.parameters())
    with torch.no_grad():
        for parameter in told.prior.parameters():
            parameter.zero_()
    _, plain = pair(told, vae.build(FRAME, kl=kl))
    torch.testing.assert_close(terms(told), terms(plain))
    with torch.no_grad():
        table[0] += 1
    assert abs(terms(told)["kl"] - terms(plain)["kl"]) > 0.01


def test_the_five_terms_of_vade_are_equation_6() -> None:
    """Jiang et al. (2017), one sample of z, against the paper's form by Falck et al. (2021)."""
    model = vade.build(FRAME, components=6)
    data, noise = rows(VECTORS), Live(generator(5))
    q = model.posterior(data.x)
    drawn = sample(q, noise)
    mixture = model.mixture()
    log_pu = torch.log_softmax(model.mixture.logits, 0)
    log_pz = Normal(mixture.mu, torch.exp(mixture.log_var / 2)).log_prob(drawn.unsqueeze(1)).sum(-1)
    gamma = torch.softmax(log_pu + log_pz, -1)
    five = (
        model.likelihood(model.decoder(drawn)).log_prob(data.x)
        + (gamma * log_pz).sum(-1)
        + (gamma * log_pu).sum(-1)
        - q.log_prob(drawn).sum(-1)
        - (gamma * gamma.log()).sum(-1)
    )
    torch.testing.assert_close(terms(model)["objective"], five.mean())


def test_the_names_of_vades_components_do_not_matter() -> None:
    model = vade.build(FRAME, components=5)
    with torch.no_grad():
        model.mixture.logits.copy_(torch.randn(5, generator=generator()))
    before = terms(model)
    order = torch.tensor([3, 1, 4, 0, 2])
    x = rows(VECTORS).x
    responsibilities = model.responsibilities(x)
    with torch.no_grad():
        for table in model.mixture.parameters():
            table.copy_(table[order])
    torch.testing.assert_close(terms(model), before)
    torch.testing.assert_close(model.responsibilities(x), responsibilities[:, order])
    torch.testing.assert_close(responsibilities.sum(1), torch.ones(N))


@pytest.mark.parametrize("build", [vae.build, ivae.build])
def test_the_closed_form_is_the_mean_of_the_sampled_one(build: Any) -> None:
    closed = build(FRAME, kl="closed")
    _, sampled = pair(closed, build(FRAME, kl="mc"))
    draws = torch.stack([terms(sampled, seed)["kl"].detach() for seed in range(400)])
    error = 5 * draws.std() / len(draws) ** 0.5
    assert abs(draws.mean() - terms(closed)["kl"]) < error


def test_an_objective_is_its_parts() -> None:
    for build in (vae.build, ivae.build, vade.build):
        found = terms(build(FRAME))
        torch.testing.assert_close(found["objective"], found["log_likelihood"] - found["kl"])


def test_only_an_encoder_that_sees_u_embeds_by_u() -> None:
    data = rows(VECTORS)
    for model, differs in (
        (ivae.build(FRAME), False),
        (ivae.build(FRAME, encoder="xu"), True),
    ):
        before, after = (z(model.embed(data.x, u)) for u in (data.u, data.u.flip(0)))
        assert torch.equal(before, after) != differs


def test_means_held_at_0_stay_there() -> None:
    design = Design("ivae", "mlp3", "gaussian", VECTORS, LABELS, D_Z, False, {"prior_mean": "zero"})
    (outcome,) = train(design, [1], 10)
    assert not outcome.state["prior.mu"].any()
    assert outcome.state["prior.log_var"].any()


def test_ivae_names_what_it_lacks() -> None:
    with pytest.raises(IdkitError, match="no array 'u'"):
        ivae.build(Frame(VECTORS, 0, D_Z, False, mlp3.encoder, mlp3.decoder, gaussian.build))
    images = Frame(IMAGES, 2, D_Z, True, mlp3.encoder, mlp3.decoder, gaussian.build)
    with pytest.raises(UsageError, match="found images"):
        ivae.build(images, encoder="xu")
    with pytest.raises(UsageError, match="prior=table"):
        ivae.build(FRAME, prior="mlp", prior_mean="zero")


@pytest.mark.parametrize("components", [0, -2])
def test_a_mixture_of_nothing_is_refused(components: int) -> None:
    with pytest.raises(UsageError, match=f"components is {components}"):
        vade.build(FRAME, components=components)
