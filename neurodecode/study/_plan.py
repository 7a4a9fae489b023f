"""What a study would take, before it starts."""

from __future__ import annotations

from dataclasses import dataclass

from neurodecode.study._study import Study


@dataclass(frozen=True)
class Estimate:
    """Sums over cells of what contenders say that they need.

    Parameters
    ----------
    n_cells : int
    core_minutes, gpu_minutes : float
    largest_memory_gb : float
        Of one cell.
    disk_gb : float
    rows : tuple of tuple of str
        Protocol, contender, number of cells, minutes and GB of each: a table.
    """

    n_cells: int
    core_minutes: float
    gpu_minutes: float
    largest_memory_gb: float
    disk_gb: float
    rows: tuple[tuple[str, ...], ...]


def estimate(study: Study) -> Estimate:
    """The estimate of a study."""
    cells = study.cells()
    needs = [study.contender(cell.contender).needs for cell in cells]
    kinds: dict[tuple[str, str], int] = {}
    for cell in cells:
        pair = (cell.unit.protocol, cell.contender)
        kinds[pair] = kinds.get(pair, 0) + 1
    rows = []
    for (protocol, name), count in kinds.items():
        need = study.contender(name).needs
        cost = (f"{need.minutes:g} min", f"{need.memory_gb:g} GB", str(need.gpus))
        rows.append((protocol, name, str(count), *cost))
    return Estimate(
        len(cells),
        sum(one.minutes * one.cpus for one in needs),
        sum(one.minutes * one.gpus for one in needs),
        max(one.memory_gb for one in needs),
        sum(one.disk_gb for one in needs),
        tuple(rows),
    )
