"""Files to sentences, and sentences to one person's responses."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample

from neurodecode.data import Responses, pad_trials, recorded_in
from neurodecode.datasets.zuco import _v5, _v73
from neurodecode.datasets.zuco._sentence import SFREQ, Sentence
from neurodecode.errors import CorruptFileError

logger = logging.getLogger("neurodecode")

NAME = re.compile(r"results(?P<subject>[A-Z]{3})_(?P<task>SR|NR|TSR)\.mat")
REFERENCES = 1
"""Channels by which sentences may differ: the reference is dropped where it is all zeros."""
Prepare = Callable[[NDArray[np.float32]], NDArray[np.float32] | None]


@dataclass(frozen=True)
class Skipped:
    """Sentences of one person that gave no response, counted by reason.

    Examples
    --------
    >>> skipped = Skipped("ZAB", {"rejected": 3, "too long": 1})
    >>> skipped.total
    4
    """

    subject: str
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.reasons.values())


def find_files(root: str | Path) -> dict[str, list[Path]]:
    """The results files below a folder, by person.

    Raises
    ------
    FileNotFoundError
        If there are none.
    """
    found: dict[str, list[Path]] = {}
    for file in sorted(Path(root).rglob("results*.mat")):
        match = NAME.fullmatch(file.name)
        if match:
            found.setdefault(match["subject"], []).append(file)
    if not found:
        raise FileNotFoundError(
            f"{root} holds no results{{SUBJECT}}_{{SR,NR,TSR}}.mat. Give the folder that holds the "
            f"'Matlab files' folders of ZuCo."
        )
    return found


def read_sentences(path: str | Path, *, words: bool = True) -> Iterator[Sentence]:
    """The sentences of one results file, of either version, in order.

    Parameters
    ----------
    path : path
        ``results{SUBJECT}_{SR,NR,TSR}.mat``.
    words : bool
        False leaves out the words and their measures, which is faster.

    Yields
    ------
    Sentence
        Those without EEG too.

    Raises
    ------
    CorruptFileError
        Naming the file, and the sentence where only one is broken.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"There is no results file {file}.")
    with file.open("rb") as opened:
        head = opened.read(128)
    if head.startswith((b"MATLAB 7.3", b"\x89HDF")):
        return _v73.iterate(file, words)
    if head.startswith(b"MATLAB 5"):
        return _v5.iterate(file, words)
    raise CorruptFileError(f"{file} is no MATLAB file: it starts with {head[:10]!r}.")


def read_subject(
    files: Iterable[str | Path],
    *,
    sfreq: float = 128.0,
    seconds: tuple[float, float] = (0.5, 10.0),
    prepare: Prepare | None = None,
) -> tuple[Responses, Skipped]:
    """One person's sentences as responses, padded at the end, with what was left out.

    Parameters
    ----------
    files : paths
        All results files of one person. A file is in memory at a time (MATLAB 5), or a sentence
        (7.3).
    sfreq : float
        Hz; the signal is resampled from 500 Hz.
    seconds : pair of float
        Shorter and longer sentences are left out; the longer bound is the length padded to.
    prepare : callable, optional
        Applied to the signal (n_channels, n_times) at 500 Hz before it is resampled: filters, a
        reference, ...; None rejects the sentence. `neurodecode.preprocessing.ReadingRecipe` has
        one.

    Returns
    -------
    responses : Responses
        Values (n_sentences, n_channels, n_times) float32 with ``valid``; the stimulus is the
        `text_id`; metadata ``text``, ``task``, ``dataset`` and ``sentence`` (row in the file).
    skipped : Skipped

    Raises
    ------
    ValueError
        If the files are of several people, or no sentence is left.
    """
    paths = [Path(file) for file in files]
    subject = _one_subject(paths)
    n_times = round(seconds[1] * sfreq)
    kept: list[tuple[NDArray[np.float32], tuple[str, ...]]] = []
    reasons: Counter[str] = Counter()
    for path in paths:
        for sentence in read_sentences(path, words=False):
            reason = _unfit(sentence, seconds)
            if reason is not None or sentence.eeg is None:
                reasons[reason or "rejected"] += 1
                continue
            signal = sentence.eeg if prepare is None else prepare(sentence.eeg)
            if signal is None:
                reasons["rejected by the recipe"] += 1
                continue
            n_new = min(n_times, max(1, round(signal.shape[1] * sfreq / SFREQ)))
            short = signal if sfreq == SFREQ else resample(signal, n_new, axis=1)
            row = (sentence.text_id, sentence.content, *_origin(path), str(sentence.index))
            kept.append((np.asarray(short, dtype=np.float32), row))
    if not kept:
        raise ValueError(
            f"No sentence of subject '{subject}' can be used ({dict(reasons)}) in {len(paths)} "
            f"files."
        )
    if reasons:
        logger.info("%s: left out %s", subject, dict(reasons))
    return _padded(subject, paths, kept, n_times, sfreq), Skipped(subject, dict(reasons))


def _unfit(sentence: Sentence, seconds: tuple[float, float]) -> str | None:
    if not sentence.content.strip():
        return "missing"
    if sentence.eeg is None:
        return "rejected"
    if not np.isfinite(sentence.eeg).all():
        return "lost samples"
    length_s = sentence.eeg.shape[1] / SFREQ
    if length_s < seconds[0]:
        return "too short"
    return "too long" if length_s > seconds[1] else None


def _padded(
    subject: str,
    paths: list[Path],
    kept: list[tuple[NDArray[np.float32], tuple[str, ...]]],
    n_times: int,
    sfreq: float,
) -> Responses:
    counts = Counter(len(signal) for signal, _ in kept)
    n_channels = min(counts)
    if max(counts) - n_channels > REFERENCES:
        raise CorruptFileError(
            f"Sentences of subject '{subject}' have {n_channels} to {max(counts)} channels in "
            f"{', '.join(map(str, paths))}; the same in all was expected. A file is damaged, or of "
            f"another recording."
        )
    values, valid = pad_trials([signal[:n_channels] for signal, _ in kept], n_times)
    ids, text, dataset, task, sentence = (
        np.array(column) for column in zip(*[row for _, row in kept], strict=True)
    )
    return Responses(
        values,
        ids,
        subject,
        "eeg",
        dims=("trial", "channel", "time"),
        sfreq=sfreq,
        times=np.arange(n_times) / sfreq,
        valid=valid,
        metadata={
            "text": text,
            "dataset": dataset,
            "task": task,
            "corpus": np.where(
                (dataset == "ZuCo1") & (task == "SR"), "film reviews", "biographies"
            ),
            "sentence": sentence,
        },
        provenance=recorded_in(paths[0], f"zuco/{subject}"),
    )


def _origin(path: Path) -> tuple[str, str]:
    """Data set and task of a results file; people of ZuCo 1.0 are Z.., of ZuCo 2.0 are Y.. ."""
    match = NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"{path.name} is not named results{{SUBJECT}}_{{SR,NR,TSR}}.mat.")
    return ("ZuCo1" if match["subject"].startswith("Z") else "ZuCo2"), match["task"]


def _one_subject(paths: list[Path]) -> str:
    subjects = sorted({path.name[7:10] for path in paths if _origin(path)})
    if len(subjects) != 1:
        raise ValueError(f"read_subject() takes the files of one person; got {subjects or 'none'}.")
    return subjects[0]
