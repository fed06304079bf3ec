"""A model from the names of its parts, and what may be said about it by `-p NAME=VALUE`."""

import inspect
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from numpy.typing import NDArray

from idkit import shelf
from idkit.errors import IdkitError, UsageError

Knob = str | int | float | bool | None


@dataclass(frozen=True)
class Design:
    """All that determines a model but its weights; its fields are plain JSON values.

    Attributes:
        model: a name in `models`.
        arch: a name in `nets`; None for a model without.
        likelihood: a name in `densities/likelihoods`; None for a model without.
        shape: the shape of one observation.
        labels: the number of values of u; 0 where the data have none.
        d_z: the number of latent dimensions.
        images: whether observations are images.
        knobs: what differs from the defaults of the model, its nets or its likelihood.
    """

    model: str
    arch: str | None
    likelihood: str | None
    shape: tuple[int, ...]
    labels: int
    d_z: int
    images: bool
    knobs: Mapping[str, Knob] = field(default_factory=dict)


def builder(design: Design) -> Callable[[], Any]:
    """A function that builds the model for one seed.

    Raises:
        UsageError: when a part or a knob is unknown, or a knob's value is not one of its own.
    """
    from idkit.models import Frame

    parts = _parts(design.model, design.arch, design.likelihood)
    known = {name for part in parts.values() for name in _signature(part)}
    for name in design.knobs:
        shelf.check(name, known, what="knob")
    ready = {name: partial(part, **_of_part(part, design.knobs)) for name, part in parts.items()}
    frame = Frame(
        shape=tuple(design.shape),
        labels=design.labels,
        d_z=design.d_z,
        images=design.images,
        encoder=ready.get("encoder", _no_such_part),
        decoder=ready.get("decoder", _no_such_part),
        likelihood=ready.get("likelihood", _no_such_part),
    )
    return partial(ready["model"], frame)


def restore(meta: Mapping[str, Any], state: Mapping[str, NDArray[Any]], *, label: str) -> Any:
    """The model of a model/1 artefact, in eval mode.

    Args:
        meta: the artefact's metadata.
        state: its parameters and buffers by name.
        label: what messages call it.

    Raises:
        IdkitError: when the arrays are not those of the model that the metadata name, or parts
            of it are not known here.
    """
    import torch

    shape = tuple(meta["shape"])
    same = {name: meta[name] for name in ("model", "arch", "likelihood", "labels", "d_z", "images")}
    try:
        with torch.random.fork_rng(devices=[]):
            module = builder(Design(**same, shape=shape, knobs=meta["knobs"]))()
        module.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    except UsageError as error:
        raise IdkitError(f"{label} is a model that this idkit cannot build: {error}") from None
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise IdkitError(f"{label} does not hold the weights of its model: {reason}") from None
    return module.eval()


def knob_values(
    model: str, arch: str | None, likelihood: str | None, texts: Mapping[str, str]
) -> dict[str, Knob]:
    """Texts from a command line as values, without those that equal the default.

    Args:
        model: a name in `models`.
        arch: a name in `nets`; None for a model without.
        likelihood: a name in `densities/likelihoods`; None for a model without.
        texts: knob names and values as typed.

    Raises:
        UsageError: as `builder` does.
    """
    signatures: dict[str, _Parameter] = {}
    for part in _parts(model, arch, likelihood).values():
        signatures |= _signature(part)
    values = {}
    owners = " or ".join(name for name in (model, arch, likelihood) if name)
    for name, text in texts.items():
        shelf.check(name, signatures, what=f"knob of {owners}")
        value = _parse(name, text, signatures[name].annotation)
        if value != signatures[name].default:
            values[name] = value
    return values


def has_knob(model: str, name: str) -> bool:
    """Whether a model's `build` has a knob of a name."""
    return name in _signature(shelf.take("models", model, "build"))


@dataclass(frozen=True)
class _Parameter:
    annotation: Any
    default: Knob


def recipe(model: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """What a model is trained with where that is not the data's to say (see `idkit.models`)."""
    module = shelf.module("models", model)
    return module.recipe(shape) if hasattr(module, "recipe") else {}


def _parts(model: str, arch: str | None, likelihood: str | None) -> dict[str, Callable[..., Any]]:
    parts = {"model": shelf.take("models", model, "build")}
    if arch is not None:
        parts["encoder"] = shelf.take("nets", arch, "encoder")
        parts["decoder"] = shelf.take("nets", arch, "decoder")
    if likelihood is not None:
        parts["likelihood"] = shelf.take("densities/likelihoods", likelihood, "build")
    return parts


def _no_such_part(*_: Any) -> Any:
    raise AssertionError("a model asks for a part of which its recipe says that it has none")


def _signature(part: Callable[..., Any]) -> dict[str, _Parameter]:
    """The keyword-only parameters of a function."""
    hints = get_type_hints(part)
    return {
        name: _Parameter(hints[name], parameter.default)
        for name, parameter in inspect.signature(part).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }


def _of_part(part: Callable[..., Any], knobs: Mapping[str, Knob]) -> dict[str, Knob]:
    return {name: knobs[name] for name in _signature(part) if name in knobs}


def _parse(name: str, text: str, annotation: Any) -> Knob:
    """The value that a text stands for under an annotation: a number or one of some words."""
    if get_origin(annotation) is Literal:
        return shelf.check(text, get_args(annotation), what=f"value of {name}")
    kinds = get_args(annotation) if _is_union(annotation) else (annotation,)
    for kind in (int, float):
        if kind in kinds:
            with suppress(ValueError):
                value = kind(text)
                if abs(value) < float("inf"):  # nor is it NaN
                    return value
    raise UsageError(f"{name} is a number, found '{text}'")


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)
