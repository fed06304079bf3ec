"""Do paired differences lie to one side of zero, when those of one block go together?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from idkit.stats import flips
from idkit.stats.signed_rank import Zeros, signed_ranks


@dataclass(frozen=True)
class BlockFlips:
    """The signed-rank statistic against sign flips of whole blocks.

    Attributes:
        blocks: blocks whose ranks do not cancel or vanish: only these can bear evidence.
        p: two-sided p-value, in (0, 1], a multiple of 2^(1 - blocks) where it is exact.
        method: how p was found, and whether it is an upper bound.
    """

    blocks: int
    p: float
    method: str


def block_flips(
    differences: NDArray[np.float64], blocks: NDArray[np.int64], *, zeros: Zeros = "wilcox"
) -> BlockFlips:
    """The signed-rank test for differences that depend on one another within blocks.

    Under the null hypothesis the signs of a whole block may be turned together, whatever binds
    its members; p is the share of the 2^B arrangements of the B blocks whose sum of signed ranks
    is at least as far from zero. With one difference a block it is `signed_rank`.

    Args:
        differences: shape (n,), n >= 1, rounded to the precision they are known to.
        blocks: the block of each difference, shape (n,).
        zeros: what becomes of zeros, as in `signed_rank`.

    Returns:
        p, exact; a normal approximation only where the number of blocks and of differences puts
        the exact distribution out of reach.

    Raises:
        IdkitError: when there is no difference, or one is not finite.

    >>> block_flips(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 0, 1, 1])).p
    0.5
    """
    doubled = np.rint(2 * signed_ranks(differences, zeros=zeros)).astype(np.int64)
    _, place = np.unique(blocks, return_inverse=True)
    sums = np.zeros(place.max() + 1, dtype=np.int64)
    np.add.at(sums, place, doubled)
    found = flips.two_sided(sums)
    method = flips.bounded(found.p, found.method)
    return BlockFlips(blocks=int(np.sum(sums != 0)), p=found.p, method=method)
