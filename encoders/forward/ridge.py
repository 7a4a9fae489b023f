"""A linear forward model, and which of several stimuli was seen by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from neurodecode.data import Embeddings, Provenance, Responses, expect
from neurodecode.encoders.core.base import check_finite
from neurodecode.encoders.forward.fit import Trials, choose_forward, fit_forward, matched_filter
from neurodecode.encoders.forward.noise import Array

PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)
SHARES = (1.0, 0.7, 0.5, 0.35, 0.25)


class ForwardRidge(BaseEstimator):  # type: ignore[misc]
    r"""Predict a person's responses from embeddings, and identify stimuli by the predictions.

    Each voxel's response is linear in the embedding, learned by ridge. A trial ``x`` is then
    compared with the response ``m`` predicted for each candidate by a matched filter,
    :math:`x' \Sigma^{-1} m / \sqrt{m' \Sigma^{-1} m}`, with the shrunk covariance
    :math:`\Sigma` of single-trial noise (deviations of repeats from their mean). Candidates need
    not be among the training stimuli.

    A Gaussian likelihood with its predictive variance would score candidates that were never
    shown higher whenever a trial fits none that was shown: it detects novelty, which is no
    decoding where the test stimulus is the one novel candidate. The matched filter gives every
    candidate the same variance.

    Parameters
    ----------
    penalties : sequence of float
        Candidates for the ridge penalty, in units of the mean squared length of the centred
        training embeddings.
    shares : sequence of float
        Candidates for the share of voxels used to identify: those best predicted when left out.
    leave_out : str
        What is left out together, within the training trials, to rank voxels and to choose
        penalty and share: ``'stimulus'`` for use on new stimuli, ``'run'`` for known ones.

    Attributes
    ----------
    penalty_, share_ : float
        The pair with the best mean reciprocal rank of left-out trials.
    left_out_r2_ : array, shape (n_voxels,)
    voxels_ : int array
        Those used to identify.

    Sources
    -------
    Identification by a forward model: Kay et al. 2008, "Identifying natural images from human
    brain activity" (by correlation, without noise covariance). Noise covariance in the filter:
    Naselaris et al. 2009, equation 3; shrinkage: Ledoit & Wolf 2004.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> names = [f"p{i}" for i in range(12)]
    >>> features = rng.normal(size=(12, 3))
    >>> shown = np.tile(np.arange(12), 2)
    >>> x = features[shown] @ rng.normal(size=(3, 20)) + 0.3 * rng.normal(size=(24, 20))
    >>> responses = Responses(x, [names[i] for i in shown], "sub-01", "fmri")
    >>> embeddings = Embeddings(features, names, "toy")
    >>> model = ForwardRidge().fit(embeddings, responses.select(names[:9]))
    >>> test = responses.select(names[9:])
    >>> scores = model.identify(test, embeddings)
    >>> bool((embeddings.stimulus[scores.argmax(axis=1)] == test.stimulus).mean() > 0.8)
    True
    """

    def __init__(
        self,
        penalties: Sequence[float] = PENALTIES,
        shares: Sequence[float] = SHARES,
        *,
        leave_out: str = "stimulus",
    ) -> None:
        self.penalties = penalties
        self.shares = shares
        self.leave_out = leave_out

    def fit(self, embeddings: Embeddings, responses: Responses) -> Self:
        """Learn from the given trials; give training trials only.

        Raises
        ------
        ValueError
            If values are not finite, a stimulus has no embedding, no stimulus was repeated, or
            there are fewer than three groups to leave out.
        """
        trials = _trials(embeddings, responses, self.leave_out)
        penalties, shares = list(self.penalties), list(self.shares)
        self.penalty_, self.share_ = choose_forward(trials, penalties, shares)
        self._fit = fit_forward(trials, penalties)
        self._like = responses.take(np.array([], dtype=np.intp))
        self.left_out_r2_ = self._fit.r2
        self.voxels_ = self._fit.best(self.share_)
        return self

    def predict(self, embeddings: Embeddings) -> Responses:
        """The expected response to each stimulus, one row each, in the units of the responses."""
        check_is_fitted(self, "voxels_")
        expect(embeddings, Embeddings, "ForwardRidge.predict()")
        expected = self._fit.expected(self.penalty_, _flat(embeddings))
        scale = np.where(np.isfinite(self._fit.deviation), self._fit.deviation, 0.0)
        values = expected * scale + self._fit.x_mean
        like = self._like
        return Responses(
            values.astype(np.float32),
            embeddings.stimulus,
            like.subject,
            like.modality,
            dims=like.dims,
            positions=like.positions,
            units=like.units,
            provenance=Provenance("simulated", f"expected/{like.subject}"),
        )

    def identify(self, responses: Responses, candidates: Embeddings) -> NDArray[np.float64]:
        """How well each candidate explains each trial, shape (n_trials, n_candidates).

        Raises
        ------
        ValueError
            If values are not finite, or it is another person or another number of voxels.
        """
        check_is_fitted(self, "voxels_")
        known = (self._like.subject, *self._like.values.shape[1:])
        got = (responses.subject, *responses.values.shape[1:])
        if got != known:
            raise ValueError(
                f"identify() got responses of (subject, voxels) {got} but was fitted with "
                f"{known}. A forward model is one person's; use the same voxels."
            )
        x = responses.array(np.float64)
        check_finite(x, responses.subject)
        expected = self._fit.expected(self.penalty_, _flat(candidates))[:, self.voxels_]
        noise = self._fit.noise(self.voxels_)
        return matched_filter(self._fit.standardise(x)[:, self.voxels_], expected, noise)


def _flat(embeddings: Embeddings) -> Array:
    return embeddings.array(np.float64).reshape(len(embeddings), -1)


def _trials(embeddings: Embeddings, responses: Responses, leave_out: str) -> Trials:
    expect(embeddings, Embeddings, "ForwardRidge.fit()")
    expect(responses, Responses, "ForwardRidge.fit()")
    x = responses.array(np.float64)
    if x.ndim != 2:
        raise ValueError(
            f"ForwardRidge needs responses of dims ('trial', 'voxel'); got {responses.dims}."
        )
    check_finite(x, responses.subject)
    names, code = np.unique(responses.stimulus, return_inverse=True)
    if len(names) == len(x):
        raise ValueError(
            f"Subject '{responses.subject}' saw none of {len(names)} training stimuli twice; the "
            f"noise of a trial is learned from repeats. Use Ridge, or include repeats."
        )
    z = embeddings.rows(names, dtype=np.float64).reshape(len(names), -1)
    _, group = np.unique(responses.groups(leave_out), return_inverse=True)
    if group.max() < 2:
        raise ValueError(
            f"The training trials of subject '{responses.subject}' make {group.max() + 1} groups "
            f"by {leave_out}; choosing a penalty needs three or more."
        )
    return Trials(x, z, code, group)
