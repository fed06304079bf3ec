"""What is to be done about a table that cannot be compared as it is? Only what then works."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import accumulate

from idkit.stats.kinds import LIKE, LOOSE
from idkit.stats.naming import NOTHING, Entry, name

Columns = Mapping[str, Sequence[Entry]]
Role = Sequence[str]
Names = Mapping[str, Sequence[str | None]]
FILE = "file"  # the column of the input that a row comes from
PAIR = ("a", "b", "seed_a", "seed_b")  # of 'idkit mcc --pairs': names of the two runs of a row
ROOM = 80  # characters of a list of names in a message; the rest are counted
LONG = 40  # characters of one name in a message
RESULTS = frozenset(  # columns of idkit's tables that are found, and so name nothing
    [
        *("mcc_in", "mcc_out", "mcc_in_all", "mcc_out_all", "unmatched", "ci_low", "ci_high"),
        *("chance_in", "chance_out", "p", "p_in", "active", "dead", "withheld"),
        *("axes", "axes_level", "axes_adjusted", "axes_active", "axes_p"),
        *("k", "components", "runs", "pairs", "n"),
    ]
)


def listed(names: Iterable[str]) -> str:
    """Names for a message, the first of many.

    >>> listed(["vae", "vade"]), listed([]), listed(["x" * 60, "y" * 60, "z"])[-10:]
    ('vae, vade', '', 'and 2 more')
    """
    every = [clip(one) if one else "(nameless)" for one in names]
    lengths = accumulate(len(one) + 2 for one in every)
    count = max(1, sum(length <= ROOM for length in lengths))
    rest = len(every) - count
    return ", ".join(every[:count]) + (f" and {rest} more" if rest > 0 else "")


def clip(text: str, most: int = LONG) -> str:
    """The beginning of a long name.

    >>> len(clip("x" * 500))
    40
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def needs_two(columns: Columns, *, by: str, pair: Role, each: Role) -> str:
    """Says that a table has fewer than two families, and whether it has two files to compare."""
    table = _names(columns)
    known = list(dict.fromkeys(one or NOTHING for one in table[by]))
    if not known:
        return "a comparison needs two families, the table is empty"
    names = f"the column '{by}' names {len(known)}: {listed(known)}"
    files = FILE in columns and by != FILE and _meet(table, by=FILE, pair=pair, each=each)
    cure = f"; to compare the files: --by {FILE}" if files else ""
    return f"a comparison needs two families, {names}{cure}"


def tell_apart(columns: Columns, *, value: str, by: str, pair: Role, each: Role) -> str:
    """How two rows of one family in one cell become comparable.

    Args:
        columns: the table.
        value: the column of numbers.
        by: the column that names the family.
        pair: the columns that name a cell.
        each: the columns that name the kind of number.
    """
    if len(set(columns.get("b", ()))) > 1 and "seed_b" in columns:
        return "a run is in several pairs of runs, which are not independent: give scores of groups"
    table = _names(columns)
    used = {value, by, *pair, *each, *RESULTS, *PAIR, *LIKE, *LOOSE, FILE}
    free = [one for one in columns if one not in used and not measured(columns[one])]
    apart = differing(columns, free, [by, *pair, *each])
    for more in (*([one] for one in apart), apart):
        if more and _meet(table, by=by, pair=[*pair, *more], each=each):
            return (
                "average them first, or name the columns that tell them apart as part of the cell "
                f"(as {listed(more)})"
            )
    if FILE in columns and by != FILE and _meet(table, by=FILE, pair=[*pair, by], each=each):
        option = _option("--pair", [*pair, by], before=" ")
        return f"average them first, or compare the files: --by {FILE}{option}"
    return "average them first"


def bring_together(columns: Columns, *, value: str, by: str, pair: Role, each: Role) -> str:
    """Why no cell has two families, and how some would."""
    table = _names(columns)
    if _meet(table, by=by, pair=pair, each=each):
        empty = sum(entry is None or entry == "" for entry in columns[value])
        return f"{value} is empty in {empty} of {len(columns[value])} rows"
    first, second = list(dict.fromkeys(table[by]))[:2]
    for one in (*each, *pair):
        ours, theirs = (_of(table[one], table[by], family) for family in (first, second))
        if not ours.keys() & theirs.keys():
            lists = f"{clip(listed(ours))} | {clip(listed(theirs))}"
            two = f"{clip(first or NOTHING)} and {clip(second or NOTHING)}"
            why = f"{two} share no {clip(one)} ({lists})"
            break
    else:
        why = "name a cell by fewer columns"
    for one in pair:
        fewer = [other for other in pair if other != one]
        if fewer and one not in LIKE and _meet(table, by=by, pair=fewer, each=each):
            return f"{why}; without {clip(one)} they meet{_option('--pair', fewer, before=': ')}"
    return why


def _option(option: str, names: Role, *, before: str) -> str:
    """An option to copy; nothing where it would be too long for a message."""
    text = ",".join(names)
    return f"{before}{option} {text}" if len(text) <= ROOM else ""


def _of(
    entries: Sequence[str | None], families: Sequence[str | None], family: str | None
) -> dict[str, None]:
    """The distinct entries of a family, in order."""
    pairs = zip(entries, families, strict=True)
    return dict.fromkeys(entry or NOTHING for entry, of in pairs if of == family)


def differing(columns: Columns, free: Role, key: Role) -> list[str]:
    """The columns in which rows differ that have the same names under the key.

    Args:
        columns: the table.
        free: the columns to look at.
        key: the columns that together name a row.
    """
    table = _names({one: columns[one] for one in dict.fromkeys([*free, *key])})
    members: dict[tuple[str | None, ...], list[int]] = {}
    for row, place in enumerate(zip(*(table[one] for one in key), strict=True)):
        members.setdefault(place, []).append(row)
    twice = [rows for rows in members.values() if len(rows) > 1]
    return [
        one for one in free if any(len({table[one][row] for row in rows}) > 1 for rows in twice)
    ]


def _names(columns: Columns) -> Names:
    return {one: [name(entry) for entry in entries] for one, entries in columns.items()}


def _meet(table: Names, *, by: str, pair: Role, each: Role) -> bool:
    """Whether no cell has two rows of one family, and one has two families."""
    cells = list(zip(*(table[one] for one in (*each, *pair)), strict=True))
    rows = Counter(zip(cells, table[by], strict=True))
    families = Counter(cell for cell, _ in rows)
    return max(rows.values()) == 1 and max(families.values()) > 1


def measured(entries: Sequence[Entry]) -> bool:
    """Whether a column holds decimals: another score, which names nothing."""
    return any(isinstance(entry, float | Decimal) and entry % 1 != 0 for entry in entries)
