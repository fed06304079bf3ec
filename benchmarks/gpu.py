"""What do ten seeds take on a GPU, against one?

Run as `python benchmarks/gpu.py`, some minutes on one GPU; without one it says so. Both ways take
turns; times are milliseconds of wall time a step, the median of the rounds, and the ratio is the
median of the rounds' own (one after the other would be 10). `python benchmarks/gpu.py cpu` runs the
same code, slowly, where there is none.
"""

import statistics
import sys
import time

import numpy as np
import torch

from idkit.assembly import Design, builder
from idkit.training.fit import Ensembles, Rows, Settings, Training
from idkit.training.precision import Precision, multiply

CASES = (
    ("mlp", (1, 28, 28), "bernoulli"),
    ("convnet", (3, 32, 32), "logistic"),
    ("resnet", (3, 32, 32), "logistic"),
)
PRECISIONS: tuple[Precision, ...] = ("float32", "tf32", "bf16")
SEEDS = (1, 10)
BATCH = 64
STEPS = {"cuda": 100, "cpu": 2}  # of one round
ROUNDS = 5


def main() -> None:
    """Prints the table."""
    where = sys.argv[1] if sys.argv[1:] else "cuda"
    device = torch.device(where)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("no GPU here: nothing to measure")
        return
    what = torch.cuda.get_device_name(device) if device.type == "cuda" else where
    print(f"{f'vade, d_z 50, batch 64, on {what}':44}{'1 seed':>9}{'10 seeds':>10}{'ratio':>8}")
    for arch, shape, likelihood in CASES:
        design = Design("vade", arch, likelihood, shape, 0, 50, True, {"components": 40})
        for precision in PRECISIONS if device.type == "cuda" else ("float32", "bf16"):
            _line(design, precision, device)


def _line(design: Design, precision: Precision, device: torch.device) -> None:
    multiply(precision)
    one, ten = (_training(design, precision, device, seeds) for seeds in SEEDS)
    for warm in (one, ten):
        warm.advance()
    pairs = [(_time(one, device), _time(ten, device)) for _ in range(ROUNDS)]
    times = [statistics.median(each) for each in zip(*pairs, strict=True)]
    ratio = statistics.median(b / a for a, b in pairs)
    name = f"{design.arch}, {'x'.join(map(str, design.shape))}, {precision}"
    print(f"{name:44}{times[0]:9.2f}{times[1]:10.2f}{ratio:7.2f}x", flush=True)


def _training(design: Design, precision: Precision, device: torch.device, seeds: int) -> Training:
    steps = STEPS[device.type]
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.integers(0, 256, (steps * BATCH, *design.shape), dtype=np.uint8))
    rows = Rows(x.to(device), torch.zeros(len(x), dtype=torch.int64, device=device))
    compiled = device.type == "cuda"
    settings = Settings(10**9, BATCH, 1e-4, 0.8, 5, precision=precision, compiled=compiled)
    return Training.start(Ensembles(builder(design), rows, settings), range(seeds))


def _time(training: Training, device: torch.device) -> float:
    """Milliseconds a step, over one round."""
    first = training.step
    started = time.perf_counter()
    while training.step < first + STEPS[device.type]:
        training.advance()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return (time.perf_counter() - started) / (training.step - first) * 1000


if __name__ == "__main__":
    main()
