"""Where one person's files are, before preprocessing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurodecode.data._responses import MODALITIES, Modality


@dataclass(frozen=True, eq=False)
class Recording:
    """The files of one person's recording, one entry a run.

    Parameters
    ----------
    subject : str
    modality : {'fmri', 'meg', 'eeg'}
    files : tuple of path or object
        NIfTI images, or raw signal files; loaded nilearn images and MNE objects pass as well.
    events : tuple
        For each run a table of events or the path of one: columns ``onset`` and ``duration`` in
        seconds and ``trial_type`` or ``stimulus``.
    runs, sessions : tuple of str
        Ids of the runs, unique within the person, and the session of each.
    mask : path or image, optional
        Brain mask (fMRI).
    confounds : tuple, optional
        For each run a table of confounds or the path of one (fMRI).
    tr_s : float, optional
        Repetition time in seconds (fMRI); read from the image header when None.

    Examples
    --------
    >>> Recording("sub-01", "fmri", ("run-1.nii.gz",), ("run-1_events.tsv",), ("1",)).runs
    ('1',)
    """

    subject: str
    modality: Modality
    files: tuple[Any, ...]
    events: tuple[Any, ...]
    runs: tuple[str, ...]
    sessions: tuple[str, ...] | None = None
    mask: Any = None
    confounds: tuple[Any, ...] | None = None
    tr_s: float | None = None

    def __post_init__(self) -> None:
        if self.modality not in MODALITIES:
            raise ValueError(f"modality must be one of {MODALITIES}; got '{self.modality}'.")
        for name in ("files", "events", "runs", "sessions", "confounds"):
            value = getattr(self, name)
            if value is None:
                continue
            value = tuple(value)
            object.__setattr__(self, name, value)
            if len(value) != len(self.files):
                raise ValueError(
                    f"Recording of subject '{self.subject}' has {len(self.files)} files but "
                    f"{len(value)} {name}. Give one of each for every run."
                )
        if len(set(self.runs)) != len(self.runs):
            raise ValueError(
                f"Run ids of subject '{self.subject}' must be unique; got {self.runs}."
            )
        for file in self.files:
            if isinstance(file, Path) and not file.exists():
                raise FileNotFoundError(f"{file} (subject '{self.subject}') does not exist.")
