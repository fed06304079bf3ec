"""The mosaic of what models make of images."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from idkit.plots import images

if TYPE_CHECKING:
    from tests.plots.conftest import Made


def test_every_image_stands_in_the_row_of_its_kind() -> None:
    axes = Figure().subplots()
    rows, samples = np.zeros((3, 1, 4, 4)), np.ones((2, 1, 4, 4))
    images.panel(axes, {"rows": rows, "samples": samples})
    shown = [image for image in axes.get_images() if isinstance(image, AxesImage)]
    assert len(shown) == 5
    labels = [text.get_text() for text in axes.get_yticklabels()]
    assert labels == ["test rows", "drawn from the prior"]
    for image in shown:
        _, _, bottom, top = image.get_extent()
        row = int(np.argmin(np.abs(axes.get_yticks() - (bottom + top) / 2)))
        assert np.asarray(image.get_array()).mean() == row  # black ones above, white ones below


def test_channels_are_colours_and_values_out_of_range_are_cut() -> None:
    axes = Figure().subplots()
    image = np.stack([np.full((2, 2), value) for value in (1.0, 0.25, -3.0)])
    images.panel(axes, {"rows": image[None]})
    np.testing.assert_allclose(np.asarray(axes.get_images()[0].get_array())[0, 0], [1, 0.25, 0])


def test_a_model_without_some_kind_has_fewer_rows(made: "Made") -> None:
    without = made.write("vae.npz", "pictures", {"rows": np.zeros((2, 1, 4, 4))})
    figure = images.draw([without, made.pictures()])
    assert [len(axes.get_yticks()) for axes in figure.axes] == [1, 4]
