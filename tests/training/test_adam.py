"""Adam over stacked seeds against torch's own, seed by seed."""

import pytest
import torch

from idkit.training.adam import Moments, descend, descend_alone

STEPS, PARAMETERS = 60, 11


def gradients(seeds: int) -> torch.Tensor:
    """Of every step, (steps, seeds, parameters): of all sizes, some always 0."""
    generator = torch.Generator().manual_seed(3)
    scales = 10.0 ** torch.arange(-6, PARAMETERS - 6)
    drawn = torch.randn(STEPS, seeds, PARAMETERS, generator=generator) * scales
    drawn[..., 4] = 0
    return drawn


@pytest.mark.parametrize("seeds", [1, 3])
def test_every_seed_moves_as_under_torchs_adam(seeds: int) -> None:
    rates = torch.tensor([1e-3, 0.1, 3.0])[:seeds]
    flat = torch.linspace(-1, 1, seeds * PARAMETERS).reshape(seeds, PARAMETERS)
    rows = [row.clone().requires_grad_() for row in flat]
    pairs = zip(rows, rates.tolist(), strict=True)
    optimisers = [torch.optim.Adam([row], lr=rate) for row, rate in pairs]
    moments = Moments.zeros(flat)
    for step, gradient in enumerate(gradients(seeds)):
        if step == 30:  # a plateau of one seed
            rates[0] *= 0.8
            optimisers[0].param_groups[0]["lr"] *= 0.8
        descend(flat, gradient, moments, rates)
        for row, optimiser, own in zip(rows, optimisers, gradient, strict=True):
            row.grad = own
            optimiser.step()
        expected = torch.stack([row.detach() for row in rows])
        torch.testing.assert_close(flat, expected, rtol=1e-5, atol=1e-6)
    assert float(moments.count) == STEPS


def test_a_seed_does_not_feel_its_companions() -> None:
    together, alone = torch.zeros(3, PARAMETERS), torch.zeros(2, PARAMETERS)
    moments, own = Moments.zeros(together), Moments.zeros(alone)
    for gradient in gradients(3):
        descend(together, gradient, moments, torch.full((3,), 0.01))
        gradient[2] = torch.nan
        descend(alone, gradient[:2], own, torch.full((2,), 0.01))
    assert torch.equal(together[:2], alone)


def test_a_seed_alone_moves_as_one_among_others() -> None:
    shapes = [(2, 3), (5,)]
    flat = torch.linspace(-1, 1, PARAMETERS).unsqueeze(0)
    moments = Moments.zeros(flat)

    def cut(row: torch.Tensor) -> list[torch.Tensor]:
        return [p.view(s) for p, s in zip(row.clone().split([6, 5]), shapes, strict=True)]

    parts, first, second = cut(flat[0]), cut(moments.first[0]), cut(moments.second[0])
    count = torch.zeros(())
    for step, gradient in enumerate(gradients(1)):
        lr = torch.tensor([0.1 if step < 30 else 0.05])
        descend(flat, gradient, moments, lr)
        descend_alone(parts, cut(gradient[0]), first, second, count, lr[0])
        for ours, theirs in ((parts, flat), (first, moments.first), (second, moments.second)):
            joined = torch.cat([part.flatten() for part in ours])
            torch.testing.assert_close(joined, theirs[0], rtol=1e-5, atol=1e-6)
    assert float(count) == STEPS
