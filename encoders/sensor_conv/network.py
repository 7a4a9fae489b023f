"""The network of Benchetrit, Banville and King (2024): from sensors over time to one vector.

Shapes: b batch, c sensors, v virtual channels, h hidden channels, t samples, d target dims.
"""

from __future__ import annotations

import math
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from neurodecode.encoders.core.sensor_layers import PersonLayer

Aggregation = Literal["mean", "affine", "attention"]
MARGIN = 0.2
DILATION_PERIOD = 5


def fourier_code(layout: Tensor, n_harmonics: int = 32) -> Tensor:
    """Cosines and sines of a layout (c, 2) in the unit square, shape (c, 2 * n_harmonics ** 2).

    With a margin m on each side: cos and sin of 2 pi (k x + l y) / (1 + 2 m), k, l from 0.

    Examples
    --------
    >>> fourier_code(torch.zeros(3, 2), n_harmonics=4).shape
    torch.Size([3, 32])
    """
    wave = torch.arange(n_harmonics, dtype=layout.dtype, device=layout.device)
    placed = 2 * math.pi * (layout + MARGIN) / (1 + 2 * MARGIN)
    phase = (placed[:, :1, None] * wave[:, None] + placed[:, 1:, None] * wave).flatten(1)
    return torch.cat([phase.cos(), phase.sin()], dim=1)


class SpatialAttention(nn.Module):
    """Virtual channels that look at places: a softmax over sensors of heads times position codes.

    While training, sensors within ``dropout_radius`` of a random point are left out.
    """

    def __init__(
        self, n_virtual: int = 270, n_harmonics: int = 32, dropout_radius: float = 0.2
    ) -> None:
        super().__init__()
        n_codes = 2 * n_harmonics**2
        self.heads = nn.Parameter(torch.randn(n_virtual, n_codes) / math.sqrt(n_codes))
        self.n_harmonics = n_harmonics
        self.dropout_radius = dropout_radius

    def weights(self, layout: Tensor) -> Tensor:
        """How much each virtual channel reads from each sensor, shape (v, c); rows sum to one."""
        absent = ~torch.isfinite(layout).all(dim=1)
        placed = torch.where(absent[:, None], 0.0, layout)
        score = self.heads @ fourier_code(placed, self.n_harmonics).T.to(self.heads.dtype)
        if self.training and self.dropout_radius > 0:
            centre = torch.rand(2, device=layout.device, dtype=layout.dtype)
            near = (placed - centre).norm(dim=1) <= self.dropout_radius
            absent = absent | (near & ~(near | absent).all())
        return score.masked_fill(absent, -math.inf).softmax(dim=1)


class DilatedBlock(nn.Module):
    """Two dilated convolutions with batch norm, GELU and skips, then a gated linear unit."""

    def __init__(self, n_in: int, hidden: int, index: int, kernel: int = 3) -> None:
        super().__init__()
        dilations = [2 ** ((2 * index + k) % DILATION_PERIOD) for k in range(2)]
        widths = [n_in, hidden]
        self.convolutions = nn.ModuleList(
            nn.Sequential(
                nn.Conv1d(width, hidden, kernel, padding=dilation, dilation=dilation),
                nn.BatchNorm1d(hidden),
                nn.GELU(),
            )
            for width, dilation in zip(widths, dilations, strict=True)
        )
        self.gate = nn.Conv1d(hidden, 2 * hidden, kernel, padding=kernel // 2)

    def forward(self, values: Tensor) -> Tensor:
        """(b, n_in, t) to (b, h, t)."""
        for convolution in self.convolutions:
            new = convolution(values)
            values = new + values if new.shape == values.shape else new
        return functional.glu(self.gate(values), dim=1)


class TimeAggregation(nn.Module):
    """From (b, d, t) to (b, d): mean, one learned affine map of time, or attention over time."""

    def __init__(self, kind: Aggregation, n_channels: int, n_times: int) -> None:
        super().__init__()
        self.kind = kind
        if kind == "affine":
            self.affine = nn.Linear(n_times, 1)
        elif kind == "attention":
            self.score = nn.Sequential(nn.Linear(n_channels, 256), nn.Tanh(), nn.Linear(256, 1))
        elif kind != "mean":
            raise ValueError(f"aggregation must be 'mean', 'affine' or 'attention'; got '{kind}'.")

    def forward(self, values: Tensor) -> Tensor:
        """One vector a trial."""
        if self.kind == "affine":
            return cast(Tensor, self.affine(values))[..., 0]
        if self.kind == "attention":
            weight = self.score(values.transpose(1, 2)).softmax(dim=1)
            return torch.einsum("bct,bto->bc", values, weight)
        return values.mean(dim=2)

    def after(self, projection: nn.Conv1d, values: Tensor) -> Tensor:
        """What ``self(projection(values))`` gives, for a 1x1 convolution, (b, c, t) to (b, d).

        Mean and affine map are linear over time, so time is summed up first and the projection,
        the largest product of the network, is done once a trial and not at each sample:
        a . (W h + b) + c = W (h . a) + b sum(a) + c.
        """
        if self.kind == "attention":
            return cast(Tensor, self(projection(values)))
        matrix, offset = projection.weight[..., 0], cast(Tensor, projection.bias)
        if self.kind == "mean":
            return functional.linear(values.mean(dim=2), matrix, offset)
        course = self.affine.weight[0]
        offset = offset * course.sum() + cast(Tensor, self.affine.bias)
        return functional.linear(values @ course, matrix, offset)


class SensorConvNetwork(nn.Module):
    """Spatial attention, person layer, dilated convolutions, aggregation, one head a loss.

    Parameters
    ----------
    n_times, n_dims : int
        Samples a trial, and dimensions of the target space.
    n_people : int
        0 leaves the person layer out, so that unseen people can be decoded.
    heads : tuple of str
    n_virtual, hidden, n_out : int
    aggregation : {'mean', 'affine', 'attention'}

    Sources
    -------
    Benchetrit, Banville, King, "Brain decoding: toward real-time reconstruction of visual
    perception", ICLR 2024, section 2.2 and Table S1; Défossez et al. 2023 for the trunk.

    Examples
    --------
    >>> network = SensorConvNetwork(20, 8, 2, ("retrieval",), n_virtual=6, hidden=4, n_out=16)
    >>> layout = torch.rand(5, 2)
    >>> network(torch.zeros(3, 5, 20), layout, person=1)["retrieval"].shape
    torch.Size([3, 8])
    """

    def __init__(
        self,
        n_times: int,
        n_dims: int,
        n_people: int,
        heads: tuple[str, ...] = ("retrieval",),
        *,
        n_virtual: int = 270,
        hidden: int = 320,
        n_out: int = 2048,
        aggregation: Aggregation = "affine",
    ) -> None:
        super().__init__()
        self.attention = SpatialAttention(n_virtual)
        self.mix = nn.Conv1d(n_virtual, n_virtual, 1)
        self.person_layer = PersonLayer(n_people, n_virtual) if n_people else None
        self.blocks = nn.Sequential(
            DilatedBlock(n_virtual, hidden, 0), DilatedBlock(hidden, hidden, 1)
        )
        self.project = nn.Sequential(
            nn.Conv1d(hidden, 2 * hidden, 1), nn.GELU(), nn.Conv1d(2 * hidden, n_out, 1)
        )
        self.aggregate = TimeAggregation(aggregation, n_out, n_times)
        self.heads = nn.ModuleDict(
            {
                name: nn.Sequential(
                    nn.LayerNorm(n_out, elementwise_affine=False),
                    nn.GELU(),
                    nn.Linear(n_out, n_dims),
                )
                for name in heads
            }
        )

    def spatial_map(self, layout: Tensor, person: int | None) -> tuple[Tensor, Tensor]:
        """Attention, 1x1 convolution and person layer as one matrix (v, c) and one offset (v,).

        All three are linear in the sensors, so that the signal needs to pass only once.
        """
        mix, offset = self.mix.weight[..., 0], cast(Tensor, self.mix.bias)
        if self.person_layer is not None and person is not None:
            own = self.person_layer.matrices[person]
            mix, offset = own @ mix, own @ offset
        return mix @ self.attention.weights(layout), offset

    def forward(
        self, values: Tensor, layout: Tensor, person: int | None = None
    ) -> dict[str, Tensor]:
        """Responses (b, c, t) of one person to (b, d) for each head."""
        matrix, offset = self.spatial_map(layout, person)
        mixed = torch.einsum("vc,bct->bvt", matrix, values) + offset[:, None]
        wide = self.project[:2](self.blocks(mixed))
        pooled = self.aggregate.after(cast(nn.Conv1d, self.project[2]), wide)
        return {name: head(pooled) for name, head in self.heads.items()}
