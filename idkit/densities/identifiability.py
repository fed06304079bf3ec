"""Whether priors indexed by u fulfil the condition of the identifiability theorem.

Theorem 1 (iv) asks for k d_z + 1 values of u such that L = (lambda(u_1) - lambda(u_0), ...), eq.
2, is invertible; lambda are the natural parameters, and k = 2 for Gaussians. With more values of u
than that, L is here all differences from the first: a choice of k d_z of them is invertible if and
only if the rank is k d_z. Appendix H tracks L in training, and mends or penalises it.
"""

from dataclasses import dataclass
from math import inf
from typing import Literal

import torch
from torch import Tensor

from idkit.errors import UsageError
from idkit.nets import Noise

Mode = Literal["track", "project", "penalty"]
ORDERS = 2  # k: sufficient statistics of a Gaussian in each dimension
ALPHA = 1e-3  # of the penalty; the paper names none
NUDGE = 0.01  # size of the noise that mends L, relative to the natural parameters' own scale
ROUNDING = torch.finfo(torch.float32).eps  # the precision to which the parameters are kept
ALIKE = 64 * ROUNDING  # what equal components may drift apart by, since kernels round them apart


@dataclass(frozen=True)
class Condition:
    """What is done about L in a model whose prior has a Gaussian for each of some values of u.

    Attributes:
        mode: whether L is only tracked, or mended by noise where it is singular, or the
            objective lessened by alpha times its condition number.
        values: the number of values of u.
        d_z: the number of latent dimensions.
        alpha: the weight of the penalty.
    """

    mode: Mode
    values: int
    d_z: int
    alpha: float = ALPHA

    def __post_init__(self) -> None:
        if self.mode != "track" and self.remark():
            raise UsageError(f"identifiability={self.mode}: {self.remark()}")
        if self.mode != "penalty" and self.alpha != ALPHA:
            raise UsageError("alpha goes with identifiability=penalty")
        if not 0 <= self.alpha < inf:
            raise UsageError(f"alpha is {self.alpha}: a penalty's weight is at least 0")

    def remark(self) -> str:
        """Why L cannot be built; empty where it can."""
        needed = ORDERS * self.d_z + 1
        if self.values >= needed:
            return ""
        return (
            f"the matrix L of the identifiability theorem cannot be built: {self.d_z} latent "
            f"dimensions take {needed} values of u, there are {self.values}"
        )

    def diagnostics(self, mu: Tensor, log_var: Tensor) -> dict[str, Tensor]:
        """Rank and condition number of L, as they are recorded; nothing where L cannot be built.

        Args:
            mu: means, (values, d_z).
            log_var: log-variances, (values, d_z).
        """
        if self.remark():
            return {}
        matrix = differences(mu, log_var)
        return {"rank_L": rank(matrix), "condition_L": condition_number(matrix)}

    def penalised(self, terms: dict[str, Tensor], mu: Tensor, log_var: Tensor) -> dict[str, Tensor]:
        """The objective less alpha times the condition number of L (Appendix H), if asked for."""
        if self.mode != "penalty":
            return terms
        penalty = self.alpha * condition_number(differences(mu, log_var)).float()
        return {**terms, "objective": terms["objective"] - penalty, "penalty": penalty}

    def mended(self, mu: Tensor, log_var: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
        """Means and log-variances; with noise on the natural parameters where L is singular."""
        new_mu, new_log_var = nudge(mu, log_var, noise)
        singular = rank(differences(mu, log_var)) < ORDERS * self.d_z
        return torch.where(singular, new_mu, mu), torch.where(singular, new_log_var, log_var)


def differences(mu: Tensor, log_var: Tensor) -> Tensor:
    """L of eq. 2 with all differences, (2 d_z, values - 1) float64; zeros where one overflows.

    A difference below `ALIKE` of the natural parameters' own size is 0: it is rounding.

    Args:
        mu: means, (values, d_z).
        log_var: log-variances, (values, d_z).
    """
    precision = torch.exp(-log_var.double())
    natural = torch.cat([mu * precision, -precision / 2], dim=-1)
    apart = natural[1:] - natural[:1]
    size = torch.maximum(natural[1:].abs(), natural[:1].abs())
    matrix = torch.where(apart.abs() < ALIKE * size, torch.zeros_like(apart), apart).mT
    return torch.where(torch.isfinite(matrix).all(), matrix, torch.zeros_like(matrix))


def rank(matrix: Tensor) -> Tensor:
    """The number of independent natural parameters, of a matrix (2 d_z, values - 1).

    Rows are first brought to length 1, since units of different dimensions decide nothing; what
    is below float32's rounding then counts as 0.
    """
    lengths = torch.linalg.vector_norm(matrix, dim=-1, keepdim=True)
    rows = matrix / torch.where(lengths > 0, lengths, torch.ones_like(lengths))
    values = torch.linalg.svdvals(rows)
    independent: Tensor = values > max(matrix.shape) * ROUNDING * values[0]
    return independent.sum().double()


def condition_number(matrix: Tensor) -> Tensor:
    """The largest singular value by the least, at least 1; infinite where the least is 0."""
    values = torch.linalg.svdvals(matrix)
    safe = torch.where(values[-1] > 0, values[-1], torch.ones_like(values[-1]))
    return torch.where(values[-1] > 0, values[0] / safe, inf)


def nudge(mu: Tensor, log_var: Tensor, noise: Noise) -> tuple[Tensor, Tensor]:
    """Small noise on natural parameters, which keeps variances positive.

    lambda_2 = -1 / (2 sigma^2) is multiplied by exp(0.01 e_2), and 0.01 e_1 / sigma is added to
    lambda_1 = mu / sigma^2, with e_1, e_2 standard normal.

    Args:
        mu: means, (values, d_z).
        log_var: log-variances, (values, d_z).
        noise: where the noise comes from.
    """
    first = mu * torch.exp(-log_var) + NUDGE * noise.normal(mu.shape) * torch.exp(-log_var / 2)
    new_log_var = log_var - NUDGE * noise.normal(log_var.shape)
    return first * torch.exp(new_log_var), new_log_var
