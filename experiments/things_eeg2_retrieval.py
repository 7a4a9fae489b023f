"""Which of 200 pictures did a person see for 100 ms? EEG of THINGS-EEG2, deep against linear.

``--twin`` runs on simulated people of `neurodecode.twin.eeg`, on any machine; else ``--data`` is
the folder of THINGS-EEG2 (ready trials in any container) and ``--pictures`` its ``image_set``.

The target is the embedding of the very picture that was shown, not of its concept. Protocols:
single trials, averages of predictions over the repeats of a picture, a person never met (no subject
layer), pictures drawn from the regression head, and sliding, growing and short windows for a
low-level and a semantic target. With ``--twin`` single trials are of pictures shown once; the test
pictures of the real data set are all repeated, and single trials and averages are of the same ones.
The weight of the two losses, the epoch and the spread that predictions are given back before they
are drawn come from validation pictures. The sensors' noise is whitened (on training trials).

Measured with ``--twin`` (simulated, seed 0, one look; intervals over pictures, 95 %), four people
with 956 training trials each:

- large set, single trials: top-5 of 375 deep .044 [.029, .061], ridge .015, chance .013, null .019;
  deep over ridge 3.0 [1.5, 7.3]; relative median rank .28. One network learns filters from all four
  people; ridge has more features than trials, and each person's trials alone.
- small set, top-5 of 100, chance .050: single trials .134 [.103, .168], four averaged .188
  [.130, .250]; ridge .058 and .060; deep over ridge 2.3 [1.5, 4.7] and 3.1 [1.8, 6.9].
- unseen person, top-5 of 375: .013 [.003, .027], chance .013: nothing is decoded.
- pictures: two-way .660 [.613, .706], null .518; pixel correlation .075 [-.207, .393], null .202.
- windows of 250 ms around 125 and 425 ms, as first compared: late minus early, CLIP minus pixels
  was -.059 [-.089, -.028]: the first window holds both answers, the other next to nothing.

Seed 1 (one look), after windows of 60 ms around 80 and 180 ms had been chosen on seed 98: the late
window favours the semantic target. Late minus early, CLIP minus pixels: ridge .059 [.039, .081],
deep .034 [.009, .060]. Identification, chance .5, early and late: ridge pixels .578 and .542, CLIP
.586 and .609; deep pixels .592 and .545, CLIP .642 and .629. Top-5 of the large set .048 [.030,
.068], deep over ridge 2.9 [1.7, 6.0]; unseen person .013, chance .013; two-way .619.

Sizes, step size and whitening were chosen on simulated people of seed 99.

Cost with ``--twin``: 8 minutes of one core, 2 GB of memory.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiments._meeg import Experiment
from experiments._meeg_material import Material, by_stimulus, pictures_below
from neurodecode.cli.script import run_script
from neurodecode.datasets import things_eeg2
from neurodecode.preprocessing import whiten_trials
from neurodecode.twin import EEG

SUBJECTS = tuple(range(1, 11))


def main(
    out: Path,
    data: Path | None = None,
    pictures: Path | None = None,
    twin: bool = False,
    fast: bool = False,
    seed: int = 0,
    trials: int | None = None,
) -> None:
    """Decode, write ``results.json`` and a gallery to ``out``.

    ``twin`` needs no data; there each person sees ``trials`` scenes once.
    """
    if twin:
        EXPERIMENT.twin(out, fast, seed, trials)
    else:
        EXPERIMENT.recorded(out, (data, pictures), seed)


def recorded(data: Path, pictures: Path, seed: int) -> Material:
    """Ready trials of all people; the test pictures once as single trials, once averaged."""
    people = [things_eeg2.read(data, one) for one in SUBJECTS]
    split = things_eeg2.split(people, seed=seed)
    stimuli = pictures_below(pictures, np.concatenate([one.stimulus for one in people]))
    test = np.unique(people[0].stimulus[people[0].groups("part") == "test"])
    return Material(
        [whiten_trials(one, split) for one in people],
        stimuli,
        by_stimulus(people, split, test),
        {"large": test, "small": test},
        simulated=False,
        names=("test_pictures_single_trial", "test_pictures"),
    )


EXPERIMENT = Experiment("things_eeg2_retrieval", EEG, 1500, recorded)

if __name__ == "__main__":
    run_script(main)
