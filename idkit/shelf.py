"""A folder as a list: what stands in a room, and how to take one thing from it."""

import ast
import difflib
import importlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from idkit.errors import UsageError

HERE = Path(__file__).parent


@cache
def names(room: str) -> tuple[str, ...]:
    """The names on a shelf, in alphabetical order, without importing anything.

    Args:
        room: a folder of the package, as `models` or `densities/likelihoods`.

    Returns:
        One name for each module of the folder that does not begin with an underscore;
        `fashion_mnist.py` is called `fashion-mnist`.

    >>> "vade" in names("models")
    True
    """
    modules = (HERE / room).glob("[!_]*.py")
    return tuple(sorted(module.stem.replace("_", "-") for module in modules))


def kind(room: str) -> str:
    """What one thing of a room is called, in the words of the options.

    >>> kind("models"), kind("densities/likelihoods"), kind("align")
    ('model', 'likelihood', 'mode')
    """
    return "mode" if room == "align" else room.rsplit("/", 1)[-1].removesuffix("s")


def summary(room: str, name: str) -> str:
    """The first line of a module's docstring, without importing it."""
    return (ast.get_docstring(_source(room, name)) or "").partition("\n")[0]


def knobs(room: str, name: str, member: str) -> tuple[str, ...]:
    """The keyword-only parameters of a function of a module, without importing it.

    >>> knobs("densities/likelihoods", "gaussian", "build")
    ('variance',)
    """
    return tuple(
        argument.arg
        for node in _source(room, name).body
        if isinstance(node, ast.FunctionDef) and node.name == member
        for argument in node.args.kwonlyargs
    )


def _source(room: str, name: str) -> ast.Module:
    file = HERE / room / f"{name.replace('-', '_')}.py"
    return ast.parse(file.read_text(encoding="utf-8"))  # whatever the user's own is


def take(room: str, name: str, member: str) -> Any:
    """The one public function of a module on a shelf.

    Args:
        room: a folder of the package.
        name: one of `names(room)`.
        member: the room's public name, as `build` or `draw`.

    Raises:
        UsageError: when nothing of that name stands there; the text names the nearest.
    """
    return getattr(module(room, name), member)


def module(room: str, name: str) -> ModuleType:
    """A module on a shelf, for what not every one of them has.

    Args:
        room: a folder of the package.
        name: one of `names(room)`.

    Raises:
        UsageError: as `take` does.
    """
    check(name, names(room), what=kind(room))
    return importlib.import_module(f"idkit.{room.replace('/', '.')}.{name.replace('-', '_')}")


def check(name: str, known: Iterable[str], *, what: str) -> str:
    """`name` itself where it is known.

    Args:
        name: what was asked for.
        known: what there is.
        what: the kind of thing, for the message.

    Raises:
        UsageError: when it is not known; the text names the nearest known name.
    """
    choices = sorted(known)
    if name in choices:
        return name
    known_ones = f"(choose from {', '.join(choices) or 'none'})"
    raise UsageError(f"unknown {what} '{name}'{nearest(name, choices)} {known_ones}")


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name: the known one that it may stand for.

    >>> nearest("mcc_uot", ["mcc_in", "mcc_out"]), nearest("seed", ["mcc_in", "mcc_out"])
    (": did you mean 'mcc_out'?", '')
    """
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f": did you mean '{by_lower[near[0]]}'?" if near else ""
