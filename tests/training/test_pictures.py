"""Reconstructions, samples and component means of trained models."""

from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from idkit import files
from idkit.cli import run
from idkit.cli.pictures import of as of_files
from idkit.densities.likelihoods import bernoulli, gaussian, logistic
from idkit.models import Frame, ivae, rvqvae, vade, vae
from idkit.nets import grid, mlp
from idkit.training.pictures import Pictures, pictures

SHAPE = (3, 4, 4)
X = np.random.default_rng(0).integers(0, 256, (5, *SHAPE), dtype=np.uint8)


def frame(likelihood: ModuleType, labels: int = 5) -> Frame:
    return Frame(SHAPE, labels, 2, True, mlp.encoder, mlp.decoder, likelihood.build)


def of(model: Any, seed: int = 0) -> Pictures:
    return pictures(model.eval(), X, np.arange(5), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("likelihood", [bernoulli, gaussian, logistic])
@pytest.mark.parametrize("build", [vae.build, ivae.build, vade.build])
def test_pictures_are_pixels_in_their_range(build: Any, likelihood: ModuleType) -> None:
    found = of(build(frame(likelihood)))
    assert set(found) - {"means"} == {"rows", "reconstructions", "samples"}
    for images in found.values():
        assert images.shape == (5, *SHAPE)
        assert 0 <= images.min() <= images.max() <= 1
    np.testing.assert_allclose(found["rows"], X / 255, rtol=1e-6)


def test_only_priors_of_several_components_have_means() -> None:
    assert "means" not in of(vae.build(frame(bernoulli)))
    assert len(of(vade.build(frame(bernoulli), components=3))["means"]) == 3


def test_the_likeliest_components_come_first() -> None:
    model: Any = vade.build(frame(bernoulli), components=4)
    with torch.no_grad():
        model.mixture.logits.copy_(torch.tensor([0.0, 2.0, -1.0, 1.0]))
        expected = model.likelihood.pixels(model.eval().decoder(model.mixture.mu[[1, 3, 0, 2]]))
    np.testing.assert_allclose(of(model)["means"], expected, rtol=1e-5)


@pytest.mark.parametrize("likelihood", [bernoulli, gaussian, logistic])
def test_pixels_are_the_mean_of_the_likelihood(likelihood: ModuleType) -> None:
    h = 0.3 * torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(1))
    part: Any = likelihood.build(SHAPE)
    mean = part(h).mean.detach()
    grey = {bernoulli: mean, gaussian: (mean + 0.5).clamp(0, 1), logistic: mean / 255}[likelihood]
    torch.testing.assert_close(part.pixels(h).detach(), grey)


def test_draws_follow_their_generator_and_the_prior() -> None:
    model: Any = ivae.build(frame(bernoulli))
    np.testing.assert_array_equal(of(model, 1)["samples"], of(model, 1)["samples"])
    assert (of(model, 1)["samples"] != of(model, 2)["samples"]).any()
    with torch.no_grad():
        model.prior.log_var.fill_(-60)  # a prior of points: each draw is a component's mean
    found = of(model)
    for sample in found["samples"]:
        assert min(np.abs(sample - mean).max() for mean in found["means"]) < 1e-5


def test_codes_are_decoded_where_a_codebook_was_trained() -> None:
    made = Frame(
        SHAPE,
        0,
        2,
        True,
        partial(grid.encoder, width=4),
        partial(grid.decoder, width=4),
        bernoulli.build,
    )
    model: Any = rvqvae.build(made, codes=3).eval()
    with torch.no_grad():
        z = model.embed(torch.from_numpy(X), torch.zeros(5))
        codes = model.responsibilities(torch.from_numpy(X)) @ model.codebook.codes
        expected = model.likelihood.pixels(model.decoder(codes.movedim(-1, 1)))
        raw = model.likelihood.pixels(model.decoder(z))
    np.testing.assert_allclose(of(model)["reconstructions"], expected, rtol=1e-5)
    assert np.abs(raw.numpy() - expected.numpy()).max() > 1e-6


def test_plot_images_from_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("vae", "vade"):
        assert run(["train", "--model", name, "--steps", "2"]) == 0
    (model,) = tmp_path.glob("runs/digits-vade*/model.safetensors")
    (other,) = tmp_path.glob("runs/digits-vae*/model.safetensors")
    assert run(["plot", "images", str(model), str(other), "-o", "a.png"]) == 0
    assert run(["plot", "images", str(model), str(other), "-o", "b.png"]) == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert run(["plot", "images", str(model), "--data", "digits", "-o", "c.png"]) == 0
    np.savez("wide.npz", x=np.zeros((3, 1, 8, 12), np.uint8))
    assert run(["plot", "images", str(model), "--data", "wide.npz"]) == 3
    assert "has [1, 8, 12]" in capsys.readouterr().err
    assert run(["embed", str(model)]) == 0
    capsys.readouterr()
    assert run(["plot", "images", str(model.parent / "latents.npz")]) == 3
    assert "idkit train" in capsys.readouterr().err
    assert run(["train", "--data", "tcl", "--steps", "1"]) == 0
    (flat,) = tmp_path.glob("runs/tcl*/model.safetensors")
    assert run(["plot", "images", str(flat)]) == 3
    assert "was not trained on images" in capsys.readouterr().err
    assert run(["train", "--model", "pca"]) == 0
    (linear,) = tmp_path.glob("runs/*pca*/model.safetensors")
    assert run(["plot", "images", str(linear)]) == 3
    assert "makes no images" in capsys.readouterr().err


def test_pictures_are_shown_in_the_units_of_the_data() -> None:
    x = np.random.default_rng(0).normal(size=(5, *SHAPE)).astype(np.float32)
    model = vade.build(frame(gaussian), components=3).eval()
    model.to(torch.float32)

    def shown(images: torch.Tensor) -> torch.Tensor:
        return images * 0.1 + 0.5

    found = pictures(model, x, np.arange(5), torch.Generator().manual_seed(0), shown=shown)
    np.testing.assert_allclose(found["rows"], x * 0.1 + 0.5, rtol=1e-5)
    with torch.no_grad():
        given: Any = torch.from_numpy(x)
        expected = model.decoder(model.embed(given, torch.zeros(5)).loc) * 0.1 + 0.5
    np.testing.assert_allclose(found["reconstructions"], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("form", "standardize"),
    [("bytes", True), ("bytes", False), ("0 to 1", False), ("any", True)],
)
def test_images_of_every_form_are_shown_as_they_are(
    form: str, standardize: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    grey = np.random.default_rng(0).integers(0, 256, (40, 1, 4, 4)).astype(np.uint8)
    grey[0, 0, 0, :2] = 0, 255
    forms: dict[str, Any] = {"bytes": grey, "0 to 1": grey / 255, "any": grey * 3.7 - 100}
    np.savez("mine.npz", x=forms[form])
    words = ["train", "--data", "mine.npz", "--model", "vae", "--dz", "3", "--steps", "60", "-q"]
    words += ["--lr", "0.01", *(["--standardize"] if standardize else [])]
    assert run([*words, "-o", "m.npz"]) == 0
    (made,) = of_files([files.read("m.npz")], None, None)
    np.testing.assert_allclose(made.arrays["rows"], grey[:10] / 255, atol=1e-5)
    error = made.arrays["reconstructions"] - grey[:10] / 255
    assert 0 <= made.arrays["reconstructions"].min() < made.arrays["reconstructions"].max() <= 1
    assert np.sqrt(np.square(error).mean()) < 0.29  # the deviation of the pixels themselves
    assert run(["plot", "images", "m.npz", "-o", "m.png"]) == 0
