"""What is ours before GLIM's blocks: each person's own sensors, and samples joined to steps.

Shapes: b batch, t samples, c channels, w width, s steps.
"""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional


class PersonalStem(nn.Module):
    """From channels to a shared width by a map of each person's own, then a filter over time.

    ``W = W_shared + W_person``; for person 0, *unknown*, the shared part alone. Heads differ, so
    that what is alike in two brains is not in the same channels.

    Parameters
    ----------
    n_channels, width : int
    stride : int
        Samples that become one step.
    n_people : int
        *Unknown* included.

    Examples
    --------
    >>> stem = PersonalStem(4, 6, stride=2, n_people=3)
    >>> steps, valid = stem(torch.zeros(2, 9, 4), torch.tensor([0, 2]), torch.arange(9)[None] < 7)
    >>> steps.shape, valid.tolist()
    (torch.Size([2, 5, 6]), [[True, True, True, True, False]])
    """

    def __init__(self, n_channels: int, width: int, stride: int, n_people: int) -> None:
        super().__init__()
        self.stride = stride
        self.shared = nn.Linear(n_channels, width)
        self.own = nn.Embedding(n_people, n_channels * width, padding_idx=0)
        nn.init.zeros_(self.own.weight)
        # the answer to one word is spread over several steps
        self.join = nn.Conv1d(width, width, 4 * stride + 1, stride, padding=2 * stride)
        self.norm = nn.LayerNorm(width)

    def forward(
        self, values: Tensor, person: Tensor, valid: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """(b, t, c), people (b,) and ``valid`` (b, t) to (b, s, w) and (b, s)."""
        own = rearrange(self.own(person), "b (c w) -> b c w", c=values.shape[2])
        wide = self.shared(values) + torch.bmm(values, own)
        if valid is not None:
            wide = wide.masked_fill(~valid[:, :, None], 0.0)
            valid = functional.max_pool1d(
                valid.float()[:, None], self.stride, ceil_mode=True
            )[:, 0].bool()  # fmt: skip
        steps = self.join(wide.transpose(1, 2)).transpose(1, 2)
        return self.norm(steps), valid
