"""Runs inside one long image, and events spelled as one label a volume."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.datasets._images import open_image


@dataclass(frozen=True)
class Volumes:
    """Neighbouring volumes of a 4-D image file, read when asked for.

    Parameters
    ----------
    path : path of a NIfTI file
    start, stop : int
        First volume, and the one after the last.

    Examples
    --------
    >>> str(Volumes("bold.nii.gz", 0, 121))
    'bold.nii.gz, volumes 0 to 120'
    """

    path: str | Path
    start: int
    stop: int

    def __str__(self) -> str:
        return f"{self.path}, volumes {self.start} to {self.stop - 1}"

    def load(self) -> Any:
        """The volumes as a nibabel image.

        Raises
        ------
        CorruptFileError
            If the file is damaged; it is unpacked to its end once for that.
        """
        facts = Path(self.path).stat()
        image = _opened(Path(self.path), facts.st_size, facts.st_mtime_ns)
        return image.slicer[..., self.start : self.stop]


@lru_cache(maxsize=1)
def _opened(path: Path, size: int, changed: int) -> Any:
    """The image, kept open: a compressed file is unpacked once, not once for each of its runs.

    Size and time of change tell a file from another one that was written in its place.
    """
    return open_image(path, keep_open=True)


def spans(labels: Sequence[Any] | NDArray[Any]) -> Iterator[tuple[int, int]]:
    """First and one-after-last index of each stretch of equal labels.

    Examples
    --------
    >>> list(spans(["rest", "face", "face", "rest"]))
    [(0, 1), (1, 3), (3, 4)]
    """
    values = np.asarray(labels)
    if not len(values):
        return
    change = values[1:] != values[:-1]
    edges = np.flatnonzero(change.any(axis=1) if change.ndim > 1 else change) + 1
    starts = [0, *edges.tolist()]
    yield from zip(starts, [*edges.tolist(), len(values)], strict=True)


def events_of(labels: Sequence[str], tr_s: float, rest: Sequence[str] = ("rest",)) -> Any:
    """A table of events (onset, duration, trial_type) from one label a volume.

    Examples
    --------
    >>> events_of(["rest", "face", "face"], 2.5).to_dict("records")
    [{'onset': 2.5, 'duration': 5.0, 'trial_type': 'face'}]
    """
    import pandas

    rows = [
        {"onset": start * tr_s, "duration": (stop - start) * tr_s, "trial_type": labels[start]}
        for start, stop in spans(list(labels))
        if labels[start] not in rest
    ]
    return pandas.DataFrame(rows, columns=["onset", "duration", "trial_type"])
