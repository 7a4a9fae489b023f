"""Encoders and generators are asked without being told what was shown.

A trial keeps its values, its person and what a recording is made of; its stimulus id becomes a
number, and the trial table is withheld but for the columns that the encoder documents in
``reads_metadata``. Answers get their ids back afterwards.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from neurodecode.data import Embeddings, Generated, Responses
from neurodecode.pipeline._preprocess import Steps, transformed


def anonymous(trials: Responses, reads: tuple[str, ...] = ()) -> Responses:
    """The same trials under numbers, without the trial table.

    Parameters
    ----------
    trials : Responses
    reads : tuple of str
        Columns that stay: names of the metadata, ``'run'``, ``'session'``.

    Examples
    --------
    >>> trials = Responses(np.zeros((2, 3)), ["cat", "cup"], "s", "fmri", run=[1, 1])
    >>> hidden = anonymous(trials)
    >>> hidden.stimulus.tolist(), hidden.run is None
    (['trial-000000', 'trial-000001'], True)
    """
    changes: dict[str, Any] = {} if not hasattr(trials, "provenance") else {"provenance": None}
    return replace(
        trials,
        stimulus=_numbers("trial", len(trials)),
        run=trials.run if "run" in reads else None,
        session=trials.session if "session" in reads else None,
        metadata={name: one for name, one in trials.metadata.items() if name in reads},
        **changes,
    )


def ask(encoder: Any, trials: Responses, head: str | None, expected: bool = False) -> Embeddings:
    """Predictions under the trials' own ids, from an encoder that was not told them.

    An encoder that can't answer without the ids is asked with them; `suspicions` then says so.

    Parameters
    ----------
    encoder : Encoder
        Fitted.
    trials : Responses
    head : str, optional
    expected : bool
        Ask for points to draw from (``expect``), where the encoder tells them apart.
    """
    hidden = anonymous(trials, reads_metadata(encoder))
    try:
        found = answer(encoder, hidden, head, expected)
    except Exception:
        return answer(encoder, trials, head, expected)  # a fault of its own is raised here again
    row = {one: place for place, one in enumerate(hidden.stimulus.tolist())}
    unknown = [one for one in found.stimulus.tolist() if one not in row]
    if unknown:
        raise ValueError(
            f"{type(encoder).__name__} answered for stimulus '{unknown[0]}', which was not asked "
            f"for. predict() must give its rows the ids of the trials that it was given."
        )
    places = np.array([row[one] for one in found.stimulus.tolist()], dtype=np.intp)
    return replace(found, stimulus=trials.stimulus[places])


def answer(encoder: Any, trials: Responses, head: str | None, expected: bool = False) -> Embeddings:
    """What the encoder says to these trials as they are."""
    predict: Any = encoder.predict
    if expected:
        predict = getattr(encoder, "expect", predict)
    # an encoder of one target space need not know the word head
    rows: Embeddings = predict(trials) if head is None else predict(trials, head=head)
    return rows


def unseen(trials: Responses, steps: Steps) -> Responses:
    """Preprocessed trials, by steps that are not told their stimuli.

    What a step reads of the trial table stays (run, session, columns), since steps of whole runs
    need it; a step that can't do without the ids is given them.
    """
    if not steps.get(trials.subject):
        return trials
    hidden = replace(trials, stimulus=_numbers("trial", len(trials)))
    try:
        found = transformed(hidden, steps)
    except Exception:
        return transformed(trials, steps)
    row = {one: place for place, one in enumerate(hidden.stimulus.tolist())}
    places = [row[one] for one in found.stimulus.tolist()]
    return replace(found, stimulus=trials.stimulus[places])


def draw(generator: Any, points: Embeddings, seed: int, n_samples: int) -> Generated:
    """What a generator makes of points whose ids it is not told.

    The generators of this package are told them, since they draw their noise by the id.
    """
    if is_ours(generator):
        made: Generated = generator.generate(points, seed=seed, n_samples=n_samples)
        return made
    hidden = replace(points, stimulus=_numbers("item", len(points)))
    try:
        made = generator.generate(hidden, seed=seed, n_samples=n_samples)
    except Exception:
        made = generator.generate(points, seed=seed, n_samples=n_samples)
    return replace(made, stimulus=points.stimulus)


def reads_metadata(encoder: Any) -> tuple[str, ...]:
    """Columns of the trial table that an encoder documents to read when it predicts."""
    return tuple(getattr(encoder, "reads_metadata", ()))


def is_ours(part: Any) -> bool:
    """Is it a class of this package, with its methods as they are?

    Examples
    --------
    >>> is_ours(np.zeros(1))
    False
    """
    home = type(part).__module__
    replaced = any(callable(one) for one in getattr(part, "__dict__", {}).values())
    return home.startswith("neurodecode.") and not replaced


def _numbers(word: str, n: int) -> Any:
    return np.array([f"{word}-{row:06d}" for row in range(n)], dtype=np.str_)
