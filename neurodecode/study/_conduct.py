"""Run a study: what is missing is computed, what is there stays, the whole is collected."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from neurodecode.store import make_folder_of
from neurodecode.study._check import check_study
from neurodecode.study._collect import collect
from neurodecode.study._executors import Executor, InProcess
from neurodecode.study._folder import CellFolder, State
from neurodecode.study._plan import Estimate, estimate
from neurodecode.study._record import StudyRecord
from neurodecode.study._study import Cell, Study
from neurodecode.study._work import work

LOG = logging.getLogger("neurodecode")
HERE = InProcess()


@dataclass(frozen=True)
class Progress:
    """How far a study is: the number of cells in each state."""

    study: str
    n_cells: int
    states: dict[State, int]
    errors: dict[str, str]

    @property
    def done(self) -> int:
        """Cells that are done."""
        return self.states.get("done", 0)


def conduct(
    study: Study,
    out: str | Path,
    *,
    executor: Executor = HERE,
    retry: bool = False,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Compute the cells of a study that are not there yet, and collect all.

    A killed study goes on where it was. A cell that failed keeps its error, and is tried again
    with ``retry``.

    Parameters
    ----------
    study : Study
    out : path
        ``results.json``, ``index.html``, ``cells/``.
    executor : Executor
        `InProcess`, `Processes` or `Slurm`.
    retry : bool
        Try failed cells again.
    on_progress : callable, optional
        Is told the number of cells done and of all.

    Returns
    -------
    dict
        The content of ``results.json``.

    Raises
    ------
    ValueError
        Before any cell runs: if a contender can't take the modality, the executor is not to be
        had, or the folder holds cells of other data, configuration or code.
    RuntimeError
        If cells failed; what is done stays.
    """
    folder, cells = CellFolder(Path(out)), study.cells()
    check_study(study)
    executor.check()
    folder.check(cells)
    if retry:
        folder.forget_failures(cells)
    with _alone(Path(out)):
        StudyRecord.of(study).write(Path(out))
        left = _left(folder, cells)
        while left:
            needs = [study.contender(one.contender).needs for one in left]
            walk = partial(walk_cells, study, [one.name for one in left], Path(out))
            for _ in executor.run(walk, needs, Path(out)):
                if on_progress is not None:
                    on_progress(sum(folder.done(one) for one in cells), len(cells))
            before, left = left, _left(folder, cells)
            if len(left) == len(before):  # workers die each time: that is for a person to mend
                break
    _refuse_failures(folder, cells)
    return collect(out)


def walk_cells(study: Study, names: Sequence[str], out: Path, places: Sequence[int] | None) -> int:
    """Do those of the cells that are free; one after the other, in this process."""
    folder = CellFolder(out)
    known = {cell.name: cell for cell in study.cells()}
    chosen = names if places is None else [names[place] for place in places]
    return sum(_do(study, known[name], folder) for name in chosen)


def status(out: str | Path) -> Progress:
    """How far the study in a folder is.

    Raises
    ------
    FileNotFoundError
        If the folder holds no study.
    """
    record, folder = StudyRecord.read(out), CellFolder(Path(out))
    states = {cell: folder.state(cell) for cell in record.cells}
    errors = {cell.name: folder.error(cell) for cell, state in states.items() if state == "failed"}
    return Progress(record.name, len(states), dict(Counter(states.values())), errors)


def dry_run(study: Study) -> Estimate:
    """What would be computed: cells, memory, time and disk, by what contenders say they need."""
    check_study(study)
    return estimate(study)


def _do(study: Study, cell: Cell, folder: CellFolder) -> bool:
    with folder.claimed(cell) as mine:
        if not mine or folder.done(cell) or folder.failed(cell):
            return False
        LOG.info("%s ...", cell.name)
        try:
            folder.write(cell, work(study, cell, folder.out))
        except Exception as error:  # kept with the cell; the others go on
            folder.fail(cell, error)
            return False
    return True


def _left(folder: CellFolder, cells: Sequence[Cell]) -> list[Cell]:
    """Cells that nobody has done, tried in vain, or is doing."""
    return [one for one in cells if folder.state(one) == "pending"]


def _refuse_failures(folder: CellFolder, cells: Sequence[Cell]) -> None:
    failed = [one for one in cells if folder.state(one) == "failed"]
    if failed:
        raise RuntimeError(
            f"{len(failed)} of {len(cells)} cells failed (first: {failed[0].name}: "
            f"{folder.error(failed[0])}). What is done stays. Mend the cause and run again with "
            f"--retry; tracebacks lie in {folder.root}."
        )
    missing = [one for one in cells if folder.state(one) != "done"]
    if missing:
        raise RuntimeError(
            f"{len(missing)} of {len(cells)} cells were not computed (first: {missing[0].name}): "
            f"their workers died. What is done stays; run again to go on."
        )


def _alone(out: Path) -> Any:
    file = out / ".study.lock"
    make_folder_of(file)
    lock = FileLock(file, timeout=0)
    try:
        return lock.acquire()
    except Timeout:
        raise ValueError(
            f"Another process is running a study in {out}. Wait for it, or give another --out."
        ) from None
