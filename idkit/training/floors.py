"""What the objective of a trained model should be above, whatever the model."""

from collections.abc import Mapping
from math import inf
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from idkit.training.fit import Ensembles
from idkit.training.initialise import START_ROWS, initialise
from idkit.training.streams import Live, spawn

MOST_ROWS = 1000  # that tell how good a constant prediction is
PARTS = 16  # of the start's rows, whose objectives tell how exact their mean is
ERRORS = 3  # standard errors of that mean, which chance alone seldom exceeds


def start(ensembles: Ensembles, seed: int) -> float:
    """The objective of one seed's untrained model in nats per sample, at the least.

    Args:
        ensembles: as at the start of its training.
        seed: the seed.

    Returns:
        The mean over some rows, less three of its standard errors.
    """
    streams = spawn(seed, vary=ensembles.settings.vary, device=ensembles.rows.x.device)
    model: Any = ensembles.fresh(streams)
    noise = Live(streams.noise)
    model.train()
    with torch.no_grad():
        parts = [model.objective(x, u, noise) for x, u in _parts(ensembles)]
    means = torch.stack([terms["objective"] + terms.get("penalty", 0) for terms in parts]).double()
    return float(means.mean() - ERRORS * means.std() / PARTS**0.5)


def constant(ensembles: Ensembles) -> float:
    """The mean log p(x) of a model that predicts the same for every row, in nats per sample.

    Any latents that say nothing of x have it, at no cost in KL. Minus infinity for a model without
    decoder.
    """
    model: Any = initialise(ensembles.build, torch.Generator()).eval()
    if not hasattr(model, "decoder") or not hasattr(model, "likelihood"):
        return -inf
    x = ensembles.rows.x
    likelihood = model.likelihood.to(x.device)
    with torch.no_grad():
        return float(likelihood.constant(x[_evenly(len(x), min(len(x), MOST_ROWS), x.device)]))


def reached(history: Mapping[str, NDArray[Any]]) -> float:
    """The last objective of a training, without what steers it.

    Args:
        history: of each epoch by name, (epochs,).
    """
    penalty = history.get("penalty")
    return float(history["objective"][-1]) + (0.0 if penalty is None else float(penalty[-1]))


def _parts(ensembles: Ensembles) -> list[tuple[Tensor, Tensor]]:
    """Parts of one size of some rows, each from all over the data."""
    x, u = ensembles.rows.x, ensembles.rows.u
    chosen = _evenly(len(x), START_ROWS, x.device).view(-1, PARTS).mT
    return [(x[rows], u[rows]) for rows in chosen]


def _evenly(n: int, count: int, device: torch.device) -> Tensor:
    """Row numbers over all of n rows, each once if there are enough."""
    return (torch.arange(count, device=device) * n) // count
