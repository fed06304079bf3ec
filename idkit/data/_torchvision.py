"""The one place that imports torchvision."""

from functools import cache
from typing import Any

NAMESPACE = "torchvision"
OPERATORS = ("nms", "qnms")
SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


@cache
def datasets() -> Any:
    """`torchvision.datasets`, also where torchvision was built for another torch than is here.

    Beside a CPU torch its compiled operators do not load, and its import stops since it cannot
    find two of them. Data sets need none: their names will do.
    """
    try:
        import torchvision.datasets
    except RuntimeError:
        _declare()
        import torchvision.datasets
    return torchvision.datasets


@cache
def _declare() -> Any:
    """Declares the operators; kept for good, since they go when this object goes."""
    import torch

    library = torch.library.Library(NAMESPACE, "DEF")
    for name in OPERATORS:
        library.define(f"{name}{SCHEMA}")
    return library
