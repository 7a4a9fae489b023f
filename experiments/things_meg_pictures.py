"""Which picture does a person look at? MEG of THINGS, deep against linear (Benchetrit 2024).

``--twin`` runs on simulated people of `neurodecode.twin.meg`, on any machine; else ``--data`` is
the folder of THINGS-MEG (published epochs) and ``--pictures`` that of the THINGS pictures.

Protocols: the large test set (pictures shown once, single trials), the small one (repeated
pictures, by themselves and with 1 to 4 predictions averaged), a person whom the network never met
(no subject layer), pictures drawn from the regression head, and 250 ms and growing windows for a
low-level and a semantic target. The weight of the two losses, the epoch and the spread that
predictions are given back before they are drawn come from validation pictures. Test concepts are
never in training. Unlike Benchetrit et al. the sensors' noise is whitened (on training trials).

Measured with ``--twin`` (simulated, seed 0, one look; intervals over pictures, 95 %): nothing is
decoded. Four people with 638 training trials each are too few at the twin's noise.

- top-5 of 250, single trials: deep .012 [.004, .023], ridge .017, chance .020; deep over ridge .71
  [.29, 1.80], where the paper has 7 with 19,848 trials a person.
- top-5 of 100: single trials .054 [.031, .083], four averaged .048 [.020, .085], chance .050.
- unseen person, top-5 of 250: .024 [.008, .044], chance .020.
- pictures: two-way .517 [.465, .570]; pixel correlation .014 [-.141, .177].
- windows of 250 ms, identification (chance .5), deep: early pixels .533 [.514, .551] and CLIP .525
  [.505, .546], late ones .503 and .506; so what can be seen at all is seen early. Late minus early,
  CLIP minus pixels: deep .012 [-.036, .059], ridge -.017 [-.044, .009]: no order of the targets.

Sizes and step size were chosen on simulated people of seed 99, with up to 3,000 trials each, where
the deep decoder did leave ridge behind; that size (``--trials 3000``, 25 minutes of one core and 7
GB) was not run for a reported seed, nor the short windows of `experiments._meeg_windows`.

Cost with ``--twin``: 8 minutes of one core, 3 GB of memory.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from experiments._meeg import TWIN, Experiment
from experiments._meeg_material import Material, by_stimulus, pictures_below
from neurodecode.cli.script import run_script
from neurodecode.datasets import things_meg
from neurodecode.preprocessing import whiten_trials
from neurodecode.twin import MEG

SUBJECTS = (1, 2, 3, 4)


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
    """Published epochs of all people, 0.1 s before to 1.3 s after onset."""
    people = [things_meg.read_epochs(data, one) for one in SUBJECTS]
    split = things_meg.split(people, seed=seed)
    stimuli = pictures_below(pictures, np.concatenate([one.stimulus for one in people]))
    part = np.concatenate([one.groups("part") for one in people])
    shown = np.concatenate([one.stimulus for one in people])
    test = {name: np.unique(shown[part == name]) for name in ("large", "small")}
    return Material(
        [whiten_trials(one, split) for one in people],
        stimuli,
        by_stimulus(people, split, test["large"]),
        test,
        simulated=False,
    )


# fewer virtual channels than sensors cannot hold what whitened sensors tell
WIDE = replace(TWIN, size=replace(TWIN.size, n_virtual=270))
EXPERIMENT = Experiment("things_meg_pictures", MEG, 3000, recorded, WIDE)

if __name__ == "__main__":
    run_script(main)
