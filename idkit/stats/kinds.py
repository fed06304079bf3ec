"""Which columns of a table say what kind of score a number is, and what is a kind called?"""

from collections.abc import Mapping, Sequence
from typing import Any

MODES = ("mode", "corr")  # how runs were aligned, and which correlation
LIKE = ("embedded", "embedding", "to", "cca_dim", "rematch", "self_pairs")  # how runs were scored
LOOSE = ("split", "split_seed")  # on which halves of the rows: the expected score is the same
SIZES = ("k", "components")  # of how many components; a setting of a cell in other tables
USUAL = {"corr": "pearson"}  # what goes without saying
EMPTY = {"to": "between runs"}  # what an empty field means, where it means something


def varying(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns of a kind in which rows differ.

    >>> varying([{"mode": "strong", "corr": "pearson"}, {"mode": "weak", "corr": "pearson"}])
    ['mode']
    """
    names = (*MODES, *LIKE, *LOOSE, *SIZES)
    return [name for name in names if len({row.get(name) for row in rows}) > 1]


def of_kind(kind: Mapping[str, str | None]) -> str:
    """What is known of a kind, by name.

    >>> of_kind({"mode": "weak", "corr": "pearson"}), of_kind({"mode": None}), of_kind({})
    ('mode weak', '', '')
    >>> of_kind({"mode": "strong", "corr": "spearman", "to": None, "split_seed": "1"})
    'mode strong, corr spearman, between runs, split seed 1'
    """
    words = [
        EMPTY.get(name, "") if value is None else f"{name.replace('_', ' ')} {value}"
        for name, value in kind.items()
        if value is None or value != USUAL.get(name)
    ]
    return ", ".join(filter(None, words))
