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

Measured with ``--twin --seed 2`` (simulated, one look; intervals over pictures, 95 %), four people
with 956 training trials each:

- large set, single trials: top-5 of 375 deep .045 [.029, .063], ridge .016, chance .013, null .018;
  deep over ridge 2.8 [1.5, 6.2]; two-way .682 [.659, .705]; relative median rank .25. One network
  learns filters from all four people; ridge has more features than trials, and each person's
  trials alone.
- small set, top-5 of 100, chance .050: single trials .143 [.095, .196], four averaged .183
  [.118, .260]; ridge .051 and .050; deep over ridge 2.8 [1.6, 6.6] and 3.7 [2.0, 11.6].
- unseen person, each in turn: two-way .524 [.491, .556], null .512; top-5 of 375 .020 [.008, .037],
  null .019. Above the null, but the intervals hold chance: not shown with so few trials (it is in
  MEG with 3,000, `experiments.things_meg_pictures`). Their sensors are scaled and whitened by their
  own training trials; no label is used.
- pictures: two-way .631 [.582, .681], null .516; pixel correlation .257 [.123, .412], null .261.
- windows of 60 ms at 80 and 180 ms: late minus early, CLIP minus pixels, ridge .017 [-.006, .040],
  deep -.092 [-.124, -.060]: no order of the targets by ridge; the deep decoder finds CLIP early.
  Identification, chance .5, early and late: ridge pixels .544 and .508, CLIP .558 and .539; deep
  pixels .561 and .513, CLIP .656 and .517.

Simulated people were others before dipoles pointed along folds (see docs/twin.md); then the order
of the targets was seen (ridge .059, deep .034, seed 1) and unseen people were at chance.

Sizes, step size and whitening were chosen on simulated people of seed 99.

Cost with ``--twin``: 7 minutes of one core, 2 GB of memory.
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


EXPERIMENT = Experiment("things_eeg2_retrieval", "Pictures from EEG of THINGS", EEG, 1500, recorded)

if __name__ == "__main__":
    run_script(main)
