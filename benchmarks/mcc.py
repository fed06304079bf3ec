"""How fast is the MCC, against scikit-learn's CCA and against its own imports? How much memory?

Run as `python benchmarks/mcc.py`, a minute or two; `python benchmarks/mcc.py large` also scores 100
runs, and 20 runs of 2,000,000 rows from files (10 GB below the current folder for the while).
Everything on one thread.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.cross_decomposition import CCA

from idkit import blas, gram, halves, shelf
from idkit.metrics import mcc
from idkit.metrics.mcc import CCA_DIM

Floats = NDArray[np.float32]
RUNS, ROWS = 10, 10_000
THEIR_PAIRS = 2  # as scikit-learn takes seconds a pair, the rest is extrapolated
IMPORTS = "import numpy, scipy.linalg, scipy.optimize, typer, rich"


def main(large: bool) -> None:
    """Prints all tables."""
    print(f"{RUNS} runs, {ROWS} rows, 45 pairs, cca-dim {CCA_DIM}: seconds")
    print(f"{'latents':26}{'d_z':>5}{'strong':>9}{'weak':>9}{'sklearn':>10}{'ratio':>8}"
          f"{'strong/weak a pair':>20}")  # fmt: skip
    for name, latents in (("related runs", related), ("unrelated runs", unrelated)):
        for d_z in (50, 200):
            runs = latents(d_z)
            strong, weak = (seconds(partial(mcc.score, runs, mode=m)) for m in ("strong", "weak"))
            theirs = sklearn_seconds(runs) * 45 / THEIR_PAIRS
            stages = {mode: pair_seconds(runs, mode) for mode in ("strong", "weak")}
            print(f"{name:26}{d_z:5}{strong:9.3f}{weak:9.3f}{theirs:10.1f}{theirs / weak:8.0f}"
                  f"{stages['strong'] / stages['weak']:20.2f}")  # fmt: skip
    whole_process()
    if large:
        many_runs()
        streamed()


def related(d_z: int) -> list[Floats]:
    """Noisy rotations of the same latents."""
    rng = np.random.default_rng(0)
    shared = rng.standard_normal((ROWS, d_z))
    return [
        (
            shared @ rng.standard_normal((d_z, d_z)) / np.sqrt(d_z)
            + 0.5 * rng.standard_normal((ROWS, d_z))
        ).astype(np.float32)
        for _ in range(RUNS)
    ]


def unrelated(d_z: int) -> list[Floats]:
    """Latents that share nothing: the easy case for an iterative CCA."""
    rng = np.random.default_rng(0)
    return [rng.standard_normal((ROWS, d_z)).astype(np.float32) for _ in range(RUNS)]


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """The shortest of several times."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def pair_seconds(runs: list[Floats], mode: str) -> float:
    """The time that the pairs take once the sums over rows are there, whitening included."""
    sums = gram.of(runs, halves.inside(ROWS))
    fit = shelf.take("align", mode, "fit")
    kept = CCA_DIM if mode == "weak" else None

    def work() -> None:
        inside, outside = (
            replace(half, _own={}, _whitenings={}) for half in (sums.inside, sums.outside)
        )
        for a, b in combinations(range(RUNS), 2):
            found = fit(inside, a, b, components=kept)
            found.correlations(inside, a, b)
            found.correlations(outside, a, b)

    return seconds(work)


def sklearn_seconds(runs: list[Floats]) -> float:
    """scikit-learn's CCA, fitted on one half and applied to both, for the first pairs."""
    inside = halves.inside(ROWS)
    start = time.perf_counter()
    for other in range(1, THEIR_PAIRS + 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it did not converge
            model = CCA(n_components=CCA_DIM).fit(runs[0][inside], runs[other][inside])
        for rows in (inside, ~inside):
            left, right = model.transform(runs[0][rows], runs[other][rows])
            np.corrcoef(left.T, right.T)
    return time.perf_counter() - start


def whole_process() -> None:
    """`idkit mcc` from the shell against the imports that it cannot do without."""
    with tempfile.TemporaryDirectory() as folder:
        names = [f"{folder}/{r}.npz" for r in range(RUNS)]
        for name, run in zip(names, related(50), strict=True):
            np.savez(name, z=run)
        command = [sys.executable, "-m", "idkit", "mcc", *names, "--mode", "strong,weak", "-q"]
        ours, bare = [], []
        for _ in range(5):
            bare.append(process_seconds([sys.executable, "-c", IMPORTS]))
            ours.append(process_seconds(command))
    print(f"\nidkit mcc on {RUNS} x {ROWS} x 50, strong and weak: {min(ours):.2f} s of processor, "
          f"its imports alone {min(bare):.2f} s, ratio {min(ours) / min(bare):.2f}")  # fmt: skip


def process_seconds(command: list[str]) -> float:
    """Processor time of a process, start-up included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def many_runs() -> None:
    """All pairs of 100 runs."""
    rng = np.random.default_rng(0)
    runs = [rng.standard_normal((ROWS, 50)).astype(np.float32) for _ in range(100)]
    took = seconds(lambda: mcc.scores(runs), repeats=1)
    print(f"\n100 runs x {ROWS} x 50, 4,950 pairs, strong and weak: {took:.1f} s")


def streamed() -> None:
    """Latents that are larger than what may be held, from files."""
    runs, rows, d_z = 20, 2_000_000, 64
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(dir=".") as folder:
        for r in range(runs):
            path = Path(folder, f"{r}.npy")
            z = np.lib.format.open_memmap(path, "w+", np.float32, (rows, d_z))
            for start in range(0, rows, 100_000):
                z[start : start + 100_000] = rng.standard_normal((100_000, d_z), np.float32)
            del z
        code = f"""
import resource, time
from idkit import latents
from idkit.metrics import mcc
runs = [run.z for run in latents.read([f{folder!r} + f"/{{r}}.npy" for r in range({runs})])]
start = time.perf_counter()
mcc.scores(runs)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(f"{{time.perf_counter() - start:.0f}} s, at most {{peak:.2f}} GiB resident")
"""
        done = subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        )
    print(f"{runs} runs x {rows:,} x {d_z} from files, strong and weak: {done.stdout.strip()}")


if __name__ == "__main__":
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")  # of children
    with blas.one_thread():
        main(large="large" in sys.argv[1:])
