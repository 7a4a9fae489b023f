"""A whole simulated data set on disk, as a lab would have it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from neurodecode.data import Modality
from neurodecode.twin import _bids, _write_fmri, _write_meeg
from neurodecode.twin._design import Design
from neurodecode.twin._fmri import FmriPerson
from neurodecode.twin._machines import EEG, MEG
from neurodecode.twin._meeg import MeegPerson

SMALL = Design(n_trials=240, n_test=40, test_repeats=3)
"""What `write` shows by default: files are large."""


def write(
    folder: str | Path,
    modality: Modality = "fmri",
    *,
    n_subjects: int = 4,
    seed: int = 0,
    signal: float = 1.0,
    design: Design | None = None,
) -> Path:
    """Write a simulated data set in BIDS, with raw signals.

    fMRI: NIfTI over time with haemodynamic response, drift, noise that remembers, a brain mask
    under ``derivatives/twin``. MEG: FIF with a trigger channel. EEG: BrainVision. Both with
    blinks, alpha, line noise and 1/f noise. The pictures are under ``stimuli``.

    Parameters
    ----------
    folder : path
        New or empty.
    modality : {'fmri', 'meg', 'eeg'}
    n_subjects, seed, signal
        As in `fmri`, `meg` and `eeg`: the same people see the same scenes.
    design : Design, optional
        By default 240 training trials and 40 test scenes shown 3 times.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    FileExistsError
        If the folder has files in it.

    Examples
    --------
    >>> import tempfile
    >>> design = Design(n_trials=2, n_test=1, test_repeats=1, n_sessions=1, runs_per_session=1)
    >>> folder = write(Path(tempfile.mkdtemp()) / "twin", n_subjects=1, design=design)
    >>> sorted(path.name for path in folder.iterdir())[:3]
    ['README', 'dataset_description.json', 'derivatives']
    """
    for _ in write_runs(
        folder, modality, n_subjects=n_subjects, seed=seed, signal=signal, design=design
    ):
        pass
    return Path(folder)


def write_runs(
    folder: str | Path,
    modality: Modality = "fmri",
    *,
    n_subjects: int = 4,
    seed: int = 0,
    signal: float = 1.0,
    design: Design | None = None,
) -> Iterator[Path]:
    """As `write`, one run at a time: gives the path of each image or recording written."""
    target, plan = Path(folder), design or SMALL
    if modality not in ("fmri", "meg", "eeg"):
        raise ValueError(f"modality must be 'fmri', 'meg' or 'eeg'; got '{modality}'.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(
            f"{target} exists and is not an empty folder. Nothing was written; name a new folder."
        )
    subjects = [f"sub-{number + 1:02d}" for number in range(n_subjects)]
    # first of all: what is half written says that it is simulated too
    _bids.describe(target, modality, subjects, seed=seed, signal=signal, design=plan)
    shown = {one for number in range(n_subjects) for one in plan.train_ids(seed, number)}
    for number in range(n_subjects):
        if modality == "fmri":
            person = FmriPerson(number, seed=seed, signal=signal)
            yield from _write_fmri.write_person(target, person, plan)
        else:
            machine = MEG if modality == "meg" else EEG
            head = MeegPerson(number, machine, seed, signal, plan.n_sessions)
            yield from _write_meeg.write_person(target, head, plan)
    _bids.write_pictures(target, shown | set(plan.test_ids(seed)))
