"""From components that a ridge shrank to points: gains, share of the mean, temperature."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from neurodecode.encoders.core.target_space import HeadSpace

SHARPNESSES = (0.0, 0.25, 0.5, 0.75, 1.0)
MEAN_SHARES = (0.0, 0.25, 0.5, 1.0, 2.0)
SCALES = (5.0, 10.0, 20.0, 40.0, 80.0)
MOST_ROWS = 1000
"""More left-out trials than these add little to a choice among 125."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """How components become a point to search with, and the expected one.

    Parameters
    ----------
    gain, shrink : Tensor, shape (n_components,)
        Factors of each component, for the direction searched with and for the expected target.
    mean_share : Tensor, shape ()
        Length of the mean target's direction beside that of the components.
    log_scale : Tensor, shape ()
        Logarithm of the inverse temperature that fits.
    """

    gain: Tensor
    shrink: Tensor
    mean_share: Tensor
    log_scale: Tensor

    def search(self, components: Tensor, space: HeadSpace) -> Tensor:
        """Points to search with by cosine, of the targets' mean length, shape (n, n_dims)."""
        direction = F.normalize((components * self.gain) @ space.basis, dim=1)
        mean = F.normalize(space.mean, dim=0)
        return F.normalize(direction + self.mean_share * mean, dim=1) * space.norm

    def expected(self, components: Tensor, space: HeadSpace) -> Tensor:
        """The conditional mean of the target, shape (n, n_dims)."""
        return space.back(components * self.shrink)

    def tensors(self, prefix: str) -> dict[str, Tensor]:
        """The tensors by name, for saving."""
        return {f"{prefix}.{one.name}": getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_tensors(cls, tensors: dict[str, Tensor], prefix: str) -> Calibration:
        """What `tensors` named."""
        return cls(**{one.name: tensors[f"{prefix}.{one.name}"] for one in fields(cls)})


@torch.no_grad()
def calibrate(
    components: Tensor, target: Tensor, space: HeadSpace, seed: int | None = None
) -> Calibration:
    """The calibration with which left-out trials find their own targets best.

    Sharpness, share of the mean and temperature are those with the lowest InfoNCE among few
    candidates; shrinkage is the regression of the true components on the predicted ones.

    Parameters
    ----------
    components : Tensor, shape (n, n_components)
        Left-out predictions: components of variance 1, shrunk.
    target : Tensor, shape (n, n_dims)
    space : HeadSpace
    seed : int, optional
        Choose by at most `MOST_ROWS` trials, drawn with this seed.

    Examples
    --------
    >>> rows = torch.eye(3) + 0.1
    >>> space = HeadSpace.learn(rows, 2)
    >>> found = calibrate(0.5 * space.whiten(rows), rows, space)
    >>> bool(torch.allclose(found.shrink, torch.full((2,), 2.0)))
    True
    """
    true = space.whiten(target)
    square = components.square().sum(0).clamp_min(1e-6)
    shrink = (components * true).sum(0) / square
    if seed is not None and len(components) > MOST_ROWS:
        draw = np.random.default_rng(seed).permutation(len(components))[:MOST_ROWS]
        components, target = components[draw], target[draw]
    targets = F.normalize(target, dim=1)
    mean = F.normalize(space.mean, dim=0)
    best = (np.inf, 0.0, 0.0, 0.0)
    for sharpness in SHARPNESSES:
        direction = F.normalize((components * space.gains(sharpness)) @ space.basis, dim=1)
        found, toward, along = direction @ targets.T, targets @ mean, direction @ mean
        for share in MEAN_SHARES:
            length = (1 + 2 * share * along + share**2).clamp_min(1e-12).sqrt()
            likeness = (found + share * toward) / length[:, None]
            for scale in SCALES:
                best = min(best, (_info_nce(scale * likeness), sharpness, share, scale))
    numbers = [components.new_tensor(one) for one in (best[2], float(np.log(best[3])))]
    return Calibration(space.gains(best[1]), shrink, *numbers)


def _info_nce(logits: Tensor) -> float:
    own = logits.diagonal().mean()
    return float((logits.logsumexp(1).mean() + logits.logsumexp(0).mean()) / 2 - own)
