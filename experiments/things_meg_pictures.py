"""Which picture does a person look at? MEG of THINGS, deep against linear (Benchetrit 2024).

``--twin`` runs on simulated people of `neurodecode.twin.meg`, on any machine; else ``--data`` is
the folder of THINGS-MEG (published epochs) and ``--pictures`` that of the THINGS pictures.

Protocols: the large test set (pictures shown once, single trials), the small one (repeated
pictures, by themselves and with 1 to 4 predictions averaged), each person in turn by a network
that never met them (no subject layer; their sensors are scaled and whitened by their own training
trials, no label is used), pictures drawn from the regression head, and 250 ms, growing and short
windows for a low-level and a semantic target. The weight of the two losses, the epoch and the
spread that predictions are given back before they are drawn come from validation pictures. Test
concepts are never in training. Unlike Benchetrit et al. the sensors' noise is whitened (on training
trials).

Measured with ``--twin --seed 2`` (simulated, one look; intervals over pictures, 95 %), four people
with about 1,910 training trials each (in the paper 19,848):

- large set, single trials: top-5 of 750 deep .039 [.022, .057], ridge .008, chance .007, null .010;
  deep over ridge 4.6 [2.8, 8.8] (paper: 7); two-way .730 [.703, .756]; relative median rank .20.
  One network learns from all four people; ridge has more features than trials, and each person's
  trials alone.
- small set, top-5 of 100, chance .050: single trials .178 [.126, .236], four averaged .218 [.138,
  .305]; ridge .069 and .065.
- unseen person: two-way .545 [.526, .564], null .507: above chance. Top-5 of 750 .010 [.004, .018],
  chance .007, null .009: by that alone it could not be told.
- pictures: two-way .697 [.646, .746], null .517; pixel correlation .204 [-.042, .511], null .252.
- windows of 60 ms at 80 and 180 ms: late minus early, CLIP minus pixels, ridge .035 [.018, .052]:
  the late window favours the semantic target; deep -.004 [-.025, .017]: it finds CLIP early too.
  Identification, chance .5, early and late: ridge pixels .554 and .517, CLIP .571 and .568; deep
  pixels .562 and .509, CLIP .659 and .602.

Chosen on simulated people of seed 99: sizes, step size and 270 virtual channels, as published. With
64, fewer than sensors, next to nothing was decoded there (identification of validation pictures
.51 against .62), and without whitening less (.56).

Cost with ``--twin``: 28 minutes of one core, 5 GB of memory.
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
EXPERIMENT = Experiment(
    "things_meg_pictures", "Pictures from MEG of THINGS", MEG, 3000, recorded, WIDE
)

if __name__ == "__main__":
    run_script(main)
