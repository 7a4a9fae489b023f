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
from neurodecode.twin._vision import Vision, look

__all__ = [
    "AREAS",
    "AREA_NAMES",
    "Cortex",
    "Design",
    "FmriPerson",
    "Trials",
    "Vision",
    "ceiling_of",
    "fmri",
    "look",
    "measured_noise_ceiling",
    "split",
]
