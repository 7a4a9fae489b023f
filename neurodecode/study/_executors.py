"""Where cells are computed: here, in processes of this machine, or by Slurm, through submitit.

Nothing is scheduled here. Each worker walks through the cells in order and claims those that
nobody has done or is doing; a worker that dies leaves its claim to the next.
"""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from neurodecode.errors import MissingDependencyError
from neurodecode.study._contender import Needs

LOG = logging.getLogger("neurodecode")
POLL_S = 1.0
PATIENCE = 10
SHORTEST_MIN = 5
"""submitit asks Slurm for a signal 90 s before the end, which must not come at the start."""

Walk = Callable[[Sequence[int] | None], int]
"""Does the cells of these places (all when None) that are free; gives how many it did."""


class Executor(Protocol):
    """Runs a walk over cells somewhere."""

    def check(self) -> None:
        """Raise if it is not to be had here."""
        ...

    def run(self, walk: Walk, needs: Sequence[Needs], out: Path) -> Iterator[int]:
        """Start; yields the number of cells done since last time, until all walks have ended."""
        ...


@dataclass(frozen=True)
class InProcess:
    """One cell after the other, in this process."""

    def check(self) -> None:
        """It is always to be had."""

    def run(self, walk: Walk, needs: Sequence[Needs], out: Path) -> Iterator[int]:
        """Cell by cell."""
        for place in range(len(needs)):
            yield walk([place])


@dataclass(frozen=True)
class Processes:
    """Several worker processes of this machine.

    Parameters
    ----------
    n_jobs : int
    """

    n_jobs: int = 2

    def check(self) -> None:
        """Raise if submitit is missing."""
        _submitit()
        if self.n_jobs < 1:
            raise ValueError(f"jobs must be 1 or more; got {self.n_jobs}.")

    def run(self, walk: Walk, needs: Sequence[Needs], out: Path) -> Iterator[int]:
        """Workers that all walk through all cells."""
        executor = _submitit().AutoExecutor(out / "jobs", cluster="local")
        minutes = sum(one.minutes for one in needs)
        executor.update_parameters(timeout_min=int(minutes) + 1, gpus_per_node=0)
        jobs = [executor.submit(walk, None) for _ in range(min(self.n_jobs, len(needs)))]
        yield from _ended(jobs)


@dataclass(frozen=True)
class Slurm:
    """A Slurm job a cell, in arrays of cells that need the same.

    Parameters
    ----------
    parallelism : int
        Cells of an array that run at once.
    parameters : mapping
        Further ones of submitit's Slurm executor: ``{"partition": "gpu", "account": "lab"}``.
    """

    parallelism: int = 64
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Raise if there is no Slurm, or submitit is missing."""
        import shutil

        _submitit()
        if shutil.which("sbatch") is None:
            raise ValueError(
                "There is no Slurm here: 'sbatch' is not on the PATH. Run on a login node of the "
                "cluster, or use --jobs N for processes of this machine."
            )

    def run(self, walk: Walk, needs: Sequence[Needs], out: Path) -> Iterator[int]:
        """One array for each kind of need."""
        kinds: dict[Needs, list[int]] = {}
        for place, one in enumerate(needs):
            kinds.setdefault(one, []).append(place)
        jobs = []
        for need, places in kinds.items():
            executor = _submitit().AutoExecutor(out / "jobs", cluster="slurm")
            executor.update_parameters(**self._asked(need))
            jobs += executor.map_array(walk, [[place] for place in places])
        yield from _ended(jobs, _queued)

    def _asked(self, need: Needs) -> dict[str, Any]:
        given = {key if _general(key) else f"slurm_{key}": one for key, one in self._given()}
        gpus = {"gpus_per_node": need.gpus} if need.gpus else {}
        return {
            "mem_gb": need.memory_gb,
            "timeout_min": max(SHORTEST_MIN, round(need.minutes)),
            "cpus_per_task": need.cpus,
            "slurm_array_parallelism": self.parallelism,
            **gpus,
            **given,
        }

    def _given(self) -> list[tuple[str, Any]]:
        return list(self.parameters.items())


def _general(key: str) -> bool:
    return key.startswith("slurm_") or key in ("name", "mem_gb", "timeout_min", "cpus_per_task")


def _ended(jobs: Sequence[Any], queued: Callable[[], set[str]] | None = None) -> Iterator[int]:
    """As jobs end; one that died has done what is on disk, and says why.

    ``queued`` gives the ids of jobs that wait or run: one that is neither there nor has a result
    has died. submitit asks Slurm's accounting instead, which not every cluster keeps.
    """
    waiting = list(jobs)
    missed: dict[str, int] = {}
    while waiting:
        alive = None if queued is None else queued()
        for job in list(waiting):
            if job.paths.result_pickle.exists() or (queued is None and job.done()):
                waiting.remove(job)
                yield _result(job)
            elif alive is not None and job.job_id not in alive:
                missed[job.job_id] = missed.get(job.job_id, 0) + 1
                if missed[job.job_id] > PATIENCE:  # a result may come late over a network disk
                    waiting.remove(job)
                    LOG.warning("job %s ended without a result", job.job_id)
        yield 0
        time.sleep(POLL_S)


def _result(job: Any) -> int:
    try:
        return int(job.result())
    except Exception as error:  # a worker's death is told by the state of its cells
        LOG.warning("job %s died: %s", job.job_id, str(error).strip().splitlines()[-1])
        return 0


def _queued() -> set[str]:
    """Ids of this user's jobs that wait or run, those of arrays one by one."""
    told = subprocess.run(
        ["squeue", "--me", "--noheader", "--array", "--format=%i"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(told.stdout.split())


def _submitit() -> Any:
    try:
        import submitit
    except ImportError as error:
        raise MissingDependencyError(
            "Processes and Slurm need submitit: pip install 'neurodecode-toolkit[cluster]'"
        ) from error
    return submitit
