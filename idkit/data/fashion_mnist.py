"""Fashion-MNIST: 70,000 articles of clothing of 28 x 28 pixels in grey (Xiao et al. 2017)."""

from pathlib import Path

from idkit.data import Dataset, _idx
from idkit.data.mnist import RECIPE as RECIPE  # made to stand in for MNIST, and trained alike

ARCHIVE = _idx.archive("fashion-mnist", "FashionMNIST")


def load(root: Path) -> Dataset:
    """Images (70000, 1, 28, 28) with ten labels, and the official split of 60,000 and 10,000.

    Args:
        root: the folder of data sets.

    Raises:
        MissingError: when the official files are not there.
        IdkitError: when one is damaged.
    """
    return _idx.load(ARCHIVE, root, RECIPE)
