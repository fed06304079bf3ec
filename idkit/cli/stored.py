"""From files that hold scores to the scores, without the latents that they were computed from."""

from typing import TYPE_CHECKING, Any

from idkit import schemas
from idkit.counts import counted
from idkit.errors import IdkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idkit.files import Artefact
    from idkit.scores import Scored

SCHEMAS = schemas.SCORED
USUAL = {
    "modes": None,
    "cca_dim": 20,
    "corr": "pearson",
    "split": "random",
    "to": None,
    "null": None,
    "self_pairs": False,
    "rematch": False,
    "seed": 0,
    "id": None,
}


def check_unused(artefact: "Artefact", given: "Mapping[str, Any]") -> None:
    """Makes sure that no option asks for what would have to be scored anew.

    Args:
        artefact: scores or an alignment.
        given: the options that bear on a score.

    Raises:
        UsageError: when one of them is not as usual.
    """
    for name, usual in USUAL.items():
        if given[name] != usual:
            option = "mode" if name == "modes" else name.replace("_", "-")
            raise UsageError(f"{artefact.label} has been scored: --{option} would be ignored")


def scores_of(
    opened: "Sequence[Artefact]", seed: int, *, named: str | None = None, memory: int
) -> "list[Scored]":
    """Scores that have been computed before; or those of an alignment on other rows.

    Args:
        opened: scores and alignments; or one alignment of one group, and latents of its runs on
            rows that it was not fitted to.
        seed: of the shuffles for the chance level on other rows.
        named: the array that names these rows, as in `rows.matched`.
        memory: the bytes that may be taken to score other rows.

    Raises:
        IdkitError: when the files do not go together, or need more memory.
    """
    from idkit import scores

    stored = [artefact for artefact in opened if artefact.schema in SCHEMAS]
    if len(stored) == len(opened):
        return [scored for artefact in opened for scored in scores.unpack(artefact)]
    first, *others = opened
    if len(stored) > 1 or first.schema == scores.SCHEMA or len(scores.unpack(first)) > 1:
        raise IdkitError(
            f"{first.label} cannot be scored on other latents: give one alignment of one group "
            "('idkit align' makes that), and the latents of its runs"
        )
    return [_transferred(first, others, seed, named, memory)]


def _transferred(
    stored: "Artefact",
    opened: "Sequence[Artefact]",
    seed: int,
    named: str | None,
    memory: int,
) -> "Scored":
    """An alignment scored on latents that it was not fitted to."""
    from idkit import alignment, latents, rows, scores

    (before,) = scores.unpack(stored)
    runs = [latents.run(artefact) for artefact in opened]
    seeds = tuple(run.seed for run in runs)
    if len(runs) != len(before.names) or (
        None not in seeds and seeds[: len(before.seeds)] != before.seeds
    ):
        raise IdkitError(
            f"{stored.label} aligns {len(before.names)} runs ({', '.join(before.names)}): give "
            f"the latents of the same runs in the same order, not {counted(len(runs), 'other')}"
        )
    fitted = {each["sha256"] for each in stored.meta["inputs"]}
    for artefact in opened:
        if artefact.sha256 in fitted:
            raise IdkitError(
                f"{artefact.label} is what {stored.label} was fitted to: give latents of other "
                "rows, or the alignment alone, which holds its own out-of-sample score"
            )
    names = tuple(latents.below([run.label for run in runs]))
    own = [
        latents.rows_of(artefact, "z", label=name)
        for artefact, name in zip(opened, names, strict=True)
    ]
    matched = rows.matched(own, named)
    found = alignment.transferred(
        before.comparison,
        alignment.unpack(stored),
        [run.z for run in runs],
        rows=matched.orders,
        seed=seed,
        names=names,
        memory=memory,
    )
    notes = (str(matched), *matched.warnings)
    return scores.Scored(before.about, names, before.seeds, found, notes)
