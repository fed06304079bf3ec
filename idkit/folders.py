"""Do files that say nothing of themselves come from several families? Their folders may tell."""

import os
import re
from collections.abc import Sequence
from pathlib import Path


def families(paths: Sequence[str]) -> list[str]:
    """The folders of several families, where the layout of the files says that there are several.

    One run a folder, in files of one name, is one family, unless these folders are those of
    several families themselves: `A/1/z.npy A/2/z.npy B/1/z.npy` are of A and B, and so are
    `A/1.npy A/2.npy B/1.npy`. Names that differ in their digits are one.

    Args:
        paths: of files, as the user typed them.

    Returns:
        The folders, from the folder on that holds them all; none where there is one family.

    >>> families(["A/1.npy", "A/2.npy", "B/1.npy", "B/2.npy"])
    ['A', 'B']
    >>> families(["runs/s1/z.npy", "runs/s2/z.npy"])
    []
    """
    level = list(dict.fromkeys(Path(path).absolute() for path in paths))
    while True:
        parents = list(dict.fromkeys(path.parent for path in level))
        if len(parents) < 2:
            return []
        names = {re.sub(r"\d+", "", path.name) for path in level}
        if len(parents) < len(level) or len(names) > 1:
            top = os.path.commonpath(parents)
            return [os.path.relpath(parent, top) for parent in parents]
        level = parents
