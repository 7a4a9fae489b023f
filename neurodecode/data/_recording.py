"""Where one person's files are, before preprocessing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurodecode.data._marker import recorded_in
from neurodecode.data._provenance import Provenance, common_source
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
    provenance : Provenance, optional
        Recorded or simulated, and the recording's own name; default from the names of the files,
        ``'unknown'`` for arrays.

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
    provenance: Provenance = None  # type: ignore[assignment]  # __post_init__ makes it

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
        object.__setattr__(self, "provenance", self.provenance or self._found())

    def _found(self) -> Provenance:
        paths = [_path_of(one) for one in self.files]
        names = [
            repr(getattr(one, "shape", None)) if path is None else path.name
            for one, path in zip(self.files, paths, strict=True)
        ]
        told = repr((self.modality, self.runs, names)).encode()
        name = f"{self.subject}/{hashlib.blake2b(told, digest_size=4).hexdigest()}"
        found = [None if path is None else recorded_in(path, name) for path in paths]
        source = common_source(["unknown" if one is None else one.source for one in found])
        return Provenance(source, next((one.recording for one in found if one is not None), name))


def _path_of(file: Any) -> Path | None:
    """Where a file, a loaded image or an MNE object lies; None for what is in memory only."""
    if isinstance(file, str | Path):
        return Path(file)
    if hasattr(file, "get_filename"):  # nibabel
        file = file.get_filename()
    elif getattr(file, "filenames", None):  # MNE
        file = file.filenames[0]
    else:
        file = getattr(file, "path", None)
    return None if file is None else Path(file)
