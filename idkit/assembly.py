"""A model from the names of its parts, and what may be said about it by `-p NAME=VALUE`."""

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
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
    known: dict[str, _Parameter] = {}
    for part in parts.values():
        known |= _signature(part)
    for name, value in design.knobs.items():
        shelf.check(name, known, what="knob")
        check_value(name, value, known[name].annotation)
    ready = {name: partial(part, **_of_part(part, design.knobs)) for name, part in parts.items()}
    frame = Frame(
        shape=tuple(design.shape),
        labels=design.labels,
        d_z=design.d_z,
        images=design.images,
        encoder=ready.get("encoder", partial(_no_such_part, design.model, "arch")),
        decoder=ready.get("decoder", partial(_no_such_part, design.model, "arch")),
        likelihood=ready.get("likelihood", partial(_no_such_part, design.model, "likelihood")),
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
            of it are not known here; nothing as large as the metadata claim has been made.
    """
    import torch

    shape = tuple(meta["shape"])
    same = {name: meta[name] for name in ("model", "arch", "likelihood", "labels", "d_z", "images")}
    design = Design(**same, shape=shape, knobs=meta["knobs"])
    try:
        for unfit in _misfits(design, state):
            raise IdkitError(f"{label} does not hold the weights of its model: {unfit}")
        module = _built(design)
    except UsageError as error:
        raise IdkitError(f"{label} is a model that this idkit cannot build: {error}") from None
    module.load_state_dict({name: torch.tensor(array) for name, array in state.items()})
    return module.eval()


def numbers(design: Design) -> int:
    """How many numbers the parameters of a model are, found without making them.

    Raises:
        UsageError: as `builder` does; and when no tensor could hold them.
    """
    shapeless = _shapeless(design)
    if shapeless is None:  # its file tells
        told: int = shelf.take("models", design.model, "numbers")(design.shape, **design.knobs)
        return told
    return sum(parameter.numel() for parameter in shapeless.parameters())


def _shapeless(design: Design) -> Any:
    """The model without its numbers; None where it cannot be built without."""
    import torch

    build = builder(design)
    try:
        with torch.device("meta"):
            return build()
    except NotImplementedError:
        return None
    except RuntimeError as error:  # more numbers than 63 bits count
        raise UsageError(f"it is too large: {' '.join(str(error).split())}") from None


def _misfits(design: Design, state: Mapping[str, NDArray[Any]]) -> Iterator[str]:
    """What of some arrays is not as their model has it; nothing as large as the model is made.

    Where a model cannot be built without numbers, it is built with them once it is known that
    there are no more of them than the arrays have.
    """
    for name, array in state.items():
        if array.dtype.kind not in "biuf":
            yield f"{name} holds {array.dtype}, not numbers"
    module = _shapeless(design)
    if module is None:
        wanted, held = numbers(design), sum(array.size for array in state.values())
        if wanted > held:
            yield f"they are {wanted} numbers, it has {held}"
            return
        module = _built(design)
    expected = {name: tuple(tensor.shape) for name, tensor in module.state_dict().items()}
    for name, shape in expected.items():
        if name not in state:
            yield f"{name} is missing"
        elif state[name].shape != shape:
            yield f"{name} has shape {state[name].shape}, expected {shape}"
    for name in state.keys() - expected.keys():
        yield f"{name} is none of them"


def _built(design: Design) -> Any:
    """The model with any numbers."""
    import torch

    with torch.random.fork_rng(devices=[]):
        return builder(design)()


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


def check_value(name: str, value: Any, annotation: Any) -> None:
    """Refuses a value, as a file has it, that is not of the kind of the parameter it is for.

    Args:
        name: of the parameter.
        value: plain JSON.
        annotation: numbers, perhaps None, or one of some words.

    Raises:
        UsageError: when it is of another kind.
    """
    if get_origin(annotation) is Literal:
        shelf.check(str(value), get_args(annotation), what=f"value of {name}")
        return
    kinds = get_args(annotation) if _is_union(annotation) else (annotation,)
    if value is None and type(None) in kinds:
        return
    number = type(value) in (int, float) and abs(value) < float("inf")
    if not number or (float not in kinds and type(value) is not int):
        raise UsageError(f"{name} is {value!r}: expected a number")


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


def _no_such_part(model: str, part: str, *_: Any) -> Any:
    raise UsageError(f"{model} needs an {part}" if part == "arch" else f"{model} needs a {part}")


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
