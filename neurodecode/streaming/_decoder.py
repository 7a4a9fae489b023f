"""From samples as they arrive to points of a target space, a window at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Responses
from neurodecode.streaming._cleaning import CausalCleaning
from neurodecode.streaming._steps import Samples


class WindowEncoder(Protocol):
    """An encoder that can predict; one with ``stream(layout, head)`` is asked for that instead."""

    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """One point a trial."""
        ...


@dataclass(frozen=True, eq=False)
class Decoded:
    """What one window says.

    Parameters
    ----------
    time_s : float
        Of the window's last sample, since the stream began; no later sample was used.
    point : float array, shape (n_dims,) or (n_tokens, n_dims)
    latency_ms : float
        From the moment the window's last sample was handed over to this result.

    Examples
    --------
    >>> Decoded(1.5, np.zeros(3), 4.0).time_s
    1.5
    """

    time_s: float
    point: NDArray[np.float32]
    latency_ms: float


class StreamDecoder:
    """Decodes a window every 50 ms from samples as they arrive.

    Parameters
    ----------
    encoder : fitted encoder
        Trained on `causal_trials` of the same cleaning.
    cleaning : CausalCleaning
    layout : Responses
        Trials of the person (one is enough): subject, sensors, samples a window and their rate.
    sfreq : float
        Of the arriving signal, Hz.
    every_s : float
        Time between windows; rounded to samples of the cleaned signal.
    head : str, optional

    Examples
    --------
    >>> class Mean:
    ...     def predict(self, responses, head=None):
    ...         return Embeddings(responses.array().mean(axis=2), responses.stimulus, "toy")
    >>> trial = Responses(np.zeros((1, 2, 10)), ["a"], "s", "eeg",
    ...                   dims=("trial", "channel", "time"), sfreq=100.0)
    >>> decoder = StreamDecoder(Mean(), CausalCleaning(), trial, 100.0)
    >>> noise = np.random.default_rng(0).normal(size=(2, 21))
    >>> [(round(one.time_s, 2), one.point.shape) for one in decoder.push(noise)]
    [(0.1, (2,)), (0.15, (2,)), (0.2, (2,))]
    """

    def __init__(
        self,
        encoder: WindowEncoder,
        cleaning: CausalCleaning,
        layout: Responses,
        sfreq: float,
        every_s: float = 0.05,
        head: str | None = None,
    ) -> None:
        self.encoder, self.cleaning, self.sfreq, self.head = encoder, cleaning, sfreq, head
        self.layout = layout.take(np.array([0]))
        self.n_channels, self.n_times = layout.values.shape[1:]
        self.every = max(1, round(every_s * cleaning.new_sfreq(sfreq)))
        self._check(layout)
        self._chain = cleaning.chain(sfreq, self.n_channels)
        self._encode = self._make_encode()
        self.reset()

    def _check(self, layout: Responses) -> None:
        new = self.cleaning.new_sfreq(self.sfreq)
        if layout.sfreq is not None and abs(layout.sfreq - new) > 1e-6:
            raise ValueError(
                f"The signal comes at {self.sfreq:g} Hz, cleaned {new:g} Hz, but the decoder was "
                f"trained on {layout.sfreq:g} Hz. Give a signal of the right sampling rate, or "
                f"set resample_hz."
            )

    def _make_encode(self) -> Callable[[NDArray[Any], int], NDArray[Any]]:
        stream = getattr(self.encoder, "stream", None)
        if stream is not None:
            made: Callable[[NDArray[Any], int], NDArray[Any]] = stream(self.layout, self.head)
            return made

        def whole(window: NDArray[Any], n_new: int) -> NDArray[Any]:
            trial = self.layout.with_values(window[None].astype(np.float32))
            return np.asarray(self.encoder.predict(trial, self.head).array()[0])

        return whole

    @property
    def delay_s(self) -> float:
        """By how much the cleaning delays the signal, beside the filters' own phase."""
        return self._chain.delay_s

    def reset(self) -> None:
        """Start anew, as before the first sample."""
        self._chain.reset()
        if hasattr(self._encode, "reset"):
            self._encode.reset()
        # as long as two windows, so that samples are moved once in many windows
        self._ring = np.zeros((self.n_channels, 2 * self.n_times + self.every), dtype=np.float32)
        self._end = 0
        self._n_seen = 0
        self._n_in = 0
        self._last: int | None = None

    def push(self, values: Samples, arrived: float | None = None) -> list[Decoded]:
        """Take the next samples; give a result for every window that is complete by now.

        Parameters
        ----------
        values : float array, shape (n_channels, n_samples)
            SI units, in the order of the cleaning's channels; chunks may be of any length.
        arrived : float, optional
            `time.perf_counter` when the last of them was there; default now.

        Raises
        ------
        ValueError
            If the number of channels is another, or a value is not finite.
        """
        start = time.perf_counter() if arrived is None else arrived
        if values.ndim != 2 or len(values) != self.n_channels:
            raise ValueError(
                f"push() needs samples of shape ({self.n_channels}, n); got {values.shape}."
            )
        if not np.isfinite(values).all():
            raise ValueError(
                f"Samples from {self._n_in / self.sfreq:.3f} s on hold values that are not "
                f"finite, in {int((~np.isfinite(values)).any(axis=1).sum())} channels. Leave "
                f"those channels out; a filter with state would never recover."
            )
        self._n_in += values.shape[1]
        clean = self._chain.push(values)
        found = []
        for begin in range(0, clean.shape[1], self.every):
            found += self._take(clean[:, begin : begin + self.every], start)
        return found

    def _take(self, clean: Samples, start: float) -> list[Decoded]:
        """At most one window ends within these samples."""
        due = -self._n_seen % self.every or self.every
        found = []
        for part in (clean[:, :due], clean[:, due:]):
            self._keep(part)
            if part.shape[1] and self._n_seen % self.every == 0 and self._n_seen >= self.n_times:
                found.append(self._decode(start))
        return found

    def _keep(self, part: Samples) -> None:
        size = part.shape[1]
        if self._end + size > self._ring.shape[1]:
            kept = min(self.n_times, self._end)
            self._ring[:, :kept] = self._ring[:, self._end - kept : self._end].copy()
            self._end = kept
        self._ring[:, self._end : self._end + size] = part
        self._end += size
        self._n_seen += size

    def _decode(self, start: float) -> Decoded:
        window = self._ring[:, self._end - self.n_times : self._end]
        n_new = self.n_times if self._last is None else self._n_seen - self._last
        self._last = self._n_seen
        point = self._encode(window, n_new)
        # the sample at place n_seen - 1 of the cleaned signal needs input up to this one
        factor = round(self.sfreq / self.cleaning.new_sfreq(self.sfreq))
        time_s = ((self._n_seen - 1) * factor + 1) / self.sfreq
        return Decoded(time_s, np.array(point), 1e3 * (time.perf_counter() - start))
