"""How each NSD experiment runs: over its seeds, side by side where there are cores for it."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from experiments import _nsd
from experiments._nsd_pictures import networks
from experiments._nsd_scores import Block
from neurodecode.datasets.nsd import TestSet
from neurodecode.evidence import ProtocolResult, Run, TestLooks, scores_text, write_results
from neurodecode.gallery import GalleryItem, write_gallery
from neurodecode.training import Plan
from neurodecode.twin.layouts.nsd import NsdDesign

FAST_DESIGN = NsdDesign(n_subjects=3, n_shared=12, n_own=20, n_sessions=2)
FAST_VOXELS = 60
CORES_A_SEED = 4


@dataclass(eq=False)
class Found:
    """What the seeds gave.

    Parameters
    ----------
    blocks : dict of str to list of Block
        By way; one block a person and seed.
    facts : list of dict
        Further findings, one a person and seed.
    cards : list of GalleryItem
        Of the first person and seed.
    columns : dict
        What a leaderboard must say of the data.
    sizes : dict of str to int
        Pictures that a new person had, by the name of the size.
    simulated : bool
    record : list of dict
        Of each seed: test looks, split rules, fingerprints.
    """

    blocks: dict[str, list[Block]] = field(default_factory=dict)
    facts: list[dict[str, Any]] = field(default_factory=list)
    cards: list[GalleryItem] = field(default_factory=list)
    columns: dict[str, Any] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    simulated: bool = True
    record: list[dict[str, Any]] = field(default_factory=list)

    def add(self, name: str, block: Block) -> None:
        """One more block of a way."""
        self.blocks.setdefault(name, []).append(block)

    def join(self, other: Found) -> None:
        """What another seed gave."""
        for name, blocks in other.blocks.items():
            self.blocks.setdefault(name, []).extend(blocks)
        self.facts += other.facts
        self.record += other.record
        self.cards = self.cards or other.cards
        self.columns = self.columns or other.columns
        self.sizes = self.sizes or other.sizes
        self.simulated = other.simulated


Work = Callable[[_nsd.Data, Any], Found]


@dataclass(frozen=True, eq=False)
class Study:
    """What one of the three experiments is.

    Parameters
    ----------
    name, title : str
    layout : str
        Of `neurodecode.datasets.nsd.LAYOUTS`.
    design : NsdDesign
    n_voxels : int
        Of a simulated person, about.
    small, published : encoder
        For simulated and for real people.
    work : callable
        From data and an encoder to what was found.
    protocols, claims : callable
        From what was found.
    looks : tuple of str
        Protocols whose test part is opened.
    seeds : tuple of int
        Of the simulated people.
    """

    name: str
    title: str
    layout: str
    design: NsdDesign
    n_voxels: int
    small: Any
    published: Any
    work: Work
    protocols: Callable[[Found], list[ProtocolResult]]
    claims: Callable[[Found], Mapping[str, Any]]
    looks: tuple[str, ...]
    seeds: tuple[int, ...] = (0, 1, 2)


@dataclass(frozen=True)
class Where:
    """On what to run; ``fast`` is one seed of a tiny twin and one epoch, to try the script."""

    out: Path
    twin: bool = False
    fast: bool = False
    root: Path | None = None
    clip: Path | None = None
    test_set: TestSet = "old"


def conduct(study: Study, where: Where) -> dict[str, Any]:
    """Run a study; write ``results.json`` and a gallery, and print both.

    Raises
    ------
    ValueError
        If neither a twin nor real data were asked for.
    """
    with Run(seed=0, looks=TestLooks(mirror=where.out)) as run:
        found = Found()
        for one in _seeds(study, where):
            found.join(one)
    for record in found.record:
        run.test_looks |= record["looks"]
        run.splits |= record["splits"]
        run.data |= record["data"]
        run.sources |= record["sources"]
    facts = {
        "claims": dict(study.claims(found)),
        "metrics_missing": networks()[1],
        "memory_of_seeds_mb": [one["peak_rss_mb"] for one in found.record],
        "device": found.record[0]["device"],
    }
    results = write_results(where.out, study.name, study.protocols(found), run, facts)
    title = f"{study.title} on {'simulated people' if where.twin else 'NSD'}"
    page = write_gallery(where.out, found.cards, results, title=title)
    print(scores_text(results))
    for name, claim in results["claims"].items():
        print(f"{name}: {claim}")
    print(page)
    return results


def fast_plan(encoder: Any) -> Any:
    """An encoder that learns for one epoch."""
    return encoder.set_params(plan=replace(encoder.plan, max_epochs=1))


def times(plan: Plan, factor: float, learning_rate: float | None = None) -> Plan:
    """A plan of more or fewer epochs, but as few as one where that was asked for."""
    if plan.max_epochs == 1:
        return plan
    n_epochs = max(1, round(factor * plan.max_epochs))
    return replace(plan, max_epochs=n_epochs, learning_rate=learning_rate or plan.learning_rate)


def _seeds(study: Study, where: Where) -> Iterator[Found]:
    if where.twin:
        seeds = (0,) if where.fast else study.seeds
        n_cores = os.cpu_count() or 1
        n_jobs = min(len(seeds), max(1, n_cores // CORES_A_SEED))
        jobs = [(study, where, seed, n_cores // n_jobs) for seed in seeds]
        if n_jobs == 1:
            yield from map(_simulated, jobs)
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(n_jobs, mp_context=context) as pool:
            yield from pool.map(_simulated, jobs)
    elif where.root is not None and where.clip is not None:
        yield _recorded(study, where, where.root, where.clip)
    else:
        raise ValueError("Give --twin, or --root and --clip for the real data set.")


def _simulated(job: tuple[Study, Where, int, int]) -> Found:
    study, where, seed, n_threads = job
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(n_threads)
    design = FAST_DESIGN if where.fast else study.design
    n_voxels = FAST_VOXELS if where.fast else study.n_voxels
    model = fast_plan(study.small) if where.fast else study.small
    with tempfile.TemporaryDirectory() as folder:
        data = _nsd.simulated(Path(folder), study.layout, replace(design, seed=seed), n_voxels)
        return _found(study, where, data, model)


def _recorded(study: Study, where: Where, root: Path, clip: Path) -> Found:
    data = _nsd.recorded(root, study.layout, where.out, clip, where.test_set)
    model = fast_plan(study.published) if where.fast else study.published
    return _found(study, where, data, model)


def _found(study: Study, where: Where, data: _nsd.Data, model: Any) -> Found:
    with Run(seed=data.seed, looks=TestLooks(mirror=where.out)) as run:
        for name in study.looks:
            run.look(f"{name}_seed{data.seed}", data.people, [data.split])
        found = study.work(data, model)
    about = run.as_json()
    found.columns, found.simulated = data.columns, data.simulated
    found.record = [
        {
            "looks": run.test_looks,
            "splits": run.splits,
            "data": {f"{key}_seed{data.seed}": one for key, one in run.data.items()},
            "sources": run.sources,
            "peak_rss_mb": about["peak_rss_mb"],
            "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        }
    ]
    return found
