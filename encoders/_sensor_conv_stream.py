"""SensorConv on overlapping windows: what the last window has worked out is not done again."""

from __future__ import annotations

import copy
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from neurodecode.encoders._sensor_conv_model import SensorConvModel
from neurodecode.encoders._sensor_conv_network import DilatedBlock, SensorConvNetwork


class SensorConvStream:
    """A fitted SensorConv that takes one window after another.

    All layers but the last are convolutions over time. Away from the edges of a window they give
    what they gave in the last window, shifted; only the new samples and as many samples at both
    edges as the convolutions reach are computed. The result is that of the whole network, up to
    rounding.

    Parameters
    ----------
    model : SensorConvModel
    layout : Tensor, shape (n_channels, 2)
    person : int or None
    head : str

    Examples
    --------
    >>> from neurodecode.encoders._sensor_conv_network import SensorConvNetwork
    >>> network = SensorConvNetwork(50, 2, 0, ("retrieval",), n_virtual=3, hidden=4, n_out=4)
    >>> model = SensorConvModel(network, np.zeros(2, np.float32), np.ones(2, np.float32))
    >>> stream = SensorConvStream(model, torch.rand(5, 2), None, "retrieval")
    >>> signal = np.random.default_rng(0).normal(size=(5, 60)).astype(np.float32)
    >>> _ = stream(signal[:, :50], 50)
    >>> second = stream(signal[:, 6:56], 6)
    >>> whole = SensorConvStream(model, torch.rand(5, 2), None, "retrieval")
    >>> second.shape
    (2,)
    """

    def __init__(
        self, model: SensorConvModel, layout: Tensor, person: int | None, head: str
    ) -> None:
        network = cast(SensorConvNetwork, copy.deepcopy(model.network))
        network = network.cpu().eval().requires_grad_(False)
        with torch.inference_mode():
            matrix, offset = network.spatial_map(layout.cpu(), person)
        self._matrix, self._offset = matrix, offset[:, None]
        blocks = [cast(DilatedBlock, one) for one in network.blocks]
        self.reach = sum(_reach(one) for one in blocks)
        self._trunk = nn.Sequential(*(_fused(one) for one in blocks), *network.project[:2])
        self._last = cast(nn.Conv1d, network.project[2])
        self._aggregate = network.aggregate
        self._head = network.heads[head]
        scaled = head == "regression"
        self._mean: Tensor | None = model.mean.cpu() if scaled else None
        self._std: Tensor | None = model.std.cpu() if scaled else None
        self._mixed: Tensor | None = None
        self._wide: Tensor | None = None

    def reset(self) -> None:
        """Forget the last window: after a gap, or to start again."""
        self._mixed = self._wide = None

    @torch.inference_mode()
    def __call__(self, window: NDArray[Any], n_new: int) -> NDArray[np.float32]:
        """The point of one window.

        Parameters
        ----------
        window : float array, shape (n_channels, n_times)
        n_new : int
            How many samples the window moved on since the last call; the others are the same.

        Returns
        -------
        float array, shape (n_dims,)
        """
        signal = torch.as_tensor(np.ascontiguousarray(window, dtype=np.float32))
        n_times = signal.shape[1]
        if self._wide is None or self._mixed is None or n_new >= n_times - 2 * self.reach:
            self._mixed = self._matrix @ signal + self._offset
            self._wide = self._trunk(self._mixed[None])[0]
        elif n_new > 0:
            fresh = self._matrix @ signal[:, n_times - n_new :] + self._offset
            self._mixed = torch.cat([self._mixed[:, n_new:], fresh], dim=1)
            self._wide = self._move_on(self._mixed, self._wide, n_new)
        pooled = self._aggregate.after(self._last, self._wide[None])
        point: Tensor = self._head(pooled)[0]
        if self._mean is not None and self._std is not None:
            point = point * self._std + self._mean
        return np.asarray(point.numpy())

    def _move_on(self, mixed: Tensor, wide: Tensor, n_new: int) -> Tensor:
        n_times, reach = mixed.shape[1], self.reach
        length = 2 * reach + n_new
        edges = self._trunk(torch.stack([mixed[:, :length], mixed[:, n_times - length :]]))
        middle = wide[:, reach + n_new : n_times - reach]
        return torch.cat([edges[0, :, :reach], middle, edges[1, :, reach:]], dim=1)


def _reach(block: DilatedBlock) -> int:
    """Samples on each side that an output of the block looks at."""
    dilated = [cast(nn.Conv1d, cast(nn.Sequential, one)[0]) for one in block.convolutions]
    return sum(_half(one) for one in [*dilated, block.gate])


def _half(convolution: nn.Conv1d) -> int:
    return convolution.dilation[0] * (convolution.kernel_size[0] // 2)


def _fused(block: DilatedBlock) -> DilatedBlock:
    """The block with batch norm folded into its convolutions."""
    folded = copy.deepcopy(block)
    for place, one in enumerate(folded.convolutions):
        convolution, norm, activation = cast(nn.Sequential, one)
        folded.convolutions[place] = nn.Sequential(
            fuse_conv_bn_eval(cast(nn.Conv1d, convolution), cast(nn.BatchNorm1d, norm)),
            nn.Identity(),
            activation,
        )
    return folded
