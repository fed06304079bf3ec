"""A model from the names of its parts: knobs by their own signatures, errors with the nearest."""

import ast
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from idkit import shelf
from idkit.assembly import Design, builder, has_knob, knob_values, numbers, restore
from idkit.errors import IdkitError, UsageError

DESIGN = Design("vade", "mlp3", "gaussian", (5,), 0, 3, False, {"components": 7, "hidden": 4})


def state(design: Design = DESIGN) -> dict[str, NDArray[Any]]:
    return {name: value.numpy() for name, value in builder(design)().state_dict().items()}


def meta(**changes: Any) -> dict[str, Any]:
    """The metadata of a model as they come from a file."""
    return {**vars(DESIGN), "shape": [5], "knobs": dict(DESIGN.knobs), **changes}


def test_knobs_reach_the_part_whose_they_are() -> None:
    knobs = {"components": 7, "hidden": 4, "variance": 0.25}
    model = builder(Design("vade", "mlp3", "gaussian", (5,), 0, 3, False, knobs))()
    assert model.mixture.mu.shape == (7, 3)
    assert model.posterior.encoder.mu.layers[0].weight.shape == (4, 5)
    assert model.decoder.mean.layers[0].weight.shape == (4, 3)
    assert model.likelihood.scale == 0.5


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        ({}, {}),
        ({"components": "7"}, {"components": 7}),
        ({"components": "40"}, {}),  # the default
        ({"hidden": "16", "variance": "1e-2"}, {"hidden": 16}),
        ({"variance": "2"}, {"variance": 2.0}),
    ],
)
def test_texts_become_values_and_defaults_vanish(
    texts: dict[str, str], values: dict[str, Any]
) -> None:
    found = knob_values("vade", "mlp3", "gaussian", texts)
    assert found == values
    assert [type(value) for value in found.values()] == [type(value) for value in values.values()]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"component": "7"},
            "unknown knob of vade or mlp3 or gaussian 'component': did you mean 'components'?",
        ),
        ({"binarize": "none"}, "unknown knob of vade or mlp3 or gaussian 'binarize'"),
        ({"kl": "mc"}, "unknown knob"),
        ({"components": "many"}, "components is a number, found 'many'"),
        ({"components": "7.5"}, "components is a number, found '7.5'"),
        ({"components": ""}, "components is a number, found ''"),
        ({"variance": "nan"}, "variance is a number, found 'nan'"),
        ({"variance": "inf"}, "variance is a number, found 'inf'"),
        ({"hidden": "none"}, "hidden is a number, found 'none'"),
    ],
)
def test_what_is_no_knob_or_no_value_is_named(texts: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        knob_values("vade", "mlp3", "gaussian", texts)
    assert message in str(caught.value)


def test_words_are_checked_against_the_words_there_are() -> None:
    assert knob_values("ivae", "mlp3", "gaussian", {"kl": "mc"}) == {"kl": "mc"}
    with pytest.raises(UsageError, match="unknown value of prior 'tabel': did you mean 'table'"):
        knob_values("ivae", "mlp3", "gaussian", {"prior": "tabel"})


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (("vadee", "mlp3", "gaussian"), "unknown model 'vadee': did you mean 'vade'"),
        (("vade", "mpl", "gaussian"), "unknown net 'mpl': did you mean 'mlp'"),
        (("vade", "mlp", "gausian"), "unknown likelihood 'gausian': did you mean 'gaussian'"),
    ],
)
def test_an_unknown_part_is_named_with_the_nearest(
    parts: tuple[str, str, str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        knob_values(*parts, {})
    with pytest.raises(UsageError, match=message):
        builder(Design(*parts, (5,), 0, 3, False))


def test_a_knob_that_no_part_has_is_refused_when_building() -> None:
    with pytest.raises(UsageError, match="unknown knob 'beta'"):
        builder(Design("vae", "mlp3", "gaussian", (5,), 0, 3, False, {"beta": 4.0}))


def test_what_has_components() -> None:
    assert has_knob("vade", "components")
    assert not has_knob("vae", "components")


@pytest.mark.parametrize("model", shelf.names("models"))
def test_every_knob_of_every_model_has_a_default_that_a_user_could_type(model: str) -> None:
    build = shelf.take("models", model, "build")
    for name, default in (build.__kwdefaults__ or {}).items():
        if default is not None:
            assert knob_values(model, None, None, {name: str(default)}) == {}


def test_a_model_comes_back_in_eval_mode_with_its_weights() -> None:
    arrays = state()
    model = restore(meta(), arrays, label="m.npz")
    assert not model.training
    for name, value in model.state_dict().items():
        assert np.array_equal(value.numpy(), arrays[name]), name


def test_to_bring_a_model_back_draws_no_number() -> None:
    arrays = state()
    before = torch.get_rng_state()
    restore(meta(), arrays, label="m.npz")
    assert torch.equal(torch.get_rng_state(), before)


def without(name: str) -> dict[str, NDArray[Any]]:
    return {other: value for other, value in state().items() if other != name}


@pytest.mark.parametrize(
    ("changes", "arrays", "message"),
    [
        ({}, without("mixture.mu"), "does not hold the weights of its model: .*mixture.mu"),
        ({}, {**state(), "more": np.zeros(2)}, "does not hold the weights of its model: .*more"),
        (
            {},
            {**state(), "mixture.mu": np.zeros((7, 4))},
            r"mixture.mu has shape \(7, 4\), expected \(7, 3\)",
        ),
        ({"d_z": 4}, state(), "does not hold the weights of its model"),
        ({"model": "vqvae"}, state(), "this idkit cannot build: unknown model 'vqvae'"),
        ({"knobs": {"beta": 2}}, state(), "this idkit cannot build: unknown knob 'beta'"),
        ({"knobs": {"components": 0}}, state(), "this idkit cannot build: components is 0"),
        ({"knobs": {"components": True}}, state(), "components is True: expected a number"),
        ({"knobs": {"components": 7.5}}, state(), "components is 7.5: expected a number"),
        ({"knobs": {"hidden": "wide"}}, state(), "hidden is 'wide': expected a number"),
        ({"knobs": {"identifiability": 5}}, state(), "unknown value of identifiability '5'"),
        ({}, {**state(), "mixture.mu": np.full((7, 3), "a")}, "mixture.mu holds <U1, not numbers"),
        ({"arch": None, "knobs": {}}, state(), "this idkit cannot build: vade needs an arch"),
        ({"likelihood": None}, state(), "this idkit cannot build: vade needs a likelihood"),
        ({"shape": [2**31 - 1, 2**31 - 1]}, state(), "too large"),
        ({"labels": 4, "model": "ivae", "knobs": {"hidden": 4}}, state(), "prior.mu is missing"),
    ],
)
def test_what_does_not_belong_together_is_one_line(
    changes: dict[str, Any], arrays: dict[str, NDArray[Any]], message: str
) -> None:
    with pytest.raises(IdkitError, match=f"^m.npz .*{message}") as caught:
        restore(meta(**changes), arrays, label="m.npz")
    assert type(caught.value) is IdkitError
    assert "\n" not in str(caught.value)


FLOW = Design("gmmflow", None, None, (5,), 0, 5, False, {"components": 3, "hidden": 4})
CLAIMS: list[tuple[Design, dict[str, Any]]] = [
    (DESIGN, {"d_z": 4_000_000}),
    (DESIGN, {"model": "ivae", "labels": 40_000_000, "knobs": {}}),
    (DESIGN, {"knobs": {"hidden": 9_000}}),
    (DESIGN, {"knobs": {"components": 100_000_000}}),
    (FLOW, {"knobs": {"hidden": 9_000}}),
    (FLOW, {"knobs": {"layers": 10**9}}),
]


def test_what_metadata_claim_is_not_made_before_it_is_held_against_the_arrays() -> None:
    """Each claim is of 0.3 GB to 10 TB, on arrays of some kilobytes."""
    code = f"""
import resource, torch
from idkit.assembly import Design, builder, restore
from idkit.errors import IdkitError

def tried(design, claim):
    state = {{n: v.numpy() for n, v in builder(Design(**design))().state_dict().items()}}
    restore(design, state, label="m.npz")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        restore({{**design, **claim}}, state, label="m.npz")
    except IdkitError:
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10

tried({vars(DESIGN)!r}, {{"d_z": 4}})
print([tried(*each) for each in {[(vars(design), claim) for design, claim in CLAIMS]!r}])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    for grown in ast.literal_eval(done):
        assert grown < 64  # MB


@pytest.mark.parametrize("model", shelf.names("models"))
def test_numbers_are_counted_without_making_them(model: str) -> None:
    recipe = shelf.module("models", model)
    asked = recipe.recipe((6,)) if hasattr(recipe, "recipe") else {}
    images = asked.get("arch") == "grid" or model == "ae"
    shape = (1, 8, 8) if images else (6,)
    arch = asked.get("arch", "mlp3")
    design = Design(model, arch, asked.get("likelihood", "gaussian"), shape, 4, 6, images)
    made = builder(design)()
    assert numbers(design) == sum(p.numel() for p in made.parameters())


@pytest.mark.parametrize("transform", ["affine", "spline"])
def test_numbers_of_a_flow_follow_its_knobs(transform: str) -> None:
    knobs: dict[str, Any] = {"components": 7, "layers": 3, "hidden": 11, "transform": transform}
    design = Design("gmmflow", None, None, (4,), 0, 4, False, knobs)
    assert numbers(design) == sum(p.numel() for p in builder(design)().parameters())
