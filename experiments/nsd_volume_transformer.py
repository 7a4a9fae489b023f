"""Do single trials suffice? The volume transformer on whole volumes of NSD's raw layout.

One transformer for all people, no part of one person's own; scores of the first trial of each test
picture stand beside those of the mean of three, before the model and after it, and beside plain
ridge on the same voxels.

``--twin`` runs on four simulated people (3 seeds) in the raw layout; ``--root DIR --clip FOLDER``
on real NSD. The volumes are those of the mask's bounding box, zero outside the mask.

Cost with ``--twin``: about 6 minutes of one core, 2 GB of memory. Seen so far with seed 0 alone
(simulated; 40 test pictures): two-way .633 of single trials, .642 of means before and .662 after
the model; plain ridge .851 and .927. So few volumes do not teach a transformer without parameters
of a person what ridge learns from each.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from jsonargparse import auto_cli

from experiments import _nsd
from experiments.nsd_mindbridge import first_trials
from neurodecode.data import Responses
from neurodecode.encoders import VolumeTransformer
from neurodecode.encoders._volume_transformer_parts import VolumeSizes
from neurodecode.evidence import Run, TestLooks, write_results
from neurodecode.training import Plan
from neurodecode.twin.layouts.nsd import NsdDesign

DESIGN = NsdDesign(n_subjects=4, n_shared=40, n_own=160, n_sessions=4)
N_VOXELS, SEEDS = 400, (0, 1, 2)
SMALL = VolumeTransformer(
    VolumeSizes(grid=(24, 36, 24), patch=6, width=96, depth=2, n_heads=4, n_hidden=128),
    plan=Plan(max_epochs=10, learning_rate=1e-3, device="cpu"),
)
Blocks = dict[str, list[_nsd.Block]]


def main(
    out: Path,
    twin: bool = False,
    root: Path | None = None,
    clip: Path | None = None,
    seeds: tuple[int, ...] = SEEDS,
) -> None:
    """Write ``results.json`` to ``out``."""
    found: Blocks = {}
    with Run(seed=0, looks=TestLooks(mirror=out)) as run, tempfile.TemporaryDirectory() as folder:
        sets: Iterable[_nsd.Data]
        if twin:
            sets = (
                _nsd.simulated(
                    Path(folder) / str(seed), "raw", replace(DESIGN, seed=seed), N_VOXELS
                )
                for seed in seeds
            )
            model = SMALL
        elif root is not None and clip is not None:
            sets = [_nsd.recorded(root, "raw", out, clip)]
            model = VolumeTransformer()
        else:
            raise ValueError("Give --twin, or --root and --clip for the real data set.")
        for data in sets:
            run.look(f"pooled_seed{data.seed}", data.people, [data.split])
            volumes(data, model, found)
    beside = {"plain_ridge": found["ridge"], "after": found["after"]}
    beside["shuffled"] = [_nsd.shuffled(one) for one in found["averaged"]]
    single = {"plain_ridge": found["ridge_single"]}
    protocols = [
        _nsd.result("pooled", found["averaged"], beside, {"repeats_averaged": 3}),
        _nsd.result("pooled_single_trial", found["single"], single, {"repeats_averaged": 1}),
    ]
    claims = {
        f"single trial minus mean of three ({metric})": _nsd.difference(
            found["single"], found["averaged"], metric
        )
        for metric in ("retrieval_top1", "two_way_embedding")
    }
    write_results(
        out, "nsd_volume_transformer", protocols, run, {"simulated": twin, "claims": claims}
    )
    for name, claim in claims.items():
        print(f"{name}: {claim}")
    for protocol in protocols:
        print(protocol.name, {name: score.value for name, score in protocol.scores.items()})


def volumes(data: _nsd.Data, model: VolumeTransformer, found: Blocks) -> None:
    """One transformer for all; each person's test pictures three ways, with ridge beside."""
    people = [as_volumes(one) for one in data.people]
    fitted = copy.deepcopy(model).fit(people, {"clip": data.main}, data.split)
    for person, boxed in zip(data.people, people, strict=True):
        test, flat = data.test(boxed), data.test(person)
        first = first_trials(test)
        plain = _nsd.ridge_of(person, data.main, data.split)
        ways = {
            "single": fitted.predict(test.take(first)),
            "averaged": fitted.predict(test.average_repeats()),
            "after": fitted.predict(test).average_repeats(),
            "ridge": plain.predict(flat.average_repeats()),
            "ridge_single": plain.predict(flat.take(first)),
        }
        for name, predicted in ways.items():
            found.setdefault(name, []).append(_nsd.compare(data, person, predicted))


def as_volumes(person: Responses) -> Responses:
    """Voxels at their places in the smallest box that holds them, zero elsewhere."""
    place = np.asarray(person.positions)
    axes = [np.unique(np.round(axis, 3)) for axis in place.T]
    step = min(float(np.diff(axis).min()) for axis in axes if len(axis) > 1)
    index = np.round((place - place.min(axis=0)) / step).astype(int)
    box = np.zeros((len(person), *(index.max(axis=0) + 1)), np.float32)
    box[:, index[:, 0], index[:, 1], index[:, 2]] = person.array()
    dims = ("trial", "x", "y", "z")
    return person.with_values(box, dims=dims, positions=None, units=None)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
