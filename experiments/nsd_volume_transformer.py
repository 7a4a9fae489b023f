"""Do single trials suffice? The volume transformer on whole volumes of NSD's raw layout.

One transformer for all people, no part of one person's own; scores of the first trial of each test
picture stand beside those of the mean of three, before the model and after it, beside a transformer
for each person and plain ridge on the same voxels. A new person is decoded zero-shot (only the mean
and spread of their volumes are learned) and after tuning on one session.

``--twin`` runs on four simulated people (3 seeds) in the raw layout; ``--root DIR --clip
FOLDER`` on real NSD, with ``--test_set new`` (1000 pictures, 40 sessions) or ``old`` (982, 37).
``--fast`` tries the script with one epoch on a tiny twin. The volumes are those of the mask's
bounding box, zero outside the mask.

Cost with ``--twin``: 12 minutes of one core for all seeds, 2 GB of memory. Numbers to expect
(simulated; 4 people of about 400 voxels, 180 own and 60 test pictures, 3 seeds, intervals over
stimuli; chance .017 and .5; two-way of drawn pictures by the small CLIP; two looks, the first of a
run that was cut off before it told anything):

=====================  =================  ================  =================  ===========
simulated              top-1 (of 60)      two-way           two-way drawn      plain ridge
=====================  =================  ================  =================  ===========
single trials          .074 [.05, .10]    .703 [.68, .72]                      .390  .931
mean of three          .093 [.07, .12]    .762 [.74, .78]   .592 [.56, .62]    .644  .976
averaged after         .087               .756
one model a person     .053 [.04, .07]    .612 [.60, .63]   .568 [.53, .60]
new person, zero-shot  .006 [.00, .02]    .579 [.54, .62]
the same, one session  .072 [.04, .11]    .684 [.65, .72]                      .300  .914
from scratch on it     .033               .530
=====================  =================  ================  =================  ===========

Single trials hold most of what means hold, and one model is better than one a person; but so few
volumes do not teach a transformer without parameters of a person what ridge learns from each.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np

from experiments import _nsd, _nsd_pictures, _nsd_scores
from experiments._nsd_scores import TOP1
from experiments._nsd_study import Found, Study, Where, conduct
from neurodecode.cli.script import run_script
from neurodecode.data import Responses
from neurodecode.datasets.nsd import TestSet
from neurodecode.encoders import VolumeTransformer
from neurodecode.encoders.volume_transformer.parts import VolumeSizes
from neurodecode.evidence import ProtocolResult
from neurodecode.training import Plan
from neurodecode.twin.layouts.nsd import NsdDesign

DESIGN = NsdDesign(n_subjects=4, n_shared=60, n_own=180, n_sessions=4)
N_VOXELS = 400
SMALL = VolumeTransformer(
    VolumeSizes(grid=(24, 32, 24), patch=8, width=96, depth=2, n_heads=4, n_hidden=128),
    plan=Plan(max_epochs=12, learning_rate=1e-3),
)


def main(
    out: Path,
    twin: bool = False,
    fast: bool = False,
    root: Path | None = None,
    clip: Path | None = None,
    test_set: TestSet = "old",
) -> None:
    """Write ``results.json`` and a gallery to ``out``."""
    conduct(STUDY, Where(out, twin, fast, root, clip, test_set))


def work(data: _nsd.Data, model: VolumeTransformer) -> Found:
    """All that is asked of one twin or of the real data."""
    found = Found()
    people = [as_volumes(one) for one in data.people]
    target = {"clip": data.main}
    several = copy.deepcopy(model).fit(people, target, data.split)
    for person in data.people:
        single = copy.deepcopy(model).fit(as_volumes(person), target, data.split)
        everybody(data, person, several, single, found)
    new_person(data, model, found)
    first = data.people[0]
    ways = {"decoded": before(several), "plain ridge": _nsd.ridge_way(data, first)}
    found.cards = _nsd_pictures.cards(data, first, ways)
    return found


def everybody(
    data: _nsd.Data,
    person: Responses,
    several: VolumeTransformer,
    single: VolumeTransformer,
    found: Found,
) -> None:
    """One person's pictures: single trials, averaged before and after the model, and ridge."""
    plain = _nsd.ridge_way(data, person)
    drawn_by = {
        "averaged": before(several),
        "single": before(single),
        "ridge": plain,
    }
    found_by = {
        "first": _nsd.on_first_trial(before(several)),
        "noise": _nsd.on_noise(before(several), data, person),
        "after": after(several),
        "single_first": _nsd.on_first_trial(before(single)),
        "ridge_first": _nsd.on_first_trial(plain),
    }
    for name, way in drawn_by.items():
        found.add(name, _nsd_pictures.evaluate(data, person, way, draw=True))
    for name, way in found_by.items():
        found.add(name, _nsd_pictures.evaluate(data, person, way))
    found.add("ceiling", _nsd_pictures.ceiling(data, person))
    found.add("nearest", _nsd_pictures.nearest(data, person, before(several)))


def new_person(data: _nsd.Data, model: VolumeTransformer, found: Found) -> None:
    """The last person is new: zero-shot but for their scaling, and tuned on one session."""
    *known, new = data.people
    target = {"clip": data.main}
    short = _nsd.first_session(data, new)
    source = copy.deepcopy(model).fit([as_volumes(one) for one in known], target, data.split)
    boxed = as_volumes(short)
    zero = copy.deepcopy(source).adapt(boxed, target, data.split)
    tuned = copy.deepcopy(source).adapt(boxed, target, data.split, frozen=False)
    scratch = copy.deepcopy(model).fit(boxed, target, data.split)
    ways = {
        "zero_shot": before(zero),
        "tuned": before(tuned),
        "scratch": before(scratch),
        "ridge_session": _nsd.ridge_way(data, short),
    }
    for name, way in ways.items():
        found.add(name, _nsd_pictures.evaluate(data, new, way))
    found.sizes["one_session"] = _nsd.n_learned(data, short)


def before(model: VolumeTransformer) -> _nsd.Way:
    """Repeats averaged before the model, as published."""
    return lambda trials: model.predict(as_volumes(trials.average_repeats()))


def after(model: VolumeTransformer) -> _nsd.Way:
    """Repeats averaged after the model."""
    return lambda trials: model.predict(as_volumes(trials)).average_repeats()


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


def claims_of(found: Found) -> dict[str, Any]:
    """What was asked, each a difference with its interval over stimuli."""
    pairs = {
        "single trial minus mean of three": ("first", "averaged"),
        "averaged after minus before the model": ("after", "averaged"),
        "one model minus one model a person": ("averaged", "single"),
        "one model minus plain ridge": ("averaged", "ridge"),
        "single trial: one model minus plain ridge": ("first", "ridge_first"),
        "one session: pre-trained minus from scratch": ("tuned", "scratch"),
    }
    return {
        f"{name} ({metric})": _nsd_scores.difference(found.blocks[one], found.blocks[other], metric)
        for name, (one, other) in pairs.items()
        for metric in (TOP1, "two_way_embedding")
    }


def protocols_of(found: Found) -> list[ProtocolResult]:
    """Named protocols, apart."""
    blocks = found.blocks
    facts = _nsd_pictures.picture_facts(blocks["averaged"], found.simulated)
    three = found.columns | {"repeats_averaged": 3}
    one = found.columns | {"repeats_averaged": 1}
    beside = {
        "plain_ridge": blocks["ridge"],
        "averaged_after_the_model": blocks["after"],
        "ceiling": blocks["ceiling"],
        "noise": blocks["noise"],
        "nearest_training_picture": blocks["nearest"],
        "shuffled": _nsd_scores.shuffled(blocks["averaged"]),
    }
    single = {"plain_ridge": blocks["ridge_first"], "mean_of_three": blocks["averaged"]}
    single["one_model_a_person"] = blocks["single_first"]
    new = {"plain_ridge": blocks["ridge_session"], "from_scratch": blocks["scratch"]}
    new["shuffled"] = _nsd_scores.shuffled(blocks["tuned"])
    session = three | {"n_pictures": found.sizes["one_session"]}
    result = _nsd_scores.result
    return [
        result("pooled", blocks["averaged"], beside, three | facts),
        result("pooled_single_trial", blocks["first"], single, one),
        result("within_subject", blocks["single"], beside, three | facts),
        result("new_subject_zero_shot", blocks["zero_shot"], new, three),
        result("new_subject_one_session", blocks["tuned"], new, session),
    ]


STUDY = Study(
    name="nsd_volume_transformer",
    title="Volume transformer",
    layout="raw",
    design=DESIGN,
    n_voxels=N_VOXELS,
    small=SMALL,
    published=VolumeTransformer(),
    work=work,
    protocols=protocols_of,
    claims=claims_of,
    looks=("pooled", "new_subject_one_session"),
)

if __name__ == "__main__":
    run_script(main)
