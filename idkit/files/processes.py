"""Which process a file belongs to, and whether that is still at work."""

import functools
import hashlib
import os
import platform
from contextlib import suppress
from pathlib import Path

BOOT = Path("/proc/sys/kernel/random/boot_id")
NAMESPACE = Path("/proc/self/ns/pid")  # a container numbers its processes anew
DIGITS = 12
ENDED = ("Z", "X")  # states of a process of which only the entry is left


@functools.cache
def machine() -> str:
    """Names what a process number is unique in: a machine since its last boot, or a container."""
    known = platform.node()
    with suppress(OSError):  # not on every system
        known += f" {BOOT.read_text(encoding='ascii')} {NAMESPACE.readlink()}"
    return hashlib.sha256(known.encode()).hexdigest()[:DIGITS]


def is_running(process: int) -> bool:
    """Whether a process of this machine is there, by its number."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        return True
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return state.rpartition(")")[2].split()[0] not in ENDED
