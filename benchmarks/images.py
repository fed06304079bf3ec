"""How much faster is training on images than a plain loop, on one core and on two?

Run as `python benchmarks/images.py`, about five minutes; it needs no data set. "Plain" is what one
writes first: an eager loop over a shuffling DataLoader with `torch.optim.Adam`, one seed after the
other, one thread. Both ways take turns, a few steps each; times are milliseconds of processor time
a step, the median of the rounds, and the ratio is the median of the rounds' own. The last column
is the wall time of two seeds one after the other, by that of both at once in two processes.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import multiprocessing
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset

from idkit.assembly import Design, builder
from idkit.training.fit import Ensembles, Rows, Settings, Training
from idkit.training.initialise import initialise
from idkit.training.streams import Live

GREY, COLOUR = (1, 28, 28), (3, 32, 32)
CASES = (
    ("mlp", GREY, "bernoulli", 100),
    ("convnet", GREY, "bernoulli", 12),
    ("mlp", COLOUR, "logistic", 50),
    ("convnet", COLOUR, "logistic", 12),
    ("resnet", COLOUR, "logistic", 5),
)
ROUNDS = 5
BATCH = 64


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    print(f"{'vade, d_z 50, K 40, batch 64':32}{'plain':>8}{'idkit':>8}{'ratio':>8}{'2 cores':>9}")
    for arch, shape, likelihood, steps in CASES:
        design = _design(arch, shape, likelihood)
        plain, lean = _plain(design, steps), _training(design, steps)
        pairs = [(_time(plain, steps), _time(lean, steps)) for _ in range(ROUNDS + 1)][1:]
        times = [statistics.median(each) for each in zip(*pairs, strict=True)]
        ratio = statistics.median(p / t for p, t in pairs)
        both = statistics.median(_two_cores(design, steps) for _ in range(3))
        name = f"{arch}, {'x'.join(map(str, shape))}, {likelihood}"
        print(f"{name:32}{times[0]:8.1f}{times[1]:8.1f}{ratio:7.2f}x{both:8.2f}x", flush=True)


def _design(arch: str, shape: tuple[int, ...], likelihood: str) -> Design:
    return Design("vade", arch, likelihood, shape, 0, 50, True, {"components": 40})


def _rows(design: Design, steps: int) -> Rows:
    """As many rows as make an epoch of some steps, which is what a round is."""
    x = np.random.default_rng(0).integers(0, 256, (steps * BATCH, *design.shape), dtype=np.uint8)
    return Rows(torch.from_numpy(x), torch.zeros(len(x), dtype=torch.int64))


def _plain(design: Design, steps: int) -> Iterator[None]:
    """One seed in a plain loop; every epoch is one item."""
    rows = _rows(design, steps)
    model: Any = initialise(builder(design), torch.Generator().manual_seed(0)).train()
    optimiser = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-4)
    noise = Live(torch.Generator().manual_seed(1))
    loader: DataLoader[Any] = DataLoader(
        TensorDataset(rows.x, rows.u), batch_size=BATCH, shuffle=True, drop_last=True
    )
    while True:
        for x, u in loader:
            loss = -model.objective(x, u, noise)["objective"]
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        yield


def _training(design: Design, steps: int) -> Iterator[None]:
    """One seed in idkit's loop; every epoch is one item."""
    settings = Settings(10**9, BATCH, 1e-4, 0.8, 5)
    training = Training.start(Ensembles(builder(design), _rows(design, steps), settings), [0])
    while True:
        training.advance()
        if training.step % steps == 0:
            yield


def _time(epochs: Iterator[None], steps: int) -> float:
    """Milliseconds of processor time a step, over one epoch."""
    started = time.process_time()
    next(epochs)
    return (time.process_time() - started) / steps * 1000


def _two_cores(design: Design, steps: int) -> float:
    """How many times faster two seeds are done by two processes than by one."""
    context = multiprocessing.get_context("spawn")
    taken = []
    for processes in (1, 2):
        with context.Pool(processes) as pool:
            pool.map(_seed, [(design, 1)] * processes, chunksize=1)  # imports and first steps
            started = time.perf_counter()
            pool.map(_seed, [(design, steps)] * 2, chunksize=1)
            taken.append(time.perf_counter() - started)
    return taken[0] / taken[1]


def _seed(work: tuple[Design, int]) -> None:
    torch.set_num_threads(1)
    design, steps = work
    settings = Settings(steps, BATCH, 1e-4, 0.8, 5)
    training = Training.start(Ensembles(builder(design), _rows(design, steps), settings), [0])
    while not training.done:
        training.advance()


if __name__ == "__main__":
    main()
