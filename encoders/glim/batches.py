"""Sentences of all people in batches in which no text stands twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from neurodecode.data import Responses

PROMPT_KEYS = ("task", "dataset", "subject")
SHARE_OF_FREE = 0.25


@dataclass(frozen=True, eq=False)
class SentenceBatch:
    """EEG (b, t, c), which samples hold (b, t), prompts (b, 3) and the texts read, (b,).

    ``texts`` holds for each sentence all the texts that it may be trained towards.
    """

    values: Tensor
    valid: Tensor
    prompt: Tensor
    raw: list[str]
    texts: list[tuple[str, ...]]


class Sentences:
    """All people's sentences; a `Batches` for training.

    Parameters
    ----------
    people : sequence of Responses
        dims trial, channel, time; with ``valid`` where sentences were padded, and the metadata
        column ``text``.
    prompts : mapping of str to mapping of str to int
        For task, dataset and subject the index of each name; a name that is not there is 0.
    texts : mapping of str to sequence of str
        Stimulus id to the texts it may be trained towards; its own text where it has none.
    shape : (int, int)
        Samples and channels to pad to.
    batch_size : int
    device : torch.device

    Raises
    ------
    ValueError
        If a person's sentences are longer or have more channels than ``shape``, or have no text.
    """

    def __init__(
        self,
        people: Sequence[Responses],
        prompts: Mapping[str, Mapping[str, int]],
        texts: Mapping[str, Sequence[str]],
        shape: tuple[int, int],
        *,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self.people = list(people)
        self.texts = texts
        self.shape = shape
        self.batch_size = batch_size
        self.device = device
        for one in self.people:
            _check(one, shape)
        self._place = np.array(
            [(person, row) for person, one in enumerate(self.people) for row in range(len(one))]
        )
        self._stimulus = np.concatenate([one.stimulus for one in self.people])
        self._prompts = np.concatenate([prompt_of(one, prompts) for one in self.people])
        self._held = self._whole() if self._fits() else None

    def __len__(self) -> int:
        return len(self._batches(0, 0))

    def epoch(self, epoch: int, seed: int) -> Iterator[SentenceBatch]:
        """Batches of distinct texts, new in each epoch."""
        for rows in self._batches(epoch, seed):
            yield self.batch(rows)

    def in_order(self) -> Iterator[tuple[NDArray[np.intp], SentenceBatch]]:
        """All sentences once, person by person, with their rows."""
        for start in range(0, len(self._place), self.batch_size):
            rows = np.arange(start, min(start + self.batch_size, len(self._place)))
            yield rows, self.batch(rows)

    def batch(self, rows: NDArray[np.intp]) -> SentenceBatch:
        """These sentences, padded with channels, and with samples to the longest of them."""
        raw, texts = [], []
        for person, row in self._place[rows].tolist():
            one = self.people[person]
            text = str(one.metadata["text"][row])
            raw.append(text)
            texts.append(tuple(self.texts.get(str(one.stimulus[row]), (text,))))
        values, valid = self._signals(rows)
        return SentenceBatch(
            functional.pad(values, (0, self.shape[1] - values.shape[2])),
            valid,
            torch.from_numpy(self._prompts[rows]).to(self.device),
            raw,
            texts,
        )

    def _signals(self, rows: NDArray[np.intp]) -> tuple[Tensor, Tensor]:
        """EEG (b, t, c) and which samples hold (b, t), t that of the longest."""
        if self._held is None:
            values, valid = self._read(rows)
            longest = _longest(valid)
            return values[:, :longest].to(self.device), valid[:, :longest].to(self.device)
        index = torch.from_numpy(rows).to(self.device)
        values, valid = (one.index_select(0, index) for one in self._held)
        longest = _longest(valid)
        return values[:, :longest], valid[:, :longest]

    def _read(self, rows: NDArray[np.intp]) -> tuple[Tensor, Tensor]:
        n_channels, n_times = np.max([one.values.shape[1:] for one in self.people], axis=0)
        values = np.zeros((len(rows), n_times, n_channels), dtype=np.float32)
        valid = np.zeros((len(rows), n_times), dtype=bool)
        for place, (person, row) in enumerate(self._place[rows].tolist()):
            one = self.people[person]
            signal = np.asarray(one.values[row], dtype=np.float32)
            values[place, : signal.shape[1], : len(signal)] = signal.T
            valid[place, : signal.shape[1]] = True if one.valid is None else one.valid[row]
        return torch.from_numpy(values), torch.from_numpy(valid)

    def _fits(self) -> bool:
        """Do all sentences fit an accelerator, so that a step waits for no transfer?"""
        if self.device.type != "cuda":
            return False
        needed = 4 * sum(int(np.prod(one.values.shape)) for one in self.people)
        return needed <= SHARE_OF_FREE * torch.cuda.mem_get_info(self.device)[0]

    def _whole(self) -> tuple[Tensor, Tensor]:
        parts = [
            tuple(one.to(self.device) for one in self._read(rows))
            for rows in np.array_split(np.arange(len(self._place)), 1 + len(self._place) // 512)
        ]
        values, valid = (torch.cat(some) for some in zip(*parts, strict=True))
        return values, valid

    def _batches(self, epoch: int, seed: int) -> list[NDArray[np.intp]]:
        """The k-th trials of all texts make a round; a batch stays within a round."""
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(self._place))
        turn = _turns(self._stimulus[order])
        cuts = []
        for k in range(int(turn.max()) + 1):
            members = order[turn == k]
            n_batches = -(-len(members) // self.batch_size)
            cuts += np.array_split(members, n_batches)
        return [cuts[place] for place in rng.permutation(len(cuts))]


def _longest(valid: Tensor) -> int:
    return int(valid.any(dim=0).nonzero().max()) + 1


def prompt_of(responses: Responses, prompts: Mapping[str, Mapping[str, int]]) -> NDArray[np.int64]:
    """Index of task, data set and subject of each trial, shape (n_trials, 3); 0 is unknown.

    Examples
    --------
    >>> one = Responses(np.zeros((2, 1)), ["a", "b"], "ZAB", "eeg", dims=("trial", "channel"),
    ...     metadata={"task": np.array(["NR", "TSR"])})
    >>> prompt_of(one, {"task": {"NR": 1, "TSR": 2}, "subject": {"ZAB": 1}}).tolist()
    [[1, 0, 1], [2, 0, 1]]
    """
    columns = []
    for key in PROMPT_KEYS:
        known = prompts.get(key, {})
        there = key == "subject" or key in responses.metadata
        names = responses.groups(key).tolist() if there else [""] * len(responses)
        columns.append([known.get(name, 0) for name in names])
    return np.array(columns, dtype=np.int64).T


def _turns(stimulus: NDArray[np.str_]) -> NDArray[np.intp]:
    """How many of the same stimulus stand before each row."""
    order = np.argsort(stimulus, kind="stable")
    _, start, count = np.unique(stimulus[order], return_index=True, return_counts=True)
    turns = np.empty(len(stimulus), dtype=np.intp)
    turns[order] = np.arange(len(stimulus)) - np.repeat(start, count)
    return turns


def _check(one: Responses, shape: tuple[int, int]) -> None:
    if one.dims != ("trial", "channel", "time"):
        raise ValueError(f"Glim needs dims ('trial', 'channel', 'time'); got {one.dims}.")
    if "text" not in one.metadata:
        raise ValueError(
            f"Sentences of subject '{one.subject}' have no metadata column 'text'. Give the text "
            f"that was read in each trial."
        )
    _, n_channels, n_times = one.values.shape
    if n_times > shape[0] or n_channels > shape[1]:
        raise ValueError(
            f"Sentences of subject '{one.subject}' have {n_channels} channels and {n_times} "
            f"samples; this Glim takes up to {shape[1]} channels and {shape[0]} samples. Resample "
            f"them, or give a larger GlimSize."
        )
