"""ZuCo 1.0: MATLAB 5 files with an array of structs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from neurodecode.datasets._door import reading
from neurodecode.datasets.zuco._sentence import BANDS, MEASURES, Sentence, Word, usable
from neurodecode.errors import CorruptFileError
from neurodecode.files import check_mat


def iterate(path: Path, words: bool = True) -> Iterator[Sentence]:
    """The sentences of a file, in order; the file is in memory while they are read."""
    with reading(path, "a MATLAB 5 file"):
        names = ["sentenceData"]
        content = loadmat(
            check_mat(path, names), variable_names=names, squeeze_me=True, struct_as_record=False
        )
    if "sentenceData" not in content:
        raise CorruptFileError(
            f"{path} has no variable 'sentenceData'; it is no ZuCo results file."
        )
    for index, item in enumerate(np.atleast_1d(content["sentenceData"])):
        with reading(path, "a ZuCo 1.0 results file") as place:
            place.name = f"sentence {index}"
            sentence = _sentence(index, item, words)
        yield sentence


def _sentence(index: int, item: Any, words: bool) -> Sentence:
    bands = {band: _vector(getattr(item, f"mean_{band}", None)) for band in BANDS}
    return Sentence(
        index,
        _text(getattr(item, "content", None)),
        usable(getattr(item, "rawData", None)),
        tuple(_words(getattr(item, "word", None))) if words else (),
        {band: value for band, value in bands.items() if value is not None},
        _number(getattr(item, "omissionRate", None)),
    )


def _words(item: Any) -> Iterator[Word]:
    # a rejected sentence has a not-a-number here; a sentence of one word has no array around it
    if item is None or isinstance(item, float):
        return
    for one in np.atleast_1d(item):
        if not hasattr(one, "content"):
            continue
        bands = {
            (measure, band): _vector(getattr(one, f"{measure}_{band}", None))
            for measure in MEASURES
            for band in BANDS
        }
        durations = {measure: _number(getattr(one, measure, None)) for measure in MEASURES}
        yield Word(
            str(one.content),
            int(np.nan_to_num(_number(getattr(one, "nFixations", None)))),
            {measure: value for measure, value in durations.items() if np.isfinite(value)},
            {key: value for key, value in bands.items() if value is not None},
        )


def _vector(value: Any) -> Any:
    array = np.asarray(value if value is not None else [], dtype=object)
    if array.ndim != 1 or len(array) < 2:
        return None
    return array.astype(np.float32)


def _text(value: Any) -> str:
    """An empty text is read as an empty array, and a missing one as not-a-number."""
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float:
    array = np.asarray(value if value is not None else [])
    if array.size != 1 or array.dtype.kind not in "fiub":
        return float("nan")
    return float(array.reshape(())[()])
