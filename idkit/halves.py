"""Which rows fit an alignment (in-sample), and which are held out to score it (out-of-sample)?"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError

Split = Literal["random", "first"]
FEWEST_ROWS = 4  # two in each half: a correlation needs two


def inside(n: int, *, split: Split = "random", seed: int = 0) -> NDArray[np.bool_]:
    """The in-sample half of n rows.

    Args:
        n: number of rows, at least 4.
        split: `random`, a seeded permutation; or `first`, the first half against the second, as
            the reference code of Khemakhem et al. (2020b) does. Many test sets are ordered (MNIST's
            by group of writers), so that their first half is not a sample of the whole.
        seed: of the permutation.

    Returns:
        mask: shape (n,), True on the floor(n / 2) rows that fit the alignment.

    Raises:
        IdkitError: with fewer than 4 rows.

    >>> inside(5, split="first").tolist()
    [True, True, False, False, False]
    """
    if n < FEWEST_ROWS:
        raise IdkitError(f"{n} rows are too few to split in two halves: {FEWEST_ROWS} are needed")
    mask = np.zeros(n, dtype=bool)
    if split == "first":
        mask[: n // 2] = True
    else:
        mask[np.random.default_rng(seed).permutation(n)[: n // 2]] = True
    return mask
