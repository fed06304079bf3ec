"""How many of what, in words that agree with the number?"""


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
