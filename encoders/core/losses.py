"""Contrastive losses between predicted and true points of a target space."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def unit_rows(values: Tensor) -> Tensor:
    """Rows (tokens flattened) of unit length, shape (n, n_dims).

    Examples
    --------
    >>> unit_rows(torch.tensor([[3.0, 4.0]])).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    return F.normalize(values.flatten(1).float(), dim=1)


def soft_clip(p: Tensor, t: Tensor, temperature: float | Tensor = 0.005) -> Tensor:
    """SoftCLIP: predictions should be like the targets as the targets are like one another.

    With ``A = T T' / tau`` and ``S = P T' / tau``:
    ``L = -1/2 mean_i sum_j softmax(A)_ij [log softmax(S)_ij + log softmax(S')_ij]``.

    Parameters
    ----------
    p, t : Tensor, shape (n, n_dims) or (n, n_tokens, n_dims)
        Predictions and targets, row i belonging to row i; normalised here.
    temperature : float or Tensor

    Returns
    -------
    Tensor, shape ()

    Sources
    -------
    MindBridge (Wang et al., CVPR 2024), tau .005; MindEye1 and 2, tau .004 to .0075.

    Examples
    --------
    >>> t = torch.eye(3)
    >>> round(float(soft_clip(t, t, 0.1)), 4), round(float(soft_clip(t.roll(1, 0), t, 0.1)), 4)
    (0.001, 9.9996)
    """
    predicted, true = unit_rows(p), unit_rows(t)
    wanted = (true @ true.T / temperature).softmax(dim=1)
    logits = predicted @ true.T / temperature
    both = logits.log_softmax(dim=1) + logits.T.log_softmax(dim=1)
    return -0.5 * (wanted * both).sum(dim=1).mean()


def info_nce(p: Tensor, t: Tensor, scale: float | Tensor, symmetric: bool = True) -> Tensor:
    """InfoNCE: find each row's own target among the batch (and, symmetric, the reverse).

    ``L = CE(scale P T', i)``, the mean with ``CE(scale T P', i)`` if symmetric.

    Parameters
    ----------
    p, t : Tensor, shape (n, n_dims) or (n, n_tokens, n_dims)
        Predictions and targets, row i belonging to row i; normalised here.
    scale : float or Tensor
        Inverse temperature.
    symmetric : bool
        False for one direction: among the targets of the batch, find that of the prediction.

    Returns
    -------
    Tensor, shape ()

    Sources
    -------
    Radford et al. 2021 (CLIP), figure 3.

    Examples
    --------
    >>> t = torch.eye(2)
    >>> round(float(info_nce(t, t, 1.0)), 4)
    0.3133
    """
    logits = scale * unit_rows(p) @ unit_rows(t).T
    own = torch.arange(len(logits), device=logits.device)
    forward = F.cross_entropy(logits, own)
    return (forward + F.cross_entropy(logits.T, own)) / 2 if symmetric else forward


def mix_rows(
    values: Tensor, *, concentration: float = 0.15, share: float = 0.5
) -> tuple[Tensor, Tensor, Tensor]:
    """Blend rows of a batch in pairs: ``x_i <- b_i x_i + (1 - b_i) x_partner(i)``.

    Drawn from torch's global generator. Call it for each person's batch by itself.

    Parameters
    ----------
    values : Tensor, shape (n, ...)
    concentration : float
        Of the symmetric Beta law of ``b``.
    share : float
        The share of rows blended; for the others ``b`` is 1.

    Returns
    -------
    mixed : Tensor, shape (n, ...)
    partner : Tensor of int, shape (n,)
    own : Tensor, shape (n,)
        ``b``, the weight of the row itself.

    Examples
    --------
    >>> mixed, partner, own = mix_rows(torch.ones(4, 2), share=0.0)
    >>> own.tolist()
    [1.0, 1.0, 1.0, 1.0]
    """
    n = len(values)
    partner = torch.randperm(n, device=values.device)
    # On the device, and without a check that would wait for it: steps are replayed as graphs.
    shape = torch.full((n,), concentration, device=values.device)
    own = torch.distributions.Beta(shape, shape, validate_args=False).sample().to(values)
    own = torch.where(torch.rand(n, device=values.device) < share, own, torch.ones_like(own))
    weight = own.view(-1, *[1] * (values.ndim - 1))
    return weight * values + (1 - weight) * values[partner], partner, own


def bi_mixco(
    p: Tensor, t: Tensor, partner: Tensor, own: Tensor, temperature: float | Tensor = 0.006
) -> Tensor:
    """BiMixCo: a blended response belongs to both stimuli, in proportion, in both directions.

    ``M_ii = b_i``, ``M_i,partner(i) += 1 - b_i``;
    ``L = 1/2 [-mean_i sum_j M_ij log softmax(S)_ij - mean_i sum_j M'_ij log softmax(S')_ij]``.

    Parameters
    ----------
    p, t : Tensor, shape (n, n_dims) or (n, n_tokens, n_dims)
        Predictions from the blended responses; targets of the unblended.
    partner, own : Tensor, shape (n,)
        As given by `mix_rows`; for several people in one batch, rows of the joint batch.
    temperature : float or Tensor

    Returns
    -------
    Tensor, shape ()

    Sources
    -------
    MindEye1 (Scotti et al. 2023). Deviates from the published code, which overwrites the own weight
    where a row is its own partner and forgets the person's offset in joint batches.

    Examples
    --------
    >>> t, ones = torch.eye(2), torch.ones(2)
    >>> loss = bi_mixco(t, t, torch.tensor([1, 0]), ones, temperature=1.0)
    >>> round(float(loss), 4)
    0.3133
    """
    predicted, true = unit_rows(p), unit_rows(t)
    logits = predicted @ true.T / temperature
    rows = torch.arange(len(logits), device=logits.device)
    wanted = torch.diag(own.to(logits))
    wanted = wanted.index_put((rows, partner), 1 - own.to(logits), accumulate=True)
    forward = -(wanted * logits.log_softmax(dim=1)).sum(dim=1).mean()
    return (forward - (wanted.T * logits.T.log_softmax(dim=1)).sum(dim=1).mean()) / 2
