"""How one-sided are paired differences, on a scale that does not grow with their number?"""

import numpy as np
from numpy.typing import NDArray

from idkit.stats.signed_rank import Zeros, signed_ranks


def rank_biserial(differences: NDArray[np.float64], *, zeros: Zeros = "wilcox") -> float:
    """The matched-pairs rank-biserial correlation (Kerby 2014), (W+ - W-) / (W+ + W-).

    Args:
        differences: shape (n,), n >= 1.
        zeros: what becomes of zeros, as in `signed_rank`.

    Returns:
        In [-1, 1]: 1 where every difference that is not zero is positive, 0 where the ranks
        balance; nan where all are zero.

    Raises:
        IdkitError: when there is no difference, or one is not finite.

    >>> rank_biserial(np.array([1.0, 2.0, -3.0]))
    0.0
    """
    ranks = signed_ranks(differences, zeros=zeros)
    whole = np.abs(ranks).sum()
    return float(ranks.sum() / whole) if whole else float("nan")
