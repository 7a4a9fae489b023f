"""What one person's brain did, trial by trial."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from neurodecode.data._arrays import ArrayLike, take_rows
from neurodecode.data._axes import check_axes
from neurodecode.data._checks import as_ids, as_index, listing
from neurodecode.data._provenance import Provenance, of_trials
from neurodecode.data._repeats import average_repeats
from neurodecode.data._values import as_values, cast

Modality = Literal["fmri", "meg", "eeg"]
MODALITIES = ("fmri", "meg", "eeg")
DIMS = ("trial", "voxel", "channel", "time", "tr", "parcel", "x", "y", "z")


@dataclass(frozen=True, eq=False)
class Responses:
    """Responses of one person, one row a trial.

    Parameters
    ----------
    values : array-like, shape (n_trials, ...)
        NumPy array, memory map or HDF5 data set; not copied and not read until needed. Numbers of
        another byte order are given in this machine's; a torch tensor in its memory becomes a NumPy
        array.
    stimulus : sequence of str, shape (n_trials,)
        What was shown; the same id names the same stimulus everywhere.
    subject : str
        Who was recorded.
    modality : {'fmri', 'meg', 'eeg'}
    dims : tuple of str
        A name for each axis, ``'trial'`` first: ``('trial', 'voxel')``,
        ``('trial', 'channel', 'time')``, ``('trial', 'tr', 'parcel')`` or
        ``('trial', 'x', 'y', 'z')``.
    run, session : sequence, shape (n_trials,), optional
        Ids of the run and session of each trial; a run's id is unique within the person.
    sfreq : float, optional
        Samples a second, Hz; above 0.
    times : float array, shape (n_times,), optional
        Seconds from stimulus onset, increasing.
    positions : float array, shape (n_units, 3), optional
        Where the voxels, parcels or sensors are, in mm (RAS).
    units : sequence of str, shape (n_units,), optional
        Sensor names or region labels.
    valid : bool array, shape (n_trials, n_times), optional
        False where a trial of variable length was padded.
    metadata : mapping of str to sequence of length n_trials, optional
        Further columns of the trial table, such as ``'concept'``.
    provenance : Provenance, optional
        Recorded or simulated, and the recording's own name, which is found from the arrays if it
        is not given. It stays the same through all that makes other `Responses` of these.

    Raises
    ------
    ValueError
        If lengths or names disagree, or a number can't be what it is said to be.
    TypeError
        If values are no real numbers, or masked, sparse or on another device.

    Examples
    --------
    >>> responses = Responses(np.zeros((3, 4)), ["a", "b", "a"], "sub-01", "fmri", run=[1, 1, 2])
    >>> responses
    Responses(sub-01, fmri, 3 trials of 2 stimuli, voxel: 4)
    >>> responses.select(["a"]).run.tolist()
    ['1', '2']
    """

    values: ArrayLike
    stimulus: NDArray[np.str_]
    subject: str
    modality: Modality
    dims: tuple[str, ...] = ("trial", "voxel")
    run: NDArray[np.str_] | None = None
    session: NDArray[np.str_] | None = None
    sfreq: float | None = None
    times: NDArray[np.floating[Any]] | None = None
    positions: NDArray[np.floating[Any]] | None = None
    units: NDArray[np.str_] | None = None
    valid: NDArray[np.bool_] | None = None
    metadata: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    provenance: Provenance = None  # type: ignore[assignment]  # __post_init__ makes it

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "dims", tuple(self.dims))
        self._check_dims()
        n_trials = self.n_trials
        put(self, "stimulus", as_ids("stimulus", self.stimulus, n_trials))
        put(self, "subject", str(self.subject))
        for name in ("run", "session"):
            if getattr(self, name) is not None:
                put(self, name, as_ids(name, getattr(self, name), n_trials))
        if self.units is not None:
            put(self, "units", as_ids("units", self.units, self.n_units, blank=True))
        for name, shape in self._expected_shapes().items():
            self._check_array(name, shape)
        check_axes(f"subject '{self.subject}'", self.sfreq, self.times, self.positions, self.valid)
        columns = {str(key): np.asarray(column) for key, column in self.metadata.items()}
        for key, column in columns.items():
            if column.shape[:1] != (n_trials,):
                raise ValueError(
                    f"metadata column '{key}' has {column.shape[0] if column.ndim else 0} rows "
                    f"but there are {n_trials} trials."
                )
        put(self, "metadata", columns)
        self._check_provenance()

    def _check_provenance(self) -> None:
        given: Provenance | None = self.provenance
        if given is None or given.keys is None:
            columns = (self.session, self.run, self.stimulus)
            own = of_trials(given, self.values, self.subject, columns)
            object.__setattr__(self, "provenance", own)
        elif given.n_rows != self.n_trials:
            raise ValueError(
                f"The provenance of subject '{self.subject}' describes {given.n_rows} trials but "
                f"the values have {self.n_trials}. Choose trials with take() or select() before "
                f"the values are changed, or give provenance=None for trials of another recording."
            )

    def _check_dims(self) -> None:
        what = f"Responses of subject '{self.subject}'"
        object.__setattr__(self, "values", as_values(what, self.values))
        unknown = [dim for dim in self.dims if dim not in DIMS]
        if unknown or self.dims[:1] != ("trial",):
            raise ValueError(
                f"dims must start with 'trial' and use the names {', '.join(DIMS)}; "
                f"got {self.dims}."
            )
        if len(self.values.shape) != len(self.dims):
            raise ValueError(
                f"Responses of subject '{self.subject}' have {len(self.values.shape)} axes "
                f"(shape {tuple(self.values.shape)}) but dims names {len(self.dims)}: {self.dims}."
            )
        if 0 in self.values.shape[1:]:
            empty = self.dims[1:][tuple(self.values.shape[1:]).index(0)]
            raise ValueError(
                f"{what} have no {empty}: shape {tuple(self.values.shape)}, dims {self.dims}. See "
                f"why nothing was chosen, or leave the person out."
            )
        if self.modality not in MODALITIES:
            raise ValueError(f"modality must be one of {MODALITIES}; got '{self.modality}'.")

    def _expected_shapes(self) -> dict[str, tuple[int, ...]]:
        shapes: dict[str, tuple[int, ...]] = {"positions": (self.n_units, 3)}
        if "time" in self.dims:
            n_times = self.values.shape[self.dims.index("time")]
            shapes |= {"times": (n_times,), "valid": (self.n_trials, n_times)}
        return shapes

    def _check_array(self, name: str, shape: tuple[int, ...]) -> None:
        given = getattr(self, name)
        if given is None:
            return
        array = np.asarray(given)
        if array.shape != shape:
            raise ValueError(
                f"{name} of subject '{self.subject}' has shape {array.shape}, expected {shape} "
                f"to fit values of shape {tuple(self.values.shape)} with dims {self.dims}."
            )
        object.__setattr__(self, name, array)

    def __repr__(self) -> str:
        axes = ", ".join(
            f"{dim}: {size}" for dim, size in zip(self.dims[1:], self.values.shape[1:], strict=True)
        )
        n_stimuli = len(set(self.stimulus.tolist()))
        return (
            f"Responses({self.subject}, {self.modality}, {self.n_trials} trials of "
            f"{n_stimuli} stimuli, {axes})"
        )

    def __len__(self) -> int:
        return self.n_trials

    @property
    def n_trials(self) -> int:
        return int(self.values.shape[0])

    @property
    def unit_axis(self) -> int | None:
        """Axis of voxels, channels or parcels; None for whole volumes (x, y, z)."""
        for dim in ("voxel", "channel", "parcel"):
            if dim in self.dims:
                return self.dims.index(dim)
        return None

    @property
    def n_units(self) -> int:
        """Number of voxels, channels or parcels (for volumes: of grid points)."""
        if self.unit_axis is None:
            return int(np.prod(self.values.shape[1:]))
        return int(self.values.shape[self.unit_axis])

    def groups(self, by: str) -> NDArray[np.str_]:
        """Per trial, the stimulus, run, session, subject or metadata value it belongs to.

        ``'trial'`` names the trial itself, by its place in the recording: the same name wherever
        it is taken to, and another one for each trial.
        """
        if by == "trial":
            return self.provenance.trial_names()
        if by == "stimulus":
            return self.stimulus
        if by == "subject":
            return as_ids("subject", [self.subject] * self.n_trials)
        if by in ("run", "session") and getattr(self, by) is not None:
            return np.asarray(getattr(self, by))
        if by in self.metadata:
            return as_ids(by, self.metadata[by], self.n_trials, blank=True)
        have = [name for name in ("run", "session") if getattr(self, name) is not None]
        raise ValueError(
            f"Responses of subject '{self.subject}' do not say the {by} of a trial. They know: "
            f"{', '.join(['stimulus', 'subject', *have, *self.metadata])}."
        )

    def take(self, index: NDArray[Any] | Sequence[int]) -> Responses:
        """The trials at these rows (or under this mask), in this order; lazy values stay lazy."""
        rows = as_index(index, self.n_trials, "trials")

        def cut(column: NDArray[Any] | None) -> NDArray[Any] | None:
            return None if column is None else column[rows]

        return replace(
            self,
            values=take_rows(self.values, rows),
            stimulus=self.stimulus[rows],
            run=cut(self.run),
            session=cut(self.session),
            valid=cut(self.valid),
            metadata={key: column[rows] for key, column in self.metadata.items()},
            provenance=self.provenance.take(rows),
        )

    def select(self, stimulus: Iterable[Any]) -> Responses:
        """The trials of these stimuli, in the order of the recording.

        Raises
        ------
        ValueError
            If one of the stimuli was never shown to this person.
        """
        wanted = set(as_ids("stimulus", stimulus).tolist())
        missing = sorted(wanted - set(self.stimulus.tolist()))
        if missing:
            raise ValueError(
                f"Subject '{self.subject}' never saw {len(missing)} of {len(wanted)} stimuli "
                f"({listing(missing)})."
            )
        return self.take(np.isin(self.stimulus, sorted(wanted)))

    def with_values(self, values: ArrayLike, **changes: Any) -> Responses:
        """A copy with other values, and with whatever else changed along with them."""
        return replace(self, values=values, **changes)

    def with_column(self, name: str, column: Mapping[Any, Any] | Iterable[Any]) -> Responses:
        """A copy whose trial table has one column more, or this one in place of another.

        Parameters
        ----------
        name : str
            ``'run'`` and ``'session'``, or any name for a metadata column.
        column : sequence of length n_trials, or mapping of stimulus id to value
            A mapping must know every stimulus.

        Raises
        ------
        ValueError
            If the name is taken by what is no column, the length is another, or a stimulus is
            missing.

        Examples
        --------
        >>> responses = Responses(np.zeros((3, 4)), ["a", "b", "a"], "sub-01", "fmri")
        >>> responses.with_column("label", {"a": "face", "b": "house"}).groups("label").tolist()
        ['face', 'house', 'face']
        >>> responses.with_column("run", [1, 1, 2]).run.tolist()
        ['1', '1', '2']
        """
        if name in ("stimulus", "subject"):
            raise ValueError(
                f"with_column() can't change the {name} of a trial; "
                f"give with_values(responses.values, {name}=...)."
            )
        if isinstance(column, Mapping):
            known = {str(key): value for key, value in column.items()}
            missing = sorted(set(self.stimulus.tolist()) - set(known))
            if missing:
                raise ValueError(
                    f"with_column('{name}') got no value for {len(missing)} stimuli of subject "
                    f"'{self.subject}' ({listing(missing)})."
                )
            column = [known[stimulus] for stimulus in self.stimulus.tolist()]
        if name in ("run", "session"):
            return self.with_values(self.values, **{name: as_ids(name, column)})
        return replace(self, metadata={**self.metadata, name: np.asarray(list(column))})

    def array(self, dtype: Any = np.float32) -> NDArray[Any]:
        """All values as one array in memory."""
        return cast(f"Responses of subject '{self.subject}'", np.asarray(self.values[:]), dtype)

    def average_repeats(self) -> Responses:
        """The mean over the trials of each stimulus, in order of first appearance.

        Run and session are kept where all repeats share them and dropped otherwise.
        """
        return average_repeats(self)
