"""Calibrated ridge and region stack at the size of NSD, and beside himalaya at one it can do.

    python -m benchmarks.closed_forms --out results/closed_forms
    python -m benchmarks.closed_forms --device cuda --out results/closed_forms

``nsd``: 25,000 trials x 15,724 voxels a person (simulated: 64 latent dimensions in 16 regions, four
times as much noise), 512 target dimensions, 64 components. ``stack`` fits everything that
`RegionStack` has (ridge of all voxels, 16 regions, their left-out predictions, the pooled stack,
means for strangers); what `CalibratedRidge` needs is a part of it. Rows lie in a file and are read
in blocks. ``peer``: 4,000 x 3,000, 64 components, 8 penalties, 5 folds: ours beside himalaya's
`RidgeCV` on the same arrays, each in a process of its own, so that peak memory is its own.

On the CPU two threads are used and one person is fitted at the size of NSD (people are fitted one
after the other: four take four times as long). With CUDA four people are fitted. ``busy`` is the
load of the machine divided by its cores when a contender began: above 1, seconds are too many.

Cost: about 10 minutes of 2 CPU cores and 6 GB; on an H100 about 4 minutes, most of it making data.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from jsonargparse import auto_cli
from numpy.typing import NDArray

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.evidence import peak_rss_mb
from neurodecode.store import write_json

NSD = (25_000, 15_724)
PEER = (4_000, 3_000)
N_NEW, N_LATENT, N_TARGETS, N_REGIONS, NOISE = 500, 64, 512, 16, 4.0
CONTENDERS = ("stack", "calibrated, peer's size", "himalaya")
BLOCK = 1_000


def simulate(folder: Path, size: tuple[int, int], seed: int) -> tuple[NDArray[Any], Any]:
    """Latent states, and responses to them in a file; the last `N_NEW` rows are for the test."""
    n_rows, n_dims = size[0] + N_NEW, size[1]
    path, latent_rng = folder / f"{n_rows}-{n_dims}-{seed}.h5", np.random.default_rng(99)
    latent = latent_rng.standard_normal((n_rows, N_LATENT), dtype=np.float32)
    if not path.exists():
        rng = np.random.default_rng(seed)
        fields = rng.standard_normal((N_LATENT, n_dims), dtype=np.float32) / N_LATENT**0.5
        # a region holds some of the latent dimensions more than others
        region = np.arange(n_dims) * N_REGIONS // n_dims
        fields *= np.random.default_rng(98).gamma(0.5, 2, (N_LATENT, N_REGIONS))[:, region]
        with h5py.File(path, "w") as file:
            out = file.create_dataset("x", (n_rows, n_dims), np.float32)
            for start in range(0, n_rows, BLOCK):
                rows = slice(start, min(start + BLOCK, n_rows))
                noise = rng.standard_normal((rows.stop - start, n_dims), dtype=np.float32)
                out[rows] = latent[rows] @ fields.astype(np.float32) + NOISE * noise
    return latent, h5py.File(path, "r")["x"]


def material(
    folder: Path, size: tuple[int, int], n_people: int
) -> tuple[list[Responses], Embeddings, Split]:
    """People, the target space, and new rows for the test."""
    ids = np.arange(size[0] + N_NEW)
    people = []
    for seed in range(n_people):
        latent, values = simulate(folder, size, seed)
        units = np.char.add("r", (np.arange(size[1]) * N_REGIONS // size[1]).astype(str))
        people.append(Responses(values, ids, f"sub-{seed + 1}", "fmri", units=units))
    mix = np.random.default_rng(97).standard_normal((N_LATENT, N_TARGETS), dtype=np.float32)
    spread = np.logspace(0, -1, N_LATENT, dtype=np.float32)[:, None]
    return people, Embeddings(latent @ (spread * mix), ids, "toy"), _split(size)


def _split(size: tuple[int, int]) -> Split:
    ids = np.arange(size[0] + N_NEW)
    return Split(ids[: size[0]], [], ids[size[0] :], rule="the last rows")


def top1(predicted: NDArray[Any], truth: NDArray[Any]) -> float:
    """Share of new rows whose own target is nearest, by cosine, among `N_NEW`."""
    unit = [one / np.linalg.norm(one, axis=1, keepdims=True) for one in (predicted, truth)]
    return float(((unit[0] @ unit[1].T).argmax(axis=1) == np.arange(len(truth))).mean())


def ours(folder: Path, name: str, device: str, n_people: int) -> dict[str, Any]:
    """Fit one of ours and test it."""
    from neurodecode.encoders import CalibratedRidge, RegionStack

    large = name == "stack"
    size = NSD if large else PEER
    people, truth, split = material(folder, size, n_people if large else 1)
    encoder = (RegionStack if large else CalibratedRidge)(device=device)
    encoder.fit(*_warm(device))
    before = time.perf_counter()
    encoder.fit(people, truth, split)
    seconds = time.perf_counter() - before
    tests = [split.part(one, "test") for one in people]
    found = [top1(encoder.predict(one).array(), truth.rows(one.stimulus)) for one in tests]
    penalties = list(encoder.penalties)
    return {
        "size": [len(people), *size], "seconds": round(seconds, 2), "top1": found,
        "n_penalties": len(penalties),
    }  # fmt: skip


def _warm(device: str) -> tuple[Responses, Embeddings, Split]:
    """A tiny case: CUDA's libraries are loaded before the clock starts."""
    ids = np.arange(40)
    x = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    one = Responses(x, ids, "tiny", "fmri", units=np.repeat(["a", "b"], 4))
    return one, Embeddings(x[:, :3], ids, "toy"), Split(ids[:30], [], ids[30:])


def himalaya(folder: Path, device: str) -> dict[str, Any]:
    """RidgeCV with our penalties and as many folds, to the same components; not calibrated."""
    import torch
    from himalaya.backend import set_backend
    from himalaya.ridge import RidgeCV

    from neurodecode.encoders.core.crossfit import PENALTIES
    from neurodecode.encoders.core.target_space import HeadSpace

    people, truth, split = material(folder, PEER, 1)
    train, test = (split.part(people[0], part) for part in ("train", "test"))
    x, new = train.array(), test.array()
    mean, scale = x.mean(0), x.std(0)
    space = HeadSpace.learn(torch.from_numpy(truth.rows(train.stimulus)), 64)
    y = space.whiten(torch.from_numpy(truth.rows(train.stimulus))).numpy()
    backend = set_backend("torch_cuda" if device == "cuda" else "torch")
    alphas = [one * x.shape[1] for one in PENALTIES]
    rows = [backend.asarray((one - mean) / scale) for one in (x, new)]
    before = time.perf_counter()
    model = RidgeCV(alphas, cv=5, fit_intercept=False).fit(rows[0], backend.asarray(y))
    found = backend.to_numpy(model.predict(rows[1]))
    seconds = time.perf_counter() - before
    points = space.back(torch.from_numpy(np.asarray(found, dtype=np.float32))).numpy()
    return {
        "size": [1, *PEER], "seconds": round(seconds, 2),
        "top1": [top1(points, truth.rows(test.stimulus))], "n_penalties": len(alphas),
    }  # fmt: skip


def measure(folder: Path, name: str, device: str, n_people: int) -> dict[str, Any]:
    """One contender, in this process."""
    busy = round(os.getloadavg()[0] / (os.cpu_count() or 1), 2)
    if device == "cpu":
        import torch

        torch.set_num_threads(2)
    found = himalaya(folder, device) if name == "himalaya" else ours(folder, name, device, n_people)
    found |= {"busy": busy, "peak_mb": round(peak_rss_mb() or 0)}
    if device == "cuda":
        import torch

        found["peak_cuda_mb"] = round(torch.cuda.max_memory_allocated() / 2**20)
        found["gpu"] = torch.cuda.get_device_name()
    return found


def main(
    out: Path | None = None,
    device: str = "cpu",
    n_people: int | None = None,
    only: str | None = None,
    worker: Path | None = None,
) -> None:
    """Measure all contenders, each in a process of its own.

    Args:
        out: folder for ``closed_forms_DEVICE.json``
        device: 'cpu' or 'cuda'
        n_people: at the size of NSD; default 1 on the CPU, 4 with CUDA
        only: one contender alone
        worker: a folder with data; measures `only` in this process (how this script calls itself)
    """
    people = n_people or (1 if device == "cpu" else 4)
    if worker is not None:
        print(json.dumps(measure(worker, only or "stack", device, people)))
        return
    threads = {} if device == "cuda" else dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "2"
    )  # fmt: skip
    report: dict[str, Any] = {"device": device, "data": "simulated"}
    with tempfile.TemporaryDirectory() as folder:
        for name in CONTENDERS if only is None else (only,):
            size, number = (NSD, people) if name == "stack" else (PEER, 1)
            material(Path(folder), size, number)  # so that its memory is not counted
            command = [sys.executable, "-m", "benchmarks.closed_forms", "--worker", folder]
            command += ["--only", name, "--device", device, "--n_people", str(people)]
            done = subprocess.run(
                command, check=False, capture_output=True, text=True, env={**os.environ, **threads}
            )
            last = (done.stdout.splitlines() or [""])[-1]
            report[name] = json.loads(last) if done.returncode == 0 else done.stderr[-2000:]
            print(name, report[name], flush=True)
    if out is not None:
        write_json(out / f"closed_forms_{device}.json", report)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
