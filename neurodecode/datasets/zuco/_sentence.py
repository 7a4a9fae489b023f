"""One sentence as one person read it, whichever format it came from."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

SFREQ = 500.0
BANDS = ("t1", "t2", "a1", "a2", "b1", "b2", "g1", "g2")
"""Theta, alpha, beta and gamma, two bands each."""
PLAIN = {
    ord(odd): plain
    for odd, plain in zip(
        "\u2018\u2019\u00b4`\u201c\u201d\u2013\u2014\u00a0", "''''\"\"-- ", strict=True
    )
}
"""Curly quotes, long dashes and hard spaces to plain ones."""
MEASURES = ("FFD", "GD", "GPT", "TRT", "SFD")
"""First fixation, gaze, go-past, total reading and single fixation duration."""


@dataclass(frozen=True, eq=False)
class Word:
    """A word with its eye-tracking measures and the band power while it was looked at.

    Parameters
    ----------
    content : str
    n_fixations : int
        0 for a word that was skipped.
    durations : mapping of str to float
        Measure (``'GD'``, ...) to ms.
    bands : mapping of (str, str) to array, shape (n_channels,)
        (measure, band) to band power.
    """

    content: str
    n_fixations: int = 0
    durations: Mapping[str, float] = field(default_factory=dict)
    bands: Mapping[tuple[str, str], NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Sentence:
    """What one person's brain and eyes did while reading one sentence.

    Parameters
    ----------
    index : int
        Row in the file, from 0.
    content : str
    eeg : array, shape (n_channels, n_times), or None
        V-scaled as in the file (microvolt), 500 Hz; None where the recording was rejected.
    words : tuple of Word
        Empty where the file has none.
    bands : mapping of str to array, shape (n_channels,)
        Mean power over the sentence, by band.
    omission_rate : float
        Share of words that were not looked at; not-a-number if unknown.
    """

    index: int
    content: str
    eeg: NDArray[np.float32] | None = None
    words: tuple[Word, ...] = ()
    bands: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    omission_rate: float = float("nan")

    @property
    def text_id(self) -> str:
        """The same for the same text in any task and data set."""
        return text_id(self.content)


def plain_text(text: str) -> str:
    r"""A sentence with one kind of quotes, dashes and spaces.

    Examples
    --------
    >>> plain_text(" It\u2019s  a film \u2013 really . ")
    "It's a film - really ."
    """
    swapped = text.translate(PLAIN)
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", swapped)).strip()


def text_id(text: str) -> str:
    """An id of a text, blind to case, punctuation and spaces.

    Examples
    --------
    >>> text_id("He was born in 1950.") == text_id("he was born  in 1950 .")
    True
    >>> text_id("He was born in 1950.") == text_id("He was born in 1951.")
    False
    """
    bare = re.sub(r"[^a-z0-9]+", " ", _without_accents(plain_text(text)).casefold()).strip()
    return "text-" + hashlib.blake2b(bare.encode(), digest_size=6).hexdigest()


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text)
    return "".join(one for one in parts if not unicodedata.combining(one))


def usable(eeg: NDArray[Any] | None) -> NDArray[np.float32] | None:
    """Channels that hold something; None for a rejected sentence (all not-a-number, or no signal).

    The files' last channel is the reference, all zeros: it is dropped. A signal with some lost
    samples stays as it is.

    Examples
    --------
    >>> usable(np.array([[1.0, 2.0], [0.0, 0.0]])).shape
    (1, 2)
    >>> usable(np.array(np.nan)) is None
    True
    """
    if eeg is None or np.ndim(eeg) != 2 or 0 in np.shape(eeg):
        return None
    signal = np.asarray(eeg, dtype=np.float32)
    signal = signal if signal[-1].any() else signal[:-1]
    return signal if np.isfinite(signal).any() else None
