"""How much memory there is to be had."""

import os
from pathlib import Path

MEMINFO = Path("/proc/meminfo")


def available(device: str) -> int:
    """Bytes that are free, or can be freed at once, where a device computes."""
    import torch

    where = torch.device(device)
    if where.type == "cuda":
        free: int = torch.cuda.mem_get_info(where)[0]
        return free
    if MEMINFO.exists():
        lines = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
        return 1024 * int(lines["MemAvailable"].split()[0])
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
