"""How exactly matrices are multiplied in training: fully, or faster with fewer bits."""

from contextlib import AbstractContextManager
from typing import Literal

import torch

Precision = Literal["float32", "tf32", "bf16"]


def multiply(precision: Precision) -> None:
    """Sets how CUDA multiplies float32 matrices in this process; convolutions, too.

    PyTorch lets convolutions use TF32 unless told otherwise: here nothing does but by wish.

    Args:
        precision: with `tf32`, factors are rounded to 10 bits of mantissa and summed in float32.
    """
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def casting(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Within it, matrix products and convolutions are in bfloat16 if that is the precision.

    Parameters, Adam's moments and what is prone to lose digits stay in float32.

    Args:
        precision: see `Precision`.
        device: where tensors are.
    """
    enabled = precision == "bf16"
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled, cache_enabled=False)
