"""What every file of `nets` keeps, and the layers that they share."""

from collections.abc import Iterator, Sequence

import pytest
import torch
from torch import Tensor, nn

from idkit import shelf
from idkit.errors import UsageError
from idkit.nets import Dropout, GridEncoder, Stack, mlp3, scale_from_variance
from idkit.training.streams import Live, Replay

SMALL = [(5,), (1, 8, 8), (3, 8, 8)]
LARGE = [(1, 28, 28), (3, 32, 32)]  # for nets that take none of the small ones
D_Z, N = 3, 6
Nets = tuple[tuple[int, ...], nn.Module, nn.Module]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def observations(shape: tuple[int, ...]) -> Tensor:
    return torch.rand(N, *shape, generator=generator()) - 0.5


def fitting(arch: str) -> list[Nets]:
    """An encoder and a decoder for each shape that an architecture takes, always the same ones."""
    return list(_fitting(arch, SMALL)) or list(_fitting(arch, LARGE))


def _fitting(arch: str, shapes: Sequence[tuple[int, ...]]) -> Iterator[Nets]:
    for shape in shapes:
        with torch.random.fork_rng():
            torch.manual_seed(1)
            try:
                encoder = shelf.take("nets", arch, "encoder")(shape, D_Z)
                decoder = shelf.take("nets", arch, "decoder")(D_Z, shape)
            except UsageError:  # the one way to say that it does not fit
                continue
        yield shape, encoder, decoder


@pytest.fixture(params=shelf.names("nets"))
def arch(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_some_shape_fits_every_architecture(arch: str) -> None:
    assert fitting(arch)


def test_shapes_come_back_and_scales_are_positive(arch: str) -> None:
    for shape, encoder, decoder in fitting(arch):
        mu, sigma = encoder(observations(shape), Live(generator()))
        assert mu.shape == sigma.shape
        assert mu.shape[:2] == (N, D_Z)
        assert mu.ndim == (4 if isinstance(encoder, GridEncoder) else 2)
        assert (sigma > 0).all()
        assert decoder(mu, Live(generator())).shape == (N, *shape)


def test_every_parameter_gets_a_finite_gradient(arch: str) -> None:
    for shape, encoder, decoder in fitting(arch):
        noise = Live(generator())
        mu, sigma = encoder(observations(shape), noise)
        decoder(mu + sigma, noise).square().sum().backward()
        for module in (encoder, decoder):
            for name, parameter in module.named_parameters():
                assert parameter.grad is not None, name
                assert parameter.grad.isfinite().all(), name
                assert parameter.grad.any(), name


def test_in_eval_mode_no_noise_is_asked_for_and_rows_do_not_see_one_another(arch: str) -> None:
    for shape, encoder, decoder in fitting(arch):
        encoder.eval()
        decoder.eval()
        x = observations(shape)
        with torch.no_grad():
            mu, sigma = encoder(x)
            out = decoder(mu)
            torch.testing.assert_close(encoder(x), (mu, sigma), rtol=0, atol=0)
            alone = [encoder(row.unsqueeze(0)) for row in x]
            torch.testing.assert_close(torch.cat([m for m, _ in alone]), mu)
            torch.testing.assert_close(torch.cat([s for _, s in alone]), sigma)
            torch.testing.assert_close(torch.cat([decoder(row.unsqueeze(0)) for row in mu]), out)


def test_in_training_the_noise_given_is_the_only_chance_there_is(arch: str) -> None:
    for shape, encoder, decoder in fitting(arch):
        x = observations(shape)
        torch.manual_seed(11)
        before = torch.get_rng_state()
        found = []
        for seed in (4, 4, 5):
            noise = Live(generator(seed))
            with torch.no_grad():
                mu, sigma = encoder(x, noise)
                found.append([mu, sigma, decoder(mu, noise)])
        first, again, other = (torch.cat([part.flatten() for part in parts]) for parts in found)
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.equal(first, again)
        assert torch.equal(first, other) == (not noise.draws)


def test_nets_are_their_state(arch: str) -> None:
    for (shape, *ours), (_, *theirs) in zip(fitting(arch), fitting(arch), strict=True):
        x = observations(shape)
        latents = torch.randn_like(ours[0](x, Live(generator()))[0])
        for mine, other, given in zip(ours, theirs, (x, latents), strict=True):
            with torch.no_grad():
                for parameter in other.parameters():
                    parameter.add_(1)
            other.load_state_dict(mine.state_dict())
            torch.testing.assert_close(mine.eval()(given), other.eval()(given), rtol=0, atol=0)


def test_a_scale_is_the_root_of_the_softplus_and_never_0() -> None:
    raw = torch.tensor([-1e4, -50.0, 0.0, 3.0, 1e4])
    scale = scale_from_variance(raw)
    assert (scale > 0).all()
    torch.testing.assert_close(scale[2:] ** 2, nn.functional.softplus(raw[2:]))


def test_dropout_keeps_the_mean_and_drops_the_share_it_says() -> None:
    layer, h = Dropout(0.25), torch.ones(200, 500)
    dropped = layer(h, Live(generator()))
    assert dropped.unique().tolist() == [0, pytest.approx(4 / 3)]
    assert (dropped == 0).float().mean() == pytest.approx(0.25, abs=0.005)
    assert dropped.mean() == pytest.approx(1, abs=0.01)
    assert layer.eval()(h) is h


def test_dropout_without_noise_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="needs noise"):
        Dropout(0.1)(torch.ones(2))


def test_a_stack_hands_each_dropout_noise_of_its_own() -> None:
    stack = Stack(Dropout(0.5), nn.Identity(), Dropout(0.5))
    masks = [torch.tensor([0.0, 0.9, 0.9]), torch.tensor([0.9, 0.0, 0.9])]
    assert stack(torch.ones(3), Replay(masks)).tolist() == [0, 0, 4]


@pytest.mark.parametrize(("hidden", "width"), [(None, 10), (7, 7), (1, 1)])
def test_mlp3_is_three_layers_of_twice_the_observed_dimensions(
    hidden: int | None, width: int
) -> None:
    def by_hand(i: int, o: int) -> int:
        return i * width + width + width * width + width + width * o + o

    def size(net: nn.Module) -> int:
        return sum(p.numel() for p in net.parameters())

    assert size(mlp3.encoder((5,), 4, hidden=hidden)) == 2 * by_hand(5, 4)
    assert size(mlp3.decoder(4, (5,), hidden=hidden)) == by_hand(4, 5)


@pytest.mark.parametrize("hidden", [0, -3])
def test_mlp3_of_no_width_is_refused(hidden: int) -> None:
    with pytest.raises(UsageError, match=f"hidden is {hidden}"):
        mlp3.encoder((5,), 2, hidden=hidden)
    with pytest.raises(UsageError, match=f"hidden is {hidden}"):
        mlp3.decoder(2, (5,), hidden=hidden)


def test_mlp3_has_separate_nets_for_mean_and_variance() -> None:
    encoder = mlp3.encoder((5,), 2)
    mu, _ = encoder(observations((5,)))
    mu.sum().backward()
    reached = {name for name, p in encoder.named_parameters() if p.grad is not None}
    assert reached == {name for name, _ in encoder.named_parameters() if name.startswith("mu.")}
