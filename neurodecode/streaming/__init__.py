"""Decoding as the signal arrives: no sample is used before it could have been recorded."""

from neurodecode.streaming._cleaning import CausalCleaning, causal_trials
from neurodecode.streaming._decoder import Decoded, StreamDecoder
from neurodecode.streaming._drawing import Drawing, Drawn
from neurodecode.streaming._kit import StreamKit
from neurodecode.streaming._page import Candidates, LivePage, Nearest
from neurodecode.streaming._play import play
from neurodecode.streaming._sources import FileSource, LslSource
from neurodecode.streaming._steps import (
    CausalFilter,
    Chain,
    Decimator,
    Linear,
    RunningScale,
    band_pass,
    notch,
)

__all__ = [
    "Candidates",
    "CausalCleaning",
    "CausalFilter",
    "Chain",
    "Decimator",
    "Decoded",
    "Drawing",
    "Drawn",
    "FileSource",
    "Linear",
    "LivePage",
    "LslSource",
    "Nearest",
    "RunningScale",
    "StreamDecoder",
    "StreamKit",
    "band_pass",
    "causal_trials",
    "notch",
    "play",
]
