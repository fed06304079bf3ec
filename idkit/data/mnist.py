"""MNIST: 70,000 handwritten digits of 28 x 28 pixels in grey (LeCun et al. 1998)."""

from pathlib import Path

from idkit.data import Dataset, Recipe, _idx

RECIPE = Recipe(likelihood="bernoulli", lr={"mlp": 5e-4, "convnet": 1e-4, "": 1e-3})
ARCHIVE = _idx.archive("mnist", "MNIST")


def load(root: Path) -> Dataset:
    """Images (70000, 1, 28, 28) with the digit as u, and the official split of 60,000 and 10,000.

    Args:
        root: the folder of data sets.

    Raises:
        MissingError: when the official files are not there.
        IdkitError: when one is damaged.
    """
    return _idx.load(ARCHIVE, root, RECIPE)
