"""From a source through a decoder to a page."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from neurodecode.streaming._decoder import Decoded, StreamDecoder
from neurodecode.streaming._page import LivePage, Nearest
from neurodecode.streaming._sources import Source


def play(
    source: Source,
    decoder: StreamDecoder,
    page: LivePage,
    *,
    events: pd.DataFrame | None = None,
    n_nearest: int = 5,
) -> Iterator[tuple[Decoded, list[Nearest]]]:
    """Decode what arrives, show it, and give each result.

    Parameters
    ----------
    source : Source
    decoder : StreamDecoder
    page : LivePage
    events : DataFrame, optional
        Columns ``onset`` (s) and ``stimulus``: what was really shown, for the page only.
    n_nearest : int

    Yields
    ------
    Decoded, list of Nearest

    Examples
    --------
    >>> play.__name__
    'play'
    """
    onset = None if events is None else events["onset"].to_numpy(dtype=float)
    for values, arrived in source.chunks():
        for decoded in decoder.push(values, arrived):
            nearest = page.candidates.nearest(decoded.point, n_nearest)
            truth = None
            if events is not None and onset is not None:
                place = int(np.searchsorted(onset, decoded.time_s, side="right")) - 1
                truth = str(events["stimulus"].iloc[place]) if place >= 0 else None
            if page.drawing is not None:
                page.drawing.offer(decoded.point, decoded.time_s)
            page.show(nearest, time_s=decoded.time_s, latency_ms=decoded.latency_ms, truth=truth)
            yield decoded, nearest
    page.finish()
