"""Does a trained mixture use its components, or has it collapsed?"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHARE, ENTROPY = "occupancy.share", "history/entropy"  # arrays of a model/1 artefact
COLLAPSED = 1.5  # kinds of rows told apart; with fewer the mixture is one component in effect
DOMINANT = 0.9  # share of the rows with which one component is said to hold them


@dataclass(frozen=True)
class Use:
    """How a mixture uses its components.

    Attributes:
        components: their number K.
        used: the effective number in use, exp of the entropy of their shares, in [1, K].
        told: the effective number of kinds of rows told apart, exp of the mutual information of
            component and row, in [1, used]: components that lie on one another tell nothing apart.
        largest: the largest share of a component, in [1 / K, 1].
    """

    components: int
    used: float
    told: float
    largest: float

    @property
    def collapsed(self) -> bool:
        """Whether the mixture has come to be one component."""
        return self.components > 1 and self.told < COLLAPSED

    def __str__(self) -> str:
        """One line, which names a collapse."""
        text = (
            f"{self.used:.1f} of {self.components} in use, {self.told:.1f} kinds of rows told apart"
        )
        if not self.collapsed:
            return text
        if self.largest >= DOMINANT:
            return f"{text}: collapsed, one component holds {self.largest:.0%} of the rows"
        return f"{text}: collapsed or not formed yet, rows belong to several components alike"


def use(arrays: Mapping[str, NDArray[Any]]) -> Use | None:
    """What a model's file says of its components.

    Args:
        arrays: those of a model/1 artefact, by name.

    Returns:
        None where the model has no components, or was not trained.
    """
    if SHARE not in arrays or ENTROPY not in arrays or not len(arrays[ENTROPY]):
        return None
    share = np.asarray(arrays[SHARE], np.float64)
    held = share[share > 0]
    spread = float(-(held * np.log(held)).sum())
    spread = min(max(spread, 0.0), log(len(share)))
    # shares look back over more batches than an epoch may have: hence the bounds
    information = min(max(spread - float(arrays[ENTROPY][-1]), 0.0), spread)
    return Use(len(share), exp(spread), exp(information), float(share.max()))
