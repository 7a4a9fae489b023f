"""Responses read straight from volumes: means of blocks, or each volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from neurodecode.preprocessing.fmri.events import ROUNDING_S
from neurodecode.preprocessing.fmri.run import Run, Trials


@dataclass(frozen=True)
class BlockMeans:
    """The mean of the volumes of each event, after a delay.

    Parameters
    ----------
    delay_s : float
        Seconds between an event and its response; 0 where the events carry the delay already.
    duration_s : float, optional
        Length of the stretch that is averaged, in place of each event's own duration. An event
        shorter than a volume takes the nearest one.

    Examples
    --------
    >>> BlockMeans(delay_s=5.0)
    BlockMeans(delay_s=5.0, duration_s=None)
    """

    delay_s: float = 0.0
    duration_s: float | None = None

    def __call__(self, run: Run) -> Trials:
        """One row an event, in order of onset."""
        series, order = run.cleaned(), run.events.order()
        rows = [volumes_of(run, one, self.delay_s, self.duration_s) for one in order.tolist()]
        values = np.stack([series[one].mean(axis=0) for one in rows])
        return Trials(values, order, {})


@dataclass(frozen=True)
class SingleVolumes:
    """Each volume of each event, after a delay.

    Parameters
    ----------
    delay_s, duration_s : float
        As in `BlockMeans`.

    Examples
    --------
    >>> SingleVolumes().delay_s
    0.0
    """

    delay_s: float = 0.0
    duration_s: float | None = None

    def __call__(self, run: Run) -> Trials:
        """One row a volume, in order of time; the column ``volume`` counts within the run."""
        order = run.events.order()
        rows = [volumes_of(run, one, self.delay_s, self.duration_s) for one in order.tolist()]
        volume = np.concatenate(rows)
        event = np.repeat(order, [len(one) for one in rows])
        return Trials(run.cleaned()[volume], event, {"volume": volume})


def volumes_of(run: Run, event: int, delay_s: float, duration_s: float | None) -> NDArray[np.intp]:
    """Which volumes start within an event, once it is delayed.

    Raises
    ------
    ValueError
        If the delayed event has no volume left.
    """
    start = run.events.onset[event] + delay_s
    stop = start + (run.events.duration[event] if duration_s is None else duration_s)
    inside = (run.times > start - ROUNDING_S) & (run.times < stop - ROUNDING_S)
    if inside.any():
        return np.flatnonzero(inside)
    nearest = round(start / run.tr_s)
    if not 0 <= nearest < run.n_volumes:
        raise ValueError(
            f"'{run.events.stimulus[event]}' at {run.events.onset[event]:g} s in {run.where} has "
            f"no volume {delay_s:g} s later: the scan ends at {run.n_volumes * run.tr_s:g} s. Give "
            f"a shorter delay_s, or drop the event."
        )
    return np.array([nearest])
