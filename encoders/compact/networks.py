"""The compact networks of NICE and ATM: sensors over time to one vector.

Shapes: b batch, c sensors, t samples, k filters, d target dims.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class CompactSize:
    """Widths of the convolutions; the defaults are the published ones, for 250 samples.

    Examples
    --------
    >>> CompactSize().n_pooled(250)
    36
    """

    n_filters: int = 40
    kernel: int = 25
    pool: int = 51
    stride: int = 5

    def n_pooled(self, n_times: int) -> int:
        """Samples that are left after the convolution and the pooling.

        Raises
        ------
        ValueError
            If none is.
        """
        left = n_times - self.kernel + 1 - self.pool
        if left < 0:
            raise ValueError(
                f"Trials of {n_times} samples are too short for a kernel of {self.kernel} and a "
                f"pool of {self.pool}: at least {self.kernel + self.pool - 1} are needed. Give "
                f"smaller ones, CompactSize(kernel=..., pool=...)."
            )
        return left // self.stride + 1


class TemporalSpatial(nn.Module):
    """Convolution over time, average pooling, convolution over sensors; (b, c, t) to (b, n_out).

    Examples
    --------
    >>> TemporalSpatial(63, 250, CompactSize())(torch.zeros(2, 63, 250)).shape
    torch.Size([2, 1440])
    """

    def __init__(self, n_channels: int, n_times: int, size: CompactSize) -> None:
        super().__init__()
        k = size.n_filters
        self.n_out = k * size.n_pooled(n_times)
        self.layers = nn.Sequential(
            nn.Conv2d(1, k, (1, size.kernel)),
            nn.AvgPool2d((1, size.pool), (1, size.stride)),
            nn.BatchNorm2d(k),
            nn.ELU(),
            nn.Conv2d(k, k, (n_channels, 1)),
            nn.BatchNorm2d(k),
            nn.ELU(),
            nn.Dropout(0.5),
            nn.Conv2d(k, k, 1),
        )
        for one in self.layers:
            if isinstance(one, nn.Conv2d):
                nn.init.normal_(one.weight, 0.0, 0.02)

    def forward(self, values: Tensor) -> Tensor:
        """One vector a trial."""
        return torch.as_tensor(self.layers(values[:, None])).flatten(1)


class Projector(nn.Module):
    """Linear, a residual block (GELU, linear, dropout), layer norm."""

    def __init__(self, n_in: int, n_dims: int) -> None:
        super().__init__()
        self.first = nn.Linear(n_in, n_dims)
        self.residual = nn.Sequential(nn.GELU(), nn.Linear(n_dims, n_dims), nn.Dropout(0.5))
        self.norm = nn.LayerNorm(n_dims)

    def forward(self, values: Tensor) -> Tensor:
        """(b, n_in) to (b, d)."""
        first = self.first(values)
        return torch.as_tensor(self.norm(first + self.residual(first)))


class NiceNetwork(nn.Module):
    """Convolutions and one projector a head.

    Examples
    --------
    >>> network = NiceNetwork(63, 250, 768, CompactSize(), ("retrieval",))
    >>> network(torch.zeros(2, 63, 250), torch.zeros(63, 2))["retrieval"].shape
    torch.Size([2, 768])
    """

    def __init__(
        self, n_channels: int, n_times: int, n_dims: int, size: CompactSize, heads: tuple[str, ...]
    ) -> None:
        super().__init__()
        self.trunk = TemporalSpatial(n_channels, n_times, size)
        self.heads = nn.ModuleDict({one: Projector(self.trunk.n_out, n_dims) for one in heads})

    def forward(
        self, values: Tensor, layout: Tensor, person: int | None = None
    ) -> dict[str, Tensor]:
        """Responses (b, c, t) to (b, d) for each head; places and person are not used."""
        pooled = self.trunk(values)
        return {name: head(pooled) for name, head in self.heads.items()}


class AtmNetwork(NiceNetwork):
    """Sensors as tokens that attend to one another and to a token of the person, then as NICE.

    Examples
    --------
    >>> network = AtmNetwork(63, 250, 8, CompactSize(), ("retrieval",), n_people=2)
    >>> network(torch.zeros(2, 63, 250), torch.zeros(63, 2), 1)["retrieval"].shape
    torch.Size([2, 8])
    """

    def __init__(
        self,
        n_channels: int,
        n_times: int,
        n_dims: int,
        size: CompactSize,
        heads: tuple[str, ...],
        n_people: int = 1,
    ) -> None:
        width = -(-n_times // 4) * 4
        super().__init__(n_channels, width, n_dims, size, heads)
        self.embed = nn.Linear(n_times, width)
        self.people = nn.Embedding(n_people, width)
        self.layer = nn.TransformerEncoderLayer(
            width, 4, dim_feedforward=256, dropout=0.25, activation="gelu", batch_first=True
        )

    def forward(
        self, values: Tensor, layout: Tensor, person: int | None = None
    ) -> dict[str, Tensor]:
        """Responses (b, c, t) to (b, d); a person who is not known gets the mean token."""
        tokens = self.embed(values)
        own = self.people.weight.mean(dim=0) if person is None else self.people.weight[person]
        told = torch.cat([tokens, own.expand(len(tokens), 1, -1)], dim=1)
        return super().forward(self.layer(told)[:, : tokens.shape[1]], layout)
