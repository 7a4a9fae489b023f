"""The store: write 2 GB, then train one epoch of mini-batches from it, in little memory.

    python -m benchmarks.store --out benchmarks/results/store.json

A simulated recording of 30,000 trials x 15,724 voxels is written as float32 and as float16 (1.9 GB
and .9 GB), then every trial is read once in shuffled mini-batches of 256, as training reads them,
from the store and from a memory-mapped NumPy file, with one step of a linear layer for each. Each
pass runs in a process of its own. "Above baseline" is the peak of the process's own memory (pages
of files that the system may drop at any time are not counted; they are given apart) less what the
imports and the model took.

Measured (``results/store.json``, 2 busy cores): 51 MB above baseline from float32, 48 from float16,
50 from the NumPy file. The speeds of the store there (2,500 rows a second) hold some 8 s of asking
for the place of each chunk by itself, which is mended since and was not measured again.

Cost: about 3 minutes and 5 GB of disk. Expected: under 600 MB above baseline.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import auto_cli
from numpy.typing import NDArray

from benchmarks._record import write_record

SHAPE = (30_000, 15_724)
BATCH = 256
N_TARGETS = 64
PASSES = ("write float32", "write float16", "store float32", "store float16", "memory map")


class Simulated:
    """Responses that are made when read, so that writing them needs no source in memory."""

    shape, dtype = SHAPE, np.dtype(np.float32)

    def __getitem__(self, rows: slice) -> NDArray[np.float32]:
        rng = np.random.default_rng(rows.start)
        return rng.standard_normal((rows.stop - rows.start, self.shape[1]), dtype=np.float32)


def memory_mb() -> tuple[float, float]:
    """Memory of this process alone, and file pages mapped into it, in MB (Linux)."""
    found = {"RssAnon": 0.0, "RssFile": 0.0}
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        name, _, rest = line.partition(":")
        if name in found:
            found[name] = int(rest.split()[0]) / 2**10
    return found["RssAnon"], found["RssFile"]


class Watch:
    """The peak of both kinds of memory while the block runs, looked at every 5 ms."""

    def __enter__(self) -> Watch:
        self.before = self.peak = memory_mb()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._done.wait(0.005):
            now = memory_mb()
            self.peak = (max(self.peak[0], now[0]), max(self.peak[1], now[1]))

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def report(self, seconds: float) -> dict[str, float]:
        """Rows a second and peak memory above what there was before."""
        return {
            "rows_per_s": round(SHAPE[0] / seconds),
            "seconds": round(seconds, 1),
            "peak_mb_above_baseline": round(self.peak[0] - self.before[0]),
            "mapped_file_pages_mb": round(self.peak[1] - self.before[1]),
        }


def write(path: Path, dtype: str) -> dict[str, float]:
    """Write the simulated recording to a store (float32 also as a plain NumPy file)."""
    from neurodecode import store
    from neurodecode.data import Responses

    ids = np.arange(SHAPE[0]).astype(np.str_)
    with Watch() as watch:
        start = time.perf_counter()
        store.save(path, Responses(Simulated(), ids, "simulated", "fmri"), dtype=dtype)
        seconds = time.perf_counter() - start
    return watch.report(seconds)


def write_plain(path: Path) -> None:
    """The same rows as a NumPy file, to be memory-mapped."""
    plain = np.lib.format.open_memmap(path, "w+", np.float32, SHAPE)
    for start in range(0, SHAPE[0], BATCH):
        rows = slice(start, min(start + BATCH, SHAPE[0]))
        plain[rows] = Simulated()[rows]


def batches(source: Any) -> Iterator[Any]:
    """All rows once, in shuffled mini-batches, as float32 tensors."""
    import torch

    from neurodecode.encoders.core.transfer import rows_on

    order = np.random.default_rng(0).permutation(SHAPE[0])
    for start in range(0, SHAPE[0], BATCH):
        yield rows_on(source, order[start : start + BATCH], torch.device("cpu"))


def train(path: Path) -> dict[str, float]:
    """One epoch of a linear layer."""
    import torch

    from neurodecode import store

    plain = path.suffix == ".npy"
    model = torch.nn.Linear(SHAPE[1], N_TARGETS)
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-4)
    model(torch.zeros(BATCH, SHAPE[1])).square().mean().backward()  # the model's own memory
    with Watch() as watch:
        start = time.perf_counter()
        source = np.load(path, mmap_mode="r") if plain else store.load(path, verify=False).values
        for batch in batches(source):
            optimiser.zero_grad()
            model(batch).square().mean().backward()
            optimiser.step()
        seconds = time.perf_counter() - start
    return watch.report(seconds)


def contend(name: str, folder: Path) -> dict[str, float]:
    """One pass, in this process."""
    files = {"float32": "32.h5", "float16": "16.h5", "map": "plain.npy"}
    verb, kind = name.rsplit(" ", 1)
    path = folder / files[kind]
    return write(path, kind) if verb == "write" else train(path)


def main(out: Path | None = None, contender: str | None = None, folder: Path | None = None) -> None:
    """Measure all passes, or one of them (how this script calls itself).

    Args:
        out: where to write the JSON; printed as well
        contender: run this one alone and print its figures
        folder: for the files; a temporary one by default
    """
    if contender is not None and folder is not None:
        print(json.dumps(contend(contender, folder)))
        return
    report: dict[str, Any] = {"shape": SHAPE, "batch": BATCH, "passes": {}}
    with tempfile.TemporaryDirectory(dir=folder) as name:
        for one in PASSES:
            if one == "memory map":
                write_plain(Path(name) / "plain.npy")
            command = [
                sys.executable,
                "-m",
                "benchmarks.store",
                "--contender",
                one,
                "--folder",
                name,
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            report["passes"][one] = json.loads(done.stdout.splitlines()[-1])
            print(one, report["passes"][one], flush=True)
    if out is not None:
        write_record(__file__, out, report)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
