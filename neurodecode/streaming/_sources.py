"""Where samples come from: a file played as if it were recorded now, or the network of a lab."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from neurodecode.errors import MissingDependencyError
from neurodecode.streaming._cleaning import pick_channels

Chunk = tuple[NDArray[np.floating[Any]], float]
"""Samples (n_channels, n) and the `time.perf_counter` at which the last of them was there."""


class Source(Protocol):
    """Gives chunks of samples until the signal ends."""

    sfreq: float
    channels: tuple[str, ...]

    def chunks(self) -> Iterator[Chunk]:
        """The next samples, when they are there."""
        ...


class FileSource:
    """Plays a recording, at its own pace or as fast as it is taken.

    Parameters
    ----------
    raw : mne.io.Raw
    channels : tuple of str
        Empty takes all good data channels.
    chunk_s : float
        Seconds of signal a chunk.
    pace : float or None
        1 plays as recorded, 2 twice as fast, None without waiting.

    Examples
    --------
    >>> import mne
    >>> info = mne.create_info(2, 100.0, "eeg")
    >>> raw = mne.io.RawArray(np.zeros((2, 25)), info, verbose="error")
    >>> [chunk.shape for chunk, arrived in FileSource(raw, chunk_s=0.1).chunks()]
    [(2, 10), (2, 10), (2, 5)]
    """

    def __init__(
        self,
        raw: Any,
        channels: tuple[str, ...] = (),
        chunk_s: float = 0.01,
        pace: float | None = None,
    ) -> None:
        if pace is not None and pace <= 0:
            raise ValueError(f"pace must be above 0, or None to play without waiting; got {pace}.")
        self._raw, self.pace = pick_channels(raw, channels), pace
        self.sfreq = float(raw.info["sfreq"])
        self.channels = tuple(self._raw.ch_names)
        self.chunk = max(1, round(chunk_s * self.sfreq))

    def chunks(self) -> Iterator[Chunk]:
        """The recording, piece by piece."""
        began = time.perf_counter()
        for start in range(0, self._raw.n_times, self.chunk):
            stop = min(start + self.chunk, self._raw.n_times)
            values = self._raw.get_data(start=start, stop=stop)
            arrived = time.perf_counter()
            if self.pace is not None:
                # what was there late (the decoder is slow) counts from when it should have been
                arrived = began + stop / self.sfreq / self.pace
                time.sleep(max(0.0, arrived - time.perf_counter()))
            yield values, arrived


@dataclass
class LslSource:
    """A stream of the lab streaming layer, through MNE-LSL.

    Parameters
    ----------
    name : str
        Of the stream.
    channels : tuple of str
        Empty takes all.
    buffer_s : float
        Samples that are kept until they are taken.

    Raises
    ------
    MissingDependencyError
        If MNE-LSL is not installed.
    """

    name: str
    channels: tuple[str, ...] = ()
    buffer_s: float = 5.0

    def __post_init__(self) -> None:
        try:
            from mne_lsl.stream import StreamLSL
        except ImportError as error:
            raise MissingDependencyError(
                "Streams of the lab streaming layer need MNE-LSL: "
                "pip install 'neurodecode-toolkit[stream]'"
            ) from error
        self._stream = StreamLSL(self.buffer_s, name=self.name).connect()
        missing = [name for name in self.channels if name not in self._stream.ch_names]
        if missing:
            raise ValueError(
                f"Stream '{self.name}' lacks {len(missing)} of {len(self.channels)} channels that "
                f"the decoder was trained on (such as {', '.join(missing[:3])})."
            )
        self.channels = self.channels or tuple(self._stream.ch_names)
        self.sfreq = float(self._stream.info["sfreq"])

    def chunks(self) -> Iterator[Chunk]:
        """New samples whenever there are some, until the stream is closed or interrupted.

        Raises
        ------
        ValueError
            If samples were lost because they were not taken in time.
        """
        try:
            while self._stream.connected:
                n_new = self._stream.n_new_samples
                if n_new == 0:
                    time.sleep(0.001)
                    continue
                if n_new > self.buffer_s * self.sfreq:
                    raise ValueError(
                        f"Stream '{self.name}' lost samples: {n_new} came since the last look, the "
                        f"buffer holds {self.buffer_s:g} s. Decode less often or use fewer sensors."
                    )
                values, _ = self._stream.get_data(n_new / self.sfreq, picks=list(self.channels))
                yield values[:, -n_new:], time.perf_counter()
        finally:
            self._stream.disconnect()
