"""Embedding arrays block by block: as if at once, whatever the arrays look like in memory."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Normal

from idkit.training import embed

N = 2 * embed.BLOCK_ROWS + 3


class Sums(nn.Module):
    """A model whose latents say which row and label they are of."""

    def embed(self, x: Tensor, u: Tensor) -> Normal:
        assert len(x) <= embed.BLOCK_ROWS
        return Normal(torch.stack([x.sum(1), u.float()], 1), torch.exp(x[:, :2]))


class Grid(nn.Module):
    def embed(self, x: Tensor, u: Tensor) -> Tensor:  # noqa: ARG002 - the room's signature
        return x.view(-1, 3, 1, 1).expand(-1, 3, 2, 2)


def rows() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(size=(N, 3)).astype(np.float32)


def frozen(x: NDArray[Any]) -> NDArray[Any]:
    x.flags.writeable = False
    return x


@pytest.mark.parametrize("layout", [frozen, np.asfortranarray, lambda x: x[::-1].copy()[::-1]])
def test_blocks_are_put_together_in_order(layout: Callable[[NDArray[Any]], NDArray[Any]]) -> None:
    x, u = rows(), np.arange(N)
    mean, deviation = embed.posterior(Sums(), layout(rows()), layout(u))
    assert np.array_equal(mean[:, 1], u)
    np.testing.assert_allclose(mean[:, 0], x.sum(1), rtol=1e-5, atol=1e-6)
    assert deviation is not None
    np.testing.assert_allclose(deviation, np.exp(x[:, :2]), rtol=1e-5)


def test_without_labels_all_are_0() -> None:
    mean, _ = embed.posterior(Sums(), rows())
    assert not mean[:, 1].any()


def test_points_may_lie_on_a_grid_and_have_no_deviation() -> None:
    z, deviation = embed.posterior(Grid(), rows())
    assert deviation is None
    assert z.shape == (N, 3, 2, 2)
    assert np.array_equal(z[:, :, 1, 0], rows())
