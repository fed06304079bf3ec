"""How many of what, and which, in words that agree with the number?"""

from collections.abc import Sequence

LISTED = 4


def counted(count: int, noun: str, *, plural: str | None = None) -> str:
    """A number and its noun.

    Args:
        count: how many.
        noun: for one of them.
        plural: for none and for several; by default the noun with an s.

    >>> counted(1, "cell"), counted(2, "cell"), counted(0, "axis", plural="axes")
    ('1 cell', '2 cells', '0 axes')
    """
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def listed(names: Sequence[str]) -> str:
    """The first few of some names, and how many there are besides.

    Args:
        names: at least one.

    >>> listed(["a"]), listed(["a", "b"]), listed(list("abcdef"))
    ('a', 'a and b', 'a, b, c, d and 2 more')
    """
    few = list(names[:LISTED])
    last = f"{len(names) - LISTED} more" if len(names) > LISTED else few.pop()
    return " and ".join(filter(None, (", ".join(few), last)))
