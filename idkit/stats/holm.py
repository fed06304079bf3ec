"""How surprising is each p-value among those of all the tests made with it?"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def holm(p: Sequence[float]) -> NDArray[np.float64]:
    """Holm's step-down adjustment (1979).

    Rejecting where the adjusted p is below a level makes one false rejection or more with at most
    that probability, however the tests depend on one another.

    Args:
        p: the p-values of one family of tests, shape (m,), in [0, 1].

    Returns:
        Adjusted p-values in the given order, shape (m,): for the i-th smallest (i from 1) the
        largest of (m - j + 1) p_(j) over j <= i, at most 1.

    >>> holm([0.04, 0.01, 0.5]).round(3).tolist()
    [0.08, 0.03, 0.5]
    """
    given = np.asarray(p, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    raised = np.maximum.accumulate(given[order] * np.arange(given.size, 0, -1))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted
