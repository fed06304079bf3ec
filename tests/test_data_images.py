"""Image sets in their official files: read, verified, fetched, and missed."""

import gzip
import pickle
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import md5
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.io import savemat

from idkit.data import Dataset, _torchvision, cifar10, fashion_mnist, mnist, svhn
from idkit.errors import IdkitError, MissingError

REAL = Path(__file__).parents[2] / "shared" / "data"
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
Bytes = NDArray[np.uint8]
MODULES: Any = {"mnist": mnist, "fashion-mnist": fashion_mnist, "cifar10": cifar10, "svhn": svhn}


def checksum(path: Path) -> str:
    return md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def pixels(n: int, *shape: int) -> Bytes:
    return np.random.default_rng(n).integers(0, 256, (n, *shape), dtype=np.uint8)


def idx(path: Path, values: Bytes) -> None:
    """Writes bytes in MNIST's format: two zeros, the type, the axes, sizes, values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(head + values.tobytes()))


@pytest.fixture
def torchvision(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Patches what torchvision knows of a data set: small files have sums of their own."""

    def patch(family: str, **known: Any) -> None:
        for name, value in known.items():
            monkeypatch.setattr(getattr(_torchvision.datasets(), family), name, value)

    return patch


def small_mnist(root: Path, patch: Callable[..., None]) -> dict[str, Bytes]:
    """Three training and two test images as MNIST's four files."""
    parts = {
        "train-images-idx3-ubyte.gz": pixels(3, 28, 28),
        "train-labels-idx1-ubyte.gz": np.array([7, 0, 9], np.uint8),
        "t10k-images-idx3-ubyte.gz": pixels(2, 28, 28),
        "t10k-labels-idx1-ubyte.gz": np.array([1, 2], np.uint8),
    }
    folder = root / "MNIST" / "raw"
    for name, values in parts.items():
        idx(folder / name, values)
    patch("MNIST", resources=[(name, checksum(folder / name)) for name in parts])
    return parts


def small_cifar(root: Path, patch: Callable[..., None]) -> tuple[Bytes, list[int]]:
    """Two images a file, as the seven pickles of CIFAR-10."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    x, u = pixels(12, 3072), [int(label) for label in pixels(12) % 10]
    names = [*(f"data_batch_{part}" for part in range(1, 6)), "test_batch"]
    for at, name in enumerate(names):
        content = {"data": x[2 * at : 2 * at + 2], "labels": u[2 * at : 2 * at + 2]}
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list("abcdefghij")}))
    sums = [[name, checksum(folder / name)] for name in names]
    meta = {"filename": "batches.meta", "key": "label_names"}
    meta["md5"] = checksum(folder / "batches.meta")
    patch("CIFAR10", train_list=sums[:5], test_list=sums[5:], meta=meta)
    return x.reshape(-1, 3, 32, 32), u


def small_svhn(root: Path, patch: Callable[..., None]) -> tuple[Bytes, Bytes]:
    """Three training and two test images as SVHN's two files, where the digit 0 is called 10."""
    x, u = pixels(5, 32, 32, 3), np.array([10, 1, 9, 3, 10], np.uint8)
    for name, chosen in (("train", slice(0, 3)), ("test", slice(3, 5))):
        content = {"X": x[chosen].transpose(1, 2, 3, 0), "y": u[chosen, None]}
        savemat(root / f"{name}_32x32.mat", content)
    sums = {
        name: ["http://nowhere", f"{name}_32x32.mat", checksum(root / f"{name}_32x32.mat")]
        for name in ("train", "test")
    }
    patch("SVHN", split_list=sums)
    return x.transpose(0, 3, 1, 2), u % 10


def check(dataset: Dataset, x: Bytes, u: Any, train: int) -> None:
    assert dataset.x.dtype == np.uint8  # a byte a pixel, until a batch is made
    np.testing.assert_array_equal(dataset.x, x)
    assert dataset.u is not None
    assert dataset.u.dtype == np.int64
    np.testing.assert_array_equal(dataset.u, u)
    np.testing.assert_array_equal(dataset.rows("train"), np.arange(train))
    np.testing.assert_array_equal(dataset.rows("test"), np.arange(train, len(x)))


def test_mnist_is_read_as_it_was_written(tmp_path: Path, torchvision: Callable[..., None]) -> None:
    parts = small_mnist(tmp_path, torchvision)
    train, u_train, test, u_test = parts.values()
    x, u = np.concatenate([train, test])[:, None], np.concatenate([u_train, u_test])
    check(mnist.load(tmp_path), x, u, 3)


def test_cifar_is_read_as_it_was_written(tmp_path: Path, torchvision: Callable[..., None]) -> None:
    x, u = small_cifar(tmp_path, torchvision)
    check(cifar10.load(tmp_path), x, u, 10)


def test_svhn_is_read_as_it_was_written(tmp_path: Path, torchvision: Callable[..., None]) -> None:
    x, u = small_svhn(tmp_path, torchvision)
    check(svhn.load(tmp_path), x, u, 3)


@pytest.mark.skipif(not (REAL / "MNIST").exists(), reason="the real MNIST is not here")
def test_the_real_mnist() -> None:
    dataset = mnist.load(REAL)
    assert dataset.x.shape == (70_000, 1, 28, 28)
    assert (len(dataset.rows("train")), len(dataset.rows("test"))) == (60_000, 10_000)
    assert dataset.labels == 10
    assert dataset.u is not None
    assert dataset.u[:5].tolist() == [5, 0, 4, 1, 9]
    assert dataset.u[60_000:60_005].tolist() == [7, 2, 1, 0, 4]
    assert dataset.x[:60_000].mean() / 255 == pytest.approx(0.1307, abs=5e-5)


@pytest.mark.skipif(not DEBIAN.exists(), reason="Debian's dataset-fashion-mnist is not here")
def test_the_real_fashion_mnist(tmp_path: Path, torchvision: Callable[..., None]) -> None:
    names = [name for name, _ in _torchvision.datasets().FashionMNIST.resources]
    # Debian has packed the same content anew, so the sums of its archives are others
    torchvision("FashionMNIST", resources=[(name, checksum(DEBIAN / name)) for name in names])
    (tmp_path / "FashionMNIST").mkdir()
    (tmp_path / "FashionMNIST" / "raw").symlink_to(DEBIAN)
    dataset = fashion_mnist.load(tmp_path)
    assert dataset.x.shape == (70_000, 1, 28, 28)
    assert dataset.u is not None
    assert np.bincount(dataset.u[:60_000]).tolist() == [6_000] * 10
    assert dataset.x[:60_000].mean() / 255 == pytest.approx(0.2860, abs=5e-5)


@pytest.mark.parametrize("name", MODULES)
def test_what_is_not_here_is_named_with_its_place_and_its_cure(name: str) -> None:
    root = Path("nowhere")  # short: of a long path a message shows the ends
    with pytest.raises(MissingError) as caught:
        MODULES[name].load(root)
    text = str(caught.value)
    assert f"{name} is not here" in text
    assert f"idkit data fetch {name} --data-root {root}" in text
    assert str(root / MODULES[name].ARCHIVE.files[0]) in text


class Evil:
    """Its pickle runs a command of its own when it is read."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
def test_a_pickle_is_not_read_before_its_checksum_is_right(
    name: str, tmp_path: Path, torchvision: Callable[..., None]
) -> None:
    small_cifar(tmp_path, torchvision)
    trace = tmp_path / "read"
    bad = tmp_path / "cifar-10-batches-py" / name
    bad.write_bytes(pickle.dumps(Evil(trace)))
    with pytest.raises(IdkitError, match=f"{name} is not the official file"):
        cifar10.load(tmp_path)
    assert not trace.exists()
    pickle.loads(bad.read_bytes())
    assert trace.exists()  # it would have


def test_half_a_download_is_refused(tmp_path: Path, torchvision: Callable[..., None]) -> None:
    small_mnist(tmp_path, torchvision)
    cut = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte.gz"
    cut.write_bytes(cut.read_bytes()[:100])
    with pytest.raises(IdkitError, match="not the official file, or not all of it"):
        mnist.load(tmp_path)
    assert mnist.ARCHIVE.damaged(tmp_path) == [cut]
    assert mnist.ARCHIVE.missing(tmp_path) == []


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Path]]:
    """A server of files on this machine: its address, and its folder."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    monkeypatch.setenv("no_proxy", "*")
    with ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Handler, directory=str(folder))
    ) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_port}/", folder
        listening.shutdown()
        thread.join()


def test_mnist_is_fetched_from_the_mirror_that_has_it(
    tmp_path: Path, torchvision: Callable[..., None], server: tuple[str, Path]
) -> None:
    address, folder = server
    small_mnist(tmp_path / "made", torchvision)
    for file in (tmp_path / "made" / "MNIST" / "raw").iterdir():
        shutil.copy(file, folder)
    torchvision("MNIST", mirrors=[f"{address}nothing/", address])
    root = tmp_path / "root"
    mnist.ARCHIVE.fetch(root)
    assert len(mnist.load(root).x) == 5
    assert not mnist.ARCHIVE.damaged(root)


def test_a_download_with_another_checksum_is_not_taken(
    tmp_path: Path, torchvision: Callable[..., None], server: tuple[str, Path]
) -> None:
    address, folder = server
    small_mnist(tmp_path / "made", torchvision)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(b"something else")
    torchvision("MNIST", mirrors=[address])
    with pytest.raises(MissingError, match=r"cannot fetch mnist.*corrupted"):
        mnist.ARCHIVE.fetch(tmp_path / "root")
    with pytest.raises(IdkitError):
        mnist.load(tmp_path / "root")


def test_an_archive_put_in_place_by_hand_is_unpacked(
    tmp_path: Path, torchvision: Callable[..., None]
) -> None:
    small_cifar(tmp_path / "made", torchvision)
    root = tmp_path / "root"
    root.mkdir()
    with tarfile.open(root / "cifar-10-python.tar.gz", "w:gz") as packed:
        packed.add(tmp_path / "made" / "cifar-10-batches-py", "cifar-10-batches-py")
    torchvision("CIFAR10", tgz_md5=checksum(root / "cifar-10-python.tar.gz"), url="http://[bad")
    cifar10.ARCHIVE.fetch(root)
    assert len(cifar10.load(root).x) == 12


def test_recipes_are_those_of_the_paper() -> None:
    recipes = {name: module.RECIPE for name, module in MODULES.items()}
    components = {name: recipe.components for name, recipe in recipes.items()}
    assert components == {"mnist": 40, "fashion-mnist": 40, "cifar10": 100, "svhn": 100}
    grey = {"mlp": 5e-4, "convnet": 1e-4}
    assert {name: {a: lr for a, lr in r.lr.items() if a} for name, r in recipes.items()} == {
        "mnist": grey,
        "fashion-mnist": grey,
        "cifar10": {"mlp": 5e-4, "convnet": 1e-3, "resnet": 1e-3},
        "svhn": {"mlp": 5e-4, "convnet": 1e-3, "resnet": 2e-4},
    }
    for recipe in recipes.values():
        assert (recipe.epochs, recipe.batch_size, recipe.d_z) == (200, 64, 50)
        assert (recipe.factor, recipe.patience) == (0.8, 5)


def test_torchvision_knows_the_official_sums() -> None:
    datasets = _torchvision.datasets()
    for name, module in MODULES.items():
        family = getattr(datasets, module.ARCHIVE.family)
        sums = module.ARCHIVE.checksums(family)
        assert len(sums) == len(module.ARCHIVE.files), name
        assert all(len(one) == 32 for one in sums)
        assert all(len(d.md5) == 32 and d.mirrors for d in module.ARCHIVE.downloads(family))
