"""Training some seeds together, a chunk of steps at a time, from any point it was stopped at."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from idkit.models import Surveyor
from idkit.training.adam import Moments
from idkit.training.ensemble import Batches, Ensemble, Weights
from idkit.training.initialise import START_ROWS, Init, initialise, rescale
from idkit.training.plateau import Plateau
from idkit.training.precision import Precision
from idkit.training.streams import Streams, Vary, spawn

CHUNK_BYTES = 16 * 2**20  # of one seed's batches and noise prepared at once
CHUNK_STEPS = 128
MOST_UNROLLED = 4  # more steps in one graph cost compile time and gain nothing measurable
MOST_TENSORS = 96  # of parameters in the steps of one graph: beyond, compiling takes minutes
Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Settings:
    """How seeds are trained; all that bears on the result but the model and the data.

    Attributes:
        steps: optimiser steps.
        batch_size: rows of a minibatch; a larger one than the data is cut down.
        lr: Adam's first step size.
        factor: what it is multiplied by on a plateau.
        patience: epochs without a better mean objective before that.
        init: the layers' own initialisation, or one that looks at the data.
        vary: which streams follow the seed; the others are seed 0's.
        precision: how exactly matrices are multiplied.
        compiled: whether several steps are compiled into one.
    """

    steps: int
    batch_size: int
    lr: float
    factor: float
    patience: int
    init: Init = "torch"
    vary: Vary = "all"
    precision: Precision = "float32"
    compiled: bool = False


@dataclass(frozen=True)
class Rows:
    """The data that are trained on, in memory once for all seeds.

    Attributes:
        x: observations as stored, (n, *shape).
        u: labels, (n,) int64; zeros where there are none.
    """

    x: Tensor
    u: Tensor

    def epoch_steps(self, batch_size: int) -> int:
        """Minibatches in an epoch; rows that do not fill the last one sit this epoch out."""
        return len(self.x) // self.cut(batch_size)

    def cut(self, batch_size: int) -> int:
        """The batch size, no larger than the data."""
        return min(batch_size, len(self.x))


@dataclass(frozen=True)
class Outcome:
    """What became of one seed.

    Attributes:
        seed: the seed.
        state: the model's `state_dict`, as arrays.
        history: of each epoch by name, (epochs,): the means of the terms of the objective, what
            the model says of itself at its end, and `lr`.
        failed_at: the step by which the objective was no longer finite; None if it always was.
            The state is then the last good one.
    """

    seed: int
    state: Arrays
    history: Arrays
    failed_at: int | None


class Ensembles:
    """Makes computations, one for each number of seeds, so that none is compiled twice."""

    def __init__(self, build: Callable[[], nn.Module], rows: Rows, settings: Settings) -> None:
        """Remembers what they have in common.

        Args:
            build: makes a model for one seed.
            rows: the training data.
            settings: how seeds are trained.
        """
        self.build, self.rows, self.settings = build, rows, settings
        self._made: dict[int, Ensemble] = {}

    def fresh(self, streams: Streams) -> nn.Module:
        """A model at step 0, with the initial parameters of a seed's stream."""
        x, u = self.rows.x, self.rows.u
        model = initialise(self.build, streams.init).to(x.device)
        if isinstance(model, Surveyor):
            model.survey(x, u, streams.init)
        if self.settings.init == "data":
            order = torch.randperm(len(x), generator=streams.init)
            chosen = order[:START_ROWS].to(x.device)
            rescale(model, x[chosen], u[chosen], streams.init)
        return model

    def of(self, seeds: int) -> Ensemble:
        """The computation for a number of seeds."""
        if seeds not in self._made:
            batch = self.rows.cut(self.settings.batch_size)
            model = initialise(self.build, torch.Generator().manual_seed(0))
            x, u = self.rows.x[:batch], self.rows.u[:batch]
            steps = self.rows.epoch_steps(self.settings.batch_size)
            unrolled = _unrolled(model, steps) if self.settings.compiled else 0
            self._made[seeds] = Ensemble(
                model.to(x.device), x, u, unrolled=unrolled, precision=self.settings.precision
            )
        return self._made[seeds]


@dataclass
class Training:
    """Seeds trained side by side.

    `advance` until `done`; between any two calls `snapshot` gives all that `resume` needs to go
    on exactly as if nothing had happened.

    Attributes:
        seeds: the seeds, in the order of the leading axis.
        step: optimiser steps done.
        alive: which seeds still train, (seeds,) bool.
    """

    seeds: Sequence[int]
    settings: Settings
    rows: Rows
    ensemble: Ensemble
    weights: Weights
    plateau: Plateau
    streams: list[Streams]
    alive: Tensor
    failed_at: Tensor
    step: int = 0
    sums: dict[str, Tensor] = field(default_factory=dict)
    history: dict[str, list[Tensor]] = field(default_factory=dict)
    _order: Tensor | None = None  # of this epoch, (seeds, rows); None: to be drawn
    _before_order: list[Tensor] = field(default_factory=list)  # the generators' states until then

    def __post_init__(self) -> None:
        self._before_order = [stream.order.get_state() for stream in self.streams]

    @classmethod
    def start(cls, ensembles: Ensembles, seeds: Sequence[int]) -> "Training":
        """Seeds at step 0, each with the initial parameters of its own stream."""
        rows, settings = ensembles.rows, ensembles.settings
        device = rows.x.device
        streams = [spawn(seed, vary=settings.vary, device=device) for seed in seeds]
        models = [ensembles.fresh(stream) for stream in streams]
        ensemble = ensembles.of(len(seeds))
        return cls(
            seeds=list(seeds),
            settings=settings,
            rows=rows,
            ensemble=ensemble,
            weights=ensemble.stack(models),
            plateau=Plateau.start(settings.lr, len(seeds), device),
            streams=streams,
            alive=torch.ones(len(seeds), dtype=torch.bool, device=device),
            failed_at=torch.full((len(seeds),), -1, dtype=torch.int64, device=device),
        )

    @property
    def done(self) -> bool:
        """Whether nothing is left to do: every step is done, or no seed is alive."""
        return self.step >= self.settings.steps or not bool(self.alive.any())

    @property
    def epoch_steps(self) -> int:
        """Steps in an epoch."""
        return self.rows.epoch_steps(self.settings.batch_size)

    def advance(self) -> None:
        """Does the next chunk of steps; a chunk never crosses the end of an epoch."""
        within = self.step % self.epoch_steps
        count = min(
            self._chunk_steps() - within % self._chunk_steps(),
            self.epoch_steps - within,
            self.settings.steps - self.step,
        )
        before = self.weights.clone()
        batches = self._prepare(within, count)
        terms = self.ensemble.run(self.weights, batches, self.plateau.lr)
        self.step += count
        self._bury_the_failed(before, terms)
        for name, values in terms.items():
            total = values.double().sum(1)
            self.sums[name] = self.sums[name] + total if name in self.sums else total
        if self.step % self.epoch_steps == 0 or self.step == self.settings.steps:
            self._end_epoch(within + count)

    def outcomes(self) -> list[Outcome]:
        """What became of each seed, so far."""
        failed = self.failed_at.tolist()
        history = {name: torch.stack(means).cpu().numpy() for name, means in self.history.items()}
        return [
            Outcome(
                seed=seed,
                state={name: value.cpu().numpy() for name, value in state.items()},
                history={name: means[: self._epochs(at), row] for name, means in history.items()},
                failed_at=at if at >= 0 else None,
            )
            for row, (seed, state, at) in enumerate(
                zip(self.seeds, self.ensemble.states(self.weights), failed, strict=True)
            )
        ]

    def snapshot(self) -> Arrays:
        """All that changes in training, as arrays by name."""
        m = self.weights.moments
        tensors = {
            "flat": self.weights.flat,
            "first": m.first,
            "second": m.second,
            "count": m.count,
            **{f"fixed/{name}": value for name, value in self.weights.fixed.items()},
            "lr": self.plateau.lr,
            "best": self.plateau.best,
            "waited": self.plateau.waited,
            "alive": self.alive,
            "failed_at": self.failed_at,
            **{f"sums/{name}": value for name, value in self.sums.items()},
            **{f"history/{name}": torch.stack(means) for name, means in self.history.items()},
            "order": torch.stack(self._before_order),
            "noise": torch.stack([stream.noise.get_state() for stream in self.streams]),
        }
        arrays = {name: value.detach().cpu().clone().numpy() for name, value in tensors.items()}
        return {**arrays, "seeds": np.array(self.seeds), "step": np.array(self.step)}

    @classmethod
    def resume(
        cls, ensembles: Ensembles, arrays: Mapping[str, NDArray[Any]], seeds: Sequence[int]
    ) -> "Training":
        """Some or all seeds of a snapshot, at the step where it was taken.

        Args:
            ensembles: as at the start.
            arrays: what `snapshot` gave.
            seeds: which seeds to go on with.
        """
        device = ensembles.rows.x.device
        kept = [int(np.flatnonzero(arrays["seeds"] == seed)[0]) for seed in seeds]

        def of(name: str, axis: int = 0) -> Tensor:
            chosen = np.take(arrays[name], kept, axis=axis)
            return torch.from_numpy(np.ascontiguousarray(chosen)).to(device)

        def under(folder: str) -> list[str]:
            return [n.removeprefix(folder) for n in arrays if n.startswith(folder)]

        count = torch.from_numpy(np.array(arrays["count"])).to(device)
        moments = Moments(of("first"), of("second"), count)
        fixed = {name: of(f"fixed/{name}") for name in under("fixed/")}
        settings = ensembles.settings
        streams = [spawn(seed, vary=settings.vary, device=device) for seed in seeds]
        for stream, order, noise in zip(streams, of("order"), of("noise"), strict=True):
            stream.order.set_state(order.cpu().clone())
            stream.noise.set_state(noise.cpu().clone())  # a row of a stack will not do
        return cls(
            seeds=list(seeds),
            settings=settings,
            rows=ensembles.rows,
            ensemble=ensembles.of(len(seeds)),
            weights=Weights(of("flat"), fixed, moments),
            plateau=Plateau(of("lr"), of("best"), of("waited")),
            streams=streams,
            alive=of("alive"),
            failed_at=of("failed_at"),
            step=int(arrays["step"]),
            sums={name: of(f"sums/{name}") for name in under("sums/")},
            history={name: list(of(f"history/{name}", axis=1).cpu()) for name in under("history/")},
        )

    def _chunk_steps(self) -> int:
        """Steps prepared at once.

        A matter of the model and data alone, so that a seed draws the same numbers however many
        others train beside it, compiled or not.
        """
        batch = self.rows.cut(self.settings.batch_size)
        row = self.rows.x[:1]
        noise = sum(4 * int(np.prod(draw.shape)) for draw in self.ensemble.draws)
        fit = CHUNK_BYTES // (batch * row.numel() * row.element_size() + noise)
        stride = _stride(self.epoch_steps)
        return max(1, min(fit, CHUNK_STEPS) // stride) * stride

    def _rows_in_order(self) -> Tensor:
        """The order of the rows in this epoch, (seeds, rows)."""
        if self._order is None:
            n = len(self.rows.x)
            orders = [torch.randperm(n, generator=stream.order) for stream in self.streams]
            self._order = torch.stack(orders).to(self.rows.x.device)
        return self._order

    def _prepare(self, within: int, count: int) -> Batches:
        batch = self.rows.cut(self.settings.batch_size)
        chosen = self._rows_in_order()[:, within * batch : (within + count) * batch]
        chosen = chosen.view(len(self.seeds), count, batch)
        drawn = [
            torch.stack([draw.many(count, stream.noise) for stream in self.streams])
            for draw in self.ensemble.draws
        ]
        return Batches(self.rows.x[chosen], self.rows.u[chosen], drawn)

    def _bury_the_failed(self, before: Weights, terms: Mapping[str, Tensor]) -> None:
        """Puts seeds that are no longer finite back to where they last were, and keeps them."""
        finite = torch.isfinite(self.weights.flat).all(1)
        finite &= torch.isfinite(self.weights.moments.second).all(1)  # else it can never move
        for values in terms.values():
            finite &= torch.isfinite(values).all(1)
        newly = self.alive & ~finite
        self.failed_at = torch.where(newly, self.step, self.failed_at)
        self.alive &= finite
        self._keep(before)

    def _keep(self, before: Weights) -> None:
        def chosen(new: Tensor, old: Tensor) -> Tensor:
            alive = self.alive.view(-1, *(1 for _ in new.shape[1:]))
            return torch.where(alive, new, old)

        now, then = self.weights, before
        now.flat = chosen(now.flat, then.flat)
        now.moments.first = chosen(now.moments.first, then.moments.first)
        now.moments.second = chosen(now.moments.second, then.moments.second)
        now.fixed = {name: chosen(value, then.fixed[name]) for name, value in now.fixed.items()}

    def _end_epoch(self, steps: int) -> None:
        self._order = None
        self._before_order = [stream.order.get_state() for stream in self.streams]
        means = {name: total / steps for name, total in self.sums.items()}
        self.sums = {}
        found = self.ensemble.diagnostics(self.weights)
        for name, mean in {**means, **found, "lr": self.plateau.lr.double()}.items():
            self.history.setdefault(name, []).append(mean.cpu())
        self.plateau.update(
            means["objective"].float(),
            factor=self.settings.factor,
            patience=self.settings.patience,
        )
        self._project()

    def _project(self) -> None:
        """Lets models that have to be put back where they must be, with noise of its own."""
        if self.ensemble.projection_draws:
            epoch = len(self.history["objective"])
            generators = [stream.after(epoch) for stream in self.streams]
            drawn = [
                torch.stack([draw.many(1, generator)[0] for generator in generators])
                for draw in self.ensemble.projection_draws
            ]
            self.ensemble.project(self.weights, drawn, self.alive)

    def _epochs(self, failed_at: int) -> int:
        """Whole epochs in which a seed was alive; `failed_at` is -1 for a seed that still is."""
        if failed_at < 0:
            return -(-self.step // self.epoch_steps)
        return (failed_at - 1) // self.epoch_steps


def _stride(epoch_steps: int) -> int:
    """How many steps are prepared together, at the least: a divisor of those in an epoch."""
    return max(n for n in range(1, MOST_UNROLLED + 1) if epoch_steps % n == 0)


def _unrolled(model: nn.Module, epoch_steps: int) -> int:
    """How many steps a compiled computation does in one call: fewer of a deep model."""
    tensors = sum(parameter.requires_grad for parameter in model.parameters())
    most = max(1, MOST_TENSORS // max(1, tensors))
    stride = _stride(epoch_steps)
    return max(n for n in range(1, min(most, stride) + 1) if stride % n == 0)
