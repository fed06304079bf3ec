"""The floors: what is fitted without a gradient step, and what is not fitted at all."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from idkit import files
from idkit.assembly import Design, builder
from idkit.cli import run
from idkit.errors import IdkitError, UsageError
from idkit.models import ica
from idkit.training.embed import posterior
from idkit.training.fit import Ensembles, Outcome, Rows, Settings, Training

FLOORS = ("pca", "ica", "identity")


def mixed(n: int = 4000, d: int = 4) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Linear mixtures of Laplace sources, and the sources."""
    rng = np.random.default_rng(0)
    s = rng.laplace(size=(n, d))
    return (s @ rng.standard_normal((d, d)) + 3).astype(np.float32), s


def design(model: str, shape: tuple[int, ...], d_z: int, arch: str | None = None) -> Design:
    return Design(model, arch, "gaussian" if arch else None, shape, 0, d_z, len(shape) > 1)


def settled(steps: int = 0) -> Settings:
    return Settings(steps=steps, batch_size=64, lr=1e-3, factor=0.1, patience=5)


def trained(made: Design, x: NDArray[Any], seeds: Sequence[int]) -> list[Outcome]:
    """The engine's outcome of some seeds."""
    rows = Rows(torch.from_numpy(x), torch.zeros(len(x), dtype=torch.int64))
    training = Training.start(Ensembles(builder(made), rows, settled()), seeds)
    assert training.done
    return training.outcomes()


def latents(made: Design, outcome: Outcome, x: NDArray[Any]) -> NDArray[np.float32]:
    model = builder(made)()
    model.load_state_dict({name: torch.tensor(value) for name, value in outcome.state.items()})
    return posterior(model.eval(), x)[0]


def test_pca_is_the_projection_of_scikit_learn_and_the_same_for_every_seed() -> None:
    x, _ = mixed()
    made = design("pca", (4,), 3)
    one, two = trained(made, x, [1, 2])
    z = latents(made, one, x)
    np.testing.assert_allclose(z, PCA(3).fit_transform(x.astype(np.float64)), atol=1e-4)
    assert np.array_equal(z, latents(made, two, x))


def test_pca_of_fewer_rows_than_dimensions_is_still_exact() -> None:
    x = np.random.default_rng(1).standard_normal((6, 9)).astype(np.float32)
    made = design("pca", (9,), 4)
    z = latents(made, trained(made, x, [1])[0], x)
    np.testing.assert_allclose(z, PCA(4).fit_transform(x.astype(np.float64)), atol=1e-5)


def test_ica_finds_linearly_mixed_sources_up_to_order_and_scale_and_pca_does_not() -> None:
    x, s = mixed()

    def worst_match(model: str) -> float:
        made = design(model, (4,), 4)
        z = latents(made, trained(made, x, [1])[0], x)
        corr = np.abs(np.corrcoef(z.T, s.T)[:4, 4:])
        return float(corr.max(0).min())

    assert worst_match("ica") > 0.99
    assert worst_match("pca") < 0.95


def test_ica_is_white_and_starts_from_its_own_seed() -> None:
    x, _ = mixed()
    made = design("ica", (4,), 4)
    one, two, again = (trained(made, x, [seed])[0] for seed in (1, 2, 1))
    z = latents(made, one, x)
    np.testing.assert_allclose(np.cov(z.T), np.eye(4), atol=1e-3)
    assert not np.allclose(one.state["unmixing"], two.state["unmixing"])
    assert all(np.array_equal(one.state[name], again.state[name]) for name in one.state)


def test_ica_says_whether_its_search_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    x, _ = mixed()
    made = design("ica", (4,), 4)
    assert trained(made, x, [1])[0].state["converged"]
    monkeypatch.setattr(ica, "MOST_ITERATIONS", 1)
    assert not trained(made, x, [1])[0].state["converged"]


def test_ica_says_how_many_directions_there_are() -> None:
    x, _ = mixed()
    x = np.concatenate([x, x[:, :1], np.ones((len(x), 1), np.float32)], axis=1)
    assert np.isfinite(trained(design("ica", (6,), 4), x, [1])[0].state["unmixing"]).all()
    with pytest.raises(IdkitError, match="span 4 directions, --dz is 5"):
        trained(design("ica", (6,), 5), x, [1])


@pytest.mark.parametrize("model", ["pca", "ica"])
def test_fewer_rows_than_components_are_refused(model: str) -> None:
    with pytest.raises(IdkitError, match="in 3 rows"):
        trained(design(model, (4,), 4), mixed()[0][:3], [1])


@pytest.mark.parametrize("model", FLOORS)
def test_more_latent_dimensions_than_observed_ones_are_refused(model: str) -> None:
    with pytest.raises(UsageError, match="d_x = 4"):
        builder(design(model, (4,), 5))()


def test_the_identity_is_the_data_whatever_their_shape() -> None:
    x = np.arange(32, dtype=np.uint8).reshape(2, 1, 4, 4)
    made = design("identity", (1, 4, 4), 16)
    z = latents(made, trained(made, x, [1])[0], x)
    assert np.array_equal(z, np.arange(32, dtype=np.float32).reshape(2, 16))


def test_an_untrained_encoder_is_that_of_a_vae_of_the_same_seed_before_its_first_step() -> None:
    x, _ = mixed(200)
    (floor,) = trained(design("untrained", (4,), 2, "mlp3"), x, [7])
    (vae,) = trained(design("vae", (4,), 2, "mlp3"), x, [7])
    for name, value in floor.state.items():
        assert np.array_equal(value, vae.state[name])
    assert any(name.startswith("posterior") for name in floor.state)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_untrained_grid_is_that_of_an_ae_before_its_first_step() -> None:
    x = np.random.default_rng(0).standard_normal((40, 1, 8, 8)).astype(np.float32)
    (floor,) = trained(design("untrained", (1, 8, 8), 2, "grid"), x, [7])
    (ae,) = trained(design("ae", (1, 8, 8), 2, "grid"), x, [7])
    name = "trunk.layers.0.weight"
    assert np.array_equal(floor.state[f"posterior.{name}"], ae.state[f"encoder.{name}"])


@pytest.mark.parametrize("model", FLOORS)
def test_a_model_without_nets_has_no_arch_in_its_name_nor_steps(model: str, home: Path) -> None:
    assert run(["train", "--model", model, "--seed", "1"]) == 0
    (made,) = home.glob(f"runs/digits-{model}-dz*-s1/model.safetensors")
    artefact = files.read(str(made))
    assert artefact.meta["arch"] is None
    assert artefact.meta["training"]["steps"] == 0
    assert not [name for name in artefact.arrays if name.startswith("history/")]
    assert run(["embed", str(made)]) == 0
    assert "log_var" not in files.read(str(made.with_name("latents.npz"))).arrays


@pytest.mark.parametrize(
    "option", ["--arch=mlp", "--init=torch", "--likelihood=gaussian", "--lr=1"]
)
def test_what_a_floor_has_none_of_is_refused(
    option: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "--model", "pca", option]) == 2
    assert f"{option.partition('=')[0]} means nothing to pca" in capsys.readouterr().err
    assert not list(home.iterdir())


def test_there_is_no_sample_of_a_point(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["train", "--model", "pca", "-o", "pca.npz"])
    assert run(["embed", "pca.npz", "--statistic", "sample", "-o", "z.npz"]) == 3
    assert "no posterior to sample from" in capsys.readouterr().err
    assert not (home / "z.npz").exists()


def test_an_untrained_encoder_keeps_its_arch_and_takes_no_steps(home: Path) -> None:
    assert run(["train", "--model", "untrained", "--arch", "mlp", "--seed", "1"]) == 0
    assert (home / "runs/digits-untrained-mlp-dz20-s1/model.safetensors").exists()
    assert run(["train", "--model", "untrained", "--steps", "5"]) == 2


def test_floors_stand_in_the_same_table(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for model in ("pca", "untrained"):
        run(["train", "--model", model, "--seed", "1-3"])
    run(["embed", *map(str, sorted(home.glob("runs/*/model.safetensors")))])
    capsys.readouterr()
    assert run(["mcc", *map(str, sorted(home.glob("runs/*/latents.npz")))]) == 0
    header, *lines = (line.split("\t") for line in capsys.readouterr().out.splitlines())
    rows = {line[header.index("model")]: line for line in lines}
    assert float(rows["pca"][header.index("mcc_out")]) == pytest.approx(1)
    assert float(rows["untrained"][header.index("mcc_out")]) < 0.5
