"""How much memory there is to be had, and whether what is asked for fits into it."""

import os
from dataclasses import dataclass
from pathlib import Path

from idkit.errors import IdkitError

MEMINFO = Path("/proc/meminfo")
SHARE = 0.5  # of what is available, for the seeds that train at the same time
KILO = 1024  # bytes of a KiB


def available(device: str) -> int:
    """Bytes that are free, or can be freed at once, where a device computes."""
    import torch

    where = torch.device(device)
    if where.type == "cuda":
        free: int = torch.cuda.mem_get_info(where)[0]
        return free
    if MEMINFO.exists():
        text = MEMINFO.read_text(encoding="ascii")
        lines = dict(line.split(":", 1) for line in text.splitlines())
        return 1024 * int(lines["MemAvailable"].split()[0])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


@dataclass(frozen=True)
class Memory:
    """What there is of memory for training.

    Attributes:
        free: bytes, where it computes.
        processes: how many computations share them.
    """

    free: int
    processes: int

    def fit(self, each: int) -> int:
        """How many seeds of so many bytes a computation can hold."""
        return int(SHARE * self.free / self.processes / max(1, each))

    def refuse(self, each: int, count: int = 1) -> None:
        """Refuses to begin what the system would kill.

        Raises:
            IdkitError: when so many seeds do not fit into one computation.
        """
        if self.fit(each) < count:
            what = "one seed needs" if count == 1 else f"{count} seeds in one computation need"
            among = f" by {self.processes} processes" if self.processes > 1 else ""
            less = "" if count == 1 else "--batch-seeds, "
            raise IdkitError(
                f"{what} about {size(count * each)} of memory, {size(self.free)} is free (half "
                f"of it is used{among}): give a smaller {less}--batch-size, --dz or --components"
                + (", or fewer --threads" if among else "")
            )


def size(count: float) -> str:
    """Bytes for people, `1.5 GiB`."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < KILO:
            return f"{count:.3g} {unit}"
        count /= KILO
    return f"{count:.4g} TiB"
