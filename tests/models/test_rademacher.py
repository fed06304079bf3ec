"""The mixture whose component is the sign pattern of a random projection of x (App. E)."""

import itertools
from math import log
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from idkit.assembly import Design, builder
from idkit.errors import UsageError
from idkit.models.rademacher import Hash
from idkit.training.fit import Ensembles, Rows, Settings, Training
from idkit.training.streams import Live


def frame(model: str, **knobs: Any) -> Design:
    return Design(model, "mlp3", "gaussian", (6,), 0, 2, False, knobs)


def data(n: int = 300) -> Tensor:
    return torch.randn(n, 6, generator=torch.Generator().manual_seed(0)) + 2


def rademacher(x: Tensor, **knobs: Any) -> Any:
    torch.manual_seed(3)
    model = builder(frame("rademacher", **knobs))()
    model.survey(x, torch.zeros(len(x)), torch.Generator())
    return model


def training(seeds: list[int], steps: int = 12) -> Training:
    x = data()
    rows = Rows(x, torch.zeros(len(x), dtype=torch.int64))
    settings = Settings(steps=steps, batch_size=50, lr=1e-3, factor=0.1, patience=5)
    return Training.start(Ensembles(builder(frame("rademacher")), rows, settings), seeds)


def test_the_code_is_the_sign_pattern_with_the_first_row_as_the_lowest_bit() -> None:
    code = Hash(3, 2)
    code.projection.copy_(torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]]))
    code.mean.copy_(torch.tensor([1.0, 0.0]))
    x = torch.tensor([[3.0, 1.0], [-1.0, 1.0], [1.0, 0.0], [2.0, -5.0]])
    # h of x - mean = (2, 1): 3, 1, -3; (-2, 1): -1, -3, 1; (0, 0): 0, 0, 0; (1, -5): -4, 6, 4
    assert code(x).tolist() == [0b011, 0b100, 0b111, 0b110]


def test_the_code_ignores_brightness_and_contrast_and_nothing_else() -> None:
    x = data()
    model = rademacher(x)
    code = model.hash(x)
    model.survey(5 * x - 7, torch.zeros(len(x)), torch.Generator())
    assert torch.equal(model.hash(5 * x - 7), code)
    assert not torch.equal(model.hash(5 * x - 7.5), code)


def test_reflection_at_the_mean_flips_every_bit() -> None:
    x = data()
    model = rademacher(x, bits=4)
    assert torch.equal(model.hash(2 * model.hash.mean - x), 15 - model.hash(x))


def test_the_training_mean_of_bytes_is_exact() -> None:
    x = torch.randint(256, (1001, 1, 2, 3), dtype=torch.uint8)
    design = Design("rademacher", "mlp", "bernoulli", (1, 2, 3), 0, 2, True)
    model = builder(design)()
    model.survey(x, torch.zeros(len(x)), torch.Generator())
    np.testing.assert_allclose(model.hash.mean, x.numpy().reshape(1001, 6).mean(0), rtol=1e-6)


def test_equal_components_of_equal_weight_make_a_vae_less_the_cost_of_the_code() -> None:
    x = data()
    model = rademacher(x, bits=3)
    torch.manual_seed(3)  # the same encoder and decoder
    vae = builder(frame("vae"))()
    torch.nn.init.zeros_(model.prior.mu)
    torch.nn.init.zeros_(model.prior.log_var)
    u = torch.zeros(len(x), dtype=torch.int64)
    ours, theirs = (m.objective(x, u, Live(torch.Generator().manual_seed(1))) for m in (model, vae))
    torch.testing.assert_close(ours["objective"], theirs["objective"] - log(8))


def test_the_objective_is_that_of_the_component_chosen_by_hand() -> None:
    x = data(40)
    model = rademacher(x, bits=2)
    with torch.no_grad():
        model.logits.copy_(torch.tensor([0.1, -0.5, 1.0, 0.3]))
    z = model.embed(x, x)
    code = model.hash(x)
    kl = torch.zeros(len(x))
    for row, k in enumerate(code):
        mu, var = model.prior.mu[k], model.prior.log_var[k].exp()
        ratio = z.scale[row] ** 2 / var
        kl[row] = ((z.loc[row] - mu) ** 2 / var + ratio - 1 - ratio.log()).sum() / 2
        kl[row] -= model.logits.log_softmax(0)[k]
    terms = model.objective(x, code, Live(torch.Generator().manual_seed(1)))
    torch.testing.assert_close(terms["kl"], kl.mean())


def test_the_order_of_the_bits_is_a_name_and_no_more() -> None:
    x = data()
    model = rademacher(x, bits=3)
    u = torch.zeros(len(x), dtype=torch.int64)
    before = model.objective(x, u, Live(torch.Generator().manual_seed(1)))["objective"]
    order = [2, 0, 1]
    codes = list(itertools.product((0, 1), repeat=3))  # bits from the highest to the lowest
    moved = [sum(2**i * bits[::-1][old] for i, old in enumerate(order)) for bits in codes]
    with torch.no_grad():
        model.hash.projection.copy_(model.hash.projection[order])
        for table in (model.prior.mu, model.prior.log_var, model.logits):
            table[moved] = table.clone()
    after = model.objective(x, u, Live(torch.Generator().manual_seed(1)))["objective"]
    torch.testing.assert_close(after, before)


def test_each_seed_has_a_projection_of_signs_that_no_step_changes() -> None:
    run = training([1, 2])
    before = run.outcomes()
    while not run.done:
        run.advance()
    after = run.outcomes()
    name = "hash.projection"
    assert set(np.unique(before[0].state[name])) == {-1.0, 1.0}
    assert not np.array_equal(before[0].state[name], before[1].state[name])
    for old, new in zip(before, after, strict=True):
        assert np.array_equal(old.state[name], new.state[name])
        assert np.array_equal(old.state["hash.mean"], new.state["hash.mean"])
        assert not np.array_equal(old.state["prior.mu"], new.state["prior.mu"])
    (alone,) = training([2]).outcomes()
    assert np.array_equal(alone.state[name], before[1].state[name])


def test_what_the_survey_found_goes_through_a_checkpoint() -> None:
    undisturbed = training([1, 2])
    stopped = training([1, 2])
    stopped.advance()
    ensembles = Ensembles(builder(frame("rademacher")), stopped.rows, stopped.settings)
    resumed = Training.resume(ensembles, stopped.snapshot(), [1, 2])
    for run in (undisturbed, resumed):
        while not run.done:
            run.advance()
    for one, other in zip(undisturbed.outcomes(), resumed.outcomes(), strict=True):
        assert all(np.array_equal(one.state[name], other.state[name]) for name in one.state)


@pytest.mark.parametrize("bits", [0, 17])
def test_bits_that_make_no_mixture_are_refused(bits: int) -> None:
    with pytest.raises(UsageError, match=f"bits is {bits}"):
        builder(frame("rademacher", bits=bits))()
