"""SensorConv on overlapping windows: what the last window has worked out is not done again.

Shapes: c sensors, v virtual channels, h hidden channels, t samples of a window.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from neurodecode.encoders.core.sensor_model import SensorConvModel
from neurodecode.encoders.sensor_conv.network import DilatedBlock, SensorConvNetwork


class SensorConvStream:
    """A fitted SensorConv that takes one window after another.

    All layers but the last are convolutions over time. A layer's outputs away from the edges of a
    window are those of the last window, shifted. Only what lies within reach of the new samples or
    of an edge is computed: for the first layers a few samples, for the last ones some tens. The
    result is that of the whole network, up to rounding.

    Parameters
    ----------
    model : SensorConvModel
    layout : Tensor, shape (n_channels, 2)
    person : int or None
    head : str

    Examples
    --------
    >>> from neurodecode.encoders.sensor_conv.network import SensorConvNetwork
    >>> network = SensorConvNetwork(50, 2, 0, ("retrieval",), n_virtual=3, hidden=4, n_out=4)
    >>> model = SensorConvModel(network, np.zeros(2, np.float32), np.ones(2, np.float32))
    >>> stream = SensorConvStream(model, torch.rand(5, 2), None, "retrieval")
    >>> signal = np.random.default_rng(0).normal(size=(5, 60)).astype(np.float32)
    >>> _ = stream(signal[:, :50], 50)
    >>> stream(signal[:, 6:56], 6).shape
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
        self._layers = _layers(network)
        self.reach = self._layers[-1].reach
        self._last = cast(nn.Conv1d, network.project[2])
        self._aggregate = network.aggregate
        self._head = network.heads[head]
        scaled = head == "regression"
        self._mean: Tensor | None = model.mean.cpu() if scaled else None
        self._std: Tensor | None = model.std.cpu() if scaled else None
        self.reset()

    def reset(self) -> None:
        """Forget the last window: after a gap, or to start again."""
        self._mixed: Tensor | None = None
        self._kept: list[Tensor] = []

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
        n_times = window.shape[1]
        if self._mixed is None or n_new >= n_times - 2 * self.reach:
            self._mixed = self._mix(window)
            self._kept = _all_anew(self._layers, self._mixed)
        elif n_new > 0:
            fresh = self._mix(window[:, n_times - n_new :])
            self._mixed = torch.cat([self._mixed[:, n_new:], fresh], dim=1)
            self._kept = _moved_on(self._layers, self._mixed, self._kept, n_new)
        pooled = self._aggregate.after(self._last, self._kept[-1][None])
        point: Tensor = self._head(pooled)[0]
        if self._mean is not None and self._std is not None:
            point = point * self._std + self._mean
        return np.asarray(point.numpy())

    def _mix(self, signal: NDArray[Any]) -> Tensor:
        """Sensors (c, t) to virtual channels (v, t)."""
        values = torch.as_tensor(np.ascontiguousarray(signal, dtype=np.float32))
        return torch.addmm(self._offset, self._matrix, values)


class _Layer:
    """One convolution and what follows it, at chosen samples only.

    ``reach``: how many input samples of the trunk an output looks at, on each side.
    """

    def __init__(
        self, convolution: nn.Conv1d, then: Callable[[Tensor], Tensor], reach: int, skip: bool
    ) -> None:
        self.weight = convolution.weight.flatten(1).contiguous()
        self.bias = cast(Tensor, convolution.bias)[:, None]
        self.half = _half(convolution)
        self.taps = torch.arange(convolution.kernel_size[0])[:, None] * convolution.dilation[0]
        self.then, self.skip = then, skip
        self.reach = reach + self.half

    def __call__(self, values: Tensor, places: Tensor) -> Tensor:
        """Input (h, t) to the outputs (h, n) at these places; zeros lie beyond the edges."""
        padded = functional.pad(values, (self.half, self.half))
        columns = padded[:, self.taps + places].flatten(0, 1)
        out = self.then(torch.addmm(self.bias, self.weight, columns))
        return out + values[:, places] if self.skip else out


def _layers(network: SensorConvNetwork) -> list[_Layer]:
    """The trunk, with batch norms folded into its convolutions."""
    found: list[_Layer] = []

    def add(convolution: nn.Conv1d, then: Callable[[Tensor], Tensor], skip: bool) -> None:
        found.append(_Layer(convolution, then, found[-1].reach if found else 0, skip))

    for block in (cast(DilatedBlock, one) for one in network.blocks):
        for part in block.convolutions:
            convolution, norm, activation = cast(nn.Sequential, part)
            folded = fuse_conv_bn_eval(cast(nn.Conv1d, convolution), cast(nn.BatchNorm1d, norm))
            add(folded, activation, folded.in_channels == folded.out_channels)
        add(block.gate, lambda one: functional.glu(one, dim=0), skip=False)
    add(cast(nn.Conv1d, network.project[0]), network.project[1], skip=False)
    return found


def _all_anew(layers: list[_Layer], values: Tensor) -> list[Tensor]:
    kept = []
    for layer in layers:
        values = layer(values, torch.arange(values.shape[1]))
        kept.append(values)
    return kept


def _moved_on(layers: list[_Layer], values: Tensor, kept: list[Tensor], n_new: int) -> list[Tensor]:
    """The outputs of all layers, from those of ``n_new`` samples before."""
    n_times, found = values.shape[1], []
    for layer, old in zip(layers, kept, strict=True):
        left, right = layer.reach, n_times - layer.reach - n_new
        places = torch.cat([torch.arange(left), torch.arange(right, n_times)])
        new = layer(values, places)
        values = torch.cat([new[:, :left], old[:, left + n_new : right + n_new], new[:, left:]], 1)
        found.append(values)
    return found


def _half(convolution: nn.Conv1d) -> int:
    return convolution.dilation[0] * (convolution.kernel_size[0] // 2)
