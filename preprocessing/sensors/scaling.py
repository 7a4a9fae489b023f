"""Scaling and whitening of MEG and EEG trials, learned from training trials only."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.covariance import ledoit_wolf

from neurodecode.data import Responses, Split, expect, listing


class RobustScale(BaseEstimator):  # type: ignore[misc]
    """Subtract each channel's median, divide by its interquartile range, clip what is far out.

    Parameters
    ----------
    clip : float or None
        Largest absolute value afterwards, in interquartile ranges.

    Attributes
    ----------
    centre_, scale_ : array, shape (n_channels,)

    Sources
    -------
    Défossez et al. 2023, "Decoding speech perception from non-invasive brain recordings", methods:
    robust scaling, then clamping at 20. Benchetrit et al. 2024 clip at 5.

    Examples
    --------
    >>> values = np.arange(24.0).reshape(3, 2, 4)
    >>> trials = Responses(values, list("abc"), "s", "eeg", dims=("trial", "channel", "time"))
    >>> float(np.median(RobustScale().fit(trials).transform(trials).values))
    0.0
    """

    def __init__(self, clip: float | None = 20.0) -> None:
        self.clip = clip

    def fit(self, responses: Responses) -> Self:
        """Learn centre and scale from these trials: give training trials only.

        Raises
        ------
        ValueError
            If a channel does not vary, or holds values that are not finite.
        """
        values = _channels_last(responses)
        low, centre, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
        scale = high - low
        flat = scale == 0
        if flat.any():
            raise ValueError(
                f"{int(flat.sum())} channels of subject '{responses.subject}' do not vary over "
                f"the training trials ({listing(_names(responses)[flat])}). Drop them first."
            )
        self.centre_: NDArray[np.float64] = centre
        self.scale_: NDArray[np.float64] = scale
        return self

    def transform(self, responses: Responses) -> Responses:
        """Scale with what `fit` learned; the input is not changed."""
        _check_fitted(self, "centre_")
        _check_channels(responses, len(self.centre_), "RobustScale")
        scaled = (responses.array() - self.centre_[:, None]) / self.scale_[:, None]
        if self.clip is not None:
            scaled = np.clip(scaled, -self.clip, self.clip)
        return responses.with_values(scaled.astype(np.float32))


class NoiseWhitening(BaseEstimator):  # type: ignore[misc]
    """Multivariate noise normalisation: make the noise of all channels equal and uncorrelated.

    The covariance over channels around the mean response to each stimulus (around the mean of all
    trials, where nothing was repeated), shrunk by Ledoit and Wolf's rule, gives x -> S^(-1/2) x.

    Attributes
    ----------
    whitener_ : array, shape (n_channels, n_channels)
    n_repeated_ : int
        Stimuli that were shown more than once in the training trials.

    Sources
    -------
    Guggenmos, Sterzer, Cichy 2018, "Multivariate pattern analysis for MEG", NeuroImage 173, section
    2.5. The released THINGS-EEG2 files average the covariances of training *and test* trials; here
    only the trials given to `fit` count. They estimate a covariance for each stimulus and average;
    here trials are centred by stimulus and pooled, which needs fewer repeats.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> values = rng.normal(size=(40, 2, 50)) * np.array([1.0, 5.0])[:, None]
    >>> trials = Responses(values, np.arange(40) % 4, "s", "eeg", dims=("trial", "channel", "time"))
    >>> white = NoiseWhitening().fit(trials).transform(trials)
    >>> white.values.std(axis=(0, 2)).round(1).tolist()
    [1.0, 1.0]
    """

    def fit(self, responses: Responses) -> Self:
        """Learn the whitening from these trials: give training trials only."""
        _check_dims(responses)
        values = responses.array(np.float64)
        _, group, count = np.unique(responses.stimulus, return_inverse=True, return_counts=True)
        self.n_repeated_ = int((count > 1).sum())
        if self.n_repeated_:
            mean = np.zeros((len(count), *values.shape[1:]))
            np.add.at(mean, group, values)
            noise = (values - (mean / count[:, None, None])[group])[count[group] > 1]
        else:
            noise = values - values.mean(axis=0)
        samples = noise.transpose(0, 2, 1).reshape(-1, values.shape[1])
        if not np.isfinite(samples).all():
            raise ValueError(
                f"Trials of subject '{responses.subject}' hold values that are not finite; drop "
                f"those trials or channels before whitening."
            )
        if not samples.any():
            raise ValueError(
                f"Trials of subject '{responses.subject}' do not vary around their mean, so there "
                f"is no noise to whiten by. Give more than one trial, with a signal in it."
            )
        covariance = ledoit_wolf(samples, assume_centered=True)[0]
        variance, axes = np.linalg.eigh(covariance)
        floor = variance.max() * 1e-12
        self.whitener_ = (axes / np.sqrt(np.maximum(variance, floor))) @ axes.T
        return self

    def transform(self, responses: Responses) -> Responses:
        """Whiten with what `fit` learned; the input is not changed."""
        _check_fitted(self, "whitener_")
        _check_channels(responses, len(self.whitener_), "NoiseWhitening")
        white = np.einsum("dc,nct->ndt", self.whitener_, responses.array())
        return responses.with_values(white.astype(np.float32))


def whiten_trials(responses: Responses, split: Split, clip: float | None = 5.0) -> Responses:
    """Baseline off each trial; `RobustScale` and `NoiseWhitening` learned from training trials.

    What a linear decoder of single trials needs: the noise of sensors is shared by neighbours and
    much larger than the signal.

    Parameters
    ----------
    responses : Responses
        One person's trials, (trial, channel, time), with times in s from onset.
    split : Split
        Only its training part is learned from.
    clip : float or None
        As in `RobustScale`.

    Raises
    ------
    ValueError
        If the trials have no times, or none before onset.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> trials = Responses(
    ...     rng.normal(size=(20, 3, 4)), range(20), "anna", "eeg",
    ...     dims=("trial", "channel", "time"), times=np.array([-0.1, 0.0, 0.1, 0.2]),
    ... )
    >>> whiten_trials(trials, Split(range(10), range(10, 15), range(15, 20)))
    Responses(anna, eeg, 20 trials of 20 stimuli, channel: 3, time: 4)
    """
    if responses.times is None or not (responses.times <= 0).any():
        raise ValueError(
            f"Trials of subject '{responses.subject}' have no times before stimulus onset to take "
            f"a baseline from. Cut them to start earlier, or use RobustScale and NoiseWhitening."
        )
    values = responses.array()
    before = values[:, :, responses.times <= 0].mean(axis=2, keepdims=True)
    ready = responses.with_values(values - before)
    for step in (RobustScale(clip=clip), NoiseWhitening()):
        ready = step.fit(split.part(ready, "train")).transform(ready)
    return ready


def _channels_last(responses: Responses) -> NDArray[Any]:
    _check_dims(responses)
    values = responses.array(np.float64)
    finite = np.isfinite(values).all(axis=(0, 2))
    if not finite.all():
        raise ValueError(
            f"{int((~finite).sum())} channels of subject '{responses.subject}' hold values that "
            f"are not finite ({listing(_names(responses)[~finite])}). Drop them first."
        )
    return values.transpose(0, 2, 1).reshape(-1, values.shape[1])


def _check_dims(responses: Responses) -> None:
    expect(responses, Responses, "Sensor scaling")
    if responses.dims != ("trial", "channel", "time") or not len(responses):
        raise ValueError(
            f"Sensor scaling needs trials with dims ('trial', 'channel', 'time'); got "
            f"{len(responses)} with {responses.dims}."
        )


def _names(responses: Responses) -> NDArray[np.str_]:
    if responses.units is not None:
        return responses.units
    return np.arange(responses.n_units).astype(np.str_)


def _check_fitted(step: Any, learned: str) -> None:
    if not hasattr(step, learned):
        raise ValueError(
            f"{type(step).__name__} is not fitted. Call fit() with training trials first."
        )


def _check_channels(responses: Responses, n_channels: int, who: str) -> None:
    expect(responses, Responses, who)
    if responses.n_units != n_channels:
        raise ValueError(
            f"{who} was fitted on {n_channels} channels, but subject '{responses.subject}' has "
            f"{responses.n_units}. Fit it on this person's training trials."
        )
