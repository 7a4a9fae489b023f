"""How much better than the best control: the number that language models can't fake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.evidence._items import Items
from neurodecode.metrics.similarity import check_finite
from neurodecode.statistics import Interval


@dataclass(frozen=True)
class Gain:
    """The model's mean minus the best control's, over the same items.

    Parameters
    ----------
    value : float
    ci95 : Interval
        Interval of the paired differences from the best control.
    p : float
        One-sided; the largest over all controls, so that it is small only if every control is
        beaten.
    best_control : str
    n : int

    Examples
    --------
    >>> Gain(0.1, Interval(0.02, 0.2), 0.01, "length only", 50).verdict
    'evidence of the brain: .100 over length only (p = 0.01)'
    """

    value: float
    ci95: Interval
    p: float
    best_control: str
    n: int

    @property
    def verdict(self) -> str:
        """In words; *no evidence* unless p < .05 and the interval excludes zero."""
        if self.p < 0.05 and self.ci95.low > 0:
            shown = f"{self.value:.3f}".removeprefix("0")
            return f"evidence of the brain: {shown} over {self.best_control} (p = {self.p:.2g})"
        return (
            f"no evidence that the brain was used: {self.value:+.3f} against {self.best_control} "
            f"(p = {self.p:.2g})"
        )

    def as_json(self) -> dict[str, Any]:
        """As in ``results.json``."""
        return {
            "value": self.value,
            "ci95": [self.ci95.low, self.ci95.high],
            "p": self.p,
            "best_control": self.best_control,
            "n": self.n,
            "verdict": self.verdict,
        }


def gain_over_controls(
    model: NDArray[Any],
    controls: Mapping[str, NDArray[Any]],
    items: Items,
    *,
    n_permutations: int = 5000,
    seed: int = 0,
) -> Gain:
    """Compare a model with all controls on the same items.

    For each control the signs of the paired differences are flipped at random, all items of one
    stimulus together, since a stimulus that is easy is easy for every person. A gain is believed
    only against every control at once (intersection-union test: the largest p counts).

    Parameters
    ----------
    model : array, shape (n,)
        Higher is better.
    controls : mapping of str to array, shape (n,)
    items : Items
    n_permutations : int
    seed : int

    Raises
    ------
    ValueError
        If there is no control, or lengths differ.

    Sources
    -------
    Berger 1982, "Multiparameter hypothesis testing and acceptance sampling" (intersection-union
    test).

    Examples
    --------
    >>> items = Items([f"s{i}" for i in range(20)], ["a"] * 20)
    >>> better = gain_over_controls(np.ones(20), {"noise": np.zeros(20)}, items)
    >>> better.value, better.best_control, better.p < 0.01
    (1.0, 'noise', True)
    """
    if not controls:
        raise ValueError("A gain needs at least one control to stand against.")
    values = np.asarray(model, dtype=np.float64)
    lengths = {name: len(control) for name, control in controls.items()} | {"model": len(values)}
    if len({*lengths.values(), len(items)}) > 1:
        raise ValueError(
            f"Model, controls and items must be the same; got {lengths}, {len(items)}."
        )
    for name, one in {"the model": values, **controls}.items():
        check_finite(np.asarray(one, dtype=np.float64)[:, None], name)
    apart = {name: values - np.asarray(control, float) for name, control in controls.items()}
    best = min(apart, key=lambda name: float(apart[name].mean()))
    _, stimulus = np.unique(items.stimulus, return_inverse=True)
    p = max(_sign_flip_p(one, stimulus, n_permutations, seed) for one in apart.values())
    return Gain(float(apart[best].mean()), items.interval(apart[best]), p, best, len(values))


def _sign_flip_p(
    apart: NDArray[np.float64], cluster: NDArray[np.intp], n_permutations: int, seed: int
) -> float:
    totals = np.bincount(cluster, weights=apart)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(n_permutations, len(totals)))
    # a tie with the observed sum counts against the model; the tolerance is for rounding
    beyond = (signs @ totals >= totals.sum() - 1e-12).sum()
    return float((1 + beyond) / (1 + n_permutations))
