"""The embeddings that picture and caption model learn to follow, as a brain would give them.

Predictions from recordings are the truth plus errors that lie along the spread of the embeddings
themselves. Half of the training rows get such an error, the difference of two other scenes'
embeddings at a random strength, and are normalised again. No recording, simulated or real, is used.
"""

from __future__ import annotations

import torch
from torch import Tensor

STRONGEST = 1.0


def follow(embeddings: Tensor, rows: Tensor) -> Tensor:
    """The embeddings at ``rows``, half of them disturbed; unit length, (n, n_dims)."""
    clean = embeddings[rows]
    pick = torch.randint(len(embeddings), (2, len(rows)), device=rows.device)
    error = (embeddings[pick[0]] - embeddings[pick[1]]) / 2.0**0.5
    strength = torch.rand(len(rows), 1, device=rows.device) * STRONGEST
    strength = strength * (torch.rand(len(rows), 1, device=rows.device) < 0.5)
    noisy = clean + strength * error
    found: Tensor = noisy / noisy.norm(dim=1, keepdim=True)
    return found
