"""What is looked at: arrays with what their numbers should be, whichever reader gave them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import ArrayLike, Responses, Stimuli

MOST_PICTURES = 2000
"""More are not compared with each other: all of NSD's would be 22 GB."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One array of a data set.

    Parameters
    ----------
    name : str
        Which of its source's pieces; empty for the only one.
    values : array-like
        Read in blocks of its first axis.
    rows : str
        What a row of the first axis is: ``'trial'``, ``'volume'``, ``'sample'``, ``'picture'``.
    n_units : int
        How many voxels or channels; the axis behind the first one is theirs unless ``flat``.
    rate : str
        Such as ``'250 Hz'`` or ``'TR 2 s'``.
    unit : str
        Of the values, where the format states one: ``'V'``, ``'T'``, ``'µV'``.
    stimulus : str array, optional
        What each row shows.
    positions : float array, shape (n_units, 3), optional
        In mm.
    background : bool
        Whether units may hold nothing, as voxels outside the brain do.

    Examples
    --------
    >>> Piece("sub-01", np.zeros((3, 5)), "trial", 5).rows
    'trial'
    """

    name: str
    values: ArrayLike
    rows: str
    n_units: int
    rate: str = ""
    unit: str = ""
    stimulus: NDArray[np.str_] | None = None
    positions: NDArray[Any] | None = None
    background: bool = False


@dataclass(frozen=True)
class Source:
    """A part of a data set, read when asked for.

    Parameters
    ----------
    name : str
    load : callable
        Gives its pieces; raises what its reader raises.

    Examples
    --------
    >>> Source("nothing", list).load()
    []
    """

    name: str
    load: Callable[[], Iterable[Piece]]


def of_responses(responses: Responses, unit: str = "") -> list[Piece]:
    """One person's trials."""
    rate = "" if responses.sfreq is None else f"{responses.sfreq:g} Hz"
    return [
        Piece(
            responses.subject, responses.values, "trial", responses.n_units, rate, unit,
            responses.stimulus, responses.positions,
        )
    ]  # fmt: skip


def of_stimuli(stimuli: Stimuli) -> list[Piece]:
    """The pictures, as far as they are few enough to be compared; texts have no numbers."""
    ids = stimuli.ids[:MOST_PICTURES]
    if stimuli.kind == "text":
        for one in ids:
            stimuli.load(one)
        return []
    first = np.asarray(stimuli.load(ids[0]))
    pictures = _Loaded(stimuli, ids, first.shape, first.dtype)
    return [Piece("stimuli", pictures, "picture", 1, stimulus=ids)]


class _Loaded:
    """Pictures as the rows of an array; each is loaded when its block is read."""

    def __init__(
        self, stimuli: Stimuli, ids: NDArray[np.str_], shape: tuple[int, ...], dtype: Any
    ) -> None:
        self._stimuli, self._ids = stimuli, ids
        self.shape, self.dtype = (len(ids), *shape), np.dtype(dtype)

    def __getitem__(self, index: Any, /) -> NDArray[Any]:
        return np.stack([np.asarray(self._stimuli.load(one)) for one in self._ids[index]])


class Volumes:
    """The volumes of an image as rows (n_volumes, n_voxels), read a few at a time."""

    def __init__(self, image: Any) -> None:
        self._image = image
        *grid, n_volumes = image.shape if len(image.shape) > 3 else (*image.shape, 1)
        self.shape = (int(n_volumes), int(np.prod(grid)))
        self.dtype = np.dtype(np.float32)

    def __getitem__(self, index: slice, /) -> NDArray[Any]:
        values = self._image.dataobj
        some = values[..., index] if len(self._image.shape) > 3 else np.asarray(values)[..., None]
        return np.asarray(some, dtype=np.float32).reshape(-1, np.shape(some)[-1]).T


class Samples:
    """The samples of a raw recording as rows (n_times, n_channels), read a stretch at a time."""

    def __init__(self, raw: Any, picks: list[int]) -> None:
        self._raw, self._picks = raw, picks
        self.shape = (int(raw.n_times), len(picks))
        self.dtype = np.dtype(np.float64)

    def __getitem__(self, index: slice, /) -> NDArray[Any]:
        start, stop, _ = index.indices(self.shape[0])
        return np.asarray(self._raw[self._picks, start:stop][0].T)


def of_image(path: Path) -> list[Piece]:
    """An image file, a row a volume."""
    from neurodecode.datasets._images import open_image

    image = open_image(path, keep_open=True)
    volumes = Volumes(image)
    tr_s = float(image.header.get_zooms()[3]) if len(image.shape) > 3 else 0.0
    rate = f"TR {tr_s:g} s" if tr_s else ""
    return [Piece("", volumes, "volume", volumes.shape[1], rate, background=True)]


def of_raw(path: Path) -> list[Piece]:
    """A raw recording, a piece for each kind of sensor."""
    import mne

    from neurodecode.datasets._door import reading
    from neurodecode.datasets._recordings import check_recording, check_sidecar

    check_recording(path)
    with reading(path, "a raw recording"):
        raw = mne.io.read_raw(path, preload=False, verbose="error")
        check_sidecar(path, float(raw.info["sfreq"]), int(raw.n_times))
        kinds = raw.get_channel_types()
    rate = f"{raw.info['sfreq']:g} Hz"
    return [
        Piece(kind, Samples(raw, picks), "sample", len(picks), rate, unit)
        for kind, unit in (("eeg", "V"), ("mag", "T"), ("grad", "T/m"))
        if (picks := [place for place, one in enumerate(kinds) if one == kind])
    ]
