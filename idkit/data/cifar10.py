"""CIFAR-10: 60,000 photographs of 32 x 32 pixels in colour (Krizhevsky 2009)."""

from pathlib import Path

from idkit.data import Dataset, Recipe
from idkit.data._archive import Archive, Download, joined

RECIPE = Recipe(
    likelihood="logistic",
    components=100,
    lr={"mlp": 5e-4, "convnet": 1e-3, "resnet": 1e-3, "": 1e-3},
)
FOLDER = "cifar-10-batches-py"
FILES = (*(f"data_batch_{part}" for part in range(1, 6)), "test_batch", "batches.meta")
ARCHIVE = Archive(
    "cifar10",
    "CIFAR10",
    files=[f"{FOLDER}/{file}" for file in FILES],
    checksums=lambda cifar: [
        *(md5 for _, md5 in (*cifar.train_list, *cifar.test_list)),
        cifar.meta["md5"],
    ],
    downloads=lambda cifar: [Download([cifar.url], cifar.filename, cifar.tgz_md5)],
)


def load(root: Path) -> Dataset:
    """Images (60000, 3, 32, 32) with ten labels, and the official split of 50,000 and 10,000.

    The official files are pickles, which run whatever they hold: torchvision reads them only
    once their checksums are known to be right.

    Args:
        root: the folder of data sets.

    Raises:
        MissingError: when the official files are not there.
        IdkitError: when one is damaged.
    """
    cifar = ARCHIVE.opened(root)
    parts = [cifar(root, train=train) for train in (True, False)]
    return joined(
        ARCHIVE.name, [(part.data.transpose(0, 3, 1, 2), part.targets) for part in parts], RECIPE
    )
