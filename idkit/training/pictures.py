"""What a trained model makes of images, and by itself: for people to look at."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from idkit.models import Generative, Quantised

Pictures = dict[str, NDArray[np.float32]]


def pictures(
    model: Any,
    x: NDArray[Any],
    u: NDArray[np.int64],
    generator: torch.Generator,
    *,
    shown: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> Pictures:
    """Reconstructions of images, and new ones.

    Args:
        model: a trained model in eval mode.
        x: images as the model reads them, (n, c, h, w).
        u: their labels, (n,); zeros where there are none.
        generator: the source of what is drawn from the prior.
        shown: makes pixels in [0, 1] of such images; None where they are unsigned bytes.

    Returns:
        Pixels in [0, 1], each (n, c, h, w): `rows`, the images; `reconstructions`, the expected
        pixels of their posterior means, or of what codes make of these; and where the model has a
        prior `samples`, the same of draws from it, and `means`, the same of the means of its at
        most n most likely components where there are several.
    """
    given = torch.from_numpy(x)
    found = {"rows": given / 255 if shown is None else shown(given)}
    with torch.no_grad():
        q = model.embed(given, torch.from_numpy(u))
        mean = q if isinstance(q, torch.Tensor) else q.loc
        z = {"reconstructions": model.quantised(mean) if isinstance(model, Quantised) else mean}
        if isinstance(model, Generative):
            z |= _of_the_prior(model, len(x), generator)
        for name, each in z.items():
            h = model.decoder(each)
            found[name] = (
                model.likelihood.pixels(h) if shown is None else shown(model.likelihood(h).mean)
            )
    return {name: each.float().numpy() for name, each in found.items()}


def _of_the_prior(
    model: Generative, count: int, generator: torch.Generator
) -> dict[str, torch.Tensor]:
    prior = model.marginal()
    weights = torch.softmax(prior.mixture_distribution.logits, -1)
    drawn = torch.multinomial(weights, count, replacement=True, generator=generator)
    noise = torch.randn(count, prior.mu.shape[1], generator=generator)
    z = {"samples": prior.mu[drawn] + torch.exp(prior.log_var[drawn] / 2) * noise}
    if len(weights) > 1:
        z["means"] = prior.mu[torch.argsort(weights, descending=True, stable=True)[:count]]
    return z
