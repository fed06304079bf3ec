"""Image sets in their official files: where they lie, whether they are whole, how they get here.

Downloads and checksums are those of torchvision.datasets, and so are the folders.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from idkit.data import TEST, TRAIN, Dataset, Recipe
from idkit.data._torchvision import datasets
from idkit.errors import IdkitError, MissingError

UNPACKED = ".tar.gz"


@dataclass(frozen=True)
class Download:
    """One file to be fetched.

    Attributes:
        mirrors: addresses, the first one first.
        path: where it goes, below the root.
        md5: its checksum.
    """

    mirrors: Sequence[str]
    path: str
    md5: str


@dataclass(frozen=True)
class Archive:
    """The official files of an image set.

    Attributes:
        name: as on the shelf.
        family: the class in torchvision.datasets.
        files: what is read, below the root.
        checksums: the MD5 sum of each of `files`, from that class.
        downloads: what is to be fetched to have them, from that class.
    """

    name: str
    family: str
    files: Sequence[str]
    checksums: Callable[[Any], Sequence[str]]
    downloads: Callable[[Any], Sequence[Download]]

    def missing(self, root: Path) -> list[Path]:
        """The files that are not there; torchvision is not asked."""
        return [root / file for file in self.files if not (root / file).is_file()]

    def damaged(self, root: Path) -> list[Path]:
        """The files that are there and are not the official ones."""
        there = [file for file in self.files if (root / file).is_file()]
        if not there:
            return []
        utils, family = self._torchvision()
        sums = dict(zip(self.files, self.checksums(family), strict=True))
        return [root / f for f in there if not utils.check_integrity(root / f, sums[f])]

    def fetch(self, root: Path) -> None:
        """Downloads what is not there yet, and unpacks it.

        Raises:
            MissingError: when a file cannot be had from anywhere.
        """
        utils, family = self._torchvision()
        for download in self.downloads(family):
            target = root / download.path
            self._download(utils, download, target)
            if target.name.endswith(UNPACKED):
                utils.extract_archive(target, target.parent)

    def opened(self, root: Path) -> Any:
        """The class of torchvision's, once every file is known to be whole.

        Raises:
            MissingError: when files are not there.
            IdkitError: when one is not the official one.
        """
        how = f"'idkit data fetch {self.name} --data-root {root}' gets it"
        missing = self.missing(root)
        if missing:
            raise MissingError(f"the data set {self.name} is not here: no {missing[0]}: {how}")
        damaged = self.damaged(root)
        if damaged:
            raise IdkitError(f"{damaged[0]} is not the official file, or not all of it: {how}")
        return self._torchvision()[1]

    def _download(self, utils: Any, download: Download, target: Path) -> None:
        for mirror in download.mirrors:
            try:
                utils.download_url(mirror, target.parent, target.name, download.md5)
            except (
                RuntimeError,
                OSError,
            ) as error:  # a wrong checksum, a network that is not there
                reason = str(error)
            else:
                return
        raise MissingError(
            f"cannot fetch {self.name} from {download.mirrors[-1]} ({reason}): without network put "
            f"the file into {target.parent} and fetch again"
        )

    def _torchvision(self) -> tuple[Any, Any]:
        return datasets().utils, getattr(datasets(), self.family)


def joined(
    name: str, parts: Sequence[tuple[NDArray[np.uint8], NDArray[Any]]], recipe: Recipe
) -> Dataset:
    """A data set from its official training and test part.

    Args:
        name: as on the shelf.
        parts: images (n, c, h, w) and labels (n,) of each.
        recipe: how models are trained on it.
    """
    (train, _), (test, _) = parts
    return Dataset(
        name,
        np.concatenate([x for x, _ in parts]),
        np.concatenate([u for _, u in parts]).astype(np.int64),
        split=np.repeat(np.array([TRAIN, TEST], np.uint8), [len(train), len(test)]),
        recipe=recipe,
    )
