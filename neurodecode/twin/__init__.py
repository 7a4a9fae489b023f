"""Simulated recordings of simulated people who look at scenes, with known truth.

Everything that comes from here is simulated and says so. `fmri`, `meg` and `eeg` give responses at
once; `write` writes the files that a lab would have.

Examples
--------
>>> from neurodecode import twin
>>> people = twin.fmri(2, 10, n_voxels=50, design=twin.Design(n_test=3))
>>> [person.subject for person in people]
['sub-01', 'sub-02']
"""

from neurodecode.twin._ceiling import ceiling_of, measured_noise_ceiling
from neurodecode.twin._cortex import AREA_NAMES, AREAS, Cortex
from neurodecode.twin._design import Design, Trials, split
from neurodecode.twin._fmri import FmriPerson, fmri
from neurodecode.twin._machines import EEG, MEG, Machine
from neurodecode.twin._meeg import MeegPerson, eeg, meg
from neurodecode.twin._reading import Reading, reading, write_reading
from neurodecode.twin._vision import Vision, look
from neurodecode.twin._write import SMALL, write, write_runs

__all__ = [
    "AREAS",
    "AREA_NAMES",
    "EEG",
    "MEG",
    "SMALL",
    "Cortex",
    "Design",
    "FmriPerson",
    "Machine",
    "MeegPerson",
    "Reading",
    "Trials",
    "Vision",
    "ceiling_of",
    "eeg",
    "fmri",
    "look",
    "measured_noise_ceiling",
    "meg",
    "reading",
    "split",
    "write",
    "write_reading",
    "write_runs",
]
