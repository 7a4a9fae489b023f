"""What travels between the parts: recordings, responses, stimuli, embeddings and splits."""

from neurodecode.data._arrays import ArrayLike, Rows, blocks, fill_rows, read_rows, take_rows
from neurodecode.data._checks import as_ids, as_index, expect, find_rows, listing, whole
from neurodecode.data._classes import are_classes, left_out_together
from neurodecode.data._embeddings import Embeddings, Generated
from neurodecode.data._learned import LearnedFrom
from neurodecode.data._marker import MARKER, mark_simulated, recorded_in, twin_name
from neurodecode.data._padding import pad_trials
from neurodecode.data._provenance import Provenance, Source, common_source
from neurodecode.data._recording import Recording
from neurodecode.data._responses import Modality, Responses
from neurodecode.data._split import Part, Split
from neurodecode.data._splitters import (
    KFold,
    LeaveOneOut,
    RandomSplit,
    SklearnSplitter,
    Splitter,
)
from neurodecode.data._stimuli import Stimuli, as_picture, read_picture
from neurodecode.data._values import as_values, cast, check_size

__all__ = [
    "ArrayLike",
    "Embeddings",
    "Generated",
    "MARKER",
    "KFold",
    "LearnedFrom",
    "LeaveOneOut",
    "Modality",
    "Part",
    "Provenance",
    "RandomSplit",
    "Recording",
    "Responses",
    "Rows",
    "SklearnSplitter",
    "Source",
    "Split",
    "Splitter",
    "Stimuli",
    "are_classes",
    "as_ids",
    "as_index",
    "as_picture",
    "as_values",
    "blocks",
    "cast",
    "check_size",
    "common_source",
    "expect",
    "fill_rows",
    "find_rows",
    "left_out_together",
    "listing",
    "mark_simulated",
    "pad_trials",
    "read_picture",
    "read_rows",
    "recorded_in",
    "take_rows",
    "twin_name",
    "whole",
]
