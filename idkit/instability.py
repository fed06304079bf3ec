"""Which random stream do the differences between runs come from?

Runs trained with `--vary init` share the order of the rows and the noise, and differ in their
initial parameters only; likewise `order` and `noise`. What such runs fail to agree on is what that
stream alone brings about. Streams interact, so the parts need not add up to the whole.
"""

from collections.abc import Sequence
from typing import Any

from idkit.errors import IdkitError
from idkit.scores import Row, Scored

SCHEMA = "idkit.streams/1"
STREAMS = ("init", "order", "noise", "all")
OPTION = "vary="


def rows(every: Sequence[Scored]) -> list[Row]:
    """One line for each stream of each family of runs.

    Args:
        every: scores of groups, some of whose settings name what varies.

    Returns:
        Besides what a family is: `stream`; `mcc_out` with its interval and the chance level of
        its group; `instability`, which is 1 - mcc_out; and `share` of the
        instability of runs in which all streams vary, None where there are no such runs or they
        agree perfectly.

    Raises:
        IdkitError: when no group was trained with one stream varying.
    """
    families: dict[tuple[tuple[str, Any], ...], dict[str, Scored]] = {}
    for scored in every:
        stream, family = _parts(scored)
        families.setdefault(tuple(family.items()), {})[stream] = scored
    split = {key: held for key, held in families.items() if set(held) != {"all"}}
    if not split:
        raise IdkitError(
            "no runs in which one random stream varies: train some with --vary init, order and "
            "noise, and embed them"
        )
    return [
        {**dict(key), **_line(held, stream)}
        for key, held in split.items()
        for stream in STREAMS
        if stream in held
    ]


def _parts(scored: Scored) -> tuple[str, Row]:
    """The stream that varies, and what the group is but for that."""
    words = str(scored.about["settings"] or "").split()
    named = [word.removeprefix(OPTION) for word in words if word.startswith(OPTION)]
    rest = " ".join(word for word in words if not word.startswith(OPTION))
    return (named or ["all"])[0], {**scored.how, "settings": rest or None}


def _line(held: dict[str, Scored], stream: str) -> Row:
    found = held[stream].comparison
    instability = 1 - found.score.mcc_out
    whole = 1 - held["all"].comparison.score.mcc_out if "all" in held else 0.0
    return {
        "stream": stream,
        "runs": found.score.runs,
        "mcc_out": found.score.mcc_out,
        "ci_low": found.interval.low,
        "ci_high": found.interval.high,
        "chance_in": found.chance_in,
        "chance_out": found.chance_out,
        "instability": instability,
        "share": instability / whole if whole > 0 else None,
    }
