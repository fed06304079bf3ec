"""One pass over the rows of several runs: all their first and second moments, half by half."""

import mmap
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dsyrk

from idkit.errors import IdkitError

Floats = NDArray[np.float64]
Order = NDArray[np.integer[Any]]

BLOCK_ROWS = 1024  # fixed, so that sums are taken in the same order on every machine
RELEASED_FROM = 1 << 25  # bytes: to read a smaller file again would cost more than it holds
ITEM = 8  # bytes of a float64, or of the number of a row
PILOT_ROWS = 256  # the shift before squaring loses at most n / 256 in relative precision
ROUNDING = 1e-12  # a variance below this part of the raw second moment is rounding error
RANK_TOLERANCE = 1e-11  # smallest to largest eigenvalue of a correlation matrix: float32 resolves
# no direction below 3e-6 of the largest standard deviation, and a Gram matrix squares that
FLOAT64, FLOAT32, FLOAT16, BFLOAT16 = 2.0**-52, 2.0**-23, 2.0**-10, 2.0**-7  # relative rounding


class Latents(Protocol):
    """What rows can be read from: an array, or one that is computed as it is read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of rows, and of coordinates."""
        ...

    @property
    def ndim(self) -> int:
        """The number of axes."""
        ...

    def __len__(self) -> int:
        """The number of rows."""
        ...

    def __getitem__(self, rows: Any, /) -> Any:
        """Some rows."""
        ...


@dataclass(frozen=True, eq=False)
class Grams:
    """Counts, means and centred cross products of the columns of several runs on the same rows.

    Two of them over different rows add up to the one over all rows, so that shards of the rows
    can be summed on their own.

    Attributes:
        n: number of rows summed.
        widths: number of columns of each run; D is their sum.
        mean: column means, shape (D,).
        scatter: sums of products of centred columns, shape (D, D); only the upper triangle is
            filled: read it by `block`.
        resolutions: of each run the relative rounding of its numbers, by the type that holds them;
            float32 where it is left out.
    """

    n: int
    widths: tuple[int, ...]
    mean: Floats
    scatter: Floats
    resolutions: tuple[float, ...] = ()
    _own: dict[int, Floats] = field(default_factory=dict, repr=False)
    _spectra: dict[int, tuple[Floats, Floats]] = field(default_factory=dict, repr=False)
    _whitenings: dict[int, Floats] = field(default_factory=dict, repr=False)

    def __add__(self, other: "Grams") -> "Grams":
        """Sums over the rows of both (Chan, Golub & LeVeque 1983, eq. 2.1)."""
        if self.widths != other.widths:
            raise ValueError(f"columns {self.widths} and {other.widths} do not add")
        n = self.n + other.n
        step = other.mean - self.mean
        scatter = self.scatter + other.scatter
        scatter += (self.n * other.n / n) * np.outer(step, step)
        return Grams(n, self.widths, self.mean + step * (other.n / n), scatter, self.resolutions)

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return tuple(np.cumsum((0, *self.widths)).tolist())

    @cached_property
    def _norms(self) -> Floats:
        return np.asarray(np.sqrt(np.diagonal(self.scatter)))

    def columns(self, run: int) -> slice:
        """Where the columns of a run stand in `mean`."""
        return slice(self._starts[run], self._starts[run + 1])

    def means(self, run: int) -> Floats:
        """Means of a run's columns, shape (d,)."""
        return self.mean[self.columns(run)]

    def norms(self, run: int) -> Floats:
        """Norms of a run's centred columns, shape (d,); exactly 0 where a column is constant."""
        return self._norms[self.columns(run)]

    def block(self, a: int, b: int) -> Floats:
        """Sums of products of the centred columns of two runs, shape (d_a, d_b)."""
        if a > b:
            return self.block(b, a).T
        if a < b:
            return self.scatter[self.columns(a), self.columns(b)]
        if a not in self._own:
            upper = np.triu(self.scatter[self.columns(a), self.columns(a)])
            self._own[a] = upper + np.triu(upper, 1).T
        return self._own[a]

    def correlations(self, a: int, b: int) -> Floats:
        """Pearson correlations of the columns of two runs, shape (d_a, d_b), in [-1, 1].

        A constant column has correlation 0 with every column, itself included.
        """
        scaled = self.block(a, b) * _inverse(self.norms(a))[:, None] * _inverse(self.norms(b))
        return np.clip(scaled, -1.0, 1.0, out=scaled)

    def spectrum(self, run: int) -> tuple[Floats, Floats]:
        """Eigenvalues of a run's correlation matrix, ascending, and eigenvectors as columns."""
        if run not in self._spectra:
            values, vectors = np.linalg.eigh(self.correlations(run, run))
            self._spectra[run] = values, vectors
        return self._spectra[run]

    def resolution(self, run: int) -> float:
        """The relative rounding of a run's numbers, by the type that holds them."""
        return self.resolutions[run] if self.resolutions else FLOAT32

    def smallest(self, run: int) -> float:
        """The standard deviation, to the largest, below which a direction of a run is left out."""
        return float(np.sqrt(max(RANK_TOLERANCE, self.resolution(run) ** 2)))

    def whitening(self, run: int) -> Floats:
        """The matrix W for which the columns of (centred run) W are orthonormal.

        Columns are brought to unit variance before the rank is decided, so that a nearly collapsed
        coordinate counts as much as any other; constant columns have no part in it. Directions
        whose standard deviation is below `smallest` are left out.

        Returns:
            W: shape (d, rank).
        """
        if run not in self._whitenings:
            scale = _inverse(self.norms(run))
            values, vectors = self.spectrum(run)
            kept = values > self.smallest(run) ** 2 * max(values[-1], 1.0)
            self._whitenings[run] = (
                scale[:, None] * vectors[:, kept][:, ::-1] / np.sqrt(values[kept][::-1])
            )
        return self._whitenings[run]

    def rank(self, run: int) -> int:
        """Number of linearly independent directions among a run's columns."""
        return int(self.whitening(run).shape[1])


@dataclass(frozen=True, eq=False)
class Halves:
    """The sums of the rows that fit an alignment, and of those that are held out to score it."""

    inside: Grams
    outside: Grams


def of(
    runs: Sequence[Latents],
    inside: NDArray[np.bool_],
    *,
    rows: Sequence[Order | None] | None = None,
    order: Sequence[Order] | None = None,
    names: Sequence[str] | None = None,
) -> Halves:
    """Sums the moments of all runs, and between all runs, in one pass over blocks of rows.

    Latents may be memory-mapped files larger than memory: what is held is one block of rows and
    two D x D matrices. Columns are shifted by a pilot mean before they are multiplied, so that a
    large common offset costs no precision.

    Args:
        runs: one array a run, shape (n, d), of any real type, on the same rows.
        inside: shape (n,), True where a row is in-sample.
        rows: for each run which of the rows of its array are summed, and in which order, shape
            (n,); None for all of them as they stand.
        order: for each run the row (of those) that is read in place of row i, shape (n,): shuffles
            for a null distribution. Must not carry a row from one half to the other if own sums
            are to stay.
        names: what to call each run in an error.

    Returns:
        The moments over both halves, in float64.

    Raises:
        IdkitError: when rows or shapes do not agree, or a run holds NaN or infinity.
    """
    names = names or [f"run {r}" for r in range(len(runs))]
    rows = rows or [None] * len(runs)
    _check_shapes(runs, rows, inside, names)
    widths = tuple(run.shape[1] for run in runs)
    pilots, resolutions = zip(*map(_looked_at, runs, rows), strict=True)
    pilot = np.concatenate(pilots)
    totals = [_Total.zero(sum(widths)) for _ in range(2)]
    shifted = np.empty((min(len(inside), BLOCK_ROWS), sum(widths) + 1))
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(inside), BLOCK_ROWS):
            block = inside[start : start + BLOCK_ROWS]
            for total, half in zip(totals, (block, ~block), strict=True):
                index = start + np.flatnonzero(half)
                _gather(runs, index, rows, order, pilot, shifted[: len(index)])
                total.add(shifted[: len(index)])
    if not all(np.isfinite(np.diagonal(total.gram)).all() for total in totals):
        _refuse_non_finite(runs, rows, names)
    return Halves(*(total.grams(widths, pilot, resolutions) for total in totals))


def _looked_at(run: Latents, own: Order | None) -> tuple[Floats, float]:
    """The pilot mean of a run and its resolution, from the same few rows."""
    few = _few(run, own)
    return _pilot(few), _resolution(run, few)


def memory(widths: Sequence[int], n: int) -> int:
    """The bytes that `of` takes at most, besides the runs: two D x D matrices, a block of rows.

    Args:
        widths: the number of columns of each run.
        n: the number of rows.
    """
    width, rows = sum(widths) + 1, min(n, BLOCK_ROWS)
    return ITEM * (2 * width**2 + rows * (width + max(widths)) + 4 * n)


class _Total:
    """The running Gram matrix of shifted rows, each with a last column of ones."""

    def __init__(self, gram: Floats) -> None:
        self.gram = gram

    @classmethod
    def zero(cls, width: int) -> "_Total":
        return cls(np.zeros((width + 1, width + 1), order="F"))

    def add(self, rows: Floats) -> None:
        self.gram = dsyrk(1.0, rows.T, 1.0, self.gram, overwrite_c=True)

    def grams(
        self, widths: tuple[int, ...], pilot: Floats, resolutions: tuple[float, ...]
    ) -> Grams:
        sums, n = self.gram[:-1, -1].copy(), self.gram[-1, -1]
        shift = sums / n
        scatter = self.gram[:-1, :-1]
        raw = np.diagonal(scatter).copy()
        for j, column in enumerate(shift):  # one column at a time: no second D x D matrix
            scatter[: j + 1, j] -= sums[: j + 1] * column
        constant = np.diagonal(scatter) <= ROUNDING * raw
        scatter[constant, :] = 0.0
        scatter[:, constant] = 0.0
        return Grams(int(n), widths, pilot + shift, scatter, resolutions)


def length(run: Latents, own: Order | None) -> int:
    """How many rows of a run are compared.

    Args:
        run: shape (n, ...).
        own: which rows, as in `of`; None for all of them.
    """
    return len(run) if own is None else len(own)


def sample(run: Latents, rows: Order) -> Floats:
    """Some rows of a run, which may be a file larger than memory.

    Args:
        run: shape (n, ...).
        rows: numbers of rows, shape (m,).

    Returns:
        shape (m, ...).
    """
    step = len(rows) if _mapping(run) is None else 8  # a row may bring two megabytes of a file
    found = np.empty((len(rows), *run.shape[1:]))
    for i in range(0, len(rows), step):
        found[i : i + step] = run[rows[i : i + step]]
        _release(run)
    return found


def _few(run: Latents, own: Order | None) -> Floats:
    """Evenly spaced rows."""
    n = length(run, own)
    rows: Order = np.linspace(0, n - 1, min(n, PILOT_ROWS)).astype(np.intp)
    return sample(run, rows if own is None else own[rows])


def _pilot(few: Floats) -> Floats:
    """Means of some rows; exactly its value for a constant column."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(few[0] + (few - few[0]).mean(axis=0))


def _resolution(run: Latents, few: Floats) -> float:
    """The relative rounding of the numbers: of the type that holds them, not of the file's.

    float32 in a file of float64 resolves no more than float32.
    """
    dtype = getattr(run, "dtype", np.dtype(np.float64))
    if dtype == np.float16:
        return FLOAT16
    with np.errstate(over="ignore", invalid="ignore"):
        single = few.astype(np.float32)
    if dtype != np.float32:
        return FLOAT64 if (single != few).any() else FLOAT32
    whole = bool((few % 1 == 0).all())  # small integers are exact in every type
    return FLOAT32 if whole or (single.view(np.uint32) & 0xFFFF).any() else BFLOAT16


def _gather(
    runs: Sequence[Latents],
    index: Order,
    rows: Sequence[Order | None],
    order: Sequence[Order] | None,
    pilot: Floats,
    out: Floats,
) -> None:
    out[:, -1] = 1.0
    start = 0
    for r, (run, own) in enumerate(zip(runs, rows, strict=True)):
        stop = start + run.shape[1]
        wanted = index if order is None else order[r][index]
        wanted = wanted if own is None else own[wanted]
        np.subtract(run[wanted], pilot[start:stop], out=out[:, start:stop])
        start = stop
        _release(run)


def _inverse(norms: Floats) -> Floats:
    return np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)


def _check_shapes(
    runs: Sequence[Latents],
    rows: Sequence[Order | None],
    inside: NDArray[np.bool_],
    names: Sequence[str],
) -> None:
    for run, own, name in zip(runs, rows, names, strict=True):
        if run.ndim != 2 or run.shape[1] == 0:
            raise IdkitError(f"{name} has shape {run.shape}: an array (rows, d_z) is needed")
        if length(run, own) != len(inside):
            raise IdkitError(
                f"{name} has {length(run, own)} rows, {names[0]} has {length(runs[0], rows[0])}: "
                "embed both from the same data"
            )


def _refuse_non_finite(
    runs: Sequence[Latents], rows: Sequence[Order | None], names: Sequence[str]
) -> None:
    for run, own, name in zip(runs, rows, names, strict=True):
        bad = [
            start + np.flatnonzero(~np.isfinite(run[start : start + BLOCK_ROWS]).all(axis=1))
            for start in range(0, len(run), BLOCK_ROWS)
        ]
        found = np.concatenate(bad)
        found = found if own is None else np.intersect1d(found, own)
        if len(found):
            raise IdkitError(
                f"{name} has NaN or infinity in {len(found)} of {len(run)} rows, first in row "
                f"{found[0] + 1} (row 1 is the first): leave these rows out of every run"
            )
    raise IdkitError("the latents are too large to be squared in float64: scale them down")


def _release(array: Latents) -> None:
    """Gives the pages of a memory-mapped file back, so that resident memory stays one block."""
    mapping = _mapping(array)
    if mapping is not None:
        mapping.madvise(mmap.MADV_DONTNEED)


def _mapping(array: Latents) -> mmap.mmap | None:
    """The large map that an array looks into, if it can be let go: a writable one loses content."""
    stored: Any = getattr(array, "run", array)
    base: Any = None if stored.flags.writeable else stored
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, memoryview):
        base = base.obj
    large = isinstance(base, mmap.mmap) and len(base) >= RELEASED_FROM
    return base if large and hasattr(mmap, "MADV_DONTNEED") else None
