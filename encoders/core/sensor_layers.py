"""What networks of sensors share: the flat layout of a helmet or cap, and a matrix a person."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def flat_layout(positions: Tensor) -> Tensor:
    """Sensor positions (c, 3) in mm as a flat layout (c, 2) in the unit square.

    The sensors are unrolled around their centre (azimuthal equidistant projection seen from above)
    and scaled to the unit square; sensors without a position (not finite) stay not finite.

    Examples
    --------
    >>> cross = torch.tensor([[0.0, 0, 90], [90, 0, 0], [-90, 0, 0], [0, 90, 0], [0, -90, 0]])
    >>> flat_layout(cross)[0].round(decimals=1)
    tensor([0.5000, 0.5000])
    """
    known = torch.isfinite(positions).all(dim=1)
    shifted = positions - positions[known].mean(dim=0) * torch.tensor([1.0, 1.0, 0.0])
    polar = torch.atan2(shifted[:, :2].norm(dim=1), shifted[:, 2])
    around = torch.atan2(shifted[:, 1], shifted[:, 0])
    flat = polar[:, None] * torch.stack([around.cos(), around.sin()], dim=1)
    low, high = flat[known].amin(dim=0), flat[known].amax(dim=0)
    return (flat - low) / (high - low).clamp_min(1e-6)


class PersonLayer(nn.Module):
    """One matrix a person, from virtual channels to virtual channels, without bias."""

    def __init__(self, n_people: int, n_channels: int) -> None:
        super().__init__()
        start = torch.randn(n_people, n_channels, n_channels) / math.sqrt(n_channels)
        self.matrices = nn.Parameter(start)
