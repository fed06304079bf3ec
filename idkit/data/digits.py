"""The 1,797 handwritten digits of 8 x 8 pixels that scikit-learn carries: the embedded default."""

from pathlib import Path

import numpy as np

from idkit.data import TEST, TRAIN, Dataset, Recipe

TEST_SHARE = 5  # every fifth row of a fixed permutation is a test row
SPLIT_SEED = 0  # fixed: the split is part of the data set
RECIPE = Recipe(likelihood="bernoulli", d_z=20, components=20)


def load(root: Path | None = None) -> Dataset:  # noqa: ARG001 - the room's signature
    """Real images with the digit as u, and a fixed split of 80% and 20%.

    Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (UCI, 1998).
    Pixels of 0 to 16 are mapped to 0 to 255.

    Args:
        root: the folder of data sets, which is not looked at: scikit-learn brings the images.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x = np.round(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    order = np.random.default_rng(SPLIT_SEED).permutation(len(x))
    split = np.full(len(x), TRAIN, np.uint8)
    split[order[::TEST_SHARE]] = TEST
    return Dataset("digits", x, bunch.target.astype(np.int64), split=split, recipe=RECIPE)
