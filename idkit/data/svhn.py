"""SVHN: 99,289 house numbers of 32 x 32 pixels in colour (Netzer et al. 2011)."""

from pathlib import Path

from idkit.data import Dataset, Recipe
from idkit.data._archive import Archive, Download, joined

RECIPE = Recipe(
    likelihood="logistic",
    components=100,
    lr={"mlp": 5e-4, "convnet": 1e-3, "resnet": 2e-4, "": 1e-3},
)
PARTS = ("train", "test")
ARCHIVE = Archive(
    "svhn",
    "SVHN",
    files=[f"{part}_32x32.mat" for part in PARTS],
    checksums=lambda svhn: [svhn.split_list[part][2] for part in PARTS],
    downloads=lambda svhn: [
        Download([url], file, md5) for url, file, md5 in map(svhn.split_list.get, PARTS)
    ],
)


def load(root: Path) -> Dataset:
    """Images (99289, 3, 32, 32) with the digit as u, and the official split of 73,257 and 26,032.

    Args:
        root: the folder of data sets.

    Raises:
        MissingError: when the official files are not there.
        IdkitError: when one is damaged.
    """
    svhn = ARCHIVE.opened(root)
    parts = [svhn(root, split=part) for part in PARTS]
    return joined(ARCHIVE.name, [(part.data, part.labels) for part in parts], RECIPE)
