"""Which of 200 pictures did a person see for 100 ms? EEG of THINGS-EEG2, deep against linear.

``--twin`` runs on simulated people of `neurodecode.twin.eeg`, on any machine; else ``--data`` is
the folder of THINGS-EEG2 (ready trials in any container) and ``--pictures`` its ``image_set``.

The target is the embedding of the very picture that was shown, not of its concept. Protocols:
single trials, averages of predictions over the repeats of a picture, a person never met,
pictures drawn from the regression head, and 250 ms and growing windows for a low-level and a
semantic target. With ``--twin`` single trials are of pictures shown once; the test pictures of the
real data set are all repeated, and single trials and averages are of the same ones.

Cost with ``--twin``: about 10 minutes on 2 cores, 3 GB of memory.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiments._meeg import Experiment
from experiments._meeg_material import Material, by_stimulus, pictures_below, scaled
from neurodecode.cli.script import run_script
from neurodecode.datasets import things_eeg2
from neurodecode.twin import EEG

SUBJECTS = tuple(range(1, 11))


def main(
    out: Path,
    data: Path | None = None,
    pictures: Path | None = None,
    twin: bool = False,
    fast: bool = False,
    seed: int = 0,
) -> None:
    """Decode, write ``results.json`` and a gallery to ``out``; ``twin`` needs no data."""
    EXPERIMENT.run(out, (data, pictures), twin, fast, seed)


def recorded(data: Path, pictures: Path, seed: int) -> Material:
    """Ready trials of all people; the test pictures once as single trials, once averaged."""
    people = [things_eeg2.read(data, one) for one in SUBJECTS]
    split = things_eeg2.split(people, seed=seed)
    stimuli = pictures_below(pictures, np.concatenate([one.stimulus for one in people]))
    test = np.unique(people[0].stimulus[people[0].groups("part") == "test"])
    return Material(
        [scaled(one, split) for one in people],
        stimuli,
        by_stimulus(people, split, test),
        {"large": test, "small": test},
        simulated=False,
        names=("test_pictures_single_trial", "test_pictures"),
    )


EXPERIMENT = Experiment("things_eeg2_retrieval", EEG, 1500, recorded)

if __name__ == "__main__":
    run_script(main)
