"""Which picture does a person look at? MEG of THINGS, deep against linear (Benchetrit 2024).

``--twin`` runs on simulated people of `neurodecode.twin.meg`, on any machine; else ``--data`` is
the folder of THINGS-MEG (published epochs) and ``--pictures`` that of the THINGS pictures.

Protocols: the large test set (pictures shown once, single trials), the small one (repeated
pictures, predictions averaged), a person whom the network never met (no subject layer), pictures
drawn from the regression head, and 250 ms and growing windows for a low-level and a semantic
target. The weight of the two losses is chosen on validation pictures. Test concepts are never in
training.

Cost with ``--twin``: about 10 minutes on 2 cores, 3 GB of memory.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from experiments._meeg import Experiment
from experiments._meeg_material import Material, by_stimulus, pictures_below, scaled
from neurodecode.cli.script import run_script
from neurodecode.datasets import things_meg
from neurodecode.twin import MEG

SUBJECTS = (1, 2, 3, 4)


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
    """Published epochs of all people, 0.1 s before to 1.3 s after onset."""
    people = [things_meg.read_epochs(data, one) for one in SUBJECTS]
    split = things_meg.split(people, seed=seed)
    stimuli = pictures_below(pictures, np.concatenate([one.stimulus for one in people]))
    part = np.concatenate([one.groups("part") for one in people])
    shown = np.concatenate([one.stimulus for one in people])
    test = {name: np.unique(shown[part == name]) for name in ("large", "small")}
    return Material(
        [scaled(one, split) for one in people], stimuli, by_stimulus(people, split, test["large"]),
        test, simulated=False,
    )  # fmt: skip


EXPERIMENT = Experiment("things_meg_pictures", MEG, 1000, recorded)

if __name__ == "__main__":
    run_script(main)
