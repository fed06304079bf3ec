"""A step size that is reduced when the objective stops rising, for every seed by itself."""

from dataclasses import dataclass

import torch
from torch import Tensor

THRESHOLD = 1e-4  # relative rise that counts as one, as torch's ReduceLROnPlateau


@dataclass
class Plateau:
    """What the schedule remembers, one value for each seed.

    Attributes:
        lr: step size, (seeds,).
        best: the best epoch mean so far, (seeds,).
        waited: epochs since, (seeds,) int64.
    """

    lr: Tensor
    best: Tensor
    waited: Tensor

    @classmethod
    def start(cls, lr: float, seeds: int, device: torch.device) -> "Plateau":
        """The schedule before the first epoch."""
        return cls(
            torch.full((seeds,), lr, device=device),
            torch.full((seeds,), -torch.inf, device=device),
            torch.zeros(seeds, dtype=torch.int64, device=device),
        )

    def update(self, objective: Tensor, *, factor: float, patience: int) -> None:
        """Takes in the mean objective of an epoch, in place.

        Args:
            objective: to be maximised, (seeds,).
            factor: what the step size is multiplied by.
            patience: epochs without a rise that are waited for.
        """
        bar = self.best + THRESHOLD * self.best.abs().nan_to_num(posinf=0)
        rose = objective > bar
        self.best = torch.where(rose, objective, self.best)
        self.waited = torch.where(rose, 0, self.waited + 1)
        late = self.waited > patience
        self.lr = torch.where(late, self.lr * factor, self.lr)
        self.waited = torch.where(late, 0, self.waited)
