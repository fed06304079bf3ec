"""Too little memory for the numerical libraries themselves: told, whatever they do about it.

Where an address space is limited (`ulimit -v`, a batch system), some of them raise errors of any
class as they are loaded, and OpenBLAS ends the process with exit code 1, or tries for ever. That is
found out before.
"""

import mmap
import traceback

from idkit.errors import IdkitError

MEGA = 1 << 20
NUMPY, SCIPY = 110 * MEGA, 280 * MEGA  # bytes of addresses that they take at work, measured
WITH_SCIPY = ("mcc", "align", "wilcoxon", "plot", "train", "embed")  # commands
LACK = (  # how libraries and the system word it
    "failed to map segment",
    "allocate memory",
    "out of memory",
    "bad_alloc",
    "start new thread",
)


def refuse(command: str) -> None:
    """Refuses to load libraries that would end the process for want of memory.

    Raises:
        IdkitError: when what is allowed is too little for the libraries of a command.
    """
    least = SCIPY if command in WITH_SCIPY else NUMPY
    if not _is_limited():
        return
    try:
        mmap.mmap(-1, least, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, MemoryError):
        raise IdkitError(
            f"not enough memory for the numerical libraries: {least // MEGA} MB of addresses are "
            "needed and less is allowed here (ulimit -v, or the limit of a batch system)"
        ) from None


def is_lack(error: Exception) -> bool:
    """Whether an error says, or what caused it, that there is no memory left."""
    if library(error) is not None and _is_limited():
        return True  # as they are loaded they may fail in any way
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, MemoryError) or any(words in str(seen) for words in LACK):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def library(error: Exception) -> str | None:
    """The library that could not be loaded; None where another thing went wrong, or idkit's own."""
    missing = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    loading: list[str] = []  # where in a library it was raised, if at all
    for frame, _ in traceback.walk_tb(error.__traceback__):
        name = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if name == "idkit":
            loading = []
        elif name == "importlib" or frame.f_code.co_name == "<module>":
            loading.append(name)
    if missing == "idkit" or not (missing or loading):
        return None
    return missing or next((name for name in loading if name != "importlib"), "a library")


def _is_limited() -> bool:
    try:
        import resource
    except ImportError:  # not on every system
        return False
    limits = (resource.RLIMIT_AS, resource.RLIMIT_DATA)
    return any(resource.getrlimit(limit)[0] != resource.RLIM_INFINITY for limit in limits)
