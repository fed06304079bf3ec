"""What does a comparison say, in one plain sentence?"""

from idkit.stats.compare import ALPHA, Comparison
from idkit.stats.equivalence import Decision, equivalence


def verdict(comparison: Comparison, *, tests: int, margin: float | None = None) -> str:
    """The finding, and the caveats that bear on it.

    A difference is called one where the p adjusted for all tests is at most 5%.

    Args:
        comparison: one pair of families.
        tests: how many pairs were tested together.
        margin: the smallest difference that matters, if there is one.

    Returns:
        One sentence; its parts after the first are caveats, set apart by semicolons.
    """
    parts = [_finding(comparison, tests)]
    if margin is not None:
        parts.append(_against_margin(comparison, margin))
    return "; ".join([*parts, *_caveats(comparison, tests, margin)])


def smallest_p(signs: int) -> float:
    """The smallest two-sided p that so many free signs can give, 2^(1 - signs), at most 1.

    >>> smallest_p(5)
    0.0625
    """
    return float(min(1.0, 2.0 ** (1 - signs)))


def _finding(test: Comparison, tests: int) -> str:
    if test.zeros == test.n:
        return f"{test.a} and {test.b} are equal in {_all(test.n)}"
    size = f"shift {test.shift:.3g}"
    if test.shift_high < float("inf"):
        size += f", 95% interval {test.shift_low:.3g} to {test.shift_high:.3g}"
    p = f"p = {test.p:.2g}"
    if tests > 1:
        p += f", {test.p_holm:.2g} after Holm for {tests} tests"
    if test.p_holm > ALPHA:
        return f"{test.a} and {test.b} cannot be told apart over {_cells(test.n)} ({size}; {p})"
    side = "higher" if test.rank_biserial > 0 else "lower"
    return f"{test.a} is {side} than {test.b} over {_cells(test.n)} ({size}; {p})"


def _against_margin(test: Comparison, margin: float) -> str:
    match equivalence(test.shift_low, test.shift_high, margin=margin):
        case Decision.EQUIVALENT:
            return f"equivalent: the interval lies within {margin:g}"
        case Decision.DIFFERENT if test.p_holm > ALPHA:
            return f"its interval alone, for one test, lies beyond {margin:g}"
        case Decision.DIFFERENT:
            return f"different: by more than {margin:g}"
        case Decision.UNDECIDED:
            return f"undecided: the interval reaches over the margin of {margin:g}"


def _caveats(test: Comparison, tests: int, margin: float | None) -> list[str]:
    caveats = []
    if test.zeros < test.n:
        caveats += _of_evidence(test, tests)
        if test.p_holm > ALPHA and margin is None:
            caveats.append("this does not show that they are equal")
        if test.p_block is None:
            caveats.append("cells taken as independent")
        else:
            caveats.append(_of_blocks(test, test.p_block, test.blocks or 0))
    if test.absent:
        caveats.append(f"{_cells(test.absent)} left out for lack of one of the two")
    return caveats


def _of_evidence(test: Comparison, tests: int) -> list[str]:
    signs = test.n - test.zeros
    if smallest_p(signs) > ALPHA:
        return [
            f"with {_cells(signs)} that differ no p below {ALPHA} is possible, "
            f"the smallest is {smallest_p(signs):g}"
        ]
    if test.p <= ALPHA < test.p_holm:
        return [f"alone it would pass at 5%, as one of {tests} tests it does not"]
    return []


def _of_blocks(test: Comparison, p: float, blocks: int) -> str:
    if smallest_p(blocks) > ALPHA:
        return f"{blocks} blocks that differ are too few for a block p below {ALPHA}"
    turn = "but" if (p > ALPHA) != (test.p > ALPHA) else "and"
    return f"{turn} with the {blocks} blocks flipped whole p = {p:.2g}"


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"


def _all(count: int) -> str:
    return "the one cell" if count == 1 else f"all {count} cells"
