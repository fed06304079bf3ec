"""What a user should know of how inputs were read, once for all files of which the same is true."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from idkit.cli import show
from idkit.counts import counted

if TYPE_CHECKING:
    from idkit.files import Artefact


def tell(artefacts: "Iterable[Artefact]", *, say: Callable[[str], None] = show.caveat) -> None:
    """Says each note on the files once; it names the first file and counts the others.

    Args:
        artefacts: what was read.
        say: `show.caveat` for what bears on a result, `show.note` ahead of long work.
    """
    of: dict[str, list[str]] = {}
    for artefact in artefacts:
        for text in artefact.notes:
            of.setdefault(text, []).append(artefact.label)
    for text, labels in of.items():
        others = len(set(labels)) - 1
        more = f" and {counted(others, 'other file')}" if others else ""
        say(f"{labels[0]}{more}: {text}")
