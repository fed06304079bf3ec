"""How much memory a command may take: what the user says, else half of what is free."""

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from idkit.budget import KILO, size
from idkit.errors import IdkitError, UsageError

MEMINFO = Path("/proc/meminfo")
CGROUPS, OURS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")  # where containers are limited
LINE = 3  # fields of a line on a group: number, controllers, path
STATISTICS = "memory.stat"
SHARE = 0.5  # of what is free, for a command whose user gives no size
SIZE = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([kmgt]?)(i?b)?", re.IGNORECASE)
THOUSAND = 1000  # bytes of a kB


def allowed(given: str | None, device: str = "cpu") -> int:
    """The bytes that a command may take.

    Args:
        given: the value of `--memory`; None for half of what is free.
        device: where it computes, as torch calls it.

    Raises:
        UsageError: when it is no size.
    """
    return int(SHARE * available(device)) if given is None else parse(given)


def parse(text: str) -> int:
    """Bytes as people write them; `4G` and `4GiB` are 4 * 1024^3, `4GB` are 4 * 1000^3.

    Raises:
        UsageError: when it is no size.

    >>> parse("4G") == parse("4GiB") == 4 * 1024**3, parse("1.5GB"), parse("500m")
    (True, 1500000000, 524288000)
    """
    found = SIZE.fullmatch(text.strip())
    count = 0.0
    if found is not None:
        number, unit, ending = found.groups()
        step = THOUSAND if (ending or "").lower() == "b" and unit else KILO
        count = float(number) * step ** (" kmgt".index(unit.lower() or " "))
    if not 1 <= count < math.inf:
        raise UsageError(f"--memory is '{text}': expected a size as 4G, 500M or 1.5GiB")
    return int(count)


def available(device: str) -> int:
    """Bytes that are free, or can be freed at once, where a device computes."""
    if device != "cpu":  # only a GPU is worth the seconds that torch takes to be loaded
        import torch

        where = torch.device(device)
        if where.type == "cuda":
            free: int = torch.cuda.mem_get_info(where)[0]
            return free
    return min(_of_machine(), *_of_containers(CGROUPS, OURS))


def _of_machine() -> int:
    if MEMINFO.exists():
        text = MEMINFO.read_text(encoding="ascii")
        lines = dict(line.split(":", 1) for line in text.splitlines())
        return KILO * int(lines["MemAvailable"].split()[0])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _of_containers(root: Path, ours: Path) -> Iterator[int]:
    """What each limit of a control group that holds this process leaves; caches can be freed.

    Version 2 has one tree of groups, version 1 one for memory alone; a limit binds all groups
    below the one that has it. Within a container the tree may begin at its own group.
    """
    try:
        lines = [line.split(":", 2) for line in ours.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return
    for _, controllers, path in (line for line in lines if len(line) == LINE):
        if controllers == "":
            names, top = ("memory.max", "memory.current", "inactive_file"), root
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            top = root / "memory"
        else:
            continue
        below = Path(path.lstrip("/"))
        for folder in {top / below, *(top / parent for parent in below.parents), top}:
            left = _left(folder, *names)
            if left is not None:
                yield left


def _left(folder: Path, limit: str, used: str, cache: str) -> int | None:
    """What one control group may still take; None where it has no limit."""
    try:
        said = [(folder / name).read_text(encoding="utf-8") for name in (limit, used, STATISTICS)]
        most, taken = int(said[0]), int(said[1])  # `max` where there is no limit
        facts = dict(line.split() for line in said[2].splitlines())
    except (OSError, ValueError):
        return None
    return max(0, most - taken + int(facts.get(cache, 0)))


@dataclass(frozen=True)
class Memory:
    """What there is of memory for training.

    Attributes:
        allowed: bytes that all computations together may take.
        processes: how many computations share them.
    """

    allowed: int
    processes: int

    def fit(self, each: int) -> int:
        """How many seeds of so many bytes a computation can hold."""
        return int(self.allowed / self.processes / max(1, each))

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
                f"{what} about {size(count * each)} of memory, {size(self.allowed)} are allowed"
                f"{among} (--memory; by default half of what is free): give a smaller "
                f"{less}--batch-size, --dz or --components"
                + (", fewer --threads" if among else "")
                + ", or a larger --memory"
            )
