"""Lists of seeds as people write them: `1-10,12`."""

from collections.abc import Sequence

from idkit.errors import UsageError

MOST = 10_000  # more is a slip of the hand


def parse(text: str) -> list[int]:
    """Seeds in the order given, each once.

    Args:
        text: numbers and ranges with both ends, between commas.

    Raises:
        UsageError: when it is no such list.

    >>> parse("1-3,7")
    [1, 2, 3, 7]
    """
    seeds: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"cannot read '{text}' as seeds: write them as 1-10,12")
        start, stop = int(first), int(last or first)
        if stop < start:
            raise UsageError(f"the seeds {part} run backwards: write {stop}-{start}")
        if stop - start >= MOST or stop >= 2**63:
            raise UsageError(f"the seeds {part} are more than {MOST}, or too large")
        seeds.update(dict.fromkeys(range(start, stop + 1)))
    return list(seeds)


def shown(seeds: Sequence[int]) -> str:
    """Seeds as a short text, `1-3,7`."""
    runs: list[list[int]] = []
    for seed in seeds:
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def named(seeds: Sequence[int]) -> str:
    """Seeds as the words of a sentence, `seeds 1-3,7` or `seed 2`."""
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {shown(seeds)}"
