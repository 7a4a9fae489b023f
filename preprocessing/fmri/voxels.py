"""Choosing and scaling voxels; what is learned is learned from training trials only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from neurodecode.data import Responses, blocks, expect, whole
from neurodecode.preprocessing.fmri.ceiling import ncsnr

VoxelScore = Callable[[Responses], NDArray[Any]]


def repeat_ncsnr(responses: Responses) -> NDArray[np.float64]:
    """Score of each voxel by the repeats of its stimuli, z-scored within sessions (or runs).

    Examples
    --------
    >>> values = np.array([[0.0, 0.0], [0.1, 3.0], [1.0, 0.5], [1.2, 1.0]])
    >>> score = repeat_ncsnr(Responses(values, ["a", "a", "b", "b"], "s", "fmri"))
    >>> bool(score[0] > score[1])
    True
    """
    group = responses.session if responses.session is not None else responses.run
    return ncsnr(responses.values, responses.stimulus, group)


def anova_f(responses: Responses) -> NDArray[np.float64]:
    """Score of each voxel by how it tells the stimuli apart: scikit-learn's F statistic.

    Examples
    --------
    >>> values = np.array([[0.0, 0.0], [0.1, 3.0], [1.0, 0.5], [1.2, 1.0]])
    >>> anova_f(Responses(values, ["a", "a", "b", "b"], "s", "fmri")).argmax()
    np.int64(0)
    """
    from sklearn.feature_selection import f_classif

    score = f_classif(responses.array(np.float64), responses.stimulus)[0]
    return np.nan_to_num(np.asarray(score, dtype=np.float64))


class VoxelSelection(BaseEstimator):  # type: ignore[misc]
    """Keep the voxels with the highest score on the trials it was fitted on.

    Parameters
    ----------
    score : callable
        From responses to one number a voxel, higher is better: `repeat_ncsnr`, `anova_f`, or one
        of your own. It sees what ``fit`` is given: give training trials only.
    n_voxels : int, optional
        How many to keep (all, if there are fewer).
    above : float, optional
        Keep scores above this. With ``n_voxels`` both must hold; one of the two is needed.

    Attributes
    ----------
    score_ : float array, shape (n_voxels,)
    kept_ : int array
        Places of the voxels kept, in their order.

    Examples
    --------
    >>> values = np.array([[0.0, 0.0], [0.1, 3.0], [1.0, 0.5], [1.2, 1.0]])
    >>> responses = Responses(values, ["a", "a", "b", "b"], "s", "fmri")
    >>> VoxelSelection(anova_f, n_voxels=1).fit(responses).transform(responses).values.tolist()
    [[0.0], [0.1], [1.0], [1.2]]
    """

    def __init__(
        self,
        score: VoxelScore = repeat_ncsnr,
        *,
        n_voxels: int | None = None,
        above: float | None = None,
    ) -> None:
        self.score = score
        self.n_voxels = n_voxels
        self.above = above

    def fit(self, responses: Responses) -> Self:
        """Score the voxels on these (training) trials."""
        if self.n_voxels is None and self.above is None:
            raise ValueError("VoxelSelection needs n_voxels=, above= or both.")
        if self.n_voxels is not None:
            whole("n_voxels", self.n_voxels)
        expect(responses, Responses, "VoxelSelection.fit()")
        self.score_ = np.asarray(self.score(responses), dtype=np.float64)
        if self.score_.shape != (responses.n_units,):
            raise ValueError(
                f"The score gave {self.score_.shape} numbers for {responses.n_units} voxels; one "
                f"a voxel was expected."
            )
        order = np.argsort(-self.score_, kind="stable")[: self.n_voxels]
        if self.above is not None:
            order = order[self.score_[order] > self.above]
        if not len(order):
            raise ValueError(
                f"No voxel of subject '{responses.subject}' scores above {self.above}; the highest "
                f"is {self.score_.max(initial=-np.inf):.3g}."
            )
        self.kept_ = np.sort(order)
        return self

    def transform(self, responses: Responses) -> Responses:
        """The same trials with the kept voxels only; lazy values are read in blocks."""
        expect(responses, Responses, "VoxelSelection.transform()")
        if not hasattr(self, "kept_"):
            raise ValueError("VoxelSelection is not fitted. Call fit() with training trials first.")
        if responses.n_units != len(self.score_):
            raise ValueError(
                f"VoxelSelection was fitted on {len(self.score_)} voxels; subject "
                f"'{responses.subject}' has {responses.n_units}."
            )
        return take_voxels(responses, self.kept_)


def take_voxels(responses: Responses, index: NDArray[Any]) -> Responses:
    """The same trials with the voxels at these places; positions and units follow.

    Examples
    --------
    >>> responses = Responses(np.eye(3), ["a", "b", "c"], "s", "fmri", units=["v1", "v2", "v3"])
    >>> take_voxels(responses, np.array([2])).units.tolist()
    ['v3']
    """
    if responses.dims != ("trial", "voxel"):
        raise ValueError(f"Voxels can be taken from dims ('trial', 'voxel'); got {responses.dims}.")
    values = np.concatenate(
        [block[:, index] for _, block in blocks(responses.values)]
        or [np.zeros((0, len(index)), dtype=responses.values.dtype)]
    )
    return responses.with_values(
        values,
        positions=None if responses.positions is None else responses.positions[index],
        units=None if responses.units is None else responses.units[index],
    )


class Standardize(BaseEstimator):  # type: ignore[misc]
    """Mean 0 and standard deviation 1 for each voxel.

    Parameters
    ----------
    within : {'run', 'session'} or metadata column, optional
        Scale each group by its own trials, whatever they show: nothing is learned. A run must then
        be shown in full, and its design must be balanced; do not use it on single trials of a new
        run. When None, mean and scale are learned from the trials given to ``fit``.

    Attributes
    ----------
    mean_, scale_ : float array, shape (n_voxels,)
        With ``within=None`` only. Voxels that do not vary have scale 1.

    Examples
    --------
    >>> responses = Responses([[1.0], [3.0]], ["a", "b"], "s", "fmri", run=[1, 1])
    >>> Standardize().fit(responses).transform(responses).values.tolist()
    [[-1.0], [1.0]]
    """

    def __init__(self, within: str | None = None) -> None:
        self.within = within

    def fit(self, responses: Responses) -> Self:
        """Learn mean and scale of these (training) trials.

        Raises
        ------
        ValueError
            If there is none, or values are not finite.
        """
        expect(responses, Responses, "Standardize.fit()")
        if not responses.n_trials:
            raise ValueError(f"Subject '{responses.subject}' has no training trials.")
        if self.within is None:
            self.mean_, self.scale_ = _moments(responses.array(np.float64))
            bad = ~np.isfinite(self.mean_ + self.scale_)
            if bad.any():
                raise ValueError(
                    f"{int(bad.sum())} voxels of subject '{responses.subject}' hold values that "
                    f"are not finite. Drop those voxels or trials first."
                )
        else:
            responses.groups(self.within)
        self.n_units_ = responses.n_units
        return self

    def transform(self, responses: Responses) -> Responses:
        """Scaled copies of these trials."""
        expect(responses, Responses, "Standardize.transform()")
        if not hasattr(self, "n_units_"):
            raise ValueError("Standardize is not fitted. Call fit() with training trials first.")
        if responses.n_units != self.n_units_:
            raise ValueError(
                f"Standardize was fitted on {self.n_units_} voxels; subject "
                f"'{responses.subject}' has {responses.n_units}."
            )
        values = responses.array(np.float64)
        if self.within is None:
            return responses.with_values(((values - self.mean_) / self.scale_).astype(np.float32))
        scaled = np.empty(values.shape, dtype=np.float32)
        group = responses.groups(self.within)
        for one in np.unique(group):
            mean, scale = _moments(values[group == one])
            scaled[group == one] = (values[group == one] - mean) / scale
        return responses.with_values(scaled)


def _moments(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    spread = values.std(axis=0)
    return values.mean(axis=0), np.where(spread > 0, spread, 1.0)
