"""ZuCo 2.0: MATLAB 7.3 files, which are HDF5 with groups of references."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from neurodecode.datasets._door import reading
from neurodecode.datasets._files import open_hdf5
from neurodecode.datasets.zuco._sentence import BANDS, MEASURES, Sentence, Word, usable
from neurodecode.errors import CorruptFileError


def iterate(path: Path, words: bool = True) -> Iterator[Sentence]:
    """The sentences of a file, in order; one is in memory at a time."""
    with open_hdf5(path) as file:
        with reading(path, "a ZuCo 2.0 results file"):
            if not isinstance(file.get("sentenceData"), h5py.Group):
                raise CorruptFileError(
                    f"{path} has no group 'sentenceData'; it is no ZuCo 2.0 results file."
                )
            n_sentences = len(file["sentenceData"]["content"])
        for index in range(n_sentences):
            with reading(path, "a ZuCo 2.0 results file") as place:
                place.name = f"sentence {index}"
                sentence = _sentence(file, index, words)
            yield sentence


def _sentence(file: h5py.File, index: int, words: bool) -> Sentence:
    data = file["sentenceData"]

    def field(name: str) -> Any:
        return file[data[name][index, 0]] if name in data else None

    bands = {band: _vector(field(f"mean_{band}")) for band in BANDS}
    raw = field("rawData")
    return Sentence(
        index,
        _text(field("content")),
        None if _empty(raw) else usable(raw[()].T),  # columns first: h5py sees (time, channel)
        tuple(_words(file, field("word"))) if words else (),
        {band: value for band, value in bands.items() if value is not None},
        _number(field("omissionRate")),
    )


def _words(file: h5py.File, words: Any) -> Iterator[Word]:
    # a sentence without words points at a plain data set
    if not isinstance(words, h5py.Group) or "content" not in words:
        return
    fields = {name: words[name][:, 0] for name in words}
    measured = [
        (measure, band, f"{measure}_{band}")
        for measure in MEASURES
        for band in BANDS
        if f"{measure}_{band}" in fields
    ]
    for place in range(len(fields["content"])):

        def at(name: str, place: int = place) -> Any:
            return file[fields[name][place]] if name in fields else None

        found = {(measure, band): _vector(at(name)) for measure, band, name in measured}
        durations = {measure: _number(at(measure)) for measure in MEASURES}
        yield Word(
            _text(at("content")),
            int(np.nan_to_num(_number(at("nFixations")))),
            {measure: value for measure, value in durations.items() if np.isfinite(value)},
            {key: value for key, value in found.items() if value is not None},
        )


def _empty(item: Any) -> bool:
    """MATLAB's empty array: a one-dimensional data set that holds its shape."""
    if isinstance(item, h5py.Dataset) and item.dtype.kind not in "fiub":
        raise CorruptFileError(f"'{item.name}' holds {item.dtype}, not numbers. It is damaged.")
    return not isinstance(item, h5py.Dataset) or item.ndim < 2 or "MATLAB_empty" in item.attrs


def _text(item: Any) -> str:
    if _empty(item):
        return ""
    return "".join(map(chr, item[()].ravel().tolist()))


def _vector(item: Any) -> NDArray[np.float32] | None:
    if _empty(item):
        return None
    values = item[()].ravel()
    return values.astype(np.float32) if len(values) > 1 else None


def _number(item: Any) -> float:
    if _empty(item) or item.size != 1:
        return float("nan")
    return float(item[()].ravel()[0])
