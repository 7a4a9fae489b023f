"""Single-trial responses and time courses of a recording."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurodecode.data import Recording, Responses, listing
from neurodecode.preprocessing.fmri.cleaning import Cleaning
from neurodecode.preprocessing.fmri.events import Events, check_inside, read_events
from neurodecode.preprocessing.fmri.means import BlockMeans
from neurodecode.preprocessing.fmri.run import Run, Trials
from neurodecode.preprocessing.fmri.series import Series, read_series

Estimate: TypeAlias = Callable[[Run], Trials]
"""`BlockMeans`, `SingleVolumes`, `LeastSquaresAll`, `LeastSquaresSeparate`, or one of your own."""


def single_trials(
    recording: Recording,
    estimate: Estimate | None = None,
    *,
    cleaning: Cleaning | None = None,
    mask: Any = None,
    stimulus: str | None = None,
) -> Responses:
    """One response for each trial of a recording.

    Parameters
    ----------
    recording : Recording
        Its files are NIfTI paths, loaded images, or arrays of shape (n_volumes, n_voxels).
    estimate : Estimate, optional
        How a trial's response is read from the series; `BlockMeans` without delay by default.
    cleaning : Cleaning, optional
        What is taken out of each run first, and the unit; by default a straight line is taken out
        and voxels are z-scored within the run.
    mask : path or image, optional
        Voxels to use, in place of the recording's mask. Without either, nilearn computes a mask of
        the brain from the first run.
    stimulus : str, optional
        Column of the events that names the stimulus; ``stimulus``, or else ``trial_type``.

    Returns
    -------
    Responses, shape (n_trials, n_voxels), float32
        Trials in order of run and onset, with run, session, positions in mm (not for arrays), and
        as metadata ``onset``, ``duration``, ``block`` (run and number of the event) and the other
        columns that the events of all runs have.

    Raises
    ------
    CorruptFileError
        If a file is truncated or not of its kind.
    ValueError
        If an image does not lie on the mask's grid, an event lies outside its scan, a voxel is not
        a number, or a table does not fit.

    Warns
    -----
    UserWarning
        With the number of voxels that are constant in some run: they are dropped.
    """
    how = estimate or BlockMeans()
    series = read_series(recording, mask, (cleaning or Cleaning()).smoothing_mm)
    runs = [
        _run(recording, series, one, cleaning or Cleaning(), stimulus)
        for one in range(len(series.values))
    ]
    silent = _constant(runs, recording.subject)
    made = [
        (place, run.events, how(run.without(silent)))
        for place, run in enumerate(runs)
        if len(run.events)
    ]
    if not made:
        raise ValueError(f"No run of subject '{recording.subject}' has an event.")
    tables = [_columns(recording.runs[place], events, trials) for place, events, trials in made]
    shared = [name for name in tables[0] if all(name in table for table in tables)]
    columns = {name: np.concatenate([table[name] for table in tables]) for name in shared}
    run_of = np.repeat([place for place, _, _ in made], [len(one.values) for *_, one in made])
    positions = series.positions
    return Responses(
        np.concatenate([trials.values for *_, trials in made]),
        columns.pop("stimulus"),
        recording.subject,
        "fmri",
        run=np.array(recording.runs)[run_of],
        session=None if recording.sessions is None else np.array(recording.sessions)[run_of],
        positions=None if positions is None else positions[~silent],
        metadata=columns,
        provenance=recording.provenance,
    )


def time_courses(
    recording: Recording, *, cleaning: Cleaning | None = None, mask: Any = None
) -> Responses:
    """Every volume of a recording, for films and for rest: the events are not used.

    Parameters
    ----------
    recording, cleaning, mask
        As in `single_trials`.

    Returns
    -------
    Responses, shape (n_volumes, n_voxels)
        Ids ``'tr-0001'`` and so on count within a run. `Parcels` makes them time courses of
        regions.

    Examples
    --------
    >>> import pandas
    >>> series = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    >>> none = pandas.DataFrame(columns=["onset", "duration", "trial_type"])
    >>> recording = Recording("sub-01", "fmri", (series, series), (none, none), ("1", "2"), tr_s=2)
    >>> time_courses(recording).stimulus[[0, 20]].tolist()
    ['tr-0001', 'tr-0001']
    """
    how = cleaning or Cleaning()
    series = read_series(recording, mask, how.smoothing_mm)
    none = Events(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.str_), {})
    tables = recording.confounds or (None,) * len(series.values)
    runs = [
        Run(values, none, series.tr_s, how, table, where)
        for values, table, where in zip(series.values, tables, series.names, strict=True)
    ]
    silent = _constant(runs, recording.subject)
    volume = np.concatenate([np.arange(run.n_volumes) for run in runs])
    run_of = np.repeat(np.arange(len(runs)), [run.n_volumes for run in runs])
    return Responses(
        np.concatenate([run.without(silent).cleaned() for run in runs]),
        np.array([f"tr-{one + 1:04d}" for one in volume]),
        recording.subject,
        "fmri",
        run=np.array(recording.runs)[run_of],
        session=None if recording.sessions is None else np.array(recording.sessions)[run_of],
        sfreq=1 / series.tr_s,
        positions=None if series.positions is None else series.positions[~silent],
        provenance=recording.provenance,
    )


def from_table(
    values: Any,
    table: Any,
    *,
    subject: str,
    stimulus: str = "stimulus",
    positions: NDArray[Any] | None = None,
) -> Responses:
    """Responses from arrays that a lab already has, and its table of trials.

    Parameters
    ----------
    values : array-like, shape (n_trials, n_voxels)
        May be a memory map or an HDF5 data set: it is not read here.
    table : DataFrame, mapping of columns, or path of a ``.csv`` or ``.tsv``
        One row a trial. The column named by ``stimulus`` is needed; ``run`` and ``session`` are
        used if there; all others become metadata.
    subject : str
    stimulus : str
    positions : float array, shape (n_voxels, 3), optional
        In mm (RAS).

    Examples
    --------
    >>> table = {"stimulus": ["a", "b"], "run": [1, 2], "concept": ["cat", "dog"]}
    >>> from_table(np.zeros((2, 5)), table, subject="sub-01").groups("concept").tolist()
    ['cat', 'dog']
    """
    import pandas

    if isinstance(table, Mapping):
        frame = pandas.DataFrame(table)
    elif isinstance(table, pandas.DataFrame):
        frame = table
    else:
        frame = pandas.read_csv(table, sep="\t" if str(table).endswith(".tsv") else ",")
    if stimulus not in frame.columns:
        raise ValueError(
            f"The table of trials has no column '{stimulus}'; it has "
            f"{listing(frame.columns, 20)}. Name the one with the stimulus ids by stimulus=."
        )
    columns = {str(name): frame[name].to_numpy() for name in frame.columns if name != stimulus}
    return Responses(
        values,
        frame[stimulus].to_numpy(),
        subject,
        "fmri",
        run=columns.pop("run", None),
        session=columns.pop("session", None),
        positions=positions,
        metadata=columns,
    )


def _run(
    recording: Recording, series: Series, place: int, cleaning: Cleaning, stimulus: str | None
) -> Run:
    values, where = series.values[place], series.names[place]
    events = read_events(recording.events[place], stimulus=stimulus, where=where)
    check_inside(events, len(values), series.tr_s, where)
    confounds = None if recording.confounds is None else recording.confounds[place]
    return Run(values, events, series.tr_s, cleaning, confounds, where)


def _constant(runs: list[Run], subject: str) -> NDArray[np.bool_]:
    """Voxels that are constant in some run."""
    silent = np.zeros(runs[0].series.shape[1], dtype=bool)
    for run in runs:
        silent |= np.ptp(run.series, axis=0) == 0
    if silent.all():
        raise ValueError(
            f"Every one of the {len(silent)} voxels of subject '{subject}' is constant in some run."
        )
    if silent.any():
        warnings.warn(
            f"{int(silent.sum())} of {len(silent)} voxels of subject '{subject}' are constant in "
            f"some run and were dropped.",
            stacklevel=3,
        )
    return silent


def _columns(run: str, events: Any, trials: Trials) -> dict[str, NDArray[Any]]:
    event = trials.event
    block = np.array([f"{run}/{one}" for one in event.tolist()])
    columns = {name: column[event] for name, column in events.columns.items()}
    columns |= {"onset": events.onset[event], "duration": events.duration[event], "block": block}
    for name in ("run", "session", "stimulus", "subject"):
        columns.pop(name, None)
    return columns | trials.columns | {"stimulus": events.stimulus[event]}
