"""When was it shown, and in which run? Predictors that know nothing else.

Each is a recording whose values are functions of time, or the run; a ridge that is fitted to it
as to a brain tells how much of a score a clock, or the run alone, could make.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Responses, Split, Stimuli
from neurodecode.evidence import Items

TIME_COLUMNS = ("onset", "onset_s", "time", "time_s", "start", "start_s")
"""Columns of stimuli (a film's scenes) or of a trial table that say when something was shown."""
N_WAVES = 16
N_PLACE_WAVES = 4
MANY_RUNS = 50


def times_of(person: Responses, stimuli: Stimuli) -> NDArray[np.float64] | None:
    """When each trial's stimulus stands in the film or the text, or None without such an order.

    Stimuli have an order in time if they say so themselves (a numeric metadata column of
    `TIME_COLUMNS`), or if the trial table does and shows each stimulus once: what is repeated at
    several times has no time of its own.

    Parameters
    ----------
    person : Responses
    stimuli : Stimuli
        Holds all stimuli of the trials that matter; others get the time 0.

    Returns
    -------
    float array, shape (n_trials,), or None
        Runs that start at 0 anew follow one another.

    Examples
    --------
    >>> film = Stimuli.from_texts({"a": "x", "b": "y"}, metadata={"onset": [0.0, 30.0]})
    >>> times_of(Responses(np.zeros((2, 1)), ["b", "a"], "s", "fmri"), film).tolist()
    [30.0, 0.0]
    """
    column = _numeric(stimuli.metadata)
    if column is not None:
        place = dict(zip(stimuli.ids.tolist(), column.tolist(), strict=True))
        return np.array([place.get(one, 0.0) for one in person.stimulus.tolist()])
    column = _numeric(person.metadata)
    if column is None or len(np.unique(person.stimulus)) < len(person):
        return None
    return _one_after_another(column, person.run)


def with_times(items: Items, people: Sequence[Responses], stimuli: Stimuli) -> Items:
    """The items with their place in time, where they have one: nulls then shift.

    Runs of which one holds a single item are joined to one series a person. An order that only
    the trial table tells is left out where so few shifts are possible that none could be
    significant: in a randomised design permutations are right too.
    """
    found = {one.subject: (one.stimulus, times_of(one, stimuli)) for one in people}
    place = {
        (subject, one): when
        for subject, (ids, times) in found.items()
        if times is not None
        for one, when in zip(ids.tolist(), times.tolist(), strict=True)
    }
    keys = list(zip(items.subject.tolist(), items.stimulus.tolist(), strict=True))
    if not all(key in place for key in keys):
        return items
    timed = replace(items, time=np.array([place[key] for key in keys]))
    if min(_lengths(timed)) < 2:
        timed = replace(timed, run=None)
    if min(_lengths(timed)) < 2:
        return items
    shifts = np.prod([float(one - 1) for one in _lengths(timed)])
    told = _numeric(stimuli.metadata) is not None
    return timed if told or 1 / (1 + shifts) < 0.05 else items


def _lengths(items: Items) -> list[int]:
    run = np.full(len(items), "") if items.run is None else items.run
    series = np.char.add(np.char.add(items.subject, "/"), run)
    return [int(one) for one in np.unique(series, return_counts=True)[1]]


def clock_people(people: Sequence[Responses], stimuli: Stimuli) -> list[Responses] | None:
    """People whose responses are smooth functions of the time alone; None without an order.

    Values are the time, and cosines of it with up to `N_WAVES` half periods over all trials.
    """
    made = []
    for one in people:
        time = times_of(one, stimuli)
        if time is None:
            return None
        made.append(as_brain(one, _waves(time)))
    return made


def run_people(people: Sequence[Responses], folds: Sequence[Split]) -> list[Responses] | None:
    """People whose responses are the run alone (the session, where runs are unknown).

    None where no test trial shares a run with training trials.
    """
    if any(_run(one) is None for one in people) or not _shared(people, folds):
        return None
    return [as_brain(one, _run_code(np.asarray(_run(one)))) for one in people]


def place_people(people: Sequence[Responses], folds: Sequence[Split]) -> list[Responses] | None:
    """People whose responses are the run and the place of the trial in it; None as `run_people`.

    What drifts inside a run tells in a block design what kind was shown, since test trials stand
    between training trials of their block. No permutation of test trials sees that. Recordings
    that know neither runs nor sessions are one run, whose trials are taken to be in order of time;
    its waves are those of `clock_people`.
    """
    if all(_run(one) is None for one in people):
        return [as_brain(one, _waves(np.arange(float(len(one))))) for one in people]
    alone = run_people(people, folds)
    if alone is None:
        return None
    return [
        as_brain(one, _place_code(run.array(), np.asarray(_run(one))))
        for one, run in zip(people, alone, strict=True)
    ]


def _place_code(contrasts: NDArray[np.float32], run: NDArray[np.str_]) -> NDArray[np.float32]:
    """Contrasts of runs, waves over the place in the run, and (of few runs) their products."""
    place = np.zeros(len(run))
    for name in np.unique(run):
        inside = np.flatnonzero(run == name)
        place[inside] = (np.arange(len(inside)) + 0.5) / len(inside)
    waves = np.cos(np.pi * np.arange(1, N_PLACE_WAVES + 1)[None] * place[:, None])
    parts = [contrasts, waves]
    if contrasts.shape[1] < MANY_RUNS:
        parts += [contrasts * wave[:, None] for wave in waves.T]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _run(person: Responses) -> NDArray[np.str_] | None:
    return person.session if person.run is None else person.run


def _shared(people: Sequence[Responses], folds: Sequence[Split]) -> bool:
    """Does a person's run stand on both sides, and is there another one to tell it from?"""
    for one in people:
        run = np.asarray(_run(one))
        for split in folds:
            train, test = (set(run[split.mask(one, name)].tolist()) for name in ("train", "test"))
            if train & test and len(train) > 1:
                return True
    return False


def _numeric(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.float64] | None:
    for name in TIME_COLUMNS:
        column = np.asarray(columns.get(name, []))
        if column.ndim == 1 and len(column) and column.dtype.kind in "iuf":
            values = column.astype(np.float64)
            if np.isfinite(values).all() and len(np.unique(values)) > 1:
                return values
    return None


def _one_after_another(
    time: NDArray[np.float64], run: NDArray[np.str_] | None
) -> NDArray[np.float64]:
    """Times of runs that start anew, put behind one another in the order of the recording."""
    if run is None:
        return time
    names = list(dict.fromkeys(run.tolist()))
    ends = [(time[run == name].min(), time[run == name].max()) for name in names]
    if all(before[1] < after[0] for before, after in pairwise(ends)):
        return time
    shifted, start = time.copy(), 0.0
    for name, (low, high) in zip(names, ends, strict=True):
        shifted[run == name] += start - low
        start += high - low + 1.0
    return shifted


def _waves(time: NDArray[np.float64]) -> NDArray[np.float32]:
    share = (time - time.min()) / max(float(np.ptp(time)), 1e-12)
    waves = [share, *(np.cos(np.pi * k * share) for k in range(1, N_WAVES + 1))]
    return np.stack(waves, axis=1).astype(np.float32)


def _run_code(run: NDArray[np.str_]) -> NDArray[np.float32]:
    """Orthogonal contrasts of the runs (a cosine basis): what one-hot columns tell, none constant.

    Of two runs and more; a column of zeros and ones would be constant in training where a run
    stands in the test part alone.
    """
    names, row = np.unique(run, return_inverse=True)
    k = np.arange(1, max(2, len(names)))
    place = (row + 0.5) / len(names)
    return np.asarray(np.cos(np.pi * k[None] * place[:, None]), dtype=np.float32)


def as_brain(person: Responses, values: NDArray[np.float32]) -> Responses:
    """The person's trials with other values, shape (n_trials, n_values), in place of a brain."""
    return replace(
        person, values=values, dims=("trial", "voxel"), modality="fmri",
        times=None, positions=None, units=None, valid=None,
    )  # fmt: skip
