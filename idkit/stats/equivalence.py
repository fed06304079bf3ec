"""Is a difference large enough to matter, too small to matter, or not known well enough?"""

from enum import StrEnum

from idkit.errors import UsageError


class Decision(StrEnum):
    """What an interval says about a margin."""

    EQUIVALENT = "equivalent"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


def equivalence(low: float, high: float, *, margin: float) -> Decision:
    """Where the interval of a shift lies against the band from -margin to margin.

    With a 95% interval, a difference as large as the margin is called equivalent with at most
    2.5% probability (two one-sided tests, Schuirmann 1987, at half the usual level).

    Args:
        low: lower end of the interval, may be -inf.
        high: upper end, may be inf.
        margin: the smallest difference that matters, above 0.

    Returns:
        equivalent: the interval is inside the band; different: it is outside altogether;
        undecided: it reaches over an edge.

    Raises:
        UsageError: when the margin is not a positive number.

    >>> print(equivalence(-0.01, 0.015, margin=0.02), equivalence(0.03, 0.05, margin=0.02))
    equivalent different
    """
    if not 0 < margin < float("inf"):
        raise UsageError(f"a margin is the smallest difference that matters, above 0, not {margin}")
    if -margin < low and high < margin:
        return Decision.EQUIVALENT
    if low > margin or high < -margin:
        return Decision.DIFFERENT
    return Decision.UNDECIDED
