"""How much faster are ten seeds as one computation than one after the other in a plain loop?

Run as `python benchmarks/training.py`, three minutes or so; one thread. "Plain" is what one writes
first: an eager loop over shuffled batches with `torch.optim.Adam`, one seed after the other. Times
are milliseconds a step and seed, the median of rounds in which every way takes its turn; the time
of compiling stands apart.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch

from idkit.assembly import Design, builder
from idkit.synth import tcl
from idkit.training.fit import Ensembles, Rows, Settings, Training
from idkit.training.initialise import initialise
from idkit.training.streams import Live

SEEDS = 10
ROUNDS = 7
STEPS = 100  # of one round
PAPER_STEPS = 5 * 10 * 70_000  # five sizes, ten seeds each (paper, App. A)


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    dataset = tcl.sample(np.random.default_rng(0), per_segment=320)
    rows = Rows(torch.from_numpy(dataset.x), torch.from_numpy(dataset.u))
    print(
        f"{'':38}{'plain':>8}{'eager':>8}{'ratio':>7}{'compiled':>10}{'ratio':>7}{'compiling':>11}"
    )
    vade = partial(_design, "vade", {"components": 40})
    for hidden, batch in ((50, 64), (128, 256)):
        _line(f"vade, mlp3 width {hidden}, batch {batch}", vade(hidden=hidden), rows, batch)
    fast = _line("vade of the paper: width 10, batch 256", vade(hidden=None), rows, 256)
    minutes = PAPER_STEPS * fast / 1000 / 60
    print(
        f"{PAPER_STEPS:,} steps of the paper's study at that speed: {minutes:.0f} min of one core"
    )
    flow = Design("gmmflow", None, None, (5,), 0, 5, False, {})
    _line("gmmflow, 10 layers, batch 256", flow, rows, 256)


def _design(model: str, knobs: dict[str, Any], *, hidden: int | None) -> Design:
    width = {} if hidden is None else {"hidden": hidden}
    return Design(model, "mlp3", "gaussian", (5,), 20, 5, False, {**knobs, **width})


def _line(name: str, design: Design, rows: Rows, batch: int) -> float:
    """Prints one line; returns the compiled milliseconds a step and seed."""
    build = builder(design)
    settings = Settings(10**9, batch, 1e-3, 0.1, 20)
    plain = _plain(build, rows, batch)
    eager = Training.start(Ensembles(build, rows, settings), range(SEEDS))
    fast = Settings(10**9, batch, 1e-3, 0.1, 20, compiled=True)
    compiled = Training.start(Ensembles(build, rows, fast), range(SEEDS))
    started = time.perf_counter()
    compiled.advance()
    compiling = time.perf_counter() - started
    ways: dict[str, Callable[[], float]] = {
        "plain": lambda: _plain_round(plain),
        "eager": lambda: _round(eager),
        "compiled": lambda: _round(compiled),
    }
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS + 1):
        for way, run in ways.items():
            taken[way].append(run())
    ms = {way: statistics.median(times[1:]) for way, times in taken.items()}
    ratio = {
        way: statistics.median(p / t for p, t in zip(taken["plain"][1:], times[1:], strict=True))
        for way, times in taken.items()
    }
    ours = "".join(
        f"{ms[way]:{w}.3f}{ratio[way]:6.1f}x" for way, w in (("eager", 8), ("compiled", 10))
    )
    print(f"{name:38}{ms['plain']:8.2f}{ours}{compiling:10.0f}s", flush=True)
    return ms["compiled"]


def _plain(build: Callable[[], Any], rows: Rows, batch: int) -> Iterator[None]:
    """One seed in a plain loop; every step is one item."""
    model = initialise(build, torch.Generator().manual_seed(0)).train()
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    noise = Live(torch.Generator().manual_seed(1))
    while True:
        order = torch.randperm(len(rows.x))
        for chosen in order.split(batch):
            if len(chosen) < batch:
                continue
            loss = -model.objective(rows.x[chosen], rows.u[chosen], noise)["objective"]  # type: ignore[operator]
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            yield


def _plain_round(steps: Iterator[None]) -> float:
    started = time.perf_counter()
    for _ in range(STEPS):
        next(steps)
    return (time.perf_counter() - started) / STEPS * 1000


def _round(training: Training) -> float:
    first = training.step
    started = time.perf_counter()
    while training.step < first + STEPS:
        training.advance()
    return (time.perf_counter() - started) / (training.step - first) / SEEDS * 1000


if __name__ == "__main__":
    main()
