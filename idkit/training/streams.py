"""Every random number of a training, from the seed of its own run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

Kind = Literal["normal", "uniform"]
Vary = Literal["all", "init", "order", "noise"]
HELD = 0  # the seed whose streams stand in for those that do not vary


@dataclass(frozen=True)
class Streams:
    """The independent streams of one seed.

    Attributes:
        init: generates initial parameters, and the rows that scale them.
        order: generates the order of the rows in each epoch.
        noise: generates the latent samples, dropout masks and binarisations of each step.
        between: the key of what is drawn between two epochs.
    """

    init: torch.Generator
    order: torch.Generator
    noise: torch.Generator
    between: np.random.SeedSequence

    def after(self, epoch: int) -> torch.Generator:
        """A stream of its own behind each epoch: those of the steps go on as if it were not."""
        key = np.random.SeedSequence(
            self.between.entropy, spawn_key=(*self.between.spawn_key, epoch)
        )
        return _generator(key, self.noise.device)


def spawn(seed: int, *, vary: Vary = "all", device: torch.device | None = None) -> Streams:
    """The streams of a seed; with `vary`, the others are those of seed 0.

    Args:
        seed: at least 0.
        vary: which streams follow the seed.
        device: where noise is drawn; order and initial parameters are always drawn on the CPU.
    """
    own, held = (np.random.SeedSequence(root).spawn(4) for root in (seed, HELD))
    followed = ("init", "order", "noise", "noise")
    init, order, noise, between = (
        mine if vary in ("all", name) else theirs
        for name, mine, theirs in zip(followed, own, held, strict=True)
    )
    return Streams(
        _generator(init, None), _generator(order, None), _generator(noise, device), between
    )


def _generator(key: np.random.SeedSequence, device: torch.device | None) -> torch.Generator:
    word = int(key.generate_state(1, np.uint64)[0])
    return torch.Generator(device or "cpu").manual_seed(word)


@dataclass(frozen=True)
class Draw:
    """One request for random numbers that a forward pass makes.

    Attributes:
        kind: the distribution, standard normal or U[0, 1).
        shape: the shape.
    """

    kind: Kind
    shape: tuple[int, ...]

    def many(self, count: int, generator: torch.Generator) -> Tensor:
        """The draws of `count` steps, shape (count, *shape)."""
        empty = torch.empty((count, *self.shape), device=generator.device)
        if self.kind == "normal":
            return empty.normal_(generator=generator)
        return empty.uniform_(generator=generator)


class Live:
    """Noise drawn when it is asked for, with a list of what was asked."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.draws: list[Draw] = []

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Standard normal draws."""
        return self._draw(Draw("normal", tuple(shape)))

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """Draws from U[0, 1)."""
        return self._draw(Draw("uniform", tuple(shape)))

    def _draw(self, draw: Draw) -> Tensor:
        self.draws.append(draw)
        return draw.many(1, self.generator)[0]


class Replay:
    """Noise drawn beforehand, handed out in the order in which it is asked for.

    Drawing many steps at once, outside the step, keeps the streams of seeds apart and the step
    free of random state, so that it can be vectorised and compiled.
    """

    def __init__(self, drawn: Sequence[Tensor]) -> None:
        self.drawn = list(drawn)

    def normal(self, shape: Sequence[int]) -> Tensor:
        """The next tensor, drawn from the standard normal distribution."""
        return self._next(shape)

    def uniform(self, shape: Sequence[int]) -> Tensor:
        """The next tensor, drawn from U[0, 1)."""
        return self._next(shape)

    def _next(self, shape: Sequence[int]) -> Tensor:
        tensor = self.drawn.pop(0)
        assert tensor.shape == tuple(shape), "a forward pass changed what it asks for"
        return tensor
