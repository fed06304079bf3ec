"""Runs an idkit command whose training stands still at one point until a test has seen it there.

    HELD_AT=WHERE python held.py WORD...

WHERE is a number of steps, to stand still at the first checkpoint of as many, or `result`, at the
first finished run. The file `go` in the working folder ends it. However fast or slow the machine
is, the test acts at that point; processes that training starts import this file and do the same.
"""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from idkit import cli, runs
from idkit.runs import Group

WHERE = os.environ["HELD_AT"]
GO = Path("go")
Arrays = Mapping[str, NDArray[Any]]


class Held(Group):
    """A group that waits after it has saved."""

    def save_checkpoint(self, seeds: Sequence[int], arrays: Arrays) -> None:
        super().save_checkpoint(seeds, arrays)
        if WHERE.isdigit() and arrays["step"] >= int(WHERE):
            wait()

    def save(self, seed: int, arrays: Arrays, command: str, failed_at: int | None) -> Path:
        path = super().save(seed, arrays, command, failed_at)
        if WHERE == "result":
            wait()
        return path


def wait() -> None:
    while not GO.exists():
        time.sleep(0.005)


runs.Group = Held  # type: ignore[misc]
if __name__ == "__main__":
    cli.main()
