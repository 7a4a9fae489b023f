"""Steady-state visual evoked potentials of an exoskeleton interface (Kalunga et al. 2016).

Origin
    github.com/sylvchev/dataset-ssvep-exoskeleton; E. K. Kalunga et al., "Online SSVEP-based BCI
    using Riemannian geometry", Neurocomputing 191 (2016), 55-68.
Licence
    CC0 1.0.
Size and layout
    12 people, 2 to 5 sessions each, about 4 MB a session:
    ``subjectNN/record-[YYYY.MM.DD-hh.mm.ss].gdf``; 8 occipital electrodes at 256 Hz.
    32 trials a session: a cue marker 33024 (rest), 33025 (13 Hz), 33026 (21 Hz) or 33027 (17 Hz),
    then 32779 at the start of the flicker and 32780 at its end 5 s later.
How to obtain
    Clone or download that repository; give the folder that holds the ``subjectNN`` folders.
"""

from __future__ import annotations

from pathlib import Path

import mne
import pandas as pd

from neurodecode.data import Recording, recorded_in
from neurodecode.datasets._door import reading
from neurodecode.datasets._recordings import check_recording
from neurodecode.errors import CorruptFileError

CLASSES = {"33024": "rest", "33025": "13 Hz", "33026": "21 Hz", "33027": "17 Hz"}
TARGETS_HZ = {"13 Hz": 13.0, "17 Hz": 17.0, "21 Hz": 21.0}
START = "32779"
TRIAL_S = 5.0


def read(folder: str | Path) -> list[Recording]:
    """One recording a person; each GDF file is a run and a session of its own.

    Parameters
    ----------
    folder : path
        Holds ``subjectNN/record-[...].gdf``.

    Returns
    -------
    list of Recording
        With a table of events (``onset`` in s, ``duration``, ``stimulus``) for each file.

    Raises
    ------
    FileNotFoundError
        If there is no such file below ``folder``.
    CorruptFileError
        If a file is truncated, or its markers are not those of the data set.
    """
    root = Path(folder)
    files = sorted(root.glob("subject*/record-*.gdf"))
    if not files:
        raise FileNotFoundError(
            f"{root} holds no subjectNN/record-[...].gdf. Give the folder of the SSVEP "
            f"exoskeleton data set (github.com/sylvchev/dataset-ssvep-exoskeleton)."
        )
    people: dict[str, list[Path]] = {}
    for file in files:
        people.setdefault(file.parent.name, []).append(file)
    return [
        Recording(
            subject,
            "eeg",
            tuple(found),
            tuple(events_of(file) for file in found),
            runs=tuple(file.stem for file in found),
            sessions=tuple(file.stem for file in found),
            provenance=recorded_in(root, f"ssvep-exoskeleton/{subject}"),
        )
        for subject, found in people.items()
    ]


def events_of(file: str | Path) -> pd.DataFrame:
    """The trials of one GDF file: onset of the flicker and the class that was cued before it."""
    check_recording(file)
    with reading(file, "a GDF file"):
        raw = mne.io.read_raw_gdf(file, preload=False, verbose="error")
    rows = []
    cued = None
    for onset, marker in zip(raw.annotations.onset, raw.annotations.description, strict=True):
        if marker in CLASSES:
            if cued is not None:
                raise CorruptFileError(
                    f"{file} has a second cue at {onset:.3f} s and no trial for the first. A "
                    f"marker is damaged; obtain it again."
                )
            cued = CLASSES[marker]
        if marker == START:
            if cued is None:
                raise CorruptFileError(
                    f"{file} starts a trial at {onset:.3f} s without a cue of its own. A marker is "
                    f"damaged; obtain it again."
                )
            rows.append({"onset": float(onset), "duration": TRIAL_S, "stimulus": cued})
            cued = None
    if not rows:
        raise CorruptFileError(
            f"{file} has no trial marker {START}; its markers are "
            f"{', '.join(sorted(set(raw.annotations.description))) or 'absent'}."
        )
    return pd.DataFrame(rows)
