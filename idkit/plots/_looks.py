"""The colour, line and marker of each model, the same in every figure.

The colours are those of Okabe and Ito (2008), told apart by every kind of colour vision; since
print may lose them, each comes with a line style and a marker of its own.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

GREY = "#707070"
CHANCE: Mapping[str, Any] = {"linestyle": (0, (3, 2)), "linewidth": 0.9}


@dataclass(frozen=True)
class Look:
    """How one family of models is drawn, in every figure alike."""

    color: str
    dashes: Any
    marker: str


LOOKS = (
    Look("#0072B2", "-", "o"),
    Look("#D55E00", (0, (6, 1.5)), "s"),
    Look("#009E73", (0, (6, 1.5, 1.2, 1.5)), "^"),
    Look("#CC79A7", (0, (9, 2)), "D"),
    Look("#E69F00", (0, (6, 1.2, 1.2, 1.2, 1.2, 1.2)), "v"),
    Look("#56B4E9", (0, (4, 1)), "P"),
    Look("#000000", (0, (1.2, 1.2)), "X"),
    Look("#8C564B", (0, (8, 1.5, 2, 1.5)), "<"),
    Look("#7A7A7A", (0, (2, 1)), ">"),
    Look("#999933", (0, (10, 1.5, 1.2, 1.5)), "*"),
)
# The paper's families first, in its order, so that each looks the same in every figure.
FAMILIES = (
    *("vade", "ivae", "vae", "rademacher", "rvqvae", "ae", "gmmflow"),
    *("ica", "pca", "untrained"),
)


def looks(names: Iterable[str]) -> dict[str, Look]:
    """The look of each name: the paper's families have fixed ones, others take the free ones.

    Args:
        names: of models, or of whatever the series are; "vade epochs=20" is of the family vade,
            and has its look unless a shorter name of that family is there.

    Returns:
        One look a name, in drawing order: the paper's families first, others as they came.
    """
    wanted = dict.fromkeys(names)
    places: dict[str, int] = {}
    for place, family in enumerate(FAMILIES):
        kin = [name for name in wanted if re.split("[ ,]", name)[0] == family]
        if kin:
            places[min(kin, key=len)] = place
    free = [place for place in range(len(LOOKS) + len(wanted)) if place not in places.values()]
    places |= zip((name for name in wanted if name not in places), free, strict=False)
    return {name: _look(place) for name, place in places.items()}


def _look(place: int) -> Look:
    """Beyond the tenth, colours come again with another line and marker."""
    again, first = divmod(place, len(LOOKS))
    other = LOOKS[(first + 3 * again) % len(LOOKS)]
    return Look(LOOKS[first].color, other.dashes, other.marker)
