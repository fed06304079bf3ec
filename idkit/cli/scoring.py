"""Which columns of a table say how runs were scored, so that no run is in one sample twice?"""

from collections.abc import Mapping, Sequence
from typing import Any

from idkit.errors import UsageError
from idkit.stats.advice import FILE, differing, listed, measured
from idkit.stats.kinds import LIKE, LOOSE, MODES, SIZES
from idkit.stats.naming import Entry, name

GROUP = ("data", "model", "arch", "d_z", "settings")  # a cell's name, less the family's
EMBEDDING = ("split=", "statistic=")  # how settings begin that are not of the training
OF_COMMAND = {  # options of 'idkit mcc' and 'idkit align', and the columns that they are here
    "to": "to",
    "cca-dim": "cca_dim",
    "rematch": "rematch",
    "self-pairs": "self_pairs",
    "split": "split",
    "seed": "split_seed",
}
ALL_PAIRS = "all-pairs"  # of 'idkit align --to': the runs with each other

Columns = dict[str, list[Entry]]


def options(command: Any) -> dict[str, str]:
    """How the scores of a file were made.

    >>> options("mcc --cca-dim 20 --modes strong --rematch --seed 1 --to s.npz")
    {'cca_dim': '20', 'rematch': 'yes', 'split_seed': '1', 'to': 's.npz'}
    """
    words = [option.partition(" ") for option in str(command).split(" --")[1:]]
    return {
        OF_COMMAND[option]: value or "yes"
        for option, _, value in words
        if option in OF_COMMAND and value != ALL_PAIRS
    }


def bears(option: str, group: Mapping[str, Any]) -> bool:
    """Whether an option bears on the scores of a group: the canonical pairs on the mode weak."""
    return option != "cca_dim" or group.get("mode") == "weak"


def resolve(
    columns: Columns, *, value: str, by: str, pair: Sequence[str] | None
) -> tuple[Columns, list[str], list[str]]:
    """What names a cell, and what a kind of score, of which one run has more than one.

    Two scores of the same runs are not two observations. The kinds are the columns mode and corr;
    and those that say how else runs were scored (against what, on which halves, on what rows they
    were embedded), where rows of one family and cell differ in them.

    Args:
        columns: the table.
        value: the column of numbers.
        by: the column that names the family.
        pair: the columns that name a cell, as the user has it: what is among them is no kind. None
            for the usual ones.

    Returns:
        The table, in which settings of the embedding are a column of their own if one run was
        embedded in several ways; the columns that name a cell; those that name a kind.

    Raises:
        UsageError: when no column names a cell.
    """
    cell = [one for one in GROUP if one in columns and one not in (by, value)]
    used = {by, value, *(cell if pair is None else pair)}
    if pair is None and not cell:
        raise UsageError(
            f"name the columns that make a cell by --pair (the table has {listed(columns)})"
        )
    own = all(one in columns for one in MODES)
    each = [one for one in MODES if one in columns and one not in used and _names(columns[one])]
    group = [one for one in GROUP if one in columns]
    key = [by, *(cell if pair is None else pair), *group]
    if own and "settings" in group:
        parted = _parted(columns)
        if differing(parted, ["embedding"], [*key, *each]):
            columns = parted
    for one in (*LIKE, *LOOSE, *(SIZES if own else ())):
        if one in columns and one not in used and differing(columns, [one], [*key, *each]):
            each.append(one)
    if pair is not None:
        return columns, list(pair), each
    like = LIKE[:1] if by == FILE else LIKE  # files may differ in how they were scored
    varying = [one for one in like if one in columns and one not in (by, value, *each)]
    return columns, [*cell, *(one for one in varying if _differ(one, columns[one]))], each


def _differ(option: str, entries: Sequence[Entry]) -> bool:
    """Whether scores differ in an option, those on which it has no bearing apart."""
    return len(set(entries) - ({None} if option == "cca_dim" else set())) > 1


def _names(entries: Sequence[Entry]) -> bool:
    return not measured(entries) and any(entry is not None for entry in entries)


def _parted(columns: Columns) -> Columns:
    """The table with the settings of the training under `settings`, of the embedding apart."""
    words = [(name(entry) or "").split() for entry in columns["settings"]]
    embedding = [[word for word in of if word.startswith(EMBEDDING)] for of in words]
    training = [[word for word in of if not word.startswith(EMBEDDING)] for of in words]
    return {
        **columns,
        "settings": [" ".join(of) or None for of in training],
        "embedding": [" ".join(of) or None for of in embedding],
    }
