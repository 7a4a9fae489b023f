"""EEG of reading: sentences of different lengths, cleaned, scaled and padded with a mask."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, resample, sosfiltfilt

from neurodecode.data import Provenance, Responses, as_ids, pad_trials
from neurodecode.preprocessing.sensors.scaling import RobustScale

logger = logging.getLogger("neurodecode")

ORDER = 2


@dataclass(frozen=True)
class ReadingRecipe:
    """What is done to the EEG of one sentence, in this order; nothing here is learned.

    Parameters
    ----------
    band_hz : pair of float, optional
        Pass band of a Butterworth filter of order 2, forward and backward, so without delay.
    reference : {'average'} or None
        Subtract the mean of all channels.
    largest : float, optional
        A channel is bad in a sentence if it exceeds this, in units of the signal.
    bad_share : float
        A sentence is rejected if more than this share of its channels is bad.
    sfreq : float
        Hz after resampling.
    seconds : pair of float
        Shorter and longer sentences are left out; the longer bound is the length padded to.

    Examples
    --------
    >>> recipe = ReadingRecipe(band_hz=None, largest=100.0, bad_share=0.0)
    >>> recipe.prepare(np.full((2, 400), 500.0) * [[1.0], [-1.0]], 500.0) is None
    True
    """

    band_hz: tuple[float, float] | None = (0.5, 45.0)
    reference: Literal["average"] | None = "average"
    largest: float | None = 150.0
    bad_share: float = 0.1
    sfreq: float = 128.0
    seconds: tuple[float, float] = (0.5, 10.0)

    def prepare(self, signal: NDArray[Any], sfreq: float = 500.0) -> NDArray[np.float32] | None:
        """Filter, reference and judge a signal (n_channels, n_times); None if it is rejected.

        Raises
        ------
        ValueError
            If the band does not fit ``sfreq``, or values are not finite.
        """
        values = np.asarray(signal, dtype=np.float64)
        if not np.isfinite(values).all():
            raise ValueError(
                f"{int((~np.isfinite(values)).any(axis=1).sum())} of {len(values)} channels hold "
                f"values that are not finite; leave the sentence out, or those channels."
            )
        if self.band_hz is not None:
            values = _band_passed(values, self.band_hz, sfreq)
        if self.reference == "average":
            values = values - values.mean(axis=0)
        if self.largest is not None:
            bad = np.abs(values).max(axis=1) > self.largest
            if bad.mean() > self.bad_share:
                return None
        return values.astype(np.float32)

    def resampled(self, signal: NDArray[Any], sfreq: float) -> NDArray[np.float32]:
        """The signal at ``self.sfreq``, not longer than the longer bound."""
        n_most = round(self.seconds[1] * self.sfreq)
        n_new = min(n_most, max(1, round(signal.shape[1] * self.sfreq / sfreq)))
        short = signal if sfreq == self.sfreq else resample(signal, n_new, axis=1)
        return np.asarray(short[:, :n_most], dtype=np.float32)


OUR_READING = ReadingRecipe()


def glim_recipe() -> ReadingRecipe:
    """What the released GLIM does before its encoder: nothing but lengths and resampling.

    No filter, no reference, no rejection by amplitude and no scaling: the encoder sees microvolt.
    (The reference channel, all zeros, is dropped where the files are read.)

    Sources
    -------
    Liu, Shen, Liu 2025 (GLIM), released data notebooks: .5 to 10 s kept, 500 to 128 Hz by Fourier
    resampling, zeros after the end.

    Examples
    --------
    >>> signal = np.ones((2, 500), dtype=np.float32)
    >>> bool((glim_recipe().prepare(signal) == signal).all())
    True
    """
    return ReadingRecipe(band_hz=None, reference=None, largest=None)


def sentence_responses(
    signals: Sequence[NDArray[Any]],
    stimulus: Sequence[str],
    subject: str,
    *,
    sfreq: float,
    recipe: ReadingRecipe = OUR_READING,
    metadata: Mapping[str, Sequence[Any]] | None = None,
    provenance: Provenance | None = None,
) -> Responses:
    """One person's sentences of any length as responses with a mask; for your own recordings.

    Parameters
    ----------
    signals : sequence of array, shape (n_channels, n_times_of_the_sentence)
    stimulus : sequence of str
        The text's id.
    subject : str
    sfreq : float
        Hz of the signals.
    recipe : ReadingRecipe
    metadata : mapping of str to sequence, optional
        Columns of the trial table, such as ``text``, ``task`` and ``corpus``.
    provenance : Provenance, optional
        Of the recording that the signals are from.

    Returns
    -------
    Responses
        Values (n_kept, n_channels, n_times) float32 with ``valid``. Sentences that were left out
        are counted by reason in the log.

    Raises
    ------
    ValueError
        If lengths disagree or no sentence is left.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> signals = [rng.normal(size=(3, 300)), rng.normal(size=(3, 90)), rng.normal(size=(3, 200))]
    >>> one = sentence_responses(signals, list("abc"), "S1", sfreq=250.0)
    >>> one.stimulus.tolist(), one.valid.sum(axis=1).tolist()
    (['a', 'c'], [154, 102])
    """
    ids = as_ids("stimulus", stimulus, len(signals))
    kept: dict[int, NDArray[np.float32]] = {}
    reasons = {"too short": 0, "too long": 0, "rejected": 0}
    for row, signal in enumerate(signals):
        length_s = signal.shape[1] / sfreq
        if not recipe.seconds[0] <= length_s <= recipe.seconds[1]:
            reasons["too short" if length_s < recipe.seconds[0] else "too long"] += 1
            continue
        clean = recipe.prepare(signal, sfreq)
        if clean is None:
            reasons["rejected"] += 1
            continue
        kept[row] = recipe.resampled(clean, sfreq)
    if not kept:
        raise ValueError(f"No sentence of subject '{subject}' can be used: {reasons}.")
    if len(kept) < len(signals):
        logger.info("%s: left out %s of %d sentences", subject, reasons, len(signals))
    rows = list(kept)
    n_times = round(recipe.seconds[1] * recipe.sfreq)
    values, valid = pad_trials(list(kept.values()), n_times)
    made = Responses(
        values,
        ids[rows],
        subject,
        "eeg",
        dims=("trial", "channel", "time"),
        sfreq=recipe.sfreq,
        times=np.arange(n_times) / recipe.sfreq,
        valid=valid,
        metadata={key: np.asarray(column)[rows] for key, column in (metadata or {}).items()},
    )
    return made if provenance is None else replace(made, provenance=provenance.take(rows))


class SentenceScale(RobustScale):
    """Robust scaling of sentences: median and interquartile range of what was really recorded.

    As `RobustScale`, but samples outside ``valid`` neither count nor change: zeros that were put
    after a sentence's end stay zeros. Without this a person's scale would tell how short the
    sentences were.

    Parameters
    ----------
    clip : float or None
        Largest absolute value afterwards, in interquartile ranges.

    Attributes
    ----------
    centre_, scale_ : array, shape (n_channels,)

    Examples
    --------
    >>> values, valid = pad_trials([np.array([[1.0, 3.0, 5.0]]), np.array([[2.0]])])
    >>> one = Responses(values, ["a", "b"], "S1", "eeg", dims=("trial", "channel", "time"),
    ...     valid=valid)
    >>> scale = SentenceScale().fit(one)
    >>> scale.centre_.tolist(), scale.transform(one).values[1].tolist()
    ([2.5], [[-0.2857142984867096, 0.0, 0.0]])
    """

    def fit(self, responses: Responses) -> Self:
        """Learn from these sentences: give training sentences only.

        Raises
        ------
        ValueError
            If a channel does not vary, or holds values that are not finite.
        """
        if responses.valid is None or responses.dims != ("trial", "channel", "time"):
            return super().fit(responses)
        recorded = responses.array().transpose(0, 2, 1)[responses.valid]
        if not len(recorded):
            raise ValueError(
                f"Subject '{responses.subject}' has no training sentences to scale by."
            )
        joined = Responses(
            recorded.T[None], np.array(["all"]), responses.subject, "eeg",
            dims=responses.dims, units=responses.units,
        )  # fmt: skip
        return super().fit(joined)

    def transform(self, responses: Responses) -> Responses:
        """Scale with what `fit` learned; the input is not changed."""
        scaled = super().transform(responses)
        if responses.valid is None:
            return scaled
        values = np.where(responses.valid[:, None], scaled.array(), np.float32(0))
        return responses.with_values(values.astype(np.float32))


def _band_passed(
    values: NDArray[np.float64], band_hz: tuple[float, float], sfreq: float
) -> NDArray[np.float64]:
    low, high = band_hz
    if not 0 < low < high < sfreq / 2:
        raise ValueError(
            f"A pass band of {low:g} to {high:g} Hz does not fit a signal of {sfreq:g} Hz; it must "
            f"lie between 0 and {sfreq / 2:g} Hz."
        )
    sections = butter(ORDER, band_hz, "bandpass", fs=sfreq, output="sos")
    margin = min(values.shape[1] - 1, round(sfreq / low))
    # mirrored ends as long as the slowest wave, since sentences are short
    return np.asarray(sosfiltfilt(sections, values, axis=1, padlen=margin))
