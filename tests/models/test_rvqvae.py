"""Grids of latents, with a codebook and without (App. D)."""

from math import log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from idkit import files
from idkit.assembly import Design, builder
from idkit.cli import run
from idkit.densities.codebook import Codebook
from idkit.errors import UsageError
from idkit.nets import grid
from idkit.training.streams import Live, Replay


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(model: str, shape: tuple[int, ...] = (1, 8, 8), arch: str = "grid", **knobs: Any) -> Any:
    torch.manual_seed(0)
    width = {"width": 4} if arch == "grid" else {}
    design = Design(model, arch, "gaussian", shape, 0, 3, len(shape) > 1, width | knobs)
    return builder(design)()


def images(n: int = 5, shape: tuple[int, ...] = (1, 8, 8)) -> Tensor:
    return torch.randint(256, (n, *shape), dtype=torch.uint8, generator=generator())


# The nets


@pytest.mark.parametrize(("shape", "side"), [((3, 32, 32), 8), ((1, 28, 28), 7), ((1, 8, 8), 2)])
def test_an_image_becomes_a_grid_a_quarter_as_wide(shape: tuple[int, ...], side: int) -> None:
    z, scale = grid.encoder(shape, 50, width=4)(torch.rand(2, *shape))
    assert z.shape == scale.shape == (2, 50, side, side)
    assert (scale == 1).all()
    assert grid.decoder(50, shape, width=4)(z).shape == (2, *shape)


def test_parameters_are_those_counted_by_hand() -> None:
    def size(module: torch.nn.Module) -> int:
        return sum(p.numel() for p in module.parameters())

    c = 256
    residual = 9 * c * c + 2 * c + c * c + 2 * c
    inner = 16 * c * c + 2 * c + 2 * residual
    assert size(grid.encoder((3, 32, 32), 50)) == 16 * 3 * c + 2 * c + inner + 50 * c + 50
    last = 16 * c * c + 2 * c + 3 * c + 3
    assert size(grid.decoder(50, (3, 32, 32))) == 50 * c + 2 * c + inner + last


def test_a_position_sees_its_neighbourhood_wherever_it_is() -> None:
    encoder = grid.encoder((1, 64, 64), 3, width=4).eval()
    x = torch.randn(1, 1, 64, 64, generator=generator())
    with torch.no_grad():
        (z, _), (moved, _) = encoder(x), encoder(x.roll((4, 8), (2, 3)))
    inside = slice(5, 12)  # where neither the border nor the seam is seen
    torch.testing.assert_close(
        moved[:, :, inside, inside], z.roll((1, 2), (2, 3))[:, :, inside, inside]
    )


@pytest.mark.parametrize(
    ("model", "shape", "arch", "said"),
    [
        ("vae", (1, 8, 8), "grid", "the model needs vectors"),
        ("vade", (1, 8, 8), "grid", "the model needs vectors"),
        ("ae", (1, 8, 8), "mlp", "form a grid"),
        ("rvqvae", (1, 8, 8), "mlp", "form a grid"),
        ("ae", (5,), "grid", "grid reads images"),
        ("ae", (1, 6, 8), "grid", "multiples of 4, found 6 x 8: choose another --arch"),
    ],
)
def test_nets_and_models_that_do_not_fit_are_refused(
    model: str, shape: tuple[int, ...], arch: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        built(model, shape, arch)


@pytest.mark.parametrize(
    "knobs", [{"codes": 0}, {"temperature": 0.0}, {"temperature": float("nan")}]
)
def test_a_codebook_of_nothing_is_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(knobs))):
        built("rvqvae", **knobs)


# The codebook


def codebook(codes: int = 4, d_z: int = 3) -> Codebook:
    torch.manual_seed(1)
    book = Codebook(codes, d_z).double().requires_grad_(False)
    with torch.no_grad():
        book.codes.mul_(3)
    return book


def latents(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=generator())


def test_responsibilities_are_those_of_a_mixture_with_identity_covariance() -> None:
    book, z = codebook(), latents(6, 3)
    density = torch.empty(6, 4, dtype=torch.float64)
    for n in range(6):
        for k in range(4):
            normal = torch.distributions.MultivariateNormal(book.codes[k], torch.eye(3).double())
            density[n, k] = normal.log_prob(z[n]).exp()
    torch.testing.assert_close(book(z).probs, density / density.sum(1, keepdim=True))


def test_responsibilities_ignore_where_latents_and_codes_lie_together_but_not_their_size() -> None:
    book, z = codebook(), latents(6, 3)
    before = book(z).probs
    turn, shift = torch.linalg.qr(latents(3, 3))[0], latents(3)
    with torch.no_grad():
        book.codes.copy_(book.codes @ turn + shift)
    torch.testing.assert_close(book(z @ turn + shift).probs, before)
    assert not torch.allclose(book(z @ turn).probs, before)


def test_a_relaxed_sample_lies_in_the_hull_and_becomes_a_code_as_it_cools() -> None:
    book, z = codebook(2, 1), latents(200, 1)
    low, high = book.codes.min(), book.codes.max()
    warm, cold = (book.relaxed(book(z), t, Live(generator())) for t in (0.5, 1e-3))
    assert ((warm >= low) & (warm <= high)).all()
    from_a_code = (cold - book.codes.flatten()).abs().min(1).values
    assert float(from_a_code.quantile(0.95)) < 1e-6 < float((warm - low).abs().median())


def test_codes_are_drawn_as_often_as_they_are_responsible() -> None:
    """Gumbel's trick: the largest of log p + noise is a draw from p."""
    book = codebook()
    p = book(latents(1, 3).expand(20_000, 3))
    cold = book.relaxed(p, 1e-4, Live(generator()))
    drawn = torch.cdist(cold, book.codes).argmin(1)
    share = torch.bincount(drawn, minlength=4) / len(drawn)
    assert (share - p.probs[0]).abs().max() < 4 * 0.5 / len(drawn) ** 0.5


def test_the_excess_is_the_divergence_from_equal_use_of_all_codes() -> None:
    book, z = codebook(), latents(2, 5, 3)
    p = book(z).probs
    torch.testing.assert_close(book.excess(book(z)), (p * (p * 4).log()).sum(-1))
    with torch.no_grad():
        book.codes.copy_(book.codes[:1].expand(4, 3))
    torch.testing.assert_close(book.excess(book(z)), torch.zeros(2, 5).double(), atol=1e-12, rtol=0)
    with torch.no_grad():
        book.codes.copy_(1e3 * latents(4, 3))
    assert float(book.excess(book(book.codes)).min()) == pytest.approx(log(4))


# The models


def test_with_one_code_every_image_is_the_decoders_one() -> None:
    model = built("rvqvae", codes=1).eval()
    x = images()
    terms = model.objective(x, x, Live(generator()))
    assert terms["kl"] == terms["entropy"] == 0
    same = model.codebook.codes.view(1, 3, 1, 1).expand(5, 3, 2, 2)
    log_px = model.likelihood(model.decoder(same)).log_prob(model.likelihood.observe(x).scored)
    torch.testing.assert_close(terms["objective"], log_px.mean())


def test_the_kl_is_summed_over_the_grid_and_the_order_of_codes_is_nothing() -> None:
    model = built("rvqvae", codes=6)
    x = images()
    p = model.codebook(model.encoder(model.likelihood.observe(x).seen)[0].movedim(1, -1)).probs
    uniform = torch.rand(5, 2, 2, 6, generator=generator(3))
    terms = model.objective(x, x, Replay([uniform]))
    torch.testing.assert_close(terms["kl"], (p * (p * 6).log()).sum((1, 2, 3)).mean())
    order = torch.tensor([3, 1, 5, 0, 2, 4])
    with torch.no_grad():
        model.codebook.codes.copy_(model.codebook.codes[order])
    again = model.objective(x, x, Replay([uniform[..., order]]))
    for name in terms:
        torch.testing.assert_close(again[name], terms[name])


def test_responsibilities_are_of_every_position() -> None:
    model = built("rvqvae", codes=6).eval()
    found = model.responsibilities(images())
    assert found.shape == (5, 2, 2, 6)
    torch.testing.assert_close(found.sum(-1), torch.ones(5, 2, 2))


def test_the_autoencoder_scores_what_it_decodes_of_the_grid_that_it_embeds() -> None:
    model = built("ae").eval()
    x = images()
    with torch.no_grad():
        z = model.embed(x, x)
        expected = model.likelihood(model.decoder(z)).log_prob(x / 255 - 0.5).mean()
        torch.testing.assert_close(model.objective(x, x, Live(generator()))["objective"], expected)
    assert z.shape == (5, 3, 2, 2)


@pytest.mark.parametrize("model", ["ae", "rvqvae"])
def test_grids_go_from_training_to_a_score(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ["-p", "width=4", "--epochs", "2", "--dz", "5"]
    assert run(["train", "--model", model, "--seed", "1-2", *small]) == 0
    made = sorted(map(str, tmp_path.glob(f"runs/digits-{model}-grid-dz5-*/model.safetensors")))
    assert run(["embed", *made]) == 0
    latents = [str(Path(one).with_name("latents.npz")) for one in made]
    first = files.read(latents[0])
    assert first.array("z").shape == (360, 5, 2, 2)
    assert first.array("z").dtype == np.float32
    assert "log_var" not in first.arrays
    capsys.readouterr()
    assert run(["mcc", "-q", *latents]) == 0
    header, line = (row.split("\t") for row in capsys.readouterr().out.splitlines())
    score = float(line[header.index("mcc_out")])
    assert 0 < score <= 1
    trained = files.read(made[0]).meta["training"]
    assert (trained["batch_size"], trained["lr"]) == (128, 5e-4)
