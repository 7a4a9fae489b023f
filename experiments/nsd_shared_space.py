"""MindEye2's shared space on NSD's layouts, and on four simulated people.

Questions, with plain ridge beside every answer: is one shared space for four people as good as one
model a person; and with one session of a new person ("one hour"), does pre-training on the others
beat training from scratch? And does the non-linear backbone earn its place over a linear one of the
same width (no blocks), which is what the released code amounts to?

``--twin`` runs on simulated people (3 seeds) in MindEye2's layout, through the store; ``--root DIR
--clip FOLDER`` on the real release, at the published size, which needs a GPU.

Cost with ``--twin``: about 5 minutes of one core, 2 GB of memory. Seen so far with seed 0 alone
(simulated; 40 test pictures, top-1): shared .519, linear backbone .488, one model a person .319,
plain ridge .388; one session of a new person: pre-trained .125, from scratch .175, ridge .250.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from jsonargparse import auto_cli

from experiments import _nsd
from neurodecode.data import Responses
from neurodecode.encoders import SharedSpace
from neurodecode.encoders._shared_space_parts import SharedSizes
from neurodecode.evidence import Run, TestLooks, write_results
from neurodecode.training import Plan
from neurodecode.twin.layouts.nsd import NsdDesign

DESIGN = NsdDesign(n_subjects=4, n_shared=40, n_own=160, n_sessions=4)
N_VOXELS, SEEDS = 400, (0, 1, 2)
SMALL = SharedSpace(
    SharedSizes(n_shared=256, n_blocks=1, prior_depth=1, prior_heads=4, prior_width=128),
    plan=Plan(max_epochs=15, learning_rate=1e-3, device="cpu"),
    batch_size=24,
)
RETRIEVAL = "retrieval"
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
                    Path(folder) / str(seed), "mindeye2", replace(DESIGN, seed=seed), N_VOXELS
                )
                for seed in seeds
            )
            model = SMALL
        elif root is not None and clip is not None:
            sets = [_nsd.recorded(root, "mindeye2", out, clip)]
            model = SharedSpace()
        else:
            raise ValueError("Give --twin, or --root and --clip for the real data set.")
        for data in sets:
            for name in ("pooled", "new_subject_one_session"):
                run.look(f"{name}_seed{data.seed}", data.people, [data.split])
            everybody(data, model, found)
            one_session(data, model, found)
    beside = {"plain_ridge": found["ridge"], "linear_backbone": found["linear"]}
    beside["shuffled"] = [_nsd.shuffled(one) for one in found["pooled"]]
    short = {"plain_ridge": found["ridge_session"], "from_scratch": found["scratch"]}
    three = {"repeats_averaged": 3, "head": RETRIEVAL}
    protocols = [
        _nsd.result("pooled", found["pooled"], beside, three),
        _nsd.result("pooled_prior", found["prior"], beside, three | {"head": "clip"}),
        _nsd.result("within_subject", found["single"], beside, three),
        _nsd.result("new_subject_one_session", found["adapted"], short, three),
    ]
    claims = claims_of(found)
    write_results(out, "nsd_shared_space", protocols, run, {"simulated": twin, "claims": claims})
    for name, claim in claims.items():
        print(f"{name}: {claim}")


def everybody(data: _nsd.Data, model: SharedSpace, found: Blocks) -> None:
    """One model for all, a linear one for all, one for each person, ridge for each."""
    several = copy.deepcopy(model).fit(data.people, {"clip": data.main}, data.split)
    straight = copy.deepcopy(model).set_params(sizes=replace(model.sizes, n_blocks=0))
    straight.fit(data.people, {"clip": data.main}, data.split)
    for person in data.people:
        test = data.test(person)
        single = copy.deepcopy(model).set_params(plan=longer(model.plan))
        single.fit(person, {"clip": data.main}, data.split)
        plain = _nsd.ridge_of(person, data.main, data.split)
        ways = {
            "pooled": several.predict(test, RETRIEVAL).average_repeats(),
            "prior": several.predict(test).average_repeats(),
            "linear": straight.predict(test, RETRIEVAL).average_repeats(),
            "single": single.predict(test, RETRIEVAL).average_repeats(),
            "ridge": plain.predict(test.average_repeats()),
        }
        for name, predicted in ways.items():
            found.setdefault(name, []).append(_nsd.compare(data, person, predicted))


def one_session(data: _nsd.Data, model: SharedSpace, found: Blocks) -> None:
    """The last person is new, with the pictures of their first session."""
    *known, new = data.people
    first = first_session(data, new)
    source = copy.deepcopy(model).fit(known, {"clip": data.main}, data.split)
    adapted = copy.deepcopy(source).adapt(
        first, {"clip": data.main}, data.split, everything=True, plan=longer(model.plan)
    )
    scratch = copy.deepcopy(model).set_params(plan=longer(model.plan))
    scratch.fit(first, {"clip": data.main}, data.split)
    plain = _nsd.ridge_of(first, data.main, data.split)
    test = data.test(new)
    ways = {
        "adapted": adapted.predict(test, RETRIEVAL).average_repeats(),
        "scratch": scratch.predict(test, RETRIEVAL).average_repeats(),
        "ridge_session": plain.predict(test.average_repeats()),
    }
    for name, predicted in ways.items():
        found.setdefault(name, []).append(_nsd.compare(data, new, predicted))


def first_session(data: _nsd.Data, person: Responses) -> Responses:
    """A person's first session, less the test pictures."""
    seen = data.split.seen(person)
    session = seen.groups("session")
    return seen.take(session == min(session.tolist(), key=int))


def claims_of(found: Blocks) -> dict[str, Any]:
    """What was asked, with the difference and its interval over stimuli."""
    pairs = {
        "one shared space minus one model a person (top-1)": ("pooled", "single"),
        "one shared space minus plain ridge (top-1)": ("pooled", "ridge"),
        "residual backbone minus linear backbone (top-1)": ("pooled", "linear"),
        "one session: pre-trained minus from scratch (top-1)": ("adapted", "scratch"),
        "one session: pre-trained minus plain ridge (top-1)": ("adapted", "ridge_session"),
    }
    return {
        name: _nsd.difference(found[one], found[other], "retrieval_top1")
        for name, (one, other) in pairs.items()
    }


def longer(plan: Plan) -> Plan:
    """Twice the epochs for one person alone."""
    return replace(plan, max_epochs=2 * plan.max_epochs)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
