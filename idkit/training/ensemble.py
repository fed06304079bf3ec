"""Many seeds of one model as one computation: parameters stacked in one flat tensor."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, vmap

from idkit.models import Watched
from idkit.training.adam import Moments, descend, descend_alone
from idkit.training.precision import Precision, casting
from idkit.training.streams import Draw, Live, Replay

Buffers = dict[str, Tensor]
INNER = "model."  # what stands before a parameter's name inside the computation
MAP_AXES = 4  # of a filter: out, in, height, width
LONGEST_REASON = 200  # letters of what a compiler says that went wrong
LARGEST_FILTER = 2**18  # of larger ones a CPU reads the filters longer than the maps


@dataclass
class Weights:
    """What the steps change.

    Attributes:
        flat: trained parameters, (seeds, parameters).
        fixed: buffers and parameters that are not trained, each (seeds, ...).
        moments: Adam's.
    """

    flat: Tensor
    fixed: Buffers
    moments: Moments

    def clone(self) -> "Weights":
        """A copy that shares no memory."""
        m = self.moments
        return Weights(
            self.flat.clone(),
            {name: value.clone() for name, value in self.fixed.items()},
            Moments(m.first.clone(), m.second.clone(), m.count.clone()),
        )


@dataclass(frozen=True)
class Batches:
    """The minibatches and noise of a few steps.

    Attributes:
        x: observations, (seeds, steps, batch, ...).
        u: labels, (seeds, steps, batch).
        drawn: the noise of each draw, (seeds, steps, ...).
    """

    x: Tensor
    u: Tensor
    drawn: list[Tensor]

    def part(self, start: int, stop: int) -> "Batches":
        """The steps from `start` to before `stop`."""
        return Batches(
            self.x[:, start:stop],
            self.u[:, start:stop],
            [noise[:, start:stop] for noise in self.drawn],
        )


class _Asked(nn.Module):
    """A model whose forward pass is an answer of the model's, as `functional_call` wants it."""

    def __init__(self, model: Any, question: Callable[..., dict[str, Tensor]]) -> None:
        super().__init__()
        self.model = model
        self.question = question

    def forward(self, *about: Any) -> dict[str, Tensor]:
        return self.question(self.model, *about)


def _objective(model: Any, x: Tensor, u: Tensor, drawn: Sequence[Tensor]) -> dict[str, Tensor]:
    terms: dict[str, Tensor] = model.objective(x, u, Replay(drawn))
    return terms


def _diagnostics(model: Watched) -> dict[str, Tensor]:
    return model.diagnostics()


def _project(model: Watched, drawn: Sequence[Tensor]) -> dict[str, Tensor]:
    return model.project(Replay(drawn))


class Ensemble:
    """The computation of a model over seeds; it holds no weights itself.

    Attributes:
        draws: the noise that one step of one seed asks for, in order.
        projection_draws: the noise that `project` asks for, in order; empty where there is
            nothing to be put back.
        unrolled: steps in one call of the compiled computation; 0 where nothing is compiled.
        fallback: why steps are computed one by one though they were to be compiled; else empty.
    """

    def __init__(
        self,
        model: nn.Module,
        x: Tensor,
        u: Tensor,
        *,
        unrolled: int = 0,
        precision: Precision = "float32",
    ) -> None:
        """Prepares the computation.

        Args:
            model: any member of the ensemble; its weights do not matter.
            x: a minibatch of observations, as large as every other.
            u: its labels.
            unrolled: how many steps to compile into one; 0 computes them one by one.
            precision: how exactly matrices are multiplied.
        """
        self._model = _Asked(copy.deepcopy(model).train(), _objective)
        trained = [(n, p) for n, p in self._model.named_parameters() if p.requires_grad]
        self._names = [name for name, _ in trained]
        self._shapes = [parameter.shape for _, parameter in trained]
        self._sizes = [parameter.numel() for _, parameter in trained]
        self._channels_last = [_better_with_channels_last(p) for _, p in trained]
        self.draws = _draws(model, x, u) if trained else []
        self.projection_draws: list[Draw] = []
        self._diagnosed = False
        if isinstance(model, Watched):
            live = Live(torch.Generator(x.device))
            self._diagnosed = bool(model.diagnostics())
            model.project(live)
            self.projection_draws = live.draws
        self.unrolled = unrolled
        self.precision = precision
        self.fallback = ""
        self._tried = False
        self._compiled: Callable[..., Any] | None = None

    @property
    def parameters(self) -> int:
        """The number of trained parameters of one seed."""
        return sum(self._sizes)

    def stack(self, models: Sequence[nn.Module]) -> Weights:
        """The initial weights of some models, one for each seed."""
        states = [_Asked(model, _objective).state_dict() for model in models]
        flat = torch.stack([self._flat(state) for state in states])
        fixed = {
            name: torch.stack([state[name] for state in states])
            for name in states[0]
            if name not in self._names
        }
        return Weights(flat, fixed, Moments.zeros(flat))

    def states(self, weights: Weights) -> list[dict[str, Tensor]]:
        """The `state_dict` of every seed's model, in the order of the model's own."""
        order = [name for name, _ in self._model.state_dict().items()]
        members = []
        for row in range(len(weights.flat)):
            state = self._named(weights.flat[row])
            state.update({name: value[row] for name, value in weights.fixed.items()})
            members.append({name.removeprefix(INNER): state[name].contiguous() for name in order})
        return members

    def run(self, weights: Weights, batches: Batches, lr: Tensor) -> dict[str, Tensor]:
        """Some optimiser steps of every seed, in place.

        Args:
            weights: what is trained.
            batches: the data and noise of the steps.
            lr: step size of each seed, (seeds,).

        Returns:
            The terms of the objective at each step, (seeds, steps).
        """
        steps = batches.u.shape[1]
        compiled = self.unrolled and self._compiles(weights, batches, lr)
        whole = steps - steps % self.unrolled if compiled else 0
        done = [
            self._compiled_steps(weights, batches.part(at, at + self.unrolled), lr)
            for at in range(0, whole, self.unrolled or 1)
        ]
        for step in range(whole, steps):  # what does not fill a compiled call
            terms = self._step(weights, batches, step, lr)
            done.append({name: values.unsqueeze(1) for name, values in terms.items()})
        return {name: torch.cat([d[name] for d in done], 1) for name in done[0]}

    def diagnostics(self, weights: Weights) -> dict[str, Tensor]:
        """What `Watched` models say of themselves, (seeds,) each; nothing of others."""
        return self._ask(_diagnostics, weights) if self._diagnosed else {}

    def project(self, weights: Weights, drawn: Sequence[Tensor], alive: Tensor) -> None:
        """Puts models back where they must be, in place.

        Args:
            weights: what is trained.
            drawn: the noise for it, (seeds, ...) each.
            alive: which seeds, (seeds,) bool.
        """
        new = self._ask(_project, weights, list(drawn))
        flat = weights.flat.clone()
        for row, parameters in enumerate(flat):
            named = self._named(parameters)
            for name, values in new.items():
                named[INNER + name].copy_(values[row])
        weights.flat = torch.where(alive.unsqueeze(1), flat, weights.flat)

    def _ask(
        self, question: Callable[..., dict[str, Tensor]], weights: Weights, *about: Any
    ) -> dict[str, Tensor]:
        """The answers of every seed's model to a question, (seeds, ...) each."""
        asked = _Asked(self._model.model, question)

        def of_one(row: Tensor, fixed: Buffers, *about: Any) -> dict[str, Tensor]:
            answer: dict[str, Tensor] = functional_call(asked, {**self._named(row), **fixed}, about)
            return answer

        with torch.no_grad():
            answers: dict[str, Tensor] = vmap(of_one)(weights.flat, weights.fixed, *about)
        return answers

    def _compiles(self, weights: Weights, batches: Batches, lr: Tensor) -> bool:
        """Whether the steps are compiled, which the first call finds out."""
        if batches.u.shape[1] < self.unrolled:
            return False
        if not self._tried:
            self._tried = True
            try:
                self._compiled = torch.compile(self._unrolled_steps, dynamic=False, fullgraph=True)
                self._compiled_steps(weights.clone(), batches.part(0, self.unrolled), lr)
            except Exception as error:  # whatever fails: a cache, a compiler, torch itself
                self.fallback = f"steps are not compiled, which is slower: {_reason(error)}"
                self._compiled = None
        return self._compiled is not None

    def _compiled_steps(self, weights: Weights, part: Batches, lr: Tensor) -> dict[str, Tensor]:
        assert self._compiled is not None
        m = weights.moments
        state = (weights.flat, weights.fixed, m.first, m.second, m.count)
        *state, terms = self._compiled(*state, lr, part.x, part.u, part.drawn)
        weights.flat, weights.fixed, m.first, m.second, m.count = state
        result: dict[str, Tensor] = terms
        return result

    def _unrolled_steps(
        self,
        flat: Tensor,
        fixed: Buffers,
        first: Tensor,
        second: Tensor,
        count: Tensor,
        lr: Tensor,
        x: Tensor,
        u: Tensor,
        drawn: list[Tensor],
    ) -> tuple[Any, ...]:
        """The steps as a function without side effects, for the compiler."""
        weights = Weights(flat, fixed, Moments(first, second, count)).clone()
        batches = Batches(x, u, drawn)
        done = [self._step(weights, batches, step, lr) for step in range(self.unrolled)]
        terms = {name: torch.stack([d[name] for d in done], 1) for name in done[0]}
        m = weights.moments
        return weights.flat, weights.fixed, m.first, m.second, m.count, terms

    def _step(self, weights: Weights, batches: Batches, step: int, lr: Tensor) -> dict[str, Tensor]:
        x, u = batches.x[:, step], batches.u[:, step]
        drawn = [noise[:, step] for noise in batches.drawn]
        if len(weights.flat) == 1 and self._compiled is None:  # no batching rules, less overhead
            return self._step_alone(weights, x[0], u[0], [noise[0] for noise in drawn], lr[0])
        stacked = vmap(grad_and_value(self._loss_of_row, has_aux=True))
        gradient, (_, after) = stacked(weights.flat, weights.fixed, x, u, drawn)
        terms: dict[str, Tensor]
        terms, weights.fixed = after
        descend(weights.flat, gradient, weights.moments, lr)
        return terms

    def _step_alone(
        self, weights: Weights, x: Tensor, u: Tensor, drawn: list[Tensor], lr: Tensor
    ) -> dict[str, Tensor]:
        """A step of the only seed: its gradients stay where they arise, parameter by parameter."""
        parts = self._parts(weights.flat[0])
        leaves = [part.detach().requires_grad_() for part in parts]
        fixed = {name: value[0] for name, value in weights.fixed.items()}
        named = dict(zip(self._names, leaves, strict=True))
        loss, (terms, fixed) = self._loss(named, fixed, x, u, drawn)
        gradients = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
        weights.fixed = {name: value.unsqueeze(0) for name, value in fixed.items()}
        moments = weights.moments
        first, second = self._parts(moments.first[0]), self._parts(moments.second[0])
        descend_alone(parts, gradients, first, second, moments.count, lr)
        return {name: term.detach().unsqueeze(0) for name, term in terms.items()}

    def _loss_of_row(
        self, row: Tensor, fixed: Buffers, x: Tensor, u: Tensor, drawn: list[Tensor]
    ) -> tuple[Tensor, tuple[dict[str, Tensor], Buffers]]:
        return self._loss(self._named(row), fixed, x, u, drawn)

    def _loss(
        self, named: Buffers, fixed: Buffers, x: Tensor, u: Tensor, drawn: list[Tensor]
    ) -> tuple[Tensor, tuple[dict[str, Tensor], Buffers]]:
        """The loss of one seed, with its terms and its buffers after the step."""
        fixed = {name: value.clone() for name, value in fixed.items()}  # batch norm writes here
        with casting(self.precision, x.device):
            terms = functional_call(self._model, {**named, **fixed}, (x, u, drawn))
        return -terms["objective"], (terms, fixed)

    def _named(self, row: Tensor) -> dict[str, Tensor]:
        """One seed's flat parameters (parameters,) by their names, without a copy."""
        return dict(zip(self._names, self._parts(row), strict=True))

    def _parts(self, row: Tensor) -> list[Tensor]:
        """What is flat (parameters,) in the shapes of the parameters, without a copy."""
        parts = zip(torch.split(row, self._sizes), self._shapes, self._channels_last, strict=True)
        return [
            part.view(*shape[:1], *shape[2:], shape[1]).movedim(-1, 1) if last else part.view(shape)
            for part, shape, last in parts
        ]

    def _flat(self, state: dict[str, Tensor]) -> Tensor:
        """Parameters end to end, (parameters,); of a model that has none, an empty tensor."""
        parts = [
            (state[name].movedim(1, -1) if last else state[name]).flatten()
            for name, last in zip(self._names, self._channels_last, strict=True)
        ]
        return torch.cat(parts) if parts else torch.empty(0)


def _reason(error: Exception) -> str:
    """An error of the compiler's in a line."""
    text = " ".join(str(error).strip().partition("\n\n")[0].split())
    known = isinstance(error, RuntimeError)  # torch's own say which they are
    line = text if known and text else f"{type(error).__name__}: {text}"
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 3] + "..."


def _better_with_channels_last(parameter: Tensor) -> bool:
    """Whether a parameter is a filter that a CPU applies faster with its channels innermost.

    Maps take the layout of the filters; batch normalisation, pooling and the like keep it.
    """
    small = parameter.numel() <= LARGEST_FILTER
    return parameter.ndim == MAP_AXES and small and parameter.device.type == "cpu"


def _draws(model: nn.Module, x: Tensor, u: Tensor) -> list[Draw]:
    """What one forward pass asks for, found by making one on a copy."""
    probe: Any = copy.deepcopy(model).train()
    noise = Live(torch.Generator(x.device))
    with torch.no_grad():
        probe.objective(x, u, noise)
    return noise.draws
