"""The convolutional nets of Table B.3, for images whose sides are multiples of 4."""

from torch import Tensor, nn

from idkit.errors import UsageError
from idkit.nets import BatchNorm, Noise, Stack, image_size, scale_from_variance

SLOPE = 0.1
WIDTH = 64  # channels at the smallest size, and units of the layers between
HALVINGS = 4  # what two poolings divide a side by


class Encoder(nn.Module):
    """Four convolutions, a fifth that sees the whole image, one hidden layer and two heads."""

    def __init__(self, shape: tuple[int, ...], d_z: int) -> None:
        super().__init__()
        channels, height, width = _size(shape)
        self.trunk = Stack(
            *_convolution(channels, 8),
            *(*_convolution(8, 16), nn.MaxPool2d(2)),
            *_convolution(16, 32),
            *(*_convolution(32, WIDTH), nn.MaxPool2d(2)),
            nn.Conv2d(WIDTH, WIDTH, (height // HALVINGS, width // HALVINGS)),
            nn.Flatten(),
            *(nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(SLOPE)),
        )
        self.mu = nn.Linear(WIDTH, d_z)
        self.sigma = nn.Linear(WIDTH, d_z)

    def forward(self, x: Tensor, noise: Noise | None = None) -> tuple[Tensor, Tensor]:  # noqa: ARG002 - the room's signature
        """Location and scale, each (n, d_z), of images (n, channels, height, width)."""
        h = self.trunk(x)
        return self.mu(h), scale_from_variance(self.sigma(h))


class Decoder(nn.Module):
    """Two hidden layers, four transposed convolutions, and a last one that is linear."""

    def __init__(self, d_z: int, shape: tuple[int, ...]) -> None:
        super().__init__()
        channels, height, width = _size(shape)
        smallest = (height // HALVINGS, width // HALVINGS)
        self.trunk = Stack(
            *(nn.Linear(d_z, WIDTH), nn.LeakyReLU(SLOPE), nn.Linear(WIDTH, WIDTH)),
            nn.Unflatten(1, (WIDTH, 1, 1)),
            *_normalised(nn.ConvTranspose2d(WIDTH, WIDTH, smallest), WIDTH),
            *_normalised(nn.ConvTranspose2d(WIDTH, 32, 4, stride=2, padding=1), 32),
            *_normalised(nn.ConvTranspose2d(32, 16, 3, padding=1), 16),
            *_normalised(nn.ConvTranspose2d(16, 8, 4, stride=2, padding=1), 8),
            nn.Conv2d(8, channels, 3, padding=1),
        )

    def forward(self, z: Tensor, noise: Noise | None = None) -> Tensor:  # noqa: ARG002 - the room's signature
        """What the likelihood reads, (n, channels, height, width), of latents (n, d_z)."""
        h: Tensor = self.trunk(z)
        return h


def encoder(shape: tuple[int, ...], d_z: int) -> nn.Module:
    """The encoder of Table B.3 for images (channels, height, width).

    Raises:
        UsageError: when observations are not images, or not of a size it can halve twice.
    """
    return Encoder(shape, d_z)


def decoder(d_z: int, shape: tuple[int, ...]) -> nn.Module:
    """The decoder of Table B.3 for images (channels, height, width).

    Raises:
        UsageError: when observations are not images, or not of a size it can halve twice.
    """
    return Decoder(d_z, shape)


def _convolution(channels: int, out: int) -> tuple[nn.Module, ...]:
    return _normalised(nn.Conv2d(channels, out, 3, padding=1), out)


def _normalised(layer: nn.Module, channels: int) -> tuple[nn.Module, ...]:
    return layer, BatchNorm(channels), nn.ELU()


def _size(shape: tuple[int, ...]) -> tuple[int, int, int]:
    channels, height, width = image_size(shape, arch="convnet")
    if height % HALVINGS or width % HALVINGS:
        raise UsageError(
            f"convnet halves images twice: their sides must be multiples of {HALVINGS}, found "
            f"{height} x {width}: choose another --arch"
        )
    return channels, height, width
