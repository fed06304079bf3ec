"""Image sets in the file format of MNIST, which Fashion-MNIST has taken over."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.data import Dataset, Recipe
from idkit.data._archive import Archive, Download, joined

PARTS = ("train", "t10k")
KINDS = ("images-idx3", "labels-idx1")


def archive(name: str, family: str) -> Archive:
    """The four official files, which are read as they are.

    Args:
        name: as on the shelf.
        family: the class in torchvision.datasets, after which it names the folder.
    """
    folder = f"{family}/raw"
    return Archive(
        name,
        family,
        files=[f"{folder}/{part}-{kind}-ubyte.gz" for part in PARTS for kind in KINDS],
        checksums=lambda images: [md5 for _, md5 in images.resources],
        downloads=lambda images: [
            Download([mirror + file for mirror in images.mirrors], f"{folder}/{file}", md5)
            for file, md5 in images.resources
        ],
    )


def load(archive: Archive, root: Path, recipe: Recipe) -> Dataset:
    """A data set from its four files.

    Raises:
        MissingError: when files are not there.
        IdkitError: when one is not the official one.
    """
    archive.opened(root)
    train_x, train_u, test_x, test_u = (_read(root / file) for file in archive.files)
    return joined(archive.name, [(train_x[:, None], train_u), (test_x[:, None], test_u)], recipe)


def _read(path: Path) -> NDArray[Any]:
    """An array of bytes behind a head of its number of axes and its sizes.

    torchvision's reader wants an unpacked copy beside the archive, whose checksum nobody knows.
    """
    with gzip.open(path) as stream:
        content = stream.read()
    axes = content[3]
    sizes = np.frombuffer(content, ">u4", axes, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 * (1 + axes)).reshape(sizes)
