"""Causal steps with state: what comes out depends on past samples alone, however it is cut."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import signal

Samples = NDArray[np.floating[Any]]
DECIMATION_TAPS = 8


class Step(Protocol):
    """Takes the next samples, gives what can be known by now."""

    delay_s: float

    def push(self, values: Samples) -> Samples:
        """The next samples (n_channels, n) in, (n_channels, m) out."""
        ...

    def reset(self) -> None:
        """Forget all that was seen."""
        ...


class CausalFilter:
    """An IIR filter in second-order sections whose state goes on from chunk to chunk.

    It starts in the steady state of the first sample, so that an offset makes no step.

    Parameters
    ----------
    sections : array, shape (n_sections, 6)
        As `scipy.signal.butter` gives them with ``output='sos'``.

    Examples
    --------
    >>> low = signal.butter(2, 0.2, output="sos")
    >>> one, two = CausalFilter(low), CausalFilter(low)
    >>> ramp = np.arange(12.0).reshape(1, 12)
    >>> parts = np.concatenate([two.push(ramp[:, :5]), two.push(ramp[:, 5:])], axis=1)
    >>> bool((one.push(ramp) == parts).all())
    True
    """

    delay_s = 0.0

    def __init__(self, sections: NDArray[np.float64]) -> None:
        self.sections = sections
        self._state: NDArray[np.float64] | None = None

    def push(self, values: Samples) -> Samples:
        """Filter the next samples."""
        if values.shape[1] == 0:
            return values
        if self._state is None:
            start = signal.sosfilt_zi(self.sections)[:, None, :]
            self._state = start * values[None, :, :1].astype(np.float64)
        out, self._state = signal.sosfilt(self.sections, values, axis=1, zi=self._state)
        return np.asarray(out)

    def reset(self) -> None:
        """Forget all that was seen."""
        self._state = None


def band_pass(
    sfreq: float, band_hz: tuple[float | None, float | None], order: int = 2
) -> CausalFilter:
    """A causal Butterworth filter; None leaves a side open.

    Raises
    ------
    ValueError
        If the band is empty or does not fit the sampling rate.

    Examples
    --------
    >>> band_pass(100.0, (0.5, 40.0)).sections.shape
    (2, 6)
    """
    low, high = band_hz
    if high is not None and high >= sfreq / 2:
        raise ValueError(
            f"A pass band up to {high:g} Hz needs a sampling rate over {2 * high:g} Hz; the "
            f"signal has {sfreq:g} Hz."
        )
    if low is not None and high is not None:
        if low >= high:
            raise ValueError(f"A pass band from {low:g} to {high:g} Hz is empty.")
        return CausalFilter(signal.butter(order, (low, high), "bandpass", fs=sfreq, output="sos"))
    if low is None and high is None:
        raise ValueError("A pass band needs a lower or an upper edge; both are None.")
    kind, edge = ("highpass", low) if high is None else ("lowpass", high)
    return CausalFilter(signal.butter(order, edge, kind, fs=sfreq, output="sos"))


def notch(sfreq: float, line_hz: float, highest_hz: float | None = None) -> CausalFilter:
    """Takes out the mains frequency and its harmonics up to ``highest_hz``.

    Raises
    ------
    ValueError
        If the mains frequency does not lie below half the sampling rate.

    Examples
    --------
    >>> notch(300.0, 50.0).sections.shape
    (2, 6)
    """
    top = min(highest_hz or sfreq / 2, sfreq / 2 - 1)
    comb = np.arange(line_hz, top + 1e-9, line_hz)
    if len(comb) == 0:
        raise ValueError(
            f"line_hz={line_hz:g} must lie below {top:g} Hz, for a signal of {sfreq:g} Hz."
        )
    parts = [signal.tf2sos(*signal.iirnotch(one, one / 2, fs=sfreq)) for one in comb]
    return CausalFilter(np.concatenate(parts))


class Decimator:
    """Low-pass and keep every n-th sample; only those that are kept are computed.

    A linear-phase filter of ``8 n + 1`` taps to 0.8 of the new Nyquist frequency; it delays the
    signal by half its length.

    Parameters
    ----------
    sfreq : float
        Of the input, Hz.
    factor : int

    Examples
    --------
    >>> slow = Decimator(1200.0, 10)
    >>> slow.push(np.ones((2, 25))).shape, slow.push(np.ones((2, 25))).shape
    ((2, 3), (2, 2))
    """

    def __init__(self, sfreq: float, factor: int) -> None:
        if factor < 1 or factor != int(factor):
            raise ValueError(f"Decimator needs a whole factor of at least 1; got {factor}.")
        self.factor = int(factor)
        taps = signal.firwin(DECIMATION_TAPS * self.factor + 1, 0.8 / self.factor)
        self._taps = np.ascontiguousarray(taps[::-1])
        self.delay_s = (len(taps) - 1) / 2 / sfreq if factor > 1 else 0.0
        self._kept: NDArray[np.float64] | None = None
        self._skip = 0

    def push(self, values: Samples) -> Samples:
        """Filter and thin out the next samples."""
        if self.factor == 1 or values.shape[1] == 0:
            return values
        if self._kept is None:
            self._kept = np.repeat(values[:, :1], len(self._taps) - 1, axis=1)
        whole = np.concatenate([self._kept, values], axis=1)
        self._kept = whole[:, whole.shape[1] - len(self._taps) + 1 :].copy()
        windows = sliding_window_view(whole, len(self._taps), axis=1)[:, self._skip :: self.factor]
        self._skip = (self._skip - values.shape[1]) % self.factor
        return np.asarray(np.einsum("cnk,k->cn", windows, self._taps))

    def reset(self) -> None:
        """Forget all that was seen."""
        self._kept, self._skip = None, 0


class RunningScale:
    """Subtract each channel's running mean, divide by its running standard deviation, clip.

    Mean and mean square are exponentially weighted over the past, y_t = (1 - a) y_(t-1) + a x_t,
    divided by 1 - (1 - a)^t, the weight that the past has so far.

    Parameters
    ----------
    sfreq : float
        Hz.
    time_constant_s : float
    clip : float or None
        Largest absolute value afterwards, in standard deviations.

    Examples
    --------
    >>> scale = RunningScale(100.0, time_constant_s=1.0)
    >>> noise = np.random.default_rng(0).normal(7.0, 3.0, size=(1, 5000))
    >>> out = scale.push(noise)[:, 1000:]
    >>> bool(abs(out.mean()) < 0.1), bool(abs(out.std() - 1) < 0.1)
    (True, True)
    """

    delay_s = 0.0

    def __init__(
        self, sfreq: float, time_constant_s: float = 10.0, clip: float | None = 20.0
    ) -> None:
        self.keep = float(np.exp(-1 / (time_constant_s * sfreq)))
        self.clip = clip
        self._origin: NDArray[np.float64] | None = None
        self._state: NDArray[np.float64] = np.zeros((2, 0, 1))
        self._count = 0

    def push(self, values: Samples) -> Samples:
        """Scale the next samples."""
        if values.shape[1] == 0:
            return values
        if self._origin is None:
            # squares are taken around the first sample, or tiny numbers (tesla) lose all digits
            self._origin = values[:, :1].astype(np.float64)
            self._state = np.zeros((2, len(values), 1))
        moved = values - self._origin
        both = np.stack([moved, moved**2])
        gain, keep = [1 - self.keep], [1.0, -self.keep]
        running, self._state = signal.lfilter(gain, keep, both, axis=2, zi=self._state)
        count = self._count + 1 + np.arange(values.shape[1])
        self._count = int(count[-1])
        mean, square = running / -np.expm1(count * np.log(self.keep))
        deviation = np.sqrt(np.maximum(square - mean**2, 0.0))
        some = deviation > 1e-9 * np.sqrt(square)
        out = np.divide(moved - mean, deviation, out=np.zeros_like(moved), where=some)
        return np.asarray(out if self.clip is None else np.clip(out, -self.clip, self.clip))

    def reset(self) -> None:
        """Forget all that was seen."""
        self._origin = None
        self._count = 0


class Linear:
    """A fixed map of channels: scales that training learned, a whitening, a reference.

    Examples
    --------
    >>> average = Linear(np.eye(2) - 0.5)
    >>> average.push(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """

    delay_s = 0.0

    def __init__(self, matrix: NDArray[Any], offset: NDArray[Any] | None = None) -> None:
        self.matrix = np.asarray(matrix, dtype=np.float64)
        self.offset = None if offset is None else np.asarray(offset, dtype=np.float64)[:, None]

    def push(self, values: Samples) -> Samples:
        """Map the next samples: matrix (values - offset)."""
        moved = values if self.offset is None else values - self.offset
        # a sum in a fixed order: BLAS may round differently for chunks of other sizes
        return np.asarray(np.einsum("dc,cn->dn", self.matrix, moved))

    def reset(self) -> None:
        """There is nothing to forget."""


class Chain:
    """Steps one after the other.

    Examples
    --------
    >>> chain = Chain([band_pass(1200.0, (0.1, 40.0)), Decimator(1200.0, 10)])
    >>> round(chain.delay_s, 4), chain.push(np.zeros((3, 120))).shape
    (0.0333, (3, 12))
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = list(steps)

    @property
    def delay_s(self) -> float:
        """By how much linear-phase steps delay the signal; IIR filters add their own."""
        return sum(step.delay_s for step in self.steps)

    def push(self, values: Samples) -> Samples:
        """Pass the next samples through all steps."""
        for step in self.steps:
            values = step.push(values)
        return values

    def reset(self) -> None:
        """Forget all that was seen."""
        for step in self.steps:
            step.reset()
