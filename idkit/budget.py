"""Does what is about to be computed fit into the memory that it may take?"""

from idkit.errors import IdkitError

KILO = 1024  # bytes of a KiB
UNITS = ("bytes", "KiB", "MiB", "GiB")


def refuse(what: str, needed: int, allowed: int | None, cure: str) -> None:
    """Refuses to begin what needs more memory than it may take.

    Args:
        what: the subject of the sentence, as `comparing 3 runs of 100 x 8`.
        needed: bytes, about.
        allowed: bytes; None for as many as there are.
        cure: what to give less of.

    Raises:
        IdkitError: when it needs more; nothing of it has been taken.
    """
    if allowed is not None and needed > allowed:
        raise IdkitError(
            f"{what} needs about {size(needed)} of memory, {size(allowed)} are allowed (--memory; "
            f"by default half of what is free): give {cure}, or a larger --memory"
        )


def size(count: float) -> str:
    """Bytes for people.

    >>> size(80), size(1.5 * 2**30), size(2**50)
    ('80 bytes', '1.5 GiB', '1024 TiB')
    """
    for unit in UNITS:
        if count < KILO:
            return f"{count:.3g} {unit}"
        count /= KILO
    return f"{count:.4g} TiB"
