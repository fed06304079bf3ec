"""Scores of groups as rows of a table, as arrays of a file, and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit import files, schemas
from idkit.comparison import Comparison
from idkit.files import Artefact
from idkit.latents import ABOUT
from idkit.metrics.mcc import Score, components, cumulative
from idkit.stats.jackknife import Interval

SCHEMA = schemas.SCORES
CURVE_SCHEMA = "idkit.curve/1"
PAIRS_SCHEMA = "idkit.pairs/1"
Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Scored:
    """One group under one family of maps.

    Attributes:
        about: data, model, arch, d_z, settings and data embedded; None where unknown.
        names: what the runs are called; the ground truth, where there is one, comes last.
        seeds: of each run; None where unknown.
        comparison: what was found.
        notes: what a reader of the score should know of the runs, one sentence each.
    """

    about: Row
    names: tuple[str, ...]
    seeds: tuple[int | None, ...]
    comparison: Comparison
    notes: tuple[str, ...] = ()

    @property
    def how(self) -> Row:
        """What tells this score from others: the group, the mode and the correlation."""
        score = self.comparison.score
        return {**self.about, "mode": score.mode, "corr": score.corr}


def row(scored: Scored) -> Row:
    """The one line of a group in the table of `idkit mcc`."""
    found = scored.comparison
    score = found.score
    return {
        **scored.how,
        "k": score.k,
        "runs": score.runs,
        "pairs": len(np.unique(score.pairs, axis=0)),
        "n": score.n,
        "mcc_in": score.mcc_in,
        "mcc_out": score.mcc_out,
        "ci_low": found.interval.low,
        "ci_high": found.interval.high,
        "chance_in": found.chance_in,
        "chance_out": found.chance_out,
        "p": found.p_out,
        "dead": int(score.dead.sum()),
        "active": float(score.active.mean()),
        "unmatched": score.unmatched,
        "mcc_in_all": score.mcc_in_all,
        "mcc_out_all": score.mcc_out_all,
    }


def pair_rows(scored: Scored) -> list[Row]:
    """One line for each pair of runs: its means over components (and positions of a grid).

    The chance level beside them is that of the group: a pair alone has too few shuffles.
    """
    score = scored.comparison.score
    pairs, which = np.unique(score.pairs, axis=0, return_inverse=True)
    counts = np.bincount(which)
    inner = np.bincount(which, score.pair_in) / counts
    outer = np.bincount(which, score.pair_out) / counts
    over_all = [
        None if values is None else np.bincount(which, values) / counts
        for values in (score.pair_in_all, score.pair_out_all)
    ]
    seeds = dict(enumerate(scored.seeds))  # the truth has none
    return [
        {
            **scored.how,
            "a": scored.names[a],
            "b": scored.names[b],
            "seed_a": seeds.get(int(a)),
            "seed_b": seeds.get(int(b)),
            "k": int(components(score.mode, score.in_sample[which == i]).max()),
            "mcc_in": float(inner[i]),
            "mcc_out": float(outer[i]),
            "chance_in": scored.comparison.chance_in,
            "chance_out": scored.comparison.chance_out,
            **{
                name: None if values is None else float(values[i])
                for name, values in zip(("mcc_in_all", "mcc_out_all"), over_all, strict=True)
            },
        }
        for i, (a, b) in enumerate(pairs)
    ]


def curve_rows(scored: Scored) -> list[Row]:
    """One line for each number of components: means and standard deviations over the pairs."""
    score = scored.comparison.score
    inner, outer = cumulative(score.in_sample), cumulative(score.out_of_sample)
    return [
        {
            **scored.how,
            "components": j + 1,
            "mcc_in": float(inner[:, j].mean()),
            "mcc_out": float(outer[:, j].mean()),
            "sd_in": float(inner[:, j].std()),
            "sd_out": float(outer[:, j].std()),
        }
        for j in range(score.k)
    ]


def pack(every: Sequence[Scored]) -> tuple[dict[str, NDArray[Any]], list[Row]]:
    """What a scores file holds: `g/<name>` for the arrays of group g, and the table.

    Returns:
        The arrays: `pairs` (P, 2), `positions` (P,), `in` and `out` (P, k), `shuffled_in` and
        `shuffled_out` (B,), `dead` and `active` (runs,); and one row for each group with the names
        and seeds of its runs.
    """
    arrays: dict[str, NDArray[Any]] = {}
    table = []
    for g, scored in enumerate(every):
        found, score = scored.comparison, scored.comparison.score
        arrays |= {
            f"{g}/pairs": score.pairs,
            f"{g}/positions": score.positions,
            f"{g}/in": score.in_sample,
            f"{g}/out": score.out_of_sample,
            f"{g}/shuffled_in": found.shuffled_in,
            f"{g}/shuffled_out": found.shuffled_out,
            f"{g}/dead": score.dead,
            f"{g}/active": score.active,
        }
        extra = {
            "names": list(scored.names),
            "seeds": list(scored.seeds),
            "p_in": found.p_in,
            "withheld": found.interval.withheld,
            "warnings": list(score.warnings),
            "notes": list(scored.notes),
            "wanted": score.wanted,
        }
        table.append({**row(scored), **extra})
    return arrays, table


def unpack(artefact: Artefact) -> list[Scored]:
    """The scores in a file that `pack` made: a scores or an alignment file.

    Raises:
        IdkitError: when something of what `pack` writes is missing.
    """
    files.require(artefact)
    return [_scored(artefact, g, line) for g, line in enumerate(artefact.meta["groups"])]


def _scored(artefact: Artefact, g: int, line: Row) -> Scored:
    def array(name: str) -> NDArray[Any]:
        return artefact.arrays[f"{g}/{name}"]

    score = Score(
        mode=line["mode"],
        corr=line["corr"],
        n=line["n"],
        runs=line["runs"],
        pairs=array("pairs"),
        positions=array("positions"),
        in_sample=array("in"),
        out_of_sample=array("out"),
        dead=array("dead"),
        active=array("active"),
        warnings=tuple(line["warnings"]),
        wanted=line.get("wanted"),
    )
    interval = Interval(line["ci_low"], line["ci_high"], None, line["withheld"])
    shuffled = (array("shuffled_in"), array("shuffled_out"))
    found = Comparison(score, interval, *shuffled, tested=line["p"] is not None)
    before = {"embedded": None, "notes": ()}  # what files of idkit 0.1.0 do not hold
    about = {name: {**before, **line}[name] for name in ABOUT}
    notes = tuple({**before, **line}["notes"])
    seeds = tuple(line["seeds"] or [None] * line["runs"])
    return Scored(about, tuple(line["names"]), seeds, found, notes)
