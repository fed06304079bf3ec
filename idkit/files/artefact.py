"""What idkit's files hold: arrays, with one JSON object that says where they come from."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit import __version__
from idkit.errors import IdkitError
from idkit.files.contents import Content
from idkit.files.conversions import STRUCTURED, STRUCTURED_MEMBER, by_python
from idkit.files.kinds import Kind
from idkit.files.members import LISTED, Arrays
from idkit.files.tables import Table


@dataclass(frozen=True, eq=False)
class Artefact:
    """Arrays and where they come from.

    Attributes:
        label: what messages call it: the source as the user typed it, or `standard input`.
        name: the base name of the file; `-` for standard input.
        kind: the format that was found.
        schema: what it is, as `idkit.latents/1`; None for a file from elsewhere.
        meta: the metadata; empty for a file from elsewhere.
        arrays: by name, in alphabetical order, read-only; loaded or mapped when touched.
        key: the array that `FILE:KEY` names.
        content: the bytes of the file.
    """

    label: str
    name: str
    kind: Kind
    schema: str | None
    meta: dict[str, Any]
    arrays: Arrays
    key: str | None
    content: Content = field(repr=False)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the whole file, in hexadecimal; computed on first use."""
        return self.content.sha256

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of how the file was read, as columns that are no coordinates."""
        return self.arrays.notes

    def array(self, *preferred: str) -> NDArray[Any]:
        """The array that is meant: that of the name which `meant` finds.

        Raises:
            IdkitError: as `meant`; when it is a structured array, or raw bytes.
        """
        name = self.meant(*preferred)
        array = self.arrays[name]
        if array.dtype.kind == "V":
            raise IdkitError(self._no_numbers(name, array.dtype))
        return array

    def meant(self, *preferred: str) -> str:
        """The name of the array that is meant.

        Args:
            *preferred: names to look for, the best first.

        Returns:
            The key of `FILE:KEY` where the user gave a key, else the first of `preferred` that
            is there, else the only array, else the only one with two or more axes.

        Raises:
            IdkitError: when it is not clear which; the text lists them.
        """
        if self.key is not None:
            return self.key
        members = self.arrays.members.items()
        shapes = {name: member.shape for name, member in members if not member.part}
        matrices = [name for name, shape in shapes.items() if len(shape) >= 2]
        named = [name for name in preferred if name in shapes]
        for candidates in (named[:1], list(shapes), matrices):
            if len(candidates) == 1:
                return candidates[0]
        wanted = " or ".join(f"'{name}'" for name in preferred) or "that stands alone"
        raise IdkitError(
            f"{self.label} has no array {wanted}: name one as {self.label}:KEY "
            f"({self.arrays.listed()})"
        )

    def _no_numbers(self, name: str, dtype: np.dtype[Any]) -> str:
        """What to say of an array of bytes."""
        fields = {} if dtype.fields is None else dict(dtype.fields)
        if not fields:
            return f"{self.label}:{name} holds raw bytes (bfloat16 saved by numpy?): save float32"
        listed = ", ".join(list(fields)[:LISTED]) + ", ..." * (len(fields) > LISTED)
        widest = max(fields, key=lambda field: math.prod(fields[field][0].shape))
        what = (
            f"is a structured array of the fields {listed}: name one as FILE:{name}.{widest}, "
            "or join all"
        )
        code = STRUCTURED_MEMBER if self.kind is Kind.NPZ else STRUCTURED
        return by_python(self.label, what, code, key=name)


def metadata(
    schema: str, command: str, inputs: Iterable[Artefact | Table], **what: Any
) -> dict[str, Any]:
    """The metadata that every artefact of idkit bears.

    Args:
        schema: what it is, as `idkit.latents/1`.
        command: the subcommand and the options that bear on the result, in canonical order.
        inputs: what it was made from.
        **what: the rest, by the names of the schema.
    """
    origin = [_origin(opened) for opened in inputs]
    return {"schema": schema, "version": __version__, "command": command, "inputs": origin, **what}


def _origin(opened: Artefact | Table) -> dict[str, str]:
    origin = {"name": opened.name, "sha256": opened.sha256}
    key = opened.key if isinstance(opened, Artefact) else None
    return origin if key is None else {**origin, "key": key}
