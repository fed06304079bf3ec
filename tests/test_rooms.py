"""The arrows of the house: who may import whom, read off the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent / "idkit"
LIBRARY = {
    "data": {"errors"},
    "mixing": {"errors"},
    "synth": {"data", "mixing", "files", "errors"},
    "nets": {"errors"},
    "densities": {"nets", "errors"},
    "models": {"densities", "nets", "errors"},
    "training": {"models", "densities", "nets", "errors"},
    "blas": set(),
    "budget": {"errors"},
    "gram": {"errors"},
    "maps": {"gram", "errors"},
    "align": {"maps", "gram", "errors"},
    "bases": {"blas", "maps", "gram", "errors"},
    "halves": {"errors"},
    "ranks": {"errors"},
    "metrics": {"blas", "align", "bases", "maps", "gram", "halves", "ranks", "shelf", "errors"}
    | {"counts"},
    "stats": {"metrics", "align", "maps", "gram", "halves", "ranks", "shelf", "errors", "counts"},
    "plots": {"files", "stats", "errors", "schemas"},
    "files": {"errors", "schemas", "declare"},
    "shelf": {"errors"},
    "locks": {"errors"},
    "errors": set(),
    "schemas": {"declare"},
    "declare": set(),
    "counts": set(),
}
TORCH = {"training", "models", "densities", "nets"}
HEAVY = {"torch", "numpy", "scipy", "sklearn", "matplotlib", "statsmodels", "pandas", "zuko"}
FILES = sorted(HERE.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(HERE).parts[0].removesuffix(".py")


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """The dotted names that a file imports, but for those of type checking."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_level_only else [n for n in ast.walk(tree) if not checking(n)]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(HERE)))
def test_a_room_imports_only_what_stands_below_it(path: Path) -> None:
    allowed = LIBRARY.get(room(path))
    if allowed is None:  # cli and the modules that join rooms for it may import anything
        return
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "idkit" and parts[1] != "__version__":
            assert parts[1] in allowed | {room(path)}, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(HERE)))
def test_only_its_rooms_name_a_heavy_library_at_the_top(path: Path) -> None:
    top = {name.split(".")[0] for name in imports(path, top_level_only=True)}
    if room(path) not in TORCH:
        assert "torch" not in top
    if room(path) != "cli":
        assert not top & {"typer", "rich"}
    else:
        assert not top & HEAVY
    if room(path) != "plots":
        assert "matplotlib" not in top


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(HERE)))
def test_nobody_imports_a_private_name_of_another_module(path: Path) -> None:
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "idkit" and parts[-1].startswith("_") and not parts[-1].startswith("__"):
            home = HERE.joinpath(*parts[1:-1])
            assert home == path.parent, f"{path.name} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(HERE)))
def test_text_has_the_encoding_of_idkit_and_not_of_the_users_locale(path: Path) -> None:
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and opens_text(call):
            given = {keyword.arg for keyword in call.keywords}
            assert "encoding" in given, f"{path.name}:{call.lineno}"


def opens_text(call: ast.Call) -> bool:
    """Whether a call reads or writes text: `read_text`, `write_text`, `open` without a b."""
    name = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
    if name in ("read_text", "write_text", "TextIOWrapper"):
        return True
    modes = [mode for mode in call.args[1:2] if isinstance(mode, ast.Constant)]
    modes += [
        k.value for k in call.keywords if k.arg == "mode" and isinstance(k.value, ast.Constant)
    ]
    own = isinstance(call.func, ast.Name)  # not of os, zipfile, gzip
    return name == "open" and own and not any("b" in str(mode.value) for mode in modes)
