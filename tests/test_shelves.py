"""Every room's contract: each file of a shelf has the room's one public function, and says so."""

import inspect
from collections.abc import Iterator

import pytest

from idkit import shelf
from idkit.errors import UsageError

ROOMS: dict[str, dict[str, tuple[str, ...]]] = {
    "models": {"build": ("frame",)},
    "nets": {"encoder": ("shape", "d_z"), "decoder": ("d_z", "shape")},
    "densities/likelihoods": {"build": ("shape",)},
    "synth": {"sample": ("rng",)},
    "synth/latents": {"derive": ("rng", "given")},
    "align": {"fit": ("inside", "a", "b")},
    "plots": {"draw": ("artefacts",)},
}


def contracts() -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    for room, members in ROOMS.items():
        for name in shelf.names(room):
            for member, parameters in members.items():
                yield room, name, member, parameters


@pytest.mark.parametrize(("room", "name", "member", "parameters"), list(contracts()))
def test_a_shelf_holds_the_rooms_public_function(
    room: str, name: str, member: str, parameters: tuple[str, ...]
) -> None:
    function = shelf.take(room, name, member)
    given = inspect.signature(function).parameters.values()
    positional = [p.name for p in given if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert tuple(positional) == parameters
    assert all(p.kind is p.KEYWORD_ONLY for p in given if p.name not in parameters)
    assert all(p.default is not p.empty for p in given if p.kind is p.KEYWORD_ONLY)
    assert inspect.getdoc(function)


@pytest.mark.parametrize("room", ROOMS)
def test_every_file_of_a_shelf_says_what_it_is(room: str) -> None:
    for name in shelf.names(room):
        assert len(shelf.summary(room, name)) > 10


@pytest.mark.parametrize("name", shelf.names("data"))
def test_every_data_set_can_be_loaded_by_name(name: str) -> None:
    assert callable(shelf.take("data", name, "load"))
    assert shelf.take("data", name, "RECIPE").d_z > 0


def test_a_wrong_name_is_told_the_nearest_right_one() -> None:
    with pytest.raises(UsageError, match=r"unknown model 'vada': did you mean 'vade'\?"):
        shelf.take("models", "vada", "build")
