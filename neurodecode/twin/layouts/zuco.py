"""ZuCo's results files, in both formats, from simulated reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np
from numpy.typing import NDArray
from scipy.io import savemat

from neurodecode.data import mark_simulated
from neurodecode.store import atomic_path

BANDS = ("t1", "t2", "a1", "a2", "b1", "b2", "g1", "g2")
MEASURES = ("FFD", "GD", "GPT", "TRT", "SFD")
TASKS = {1: {"SR": "task1- SR", "NR": "task2 - NR", "TSR": "task3 - TSR"},
         2: {"NR": "task1 - NR", "TSR": "task2 - TSR"}}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ReadWord:
    """A word as the eye tracker saw it: durations in ms, and band power (n_channels,) by measure.

    Examples
    --------
    >>> ReadWord("film", 2, {"GD": 210.0}).n_fixations
    2
    """

    content: str
    n_fixations: int = 0
    durations: Mapping[str, float] = field(default_factory=dict)
    bands: Mapping[tuple[str, str], NDArray[Any]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class ReadSentence:
    """A sentence that was read: EEG (n_channels, n_times) at 500 Hz without the last, flat channel.

    ``raw=None`` is a rejected recording.

    Examples
    --------
    >>> ReadSentence("A film.", None).words
    ()
    """

    content: str
    raw: NDArray[Any] | None
    words: tuple[ReadWord, ...] = ()


def write_zuco(
    root: str | Path,
    subject: str,
    task: Literal["SR", "NR", "TSR"],
    sentences: Sequence[ReadSentence],
    version: Literal[1, 2] = 1,
) -> Path:
    """Write ``<task folder>/Matlab files/results{SUBJECT}_{TASK}.mat``.

    Parameters
    ----------
    root : path
    subject : str
        Three capital letters; Z.. for ZuCo 1.0, Y.. for 2.0.
    task : {'SR', 'NR', 'TSR'}
    sentences : sequence of ReadSentence
    version : {1, 2}
        1: MATLAB 5, an array of structs. 2: MATLAB 7.3, groups of references.

    Returns
    -------
    Path

    Examples
    --------
    >>> import tempfile
    >>> one = ReadSentence("A film.", np.ones((4, 300)), (ReadWord("A"), ReadWord("film.", 1)))
    >>> write_zuco(tempfile.mkdtemp(), "ZAB", "SR", [one]).name
    'resultsZAB_SR.mat'
    """
    path = Path(root) / TASKS[version][task] / "Matlab files" / f"results{subject}_{task}.mat"
    mark_simulated(root, "ZuCo")
    with atomic_path(path) as part:
        if version == 1:
            with part.open("wb") as opened:
                savemat(opened, {"sentenceData": _structs(sentences)})
        else:
            with h5py.File(part, "w", userblock_size=512) as file:
                _references(file, sentences)
            with part.open("r+b") as opened:
                opened.write(b"MATLAB 7.3 MAT-file, simulated".ljust(128, b" "))
    return path


def _with_reference(raw: NDArray[Any]) -> NDArray[np.float64]:
    """The files end with the reference electrode, all zeros."""
    return np.concatenate([raw, np.zeros((1, raw.shape[1]))]).astype(np.float64)


def _sentence_fields(sentence: ReadSentence) -> dict[str, Any]:
    raw = np.nan if sentence.raw is None else _with_reference(sentence.raw)
    power = {
        f"mean_{band}": np.nan if sentence.raw is None else np.square(raw).mean(axis=1)
        for band in BANDS
    }
    skipped = [word.n_fixations == 0 for word in sentence.words]
    rate = float(np.mean(skipped)) if skipped else np.nan
    return {"content": sentence.content, "rawData": raw, **power, "omissionRate": rate}


def _word_fields(word: ReadWord) -> dict[str, Any]:
    empty = np.zeros((0, 0))
    fields: dict[str, Any] = {
        "content": word.content,
        "nFixations": float(word.n_fixations) if word.n_fixations else empty,
    }
    for measure in MEASURES:
        fields[measure] = word.durations.get(measure, empty)
        for band in BANDS:
            fields[f"{measure}_{band}"] = word.bands.get((measure, band), empty)
    return fields


def _struct_array(rows: Sequence[Mapping[str, Any]]) -> NDArray[Any]:
    array = np.empty(len(rows), dtype=[(name, object) for name in rows[0]])
    for place, row in enumerate(rows):
        array[place] = tuple(row.values())
    return array


def _structs(sentences: Sequence[ReadSentence]) -> NDArray[Any]:
    rows = []
    for sentence in sentences:
        words: Any = np.nan
        if sentence.words:
            words = _struct_array([_word_fields(word) for word in sentence.words])
        rows.append({**_sentence_fields(sentence), "word": words})
    return _struct_array(rows)


def _references(file: h5py.File, sentences: Sequence[ReadSentence]) -> None:
    target = file.create_group("#refs#")
    group = file.create_group("sentenceData")
    columns: dict[str, list[Any]] = {}
    for sentence in sentences:
        for name, value in _sentence_fields(sentence).items():
            columns.setdefault(name, []).append(_referred(target, value))
        columns.setdefault("word", []).append(_word_group(target, sentence.words))
    _write_columns(group, columns)


def _word_group(target: h5py.Group, words: Sequence[ReadWord]) -> Any:
    if not words:
        return _referred(target, np.nan)
    group = target.create_group(f"g{len(target)}")
    columns: dict[str, list[Any]] = {}
    for word in words:
        for name, value in _word_fields(word).items():
            columns.setdefault(name, []).append(_referred(target, value))
    _write_columns(group, columns)
    return group.ref


def _write_columns(group: h5py.Group, columns: Mapping[str, list[Any]]) -> None:
    for name, references in columns.items():
        data = group.create_dataset(name, (len(references), 1), dtype=h5py.ref_dtype)
        data[:, 0] = references


def _referred(target: h5py.Group, value: Any) -> Any:
    """Store a value as MATLAB 7.3 does: transposed, text as code points, empty as its shape."""
    stored: NDArray[Any]
    if isinstance(value, str):
        stored = np.array([[ord(letter)] for letter in value], dtype=np.uint16)
    else:
        stored = np.atleast_2d(np.asarray(value, dtype=np.float64)).T
    if stored.size == 0:
        data = target.create_dataset(f"d{len(target)}", data=np.zeros(2, dtype=np.uint64))
        data.attrs["MATLAB_empty"] = np.uint8(1)
    else:
        data = target.create_dataset(f"d{len(target)}", data=stored)
    return data.ref
