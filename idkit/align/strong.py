"""Alignment up to a permutation of the coordinates and their signs (~P in the paper)."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from idkit.gram import Grams
from idkit.maps import Permutation


def fit(inside: Grams, a: int, b: int, *, components: int | None = None) -> Permutation:
    """Matches the coordinates of two runs one to one so that the sum of |correlation| is largest.

        argmax over injections π of Σ_i |corr(z^a_i, z^b_π(i))|

    solved exactly (Kuhn 1955; the variant of Crouse 2016 in SciPy).

    Args:
        inside: in-sample moments of the group.
        a: number of the run that is mapped.
        b: number of the run it is mapped to.
        components: how many matched pairs to keep, the best first; by default min(d_a, d_b).

    Returns:
        The permutation with its signs. A constant coordinate has correlation 0 with all.
    """
    correlations = inside.correlations(a, b)
    strength = np.abs(correlations)
    source, target = linear_sum_assignment(strength, maximize=True)
    kept = np.argsort(-strength[source, target], kind="stable")[:components]
    source, target = source[kept], target[kept]
    signs = np.where(correlations[source, target] < 0, -1.0, 1.0)
    return Permutation(source, target, signs, (inside.widths[a], inside.widths[b]))
