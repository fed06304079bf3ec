"""The ceiling: latents by the exact inverse of a known mixing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.errors import IdkitError
from idkit.files import Artefact
from idkit.mixing import Mixing


def derive(rng: np.random.Generator, given: Artefact) -> dict[str, NDArray[Any]]:  # noqa: ARG001 - nothing is random
    """The sources again, by the exact inverse of the mixing: MCC 1 to the sources.

    Less than 1 only where noise was added to x.

    Args:
        rng: not used.
        given: a file of `idkit synth` with x and the mixing.

    Returns:
        z (n, d); u and s where the given file has them.

    Raises:
        IdkitError: when the file does not say how its data were mixed.
    """
    if "mixing" not in given.arrays or "mixing" not in given.meta:
        raise IdkitError(
            f"{given.label} does not say how its data were mixed: 'idkit synth tcl -o FILE' does"
        )
    mixing = Mixing.of(given.arrays["mixing"], given.meta["mixing"])
    z = mixing.unmix(given.array("x")).astype(np.float32)
    beside = {name: given.arrays[name] for name in ("u", "s") if name in given.arrays}
    return {"z": z, **beside}
