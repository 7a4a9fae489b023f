"""Training from the store against training from memory, with the same loop and the same model.

    python benchmarks/training.py --out benchmarks/results/training.json

Simulated people (random values of the size of NSD's voxels); a net with one hidden layer. Each
epoch is timed alone, memory and store in turn, the first of both left out; the figure is the ratio
of the median speeds. Files are in the page cache, as from the second epoch on.

Cost on 2 CPU cores: about a minute, 120 MB of disk in a temporary folder.
Expected: the store gives at least .9 of the speed of memory.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jsonargparse import auto_cli
from torch import nn

from neurodecode import store
from neurodecode.data import Embeddings, Responses
from neurodecode.encoders._trials import PooledTrials
from neurodecode.store import write_json
from neurodecode.training import Plan, train

N_PEOPLE, N_TRIALS, N_DIMS = 4, 500, 768


class Net(nn.Module):
    """A layer a person, and a shared one."""

    def __init__(self, n_voxels: int, width: int) -> None:
        super().__init__()
        self.people = nn.ModuleList([nn.Linear(n_voxels, width) for _ in range(N_PEOPLE)])
        self.shared = nn.Linear(width, N_DIMS)


def step(module: Any, batch: Any, progress: Any) -> dict[str, torch.Tensor]:
    losses = [
        (module.shared(module.people[one.person](one.values).relu()) - one.targets["clip"])
        .square()
        .mean()
        for one in batch
    ]
    return {"loss": torch.stack(losses).mean()}


class Timed:
    """Batches that write down when each epoch began and ended."""

    def __init__(self, batches: PooledTrials) -> None:
        self.batches, self.seconds = batches, list[float]()

    def __len__(self) -> int:
        return len(self.batches)

    def epoch(self, epoch: int, seed: int) -> Any:
        """As `PooledTrials.epoch`."""
        start = time.perf_counter()
        yield from self.batches.epoch(epoch, seed)
        self.seconds.append(time.perf_counter() - start)


def simulate(folder: Path, n_voxels: int) -> tuple[list[Responses], list[Responses], Embeddings]:
    """The same people in memory and in the store."""
    draw = np.random.default_rng(0)
    near, far = [], []
    for person in range(N_PEOPLE):
        values = draw.standard_normal((N_TRIALS, n_voxels), dtype=np.float32)
        one = Responses(values, np.arange(N_TRIALS), f"sub-{person + 1:02d}", "fmri")
        near.append(one)
        far.append(store.load(store.save(folder / f"{one.subject}.h5", one), verify=False))
    rows = draw.standard_normal((N_TRIALS, N_DIMS), dtype=np.float32)
    return near, far, Embeddings(rows, np.arange(N_TRIALS), "simulated")


def main(
    out: Path | None = None,
    n_voxels: int = 15_000,
    width: int = 128,
    batch_size: int = 64,
    n_epochs: int = 5,
    device: str = "auto",
) -> dict[str, Any]:
    """Time epochs from memory and from the store.

    Parameters
    ----------
    out : path, optional
        Where to write the figures as JSON.
    n_voxels, width, batch_size, n_epochs : int
    device : str
    """
    seconds: dict[str, list[float]] = {"memory": [], "store": []}
    with tempfile.TemporaryDirectory() as folder:
        near, far, targets = simulate(Path(folder), n_voxels)
        plan = Plan(max_epochs=1, device=device)
        model = Net(n_voxels, width)
        for _ in range(n_epochs + 1):
            for name, people in (("memory", near), ("store", far)):
                trials = PooledTrials(people, {"clip": targets}, batch_size=batch_size)
                timed = Timed(trials)
                train(model, step, timed, plan)
                seconds[name] += timed.seconds
    medians = {name: float(np.median(times[1:])) for name, times in seconds.items()}
    result = {
        "what": f"{N_PEOPLE} x {N_TRIALS} trials of {n_voxels} voxels, batches of {batch_size}",
        "trials_per_s": {name: N_PEOPLE * N_TRIALS / one for name, one in medians.items()},
        "store_over_memory": medians["memory"] / medians["store"],
        "threads": torch.get_num_threads(),
        "device": device,
    }
    if out is not None:
        write_json(out, result)
    return result


if __name__ == "__main__":
    print(auto_cli(main))
