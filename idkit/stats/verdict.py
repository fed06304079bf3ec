"""What does a comparison say, in one plain sentence?"""

from idkit.counts import counted
from idkit.stats.compare import ALPHA, FEWEST, Comparison
from idkit.stats.equivalence import Decision, equivalence
from idkit.stats.flips import shown
from idkit.stats.kinds import of_kind


def verdict(comparison: Comparison, *, tests: int, margin: float | None = None) -> str:
    """The finding, and the caveats that bear on it.

    A difference is called one where the p adjusted for all tests is at most 5%; with blocks that
    p, the shift and the interval are of whole blocks.

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
    kind = of_kind(test.kind)
    of = f", {kind}" if kind else ""
    if test.zeros == test.n:
        return f"{test.a} and {test.b} are equal in {_all(test.n)}{of}"
    size = f"shift {test.shift:.3g}"
    if test.shift_high < float("inf"):
        size += f", 95% interval {test.shift_low:.3g} to {test.shift_high:.3g}"
    p = f"p {shown(test.decisive)}"
    if test.p_block is not None:
        p += " by whole blocks"
    if tests > 1:
        p += f", {shown(test.p_holm).removeprefix('= ')} after Holm for {tests} tests"
    over = counted(test.n, "cell")
    if test.p_block is not None:
        over += f" in {counted(len(test.units), 'block')}"
    over += of
    if test.p_holm > ALPHA:
        return f"{test.a} and {test.b} cannot be told apart over {over} ({size}; {p})"
    side = "higher" if test.rank_biserial > 0 else "lower"
    return f"{test.a} is {side} than {test.b} over {over} ({size}; {p})"


def _against_margin(test: Comparison, margin: float) -> str:
    match equivalence(test.shift_low, test.shift_high, margin=margin):
        case Decision.EQUIVALENT:
            return f"equivalent: the interval lies within {margin:g}"
        case Decision.DIFFERENT if test.p_holm > ALPHA:
            return f"its interval alone, for one test, lies beyond {margin:g}"
        case Decision.DIFFERENT:
            return f"different: by more than {margin:g}"
        case Decision.UNDECIDED if len(test.units) < FEWEST:
            what = "cell" if test.p_block is None else "block"
            count = counted(len(test.units), what)
            return f"undecided: {count} give no interval to hold against the margin of {margin:g}"
        case Decision.UNDECIDED:
            return f"undecided: the interval reaches over the margin of {margin:g}"


def _caveats(test: Comparison, tests: int, margin: float | None) -> list[str]:
    caveats = []
    if 0 < test.zeros < test.n:
        verb = "is" if test.zeros == 1 else "are"
        caveats.append(
            f"{test.zeros} of {counted(test.n, 'cell')} {verb} equal, and {verb} left out of the "
            "test but not of the shift"
        )
    if test.zeros < test.n:
        caveats += _of_evidence(test, tests)
        caveats += _of_interval(test)
        if test.p_holm > ALPHA and margin is None:
            caveats.append("this does not show that they are equal")
        if test.p_block is None:
            caveats.append("cells taken as independent")
        else:
            caveats.append(f"were all cells independent, p {shown(test.p)}")
    if test.absent:
        caveats.append(f"{counted(test.absent, 'cell')} left out for lack of one of the two")
    return caveats


def _of_evidence(test: Comparison, tests: int) -> list[str]:
    if test.blocks is not None and smallest_p(test.blocks) > ALPHA:
        count = counted(test.blocks, "block")
        verb = "differs is" if test.blocks == 1 else "differ are"
        return [f"{count} that {verb} too few for a block p below {ALPHA}"]
    signs = test.n - test.zeros
    if test.blocks is None and smallest_p(signs) > ALPHA:
        verb = "differs" if signs == 1 else "differ"
        return [
            f"with {counted(signs, 'cell')} that {verb} no p below {ALPHA} is possible, "
            f"the smallest is {smallest_p(signs):g}"
        ]
    if test.decisive <= ALPHA < test.p_holm:
        return [f"alone it would pass at 5%, as one of {tests} tests it does not"]
    return []


def _of_interval(test: Comparison) -> list[str]:
    """Where p and the interval, which weigh a block by its ranks and by its mean, part ways."""
    if test.p_block is None:
        return []
    beyond = test.shift_low if test.rank_biserial > 0 else -test.shift_high  # of zero, if above it
    if test.p_holm <= ALPHA and beyond <= 0:
        return ["p is of the ranks of the cells, the interval is of block means and does not agree"]
    if test.decisive > ALPHA and not test.shift_low <= 0 <= test.shift_high:
        return ["the interval is of block means, p is of the ranks of the cells and does not agree"]
    return []


def _all(count: int) -> str:
    return "the one cell" if count == 1 else f"all {count} cells"
