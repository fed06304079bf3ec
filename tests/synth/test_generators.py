"""Synthetic data have the distributions that their generators state, and their truth in them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import FastICA

from idkit import shelf
from idkit.data import Dataset
from idkit.errors import UsageError
from idkit.mixing import Mixing
from idkit.synth import Family, imca, linear, standard_draws, tcl

GENERATORS = {name: shelf.take("synth", name, "sample") for name in shelf.names("synth")}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def mixing_of(made: Dataset) -> Mixing:
    return Mixing.of(made.extras["mixing"], made.about["mixing"])


@pytest.mark.parametrize("sample", GENERATORS.values(), ids=GENERATORS)
def test_every_generator_gives_its_truth_with_the_data(sample: Callable[..., Dataset]) -> None:
    made = sample(rng())
    assert made.s is not None
    assert made.x.dtype == made.s.dtype == np.float32
    assert made.recipe.d_z == made.s.shape[1]
    np.testing.assert_allclose(mixing_of(made).unmix(made.x), made.s, atol=2e-4)
    matrices = made.extras["mixing"]
    np.testing.assert_allclose(made.extras["condition"], [np.linalg.cond(m) for m in matrices])


@pytest.mark.parametrize("sample", GENERATORS.values(), ids=GENERATORS)
def test_a_seed_is_a_data_set(sample: Callable[..., Dataset]) -> None:
    one, same, other = sample(rng(1)), sample(rng(1)), sample(rng(2))
    assert np.array_equal(one.x, same.x)
    assert not np.array_equal(one.x, other.x)


@pytest.mark.parametrize(
    ("family", "law"),
    [("gauss", stats.norm()), ("laplace", stats.laplace()), ("hypersecant", stats.hypsecant())],
)
def test_standard_draws_are_of_their_family_with_mean_0_and_variance_1(
    family: Family, law: Any
) -> None:
    draws = standard_draws(rng(), family, (4000, 2))
    np.testing.assert_allclose(draws.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(draws.var(0), 1)
    assert stats.kstest(draws[:, 0] * law.std(), law.cdf).pvalue > 0.01
    others = {"gauss": stats.laplace(), "laplace": stats.norm(), "hypersecant": stats.norm()}
    wrong = others[family]
    assert stats.kstest(draws[:, 0] * wrong.std(), wrong.cdf).pvalue < 0.01


def moments(made: Dataset) -> tuple[Any, Any]:
    """Means and standard deviations of the sources in each segment, (segments, sources)."""
    assert made.s is not None
    assert made.u is not None
    parts = [made.s[made.u == segment].astype(np.float64) for segment in range(made.labels)]
    return np.array([p.mean(0) for p in parts]), np.array([p.std(0) for p in parts])


def test_tcl_has_the_segments_of_the_paper() -> None:
    mean, deviation = moments(tcl.sample(rng(), per_segment=2000))
    assert mean.shape == (20, 5)
    assert stats.kstest(mean.ravel(), stats.uniform(-3, 6).cdf).pvalue > 0.01
    assert stats.kstest(deviation.ravel(), stats.uniform(0.01, 2.99).cdf).pvalue > 0.01


def test_the_conditioned_family_has_its_own_sizes_and_no_means() -> None:
    made = tcl.sample(rng(), mixing="cond", activation="xtanh")
    mean, deviation = moments(made)
    assert made.x.shape == (40_000, 5)
    assert mean.shape == (40, 5)
    assert np.abs(mean / deviation).max() < 5 / np.sqrt(1000)
    assert deviation.min() > 0.45
    assert stats.kstest(deviation.ravel(), stats.uniform(0.5, 2.5).cdf).pvalue > 0.01
    assert made.about["mixing"] == {"activation": "xtanh", "slope": 0.1, "first": "matrix"}
    assert len(made.extras["mixing"]) == 3


def test_noise_is_added_to_x_alone() -> None:
    quiet, noisy = (tcl.sample(rng(), noise=noise) for noise in (0.0, 0.5))
    assert quiet.s is not None
    assert noisy.s is not None
    assert np.array_equal(quiet.s, noisy.s)
    assert np.std(noisy.x - quiet.x) == pytest.approx(0.5, rel=0.02)


def test_imca_sources_have_the_stated_covariance_in_each_segment_and_mean_0() -> None:
    made = imca.sample(rng(), per_segment=5000, segments=6, sources=3)
    assert made.s is not None
    for segment, stated in enumerate(made.extras["covariance"]):
        part = made.s[made.u == segment]
        scale = np.sqrt(np.diag(stated))
        found = np.cov(part.T)
        np.testing.assert_allclose(
            found / np.outer(scale, scale), stated / np.outer(scale, scale), atol=0.07
        )
        np.testing.assert_allclose(part.mean(0) / scale, 0, atol=0.07)


def test_imca_sources_depend_on_one_another_unless_told_not_to() -> None:
    def strongest(dependence: float) -> float:
        covariance = imca.sample(rng(), dependence=dependence).extras["covariance"]
        scale = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
        correlation = covariance / scale[:, :, None] / scale[:, None]
        return float(np.abs(correlation - np.eye(5)).max())

    assert strongest(0.0) == pytest.approx(0, abs=1e-12)
    assert strongest(0.5) > 0.2
    assert strongest(0.1) < strongest(0.5) < strongest(10)


def test_without_a_base_measure_imca_is_modulated_by_sigma_alone() -> None:
    covariance = imca.sample(rng(), dependence=0.0, segments=200).extras["covariance"]
    sigma = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2)).ravel()
    assert stats.kstest(sigma, stats.uniform(0.01, 2.99).cdf).pvalue > 0.01


def test_linear_ica_undoes_the_linear_case_unless_sources_are_gaussian() -> None:
    def worst_match(source: Family) -> float:
        made = linear.sample(rng(), rows=5000, sources=3, source=source)
        found = FastICA(random_state=0, max_iter=2000, tol=1e-3).fit_transform(made.x)
        assert made.s is not None
        corr = np.abs(np.corrcoef(found.T, made.s.T)[:3, 3:])
        return float(corr.max(0).min())

    assert worst_match("laplace") > 0.99
    assert worst_match("gauss") < 0.97


@pytest.mark.parametrize(
    ("sample", "wrong"),
    [
        (tcl.sample, {"per_segment": 1}),
        (tcl.sample, {"segments": 0}),
        (tcl.sample, {"noise": float("nan")}),
        (imca.sample, {"sources": 1}),
        (imca.sample, {"dependence": -1.0}),
        (linear.sample, {"rows": 1}),
    ],
)
def test_a_number_that_makes_no_data_set_is_refused_by_its_option(
    sample: Callable[..., Dataset], wrong: dict[str, Any]
) -> None:
    (name,) = wrong
    with pytest.raises(UsageError, match=f"{name.replace('_', '-')} is .*: at least"):
        sample(rng(), **wrong)
