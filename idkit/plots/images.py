"""Images that a model reconstructs and makes: one mosaic a model, a row for each kind."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from idkit.files import Artefact
from idkit.plots import _layout, _runs
from idkit.plots._need import need

KINDS = {
    "rows": "test rows",
    "reconstructions": "reconstructed",
    "samples": "drawn from the prior",
    "means": "component means",
}
ABREAST = 2  # mosaics side by side, to fit a page
GAP = 0.12  # between two images, in images
WIDTH = 0.42  # inches of one image
NARROWEST = 2.4  # inches: the text below still fits
AROUND = (1.5, 0.6)  # inches beside and above a mosaic
Pixels = NDArray[np.floating]


def draw(artefacts: Sequence[Artefact]) -> Figure:
    """A mosaic for each model.

    Args:
        artefacts: models with pictures in place of their parameters, at least one.

    Raises:
        IdkitError: when one is not a model.
    """
    need(artefacts, "pictures", figure="images")
    shown = [{kind: one.arrays[kind] for kind in KINDS if kind in one.arrays} for one in artefacts]
    columns = max(len(each) for pictures in shown for each in pictures.values())
    kinds = max(len(pictures) for pictures in shown)
    across = min(len(artefacts), ABREAST)
    rows = -(-len(artefacts) // across)
    size = (max(WIDTH * columns, NARROWEST) + AROUND[0], WIDTH * kinds + AROUND[1])
    figure, grid = _layout.panels(rows, across, size=size)
    flat = [axes for line in grid for axes in line]
    for axes, one, pictures in zip(flat, artefacts, shown, strict=False):
        panel(axes, pictures)
        axes.set_title(_layout.fill(_runs.title(one), int(size[0] / _layout.EM / 0.7)))
    _layout.hide(flat[len(artefacts) :])
    return figure


def panel(axes: Axes, pictures: Mapping[str, Pixels]) -> None:
    """One mosaic.

    Args:
        axes: where to draw.
        pictures: by kind, one of `KINDS`, pixels in [0, 1], (n, c, h, w), c 1 or 3.
    """
    columns = max(len(each) for each in pictures.values())
    for row, images in enumerate(pictures.values()):
        for column, image in enumerate(images):
            pixels = np.moveaxis(np.asarray(image, np.float64), 0, -1).clip(0, 1)
            left, top = column * (1 + GAP), row * (1 + GAP)
            axes.imshow(
                np.broadcast_to(pixels, (*pixels.shape[:2], 3)),
                extent=(left, left + 1, top + 1, top),
                interpolation="nearest",
            )
    axes.set_xlim(-GAP, columns * (1 + GAP))
    axes.set_ylim(len(pictures) * (1 + GAP), -GAP)
    places = [row * (1 + GAP) + 0.5 for row in range(len(pictures))]
    axes.set_yticks(places, [KINDS[kind] for kind in pictures])
    axes.set_xticks([])
    axes.set_xlabel("expected pixels (black 0, white 1)")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
