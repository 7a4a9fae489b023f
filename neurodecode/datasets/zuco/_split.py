"""Splits of sentences: all copies of a text on one side, or all of a person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurodecode.data import Responses, Split


def sentence_split(
    people: Sequence[Responses],
    *,
    test: float = 0.1,
    validation: float = 0.1,
    seed: int = 42,
    repeated_to_train: bool = True,
) -> Split:
    """Texts into training, validation and test, balanced over data set and task.

    A text has one id in all tasks and data sets, so that its copies stay together.

    Parameters
    ----------
    people : sequence of Responses
        With metadata ``dataset`` and ``task``.
    test, validation : float
        Share of the texts of each data set and task.
    seed : int
    repeated_to_train : bool
        As GLIM does: a text that stands in several tasks is for training.

    Examples
    --------
    >>> people = [Responses(np.zeros((10, 1, 2)), range(10), "ZAB", "eeg",
    ...     dims=("trial", "channel", "time"),
    ...     metadata={"dataset": np.repeat("ZuCo1", 10), "task": np.repeat(["SR", "NR"], 5)})]
    >>> split = sentence_split(people, test=0.2, validation=0.2)
    >>> len(split.train), len(split.validation), len(split.test)
    (6, 2, 2)
    """
    where: dict[str, set[str]] = {}
    for one in people:
        corpus = np.char.add(one.groups("dataset"), one.groups("task"))
        for text, name in zip(one.stimulus.tolist(), corpus.tolist(), strict=True):
            where.setdefault(text, set()).add(name)
    rng = np.random.default_rng(seed)
    parts: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    if repeated_to_train:
        parts["train"] += sorted(text for text, names in where.items() if len(names) > 1)
    taken = set(parts["train"])
    for name in sorted({name for names in where.values() for name in names}):
        mine = sorted(text for text in where if name == min(where[text]) and text not in taken)
        mixed = rng.permutation(np.array(mine, dtype=np.str_))
        n_test, n_validation = round(test * len(mixed)), round(validation * len(mixed))
        parts["test"] += mixed[:n_test].tolist()
        parts["validation"] += mixed[n_test : n_test + n_validation].tolist()
        parts["train"] += mixed[n_test + n_validation :].tolist()
    return Split(
        np.array(parts["train"]),
        np.array(parts["validation"]),
        np.array(parts["test"]),
        "stimulus",
        f"texts kept apart (copies in other tasks and data sets too), seed {seed}",
    )


def subject_split(
    people: Sequence[Responses], *, test: Sequence[str], validation: Sequence[str] = ()
) -> Split:
    """People into training, validation and test; the texts repeat.

    Raises
    ------
    ValueError
        If a name is none of the people.
    """
    names = [one.subject for one in people]
    unknown = sorted({*test, *validation} - set(names))
    if unknown:
        raise ValueError(f"There are no recordings of {', '.join(unknown)}; people are {names}.")
    train = [name for name in names if name not in {*test, *validation}]
    return Split(
        np.array(train), np.array(validation), np.array(test), "subject", "people kept apart"
    )
