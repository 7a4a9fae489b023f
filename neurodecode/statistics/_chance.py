"""Chance levels that need no simulation."""

from __future__ import annotations

TWO_WAY_CHANCE = 0.5


def top_k_chance(n_candidates: int, k: int = 1) -> float:
    """Chance that the true one is among k of n candidates: k / n.

    Examples
    --------
    >>> top_k_chance(200, 5)
    0.025
    """
    if not 1 <= k <= n_candidates:
        raise ValueError(f"k must be 1 to {n_candidates} with {n_candidates} candidates; got {k}.")
    return k / n_candidates


def rank_chance(n_candidates: int) -> float:
    """Expected zero-based rank of a blind guess: (n - 1) / 2.

    Examples
    --------
    >>> rank_chance(201)
    100.0
    """
    return (n_candidates - 1) / 2
