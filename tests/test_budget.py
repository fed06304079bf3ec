"""What is estimated before memory is taken, against what is then taken."""

import ast
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from idkit import alignment, budget, comparison, latents, shelf
from idkit.errors import IdkitError
from idkit.metrics import mcc

SHAPES: dict[str, list[tuple[int, ...]]] = {
    "wide": [(300, 200)] * 3,
    "wider than long": [(40, 300)] * 2,
    "narrow and long": [(20_000, 12)] * 3,
    "many": [(500, 40)] * 10,
    "grid": [(800, 16, 2, 2)] * 3,
    "of two widths": [(500, 150), (500, 10)],
}


def runs(shapes: list[tuple[int, ...]]) -> list[NDArray[Any]]:
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(np.float32) for shape in shapes]


def taken(compute: Any) -> int:
    """The most bytes that arrays had at a time beyond those that there were."""
    compute()  # once for what is loaded, and kept
    tracemalloc.start()
    try:
        compute()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("corr", ["pearson", "spearman"])
@pytest.mark.parametrize(
    "modes", [["strong"], ["weak"], ["affine", "orthogonal"], ["strong", "weak"]], ids=" ".join
)
@pytest.mark.parametrize("shapes", SHAPES.values(), ids=list(SHAPES))
def test_a_comparison_takes_no_more_than_it_says_and_not_much_less(
    shapes: list[tuple[int, ...]], modes: list[str], corr: mcc.Corr
) -> None:
    zs = runs(shapes)
    found = taken(lambda: comparison.compare(zs, modes=modes, corr=corr, perms=1))
    assert found <= mcc.memory(shapes, modes=modes, corr=corr) <= 5 * found


@pytest.mark.parametrize("mode", shelf.names("align"))
def test_an_alignment_takes_no_more_than_it_says(mode: str, tmp_path: Any) -> None:
    for r, z in enumerate(runs([(400, 60)] * 5)):
        np.save(tmp_path / f"{r}.npy", z)
    (group,) = latents.groups(latents.read([str(path) for path in sorted(tmp_path.glob("*.npy"))]))
    zs = [run.z for run in group.runs]
    for target in ("all-pairs", "medoid"):
        found = taken(lambda to=target: alignment.of(group, to, mode=mode))
        assert found <= alignment.bytes_of(zs, target, mode=mode) <= 5 * found


def test_what_needs_more_is_refused_with_the_number_before_any_of_it_is_taken() -> None:
    zs = [np.broadcast_to(np.float32(0), (100, 40_000))] * 3  # of which a comparison takes 260 GB
    needed = mcc.memory([z.shape for z in zs], modes=["strong"])
    assert 230e9 < needed < 330e9
    tracemalloc.start()
    with pytest.raises(IdkitError, match=r"comparing 3 runs of 100 x 40000 needs about 2\d\d GiB"):
        comparison.compare(zs, modes=["strong"], memory=10**9)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()
    comparison.compare(runs([(50, 3)] * 2), modes=["strong"], memory=10**6)


def test_a_budget_is_kept_or_named() -> None:
    budget.refuse("it", 100, None, "less")
    budget.refuse("it", 100, 100, "less")
    with pytest.raises(IdkitError, match=r"^it needs about 2 KiB of memory, 1 KiB are allowed"):
        budget.refuse("it", 2048, 1024, "less")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from /proc")
@pytest.mark.parametrize(
    "design",
    [
        ("vae", "convnet", "bernoulli", (1, 28, 28), 0, 20, True),
        ("vade", "mlp", "bernoulli", (1, 28, 28), 0, 20, True),
        ("rvqvae", "grid", "logistic", (3, 16, 16), 0, 50, True),
        ("pca", None, None, (400,), 0, 50, False),
    ],
    ids=lambda design: f"{design[0]} {design[1]}",
)
def test_embedding_takes_no_more_than_it_says(design: tuple[Any, ...]) -> None:
    """By the memory of a process: torch's own is in no other book."""
    code = f"""
import numpy as np, torch
from idkit.assembly import Design, builder
from idkit.training import embed
torch.set_num_threads(1)
shape = {design[3]!r}
model = builder(Design(*{design!r}))().eval()
x = np.zeros((2500, *shape), np.uint8 if len(shape) > 1 else np.float32)
x += 1
embed.posterior(model, x[:2])
def peak():  # of this process alone: getrusage counts what its parent had, too
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
before = peak()
embed.posterior(model, x)
found = peak() - before
print((found, embed.memory(model, x, len(x))))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found, needed = ast.literal_eval(done.stdout)
    assert found <= needed <= 5 * found + 64 * 2**20
