"""Observations: what may be one, and which forms of them a trained model takes for its own.

One rule for training and embedding. What is certain is converted and told; the rest is refused.
"""

import hashlib
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit import grey_levels, shelf
from idkit.errors import IdkitError

IMAGE_AXES = 3  # channels, height, width
CHANNELS = (1, 3)  # of grey and colour images
BRIGHT = 127  # the darkest white of whole numbers that are surely grey levels of 0 to 255
DARK = 1 / 8  # of the range trained on; pictures that stay below it have another scale
FAR = 10  # ranges trained on: numbers that lie beyond, all in all, are in other units
MOST = grey_levels.MOST
BLOCK = 1 << 22  # bytes that are hashed together
Array = NDArray[Any]


def read(x: Array, label: str) -> tuple[Array, tuple[str, ...]]:
    """Observations as models read them.

    Args:
        x: numbers (n, d_x), or images (n, c, h, w) or (n, h, w, c) of one or three channels.
        label: the file, for messages.

    Returns:
        (n, d_x) or (n, c, h, w), uint8 or float32; and what was done for it.

    Raises:
        IdkitError: when there is none, or a value is not finite.
    """
    if x.ndim not in (2, 1 + IMAGE_AXES) or not x.size or x.dtype.kind not in "iufb":
        raise IdkitError(
            f"{label}: observations have shape {x.shape} and type {x.dtype}: expected numbers "
            "(n, d_x), or images (n, c, h, w)" + _cure(x)
        )
    told = []
    if x.ndim > 2 and x.shape[-1] in CHANNELS and x.shape[1] not in CHANNELS:
        told.append(
            f"{label}: x {x.shape} is read as images of {x.shape[1]} x {x.shape[2]} pixels, "
            "channels last (np.moveaxis(x, -1, 1) puts them first)"
        )
        x = np.moveaxis(x, -1, 1)
    if x.dtype == np.uint8:
        return np.asarray(x), tuple(told)
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
        numbers = np.asarray(x, np.float32)
    bad = int((~np.isfinite(numbers)).any(axis=tuple(range(1, x.ndim))).sum())
    if bad:
        raise IdkitError(
            f"{label}: {bad} of {len(x)} rows hold NaN, or numbers too large for float32: remove "
            "them"
        )
    if x.ndim > 2 and x.max() > BRIGHT and grey_levels.form(x) == grey_levels.BYTES:
        told.append(f"{label}: x ({x.dtype}, {_range(x)}) is read as grey levels, as uint8 is")
        return grey_levels.levels(x, grey_levels.BYTES), tuple(told)
    return numbers, tuple(told)


def check(x: Array, likelihood: str | None, name: str) -> None:
    """Refuses observations that a likelihood cannot score.

    Args:
        x: as `read` gives them.
        likelihood: a name in `densities/likelihoods`; None for a model without.
        name: of the data, for the message.

    Raises:
        IdkitError: when one is out of its limits, or it scores bytes and there are none.
    """
    if likelihood is None or x.dtype == np.uint8:
        return
    module = shelf.module("densities/likelihoods", likelihood)
    if getattr(module, "BYTES", False):
        raise IdkitError(
            f"likelihood {likelihood} scores grey levels 0 to 255 stored as uint8, {name} holds "
            f"floats, {_range(x)}: store uint8, or use --likelihood gaussian"
        )
    least, most = getattr(module, "LIMITS", (-inf, inf))
    if x.min() < least or x.max() > most:
        raise IdkitError(
            f"{name} goes from {_range(x)}, the likelihood {likelihood} scores numbers from "
            f"{least:g} to {most:g}: rescale them, or give another --likelihood"
        )


def describe(x: Array, trained: NDArray[np.int64]) -> dict[str, Any]:
    """What a model keeps of its observations.

    Args:
        x: as `read` gives them.
        trained: the rows that are trained on.

    Returns:
        Their type and range and, where they are pictures, the form of their grey levels; and the
        hash of all rows.
    """
    rows = x if len(trained) == len(x) else x[trained]
    return {
        "type": x.dtype.name,
        "least": rows.min().item(),
        "most": rows.max().item(),
        "levels": grey_levels.form(rows),
        "sha256": digest(x),
    }


def pixels(x: Array, about: Mapping[str, Any]) -> NDArray[np.float32]:
    """Images as shares of white, in [0, 1].

    Args:
        x: in the units of those trained on, of any shape.
        about: as `describe` gives it.
    """
    if about["type"] == "uint8":
        black, white = 0.0, float(MOST)
    elif about["levels"] is not None:
        form = grey_levels.FORMS[about["levels"]]
        black, white = form.black, form.black + MOST * form.step
    else:
        black, white = about["least"], about["most"]
    share = (np.asarray(x, np.float64) - black) / (white - black or 1.0)
    return share.clip(0, 1).astype(np.float32)


def digest(x: Array) -> str:
    """The SHA-256 of the values of all rows, in hexadecimal."""
    found = hashlib.sha256()
    count = max(1, BLOCK * len(x) // max(1, x.nbytes))
    for start in range(0, len(x), count):
        found.update(x[start : start + count].tobytes())
    return found.hexdigest()


def as_trained(
    x: Array, meta: Mapping[str, Any], *, name: str, model: str
) -> tuple[Array, tuple[str, ...]]:
    """Observations in the form of those that a model was trained on.

    Args:
        x: as `read` gives them.
        meta: the model's metadata.
        name: of the data, for messages.
        model: what messages call the model.

    Returns:
        The same pictures, or numbers; and what was done, or is odd about them.

    Raises:
        IdkitError: when the shape, the type or the range is another, and no form is certain.
    """
    x, told = _in_shape(x, meta["shape"], name=name, model=model)
    about = meta.get("x") or _unsaid(meta)
    if about is None or about.get("sha256") == digest(x):
        return x, told
    wanted = np.dtype(about["type"])
    form, trained = grey_levels.form(x), about["levels"]
    candidates = []
    if form is not None and trained is not None and (form, x.dtype) != (trained, wanted):
        grey = grey_levels.levels(x, form)
        converted = grey if wanted == np.uint8 else grey_levels.stored(grey, trained)
        what = f"{name}: x ({x.dtype}, {_range(x)}) is converted to {wanted}, {trained}"
        candidates.append((converted, f"{what}, as the model was trained on"))
    if wanted != np.uint8 or x.dtype == np.uint8 or _are_bytes(x):
        candidates.append((x.astype(wanted, copy=False), ""))
    grid = trained is not None and (trained != grey_levels.BYTES or about["most"] == MOST)
    pictures = x.ndim > 2 or wanted == np.uint8 or grid
    for candidate, what in candidates:
        if _alike(candidate, about, pictures=pictures):
            odd = _odd(candidate, about, name)
            return candidate, tuple(filter(None, (*told, what, odd)))
    raise IdkitError(
        f"{name} holds {x.dtype}, {_range(x)}, {model} was trained on {wanted}, "
        f"{about['least']:.4g} to {about['most']:.4g}: give numbers of that type and range"
    )


def _unsaid(meta: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is known of the observations of a model of earlier versions."""
    likelihood = meta.get("likelihood")
    if likelihood is None or not getattr(
        shelf.module("densities/likelihoods", likelihood), "BYTES", False
    ):
        return None
    return {"type": "uint8", "least": 0, "most": MOST, "levels": grey_levels.BYTES}


def _in_shape(
    x: Array, shape: Sequence[int], *, name: str, model: str
) -> tuple[Array, tuple[str, ...]]:
    found, wanted = list(x.shape[1:]), list(shape)
    if found == wanted:
        return x, ()
    for source, target in ((-1, 1), (1, -1)) if x.ndim > 2 else ():
        moved = np.moveaxis(x, source, target)
        if list(moved.shape[1:]) == wanted:
            return moved, (f"{name}: x {x.shape} is read as {moved.shape}, as the model does",)
    raise IdkitError(f"{model} reads rows of shape {wanted}, {name} has {found}")


def _alike(x: Array, about: Mapping[str, Any], *, pictures: bool) -> bool:
    """Whether numbers have the scale of those trained on."""
    least, most = about["least"], about["most"]
    width = most - least
    if not width:
        return True
    low, high = float(x.min()), float(x.max())
    if pictures:
        dark = high - least < DARK * width and high > low
        return bool(least - width <= low and high <= most + width and not dark)
    outside = np.maximum(np.maximum(least - x, x - most), 0, dtype=np.float64)
    return bool(np.square(outside).mean() <= (FAR * width) ** 2)


def _odd(x: Array, about: Mapping[str, Any], name: str) -> str:
    """A remark on numbers far outside of the range trained on, or in a small part of it."""
    least, most = about["least"], about["most"]
    width = most - least
    low, high = float(x.min()), float(x.max())
    if max(least - low, high - most) <= FAR * width and (high - low) * FAR**2 >= width:
        return ""
    return (
        f"{name}: x goes from {_range(x)}, the model was trained on {least:.4g} to {most:.4g}: are "
        "they in the same units?"
    )


def _are_bytes(x: Array) -> bool:
    return bool(x.min() >= 0 and x.max() <= MOST and np.array_equal(x, np.rint(x)))


def _cure(x: Array) -> str:
    """What makes observations of an array that looks like some."""
    if x.ndim == IMAGE_AXES and x.dtype.kind in "iufb":
        return "; x[:, None] makes grey images of (n, h, w), x.reshape(len(x), -1) numbers"
    return ""


def _range(x: Array) -> str:
    return f"{float(x.min()):.4g} to {float(x.max()):.4g}"
