"""The residual nets of Table B.4, for images of 32 x 32, or a little smaller and padded.

The table leaves the inside of a block open. Here it is the pre-activated one of He et al. (2016b),
which needs the ReLU that the table names behind the last block: ReLU, 3 x 3, ReLU, 3 x 3 beside a
1 x 1 shortcut, all weight-normalised. Since the table has stride 1 throughout, sizes change by the
mean over 2 x 2 pixels behind a block of the encoder, and by repeating each pixel before one of the
decoder.
"""

from itertools import pairwise
from math import prod

from torch import Tensor, nn

from idkit.errors import UsageError
from idkit.nets import Noise, Stack, WeightNormConv, image_size, scale_from_variance

WIDTHS = (16, 32, 64, 128, 256, 512)
SMALLEST = 2 ** (len(WIDTHS) - 1)  # what the blocks divide a side by
MOST_PADDING = 4  # pixels that a side may lack of a multiple of it, as the 28 of MNIST do


class Block(nn.Module):
    """Two weight-normalised 3 x 3 convolutions beside a 1 x 1 shortcut."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.path = Stack(
            *(nn.ReLU(), WeightNormConv(channels, out, size=3)),
            *(nn.ReLU(), WeightNormConv(out, out, size=3)),
        )
        self.shortcut = WeightNormConv(channels, out, size=1)

    def forward(self, h: Tensor) -> Tensor:
        """Images (n, out, height, width) of images (n, channels, height, width)."""
        result: Tensor = self.path(h) + self.shortcut(h)
        return result


class Encoder(nn.Module):
    """Blocks that double the channels and halve the sides, and two heads."""

    def __init__(self, shape: tuple[int, ...], d_z: int) -> None:
        super().__init__()
        (channels, *sides), self.padding = _padded(shape)
        blocks = [
            layer
            for before, behind in pairwise(WIDTHS)
            for layer in (Block(before, behind), nn.AvgPool2d(2))
        ]
        self.trunk = Stack(nn.Conv2d(channels, WIDTHS[0], 1), *blocks, nn.ReLU(), nn.Flatten())
        units = WIDTHS[-1] * prod(side // SMALLEST for side in sides)
        self.mu = nn.Linear(units, d_z)
        self.sigma = nn.Linear(units, d_z)

    def forward(self, x: Tensor, noise: Noise | None = None) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - the room's signature
        """Location and scale, each (n, d_z), of images (n, channels, height, width).

        Padding repeats the pixels of the border, which stand for no light in one likelihood and
        for something else in another.
        """
        h = self.trunk(nn.functional.pad(x, self.padding, mode="replicate"))
        return self.mu(h), scale_from_variance(self.sigma(h))


class Decoder(nn.Module):
    """Blocks that double the sides and halve the channels, and a last convolution of 1 x 1."""

    def __init__(self, d_z: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        (channels, *sides), padding = _padded(shape)
        self.size = shape[1:]
        self.offset = padding[2], padding[0]
        smallest = [side // SMALLEST for side in sides]
        widths = WIDTHS[::-1]
        blocks = [
            layer
            for before, behind in pairwise(widths)
            for layer in (nn.Upsample(scale_factor=2), Block(before, behind))
        ]
        self.trunk = Stack(
            nn.Linear(d_z, widths[0] * prod(smallest)),
            nn.Unflatten(1, (widths[0], *smallest)),
            *(*blocks, nn.ReLU()),
            nn.Conv2d(widths[-1], channels, 1),
        )

    def forward(self, z: Tensor, noise: Noise | None = None) -> Tensor:  # noqa: ARG002 - the room's signature
        """What the likelihood reads, (n, channels, height, width), of latents (n, d_z)."""
        h: Tensor = self.trunk(z)
        (height, width), (top, left) = self.size, self.offset
        return h[..., top : top + height, left : left + width]


def encoder(shape: tuple[int, ...], d_z: int) -> nn.Module:
    """The encoder of Table B.4 for images (channels, height, width).

    Raises:
        UsageError: when observations are not images, or too small.
    """
    return Encoder(shape, d_z)


def decoder(d_z: int, shape: tuple[int, ...]) -> nn.Module:
    """The decoder of Table B.4 for images (channels, height, width).

    Raises:
        UsageError: when observations are not images, or too small.
    """
    return Decoder(d_z, shape)


def _padded(shape: tuple[int, ...]) -> tuple[tuple[int, int, int], tuple[int, int, int, int]]:
    """The size with padding, and the pixels added left, right, above and below."""
    channels, height, width = image_size(shape, arch="resnet")
    lacking = -height % SMALLEST, -width % SMALLEST
    if max(lacking) > MOST_PADDING:
        raise UsageError(
            f"resnet halves images {len(WIDTHS) - 1} times: it reads {SMALLEST} x {SMALLEST}, or "
            f"{SMALLEST - MOST_PADDING} x {SMALLEST - MOST_PADDING} padded to it, found {height} x "
            f"{width}: choose another --arch"
        )
    above, left = (pixels // 2 for pixels in lacking)
    padding = left, lacking[1] - left, above, lacking[0] - above
    return (channels, height + lacking[0], width + lacking[1]), padding
