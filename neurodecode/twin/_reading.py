"""Simulated people who read sentences about scenes, with EEG from which some meaning can be had.

Each word, at its own time, evokes one wave that is the same for all words (so that length is there
at any signal), and, if it is a content word, a pattern of its meaning: a fixed random vector of the
word, through the same hidden sources in everybody, mixed to the sensors by each person's own head.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode import scenes
from neurodecode.data import Responses, pad_trials
from neurodecode.twin._marking import simulated
from neurodecode.twin._noise import pink
from neurodecode.twin.layouts.zuco import ReadSentence, ReadWord, write_zuco

Task = Literal["SR", "NR", "TSR"]
TASKS: tuple[Task, ...] = ("SR", "NR", "TSR")
N_SOURCES = 12
N_NOISE = 64
"""Sources of noise: more than sensors, or a spatial filter would take all of it out."""
NOISE_UV = 8.0
SENTIMENT = {"bright": "positive", "warm": "neutral", "dim": "negative"}
FUNCTION = frozenset(
    {"a", "an", "and", "also", "at", "by", "further", "in", "is", "it", "of", "on", "picture",
     "stands", "the", "there", "this", "to", "under", "with"}
)  # fmt: skip


@dataclass(frozen=True)
class Told:
    """A sentence to be read, and what is known about it.

    Parameters
    ----------
    scene : str
        Id of the scene that it describes.
    task : {'SR', 'NR', 'TSR'}
    text : str
    sentiment, relation : str
        The light of the scene as a feeling, in task SR; its place, in task TSR; else empty.
    """

    scene: str
    task: Task
    text: str
    sentiment: str = ""
    relation: str = ""

    @property
    def corpus(self) -> str:
        """Captions of two styles stand for film reviews and biographies."""
        return "film reviews" if self.task == "SR" else "biographies"


@dataclass(frozen=True)
class Reading:
    """How simulated people read: pace, head and noise.

    Parameters
    ----------
    n_channels : int
    sfreq : float
        Hz; 500 in the files of ZuCo.
    word_s : float
        Mean time a word is looked at.
    signal : float
        Multiplies what depends on a word's meaning; at 1 its spread in a sensor is .6 of that of
        the rest. 0 leaves length, and what goes with the task.
    seed : int
        Another seed: other people. The sources of meaning are the same everywhere.

    Examples
    --------
    >>> Reading(signal=0.0).signal
    0.0
    """

    n_channels: int = 32
    sfreq: float = 500.0
    word_s: float = 0.2
    signal: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.signal < 0:
            raise ValueError(f"signal must not be negative; got {self.signal}.")

    def person(self, number: int, told: Sequence[Told]) -> list[NDArray[np.float32]]:
        """EEG of one person for each sentence, (n_channels, n_times) in microvolt."""
        rng = np.random.default_rng((self.seed, number, 23))
        head = Head.drawn(self.n_channels, rng)
        return [self._sentence(one, head, rng) for one in told]

    def _sentence(self, told: Told, head: Head, rng: np.random.Generator) -> NDArray[np.float32]:
        words = told.text.split()
        onset_s = np.cumsum(self.word_s * rng.gamma(9.0, 1 / 9.0, len(words) + 1))
        n_times = round((onset_s[-1] + 0.4) * self.sfreq)
        times = np.arange(n_times) / self.sfreq
        waves = np.zeros((N_SOURCES + 1, n_times))
        for word, start in zip(words, onset_s[:-1], strict=True):
            waves += self._evoked(word, times - start)
        noise = pink((N_NOISE, n_times), 1.0, rng, self.sfreq)
        drift = head.tasks[TASKS.index(told.task)]
        noise[: len(drift)] *= drift[:, None]
        values = head.mixing @ waves + NOISE_UV * (head.noise @ noise)
        return np.asarray(values, dtype=np.float32)

    def _evoked(self, word: str, since: NDArray[np.float64]) -> NDArray[np.float64]:
        """Activity of all hidden sources after a word, the last one being the same for all."""
        size = np.append(self.signal * meaning(word), 0.7)
        course = np.exp(-(((since[None] - LATENCY_S[:, None]) / 0.06) ** 2) / 2)
        return np.asarray(NOISE_UV * 1.5 * size[:, None] * course)


LATENCY_S = np.append(np.linspace(0.12, 0.40, N_SOURCES), 0.1)
"""When each hidden source answers to a word; the common one first."""


@dataclass(frozen=True, eq=False)
class Head:
    """From hidden sources and noise to a person's sensors, and how tasks differ in noise."""

    mixing: NDArray[np.float64]
    noise: NDArray[np.float64]
    tasks: NDArray[np.float64]

    @classmethod
    def drawn(cls, n_channels: int, rng: np.random.Generator) -> Head:
        """Half of a head is everybody's, half is a person's own."""
        shared = np.random.default_rng(29).normal(size=(n_channels, N_SOURCES + 1))
        own = rng.normal(size=shared.shape)
        noise = rng.normal(size=(n_channels, N_NOISE))
        tasks = np.exp(np.random.default_rng(31).normal(0, 0.4, (len(TASKS), N_NOISE // 4)))
        scale = 1 / np.sqrt(N_SOURCES)
        return cls(scale * (0.85 * shared + 0.53 * own), noise / np.sqrt(N_NOISE), tasks)


@lru_cache(maxsize=4096)
def meaning(word: str) -> NDArray[np.float64]:
    """A fixed vector of each content word; zeros for function words.

    Examples
    --------
    >>> bool((meaning("Cat,") == meaning("cat")).all()), bool(meaning("the").any())
    (True, False)
    """
    bare = re.sub(r"[^a-z]", "", word.casefold())
    if not bare or bare in FUNCTION:
        return np.zeros(N_SOURCES)
    digest = hashlib.blake2b(bare.encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest, "big")).normal(size=N_SOURCES)


def sentences(n_sentences: int = 300, *, seed: int = 0) -> list[Told]:
    """What is read: a third in each task, captions of one style in SR and another in NR and TSR.

    One text in twenty of NR is read again in TSR, as in ZuCo.

    Examples
    --------
    >>> [one.task for one in sentences(3)]
    ['SR', 'NR', 'TSR']
    >>> sentences(1)[0].text.split()[:3]
    ['A', 'picture', 'of']
    """
    rng = np.random.default_rng((seed, 37))
    ids = [f"scene-{number:06d}" for number in rng.choice(900_000, n_sentences, replace=False)]
    made = [_told(one, TASKS[row % 3]) for row, one in enumerate(ids)]
    normal = [one for one in made if one.task == "NR"]
    again = iter(normal[: len(normal) // 20])
    last = [row for row, one in enumerate(made) if one.task == "TSR"]
    for row, one in zip(last, again, strict=False):
        made[row] = _told(one.scene, "TSR")
    return made


def _told(scene: str, task: Task) -> Told:
    facts = scenes.attributes(scene)
    text = scenes.captions(scene)[2 if task == "SR" else 3]
    return Told(
        scene, task, text,
        SENTIMENT[facts["light"]] if task == "SR" else "",
        facts["background"] if task == "TSR" else "",
    )  # fmt: skip


def reading(
    n_subjects: int = 4,
    n_sentences: int = 300,
    *,
    signal: float = 1.0,
    seed: int = 0,
    plan: Reading | None = None,
    only: int | None = None,
) -> list[Responses]:
    """Simulated EEG of people who read sentences about scenes, one response a sentence.

    Parameters
    ----------
    n_subjects, n_sentences : int
        Everybody reads all sentences.
    signal : float
        As in `Reading`. 0: nothing but length and what goes with the task.
    seed : int
    plan : Reading, optional
        Pace, sensors and noise; its signal and seed are replaced.
    only : int, optional
        Make but this one of the people, such as in a process of its own.

    Returns
    -------
    list of Responses
        Values (n_sentences, n_channels, n_times) in microvolt at ``plan.sfreq``, not filtered,
        with ``valid``; metadata ``text``, ``task``, ``dataset``, ``corpus``, ``sentiment`` and
        ``relation``.

    Examples
    --------
    >>> reading(1, 3, plan=Reading(n_channels=4, sfreq=100.0))[0].metadata["task"].tolist()
    ['SR', 'NR', 'TSR']
    """
    how = replace(plan or Reading(), signal=signal, seed=seed)
    told = sentences(n_sentences, seed=seed)
    columns = {
        name: np.array([getattr(one, name) for one in told])
        for name in ("text", "task", "corpus", "sentiment", "relation")
    }
    columns["dataset"] = np.full(len(told), "simulated")
    ids = np.array([f"{one.scene}-{one.corpus.split()[0]}" for one in told])
    people = []
    for number in range(n_subjects) if only is None else (only,):
        values, valid = pad_trials(how.person(number, told))
        people.append(
            Responses(
                values,
                ids,
                _name(number),
                "eeg",
                dims=("trial", "channel", "time"),
                sfreq=how.sfreq,
                times=np.arange(values.shape[2]) / how.sfreq,
                valid=valid,
                metadata=columns,
                provenance=simulated("twin-reading", seed, _name(number), how, ids.tolist()),
            )
        )
    return people


def write_reading(
    root: str | Path,
    n_subjects: int = 2,
    n_sentences: int = 60,
    *,
    version: Literal[1, 2] = 1,
    plan: Reading | None = None,
) -> list[Path]:
    """Write a simulated reading experiment in ZuCo's files: one a person and task.

    Parameters
    ----------
    root : path
    n_subjects, n_sentences : int
    version : {1, 2}
        1: MATLAB 5. 2: MATLAB 7.3, without task SR, as in ZuCo 2.0.
    plan : Reading, optional
        Pace, sensors, noise, signal and seed.

    Returns
    -------
    list of Path

    Examples
    --------
    >>> import tempfile
    >>> small = Reading(n_channels=4)
    >>> [path.name for path in write_reading(tempfile.mkdtemp(), 1, 6, version=2, plan=small)]
    ['resultsYAA_NR.mat', 'resultsYAA_TSR.mat']
    """
    how = plan or Reading()
    if how.sfreq != 500.0:
        raise ValueError(f"ZuCo's files hold signals at 500 Hz; the plan has {how.sfreq:g} Hz.")
    told = sentences(n_sentences, seed=how.seed)
    paths = []
    for number in range(n_subjects):
        signals = how.person(number, told)
        for task in TASKS[0 if version == 1 else 1 :]:
            read = [
                ReadSentence(one.text, signal, _words(one.text, how.word_s))
                for one, signal in zip(told, signals, strict=True)
                if one.task == task
            ]
            paths.append(write_zuco(root, _name(number, version), task, read, version))
    return paths


def _words(text: str, word_s: float) -> tuple[ReadWord, ...]:
    return tuple(ReadWord(word, 1, {"GD": 1000 * word_s}) for word in text.split())


def _name(number: int, version: int = 1) -> str:
    """Three capitals that start as those of ZuCo 1.0 or 2.0 do: ZAA, ZAB, ..."""
    return ("Z" if version == 1 else "Y") + chr(65 + number // 26) + chr(65 + number % 26)
