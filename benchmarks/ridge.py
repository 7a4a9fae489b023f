"""Ridge: ours against himalaya and scikit-learn on the same arrays, in one run.

    python -m benchmarks.ridge --out benchmarks/results/ridge_cpu.json
    python -m benchmarks.ridge --device cuda --out benchmarks/results/ridge_cuda.json

Each contender runs in a process of its own, so that its peak memory is its own. Everyone gets the
same simulated float32 arrays, already in memory, and the same 20 penalties, one chosen for each
target: ours and scikit-learn by leave-one-out, himalaya by its 5 folds, and ours by the same 5
folds too. Targets for which himalaya and we chose the same penalty are compared on new rows.

``seconds`` are worth little while other work runs; ``cpu_seconds`` (of all threads) suffer less.

Cost on 2 CPU cores: 15 minutes and more, and 8 GB, most of it himalaya's at the largest size.
Measured there (8,859 x 15,724 to 768): ours 78 s and 2.8 GB; himalaya was stopped after 566 s with
7.1 GB (on another machine of 2 cores it took 235 s and 7.5 GB). On an H100: ours 1.10 s and 2.4 GB,
himalaya 4.24 s and 6.5 GB (``ridge_h100_large.json``; 1.17 s before targets were centred there).
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import auto_cli
from numpy.typing import NDArray

from benchmarks._record import write_record

SIZES = {
    "small": (1_000, 2_000, 1_000),
    "tall": (6_000, 1_500, 1_000),
    "medium": (4_000, 8_000, 768),
    "large": (8_859, 15_724, 768),
}
PENALTIES = [float(10**power) for power in np.linspace(0, 7, 20)]
N_NEW = 100
SKLEARN_AT_MOST = 4_000 * 8_000
MAX_MEMORY = int(2.5 * 2**30)

Predict = Callable[[NDArray[np.float32]], NDArray[Any]]
Outcome = tuple[Predict, NDArray[Any]]


def simulate(size: tuple[int, int, int], folder: Path, seed: int = 0) -> None:
    """Write responses and targets that share 100 latent dimensions, and new responses."""
    n_rows, n_dims, n_targets = size
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal((n_rows + N_NEW, 100), dtype=np.float32)
    x = rng.standard_normal((n_rows + N_NEW, n_dims), dtype=np.float32)
    x += latent @ rng.standard_normal((100, n_dims), dtype=np.float32) / 10
    y = latent @ rng.standard_normal((100, n_targets), dtype=np.float32)
    noise = rng.standard_normal((n_rows + N_NEW, n_targets), dtype=np.float32)
    y += noise * np.geomspace(1, 100, n_targets, dtype=np.float32)
    np.save(folder / "x.npy", x[:n_rows] - x[:n_rows].mean(axis=0))
    np.save(folder / "y.npy", y[:n_rows] - y[:n_rows].mean(axis=0))
    np.save(folder / "new.npy", x[n_rows:] - x[:n_rows].mean(axis=0))


def ours(x: NDArray[np.float32], y: NDArray[np.float32], device: str, **how: Any) -> Outcome:
    """Ridge through its public interface."""
    from neurodecode.data import Embeddings, Responses, Split
    from neurodecode.encoders import Ridge

    ids, none = _ids(len(x)), _ids(0)
    ridge = Ridge(
        PENALTIES, standardise=False, dtype="float32", device=device, max_memory=MAX_MEMORY, **how
    ).fit(Responses(x, ids, "simulated", "fmri"), Embeddings(y, ids, "toy"), Split(ids, none, none))

    def predict(new: NDArray[np.float32]) -> NDArray[Any]:
        rows = Responses(new, _ids(len(new)), "simulated", "fmri")
        return ridge.predict(rows).array()

    return predict, ridge.maps_["simulated"].penalty.numpy()


def ours_five_folds(x: NDArray[np.float32], y: NDArray[np.float32], device: str) -> Outcome:
    """Ours by himalaya's five folds of neighbouring rows, in closed form."""
    return ours(x, y, device, leave_out="trial", n_folds=5)


def himalaya_kernel(x: NDArray[np.float32], y: NDArray[np.float32], device: str) -> Outcome:
    """KernelRidgeCV with 5 folds, its recommendation for more features than rows."""
    from himalaya.backend import set_backend
    from himalaya.kernel_ridge import KernelRidgeCV

    backend = set_backend("torch_cuda" if device == "cuda" else "numpy")
    model = KernelRidgeCV(PENALTIES, cv=5, warn=False).fit(backend.asarray(x), backend.asarray(y))
    return (
        lambda new: np.asarray(backend.to_numpy(model.predict(backend.asarray(new)))),
        np.asarray(backend.to_numpy(model.best_alphas_)),
    )


def himalaya_primal(x: NDArray[np.float32], y: NDArray[np.float32], device: str) -> Outcome:
    """RidgeCV with 5 folds, its recommendation for more rows than features."""
    from himalaya.backend import set_backend
    from himalaya.ridge import RidgeCV

    backend = set_backend("torch_cuda" if device == "cuda" else "numpy")
    model = RidgeCV(PENALTIES, cv=5).fit(backend.asarray(x), backend.asarray(y))
    return (
        lambda new: np.asarray(backend.to_numpy(model.predict(backend.asarray(new)))),
        np.asarray(backend.to_numpy(model.best_alphas_)),
    )


def scikit_learn(x: NDArray[np.float32], y: NDArray[np.float32], device: str) -> Outcome:
    """RidgeCV by leave-one-out, a penalty for each target."""
    from sklearn.linear_model import RidgeCV

    model = RidgeCV(PENALTIES, alpha_per_target=True).fit(x, y)
    return model.predict, np.asarray(model.alpha_)


def cholesky(x: NDArray[np.float32], y: NDArray[np.float32], device: str) -> Outcome:
    """Leave-one-out by one Cholesky factorisation a penalty, to weigh against one eigh."""
    import torch

    torch.set_float32_matmul_precision("highest")
    rows, targets = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)
    gram = rows @ rows.T
    best = torch.full((y.shape[1],), torch.inf, device=device)
    dual, penalty = torch.zeros_like(targets), torch.zeros_like(best)
    for one in PENALTIES:
        regular = gram.clone()
        regular.diagonal().add_(one)
        factor = torch.linalg.cholesky(regular, out=regular)
        solved = torch.cholesky_solve(targets, factor)
        diagonal = torch.cholesky_inverse(factor).diagonal()
        error = (solved / diagonal[:, None]).square().mean(dim=0)
        better = error < best
        best, penalty = torch.where(better, error, best), torch.where(better, one, penalty)
        dual = torch.where(better, solved, dual)
    weights = (rows.T @ dual).cpu().numpy()
    return lambda new: new @ weights, penalty.cpu().numpy()


CONTENDERS: dict[str, Callable[..., Outcome]] = {
    "neurodecode": ours,
    "neurodecode, 5 folds": ours_five_folds,
    "himalaya KernelRidgeCV, 5 folds": himalaya_kernel,
    "himalaya RidgeCV, 5 folds": himalaya_primal,
    "scikit-learn RidgeCV": scikit_learn,
    "Cholesky for each penalty": cholesky,
}


def contend(name: str, folder: Path, device: str, repeats: int) -> dict[str, Any]:
    """Fit once (or more often: the first on a GPU pays for loading kernels) and measure."""
    import torch

    x, y, new = (np.load(folder / f"{part}.npy") for part in ("x", "y", "new"))
    cuda = device == "cuda"
    CONTENDERS[name](x[:64, :128], y[:64, :4], device)  # imports and libraries, not timed
    seconds, cpu_seconds = [], []
    before = _peak_rss_mb()
    for _ in range(repeats):
        if cuda:
            torch.cuda.synchronize()
            torch.cuda.reset_peak_memory_stats()
        start, cpu = time.perf_counter(), time.process_time()
        predict, penalty = CONTENDERS[name](x, y, device)
        if cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
        cpu_seconds.append(time.process_time() - cpu)
    report = {
        "seconds": round(min(seconds), 2),
        "all_seconds": [round(one, 2) for one in seconds],
        "cpu_seconds": round(min(cpu_seconds), 2),
        "peak_rss_mb": round(_peak_rss_mb()),
        "rss_before_fit_mb": round(before),
        "peak_device_mb": round(torch.cuda.max_memory_allocated() / 2**20) if cuda else None,
    }
    np.savez(folder / f"{list(CONTENDERS).index(name)}.npz", penalty=penalty, new=predict(new))
    return report


def _ids(n_rows: int) -> NDArray[np.str_]:
    return np.array([f"{i:06d}" for i in range(n_rows)], dtype=np.str_)


def _peak_rss_mb() -> float:
    import resource

    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _agreement(folder: Path, one: str, other: str) -> dict[str, Any]:
    """Largest difference of predictions at the same penalty, relative to the largest prediction."""
    left, right = (np.load(folder / f"{list(CONTENDERS).index(name)}.npz") for name in (one, other))
    same = np.isclose(left["penalty"], right["penalty"], rtol=1e-4)
    if not same.any():
        return {"of": [one, other], "targets_at_the_same_penalty": 0}
    a, b = left["new"][:, same], right["new"][:, same]
    worst = float((np.abs(a - b).max(axis=0) / np.abs(b).max(axis=0)).max())
    return {
        "of": [one, other],
        "targets_at_the_same_penalty": int(same.sum()),
        "largest_relative_difference": float(f"{worst:.2g}"),
    }


def _names(size: tuple[int, int, int], device: str) -> list[str]:
    n_rows, n_dims, _ = size
    names = ["neurodecode", "neurodecode, 5 folds"]
    names += [f"himalaya {'KernelRidgeCV' if n_rows <= n_dims else 'RidgeCV'}, 5 folds"]
    if device == "cpu" and n_rows * n_dims <= SKLEARN_AT_MOST:
        names.append("scikit-learn RidgeCV")
    if device == "cuda" and n_rows <= n_dims:
        names.append("Cholesky for each penalty")
    return names


def _spawn(name: str, folder: Path, device: str, repeats: int) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.ridge",
        "--contender",
        name,
        "--folder",
        str(folder),
    ]
    command += ["--device", device, "--repeats", str(repeats)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:]}
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _machine(device: str) -> dict[str, Any]:
    import himalaya
    import sklearn
    import torch

    name = torch.cuda.get_device_name() if device == "cuda" else platform.processor()
    versions = {"torch": torch.__version__, "himalaya": himalaya.__version__}
    return {
        "device": name or platform.machine(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "versions": versions | {"sklearn": sklearn.__version__, "numpy": np.__version__},
    }


def main(
    out: Path | None = None,
    device: str = "cpu",
    sizes: list[str] | None = None,
    repeats: int | None = None,
    contender: str | None = None,
    folder: Path | None = None,
) -> None:
    """Compare solvers, or run one of them (how this script calls itself).

    Args:
        out: where to write the JSON; printed as well
        device: cpu or cuda
        sizes: of small, tall, medium, large; all by default
        repeats: fits in one process, the fastest counts; 1 on a CPU, 3 on a GPU
        contender: run this one alone and print its figures
        folder: with the arrays of a contender
    """
    times = repeats or (3 if device == "cuda" else 1)
    if contender is not None and folder is not None:
        print(json.dumps(contend(contender, folder, device, times)))
        return
    report: dict[str, Any] = {"machine": _machine(device), "penalties": PENALTIES, "sizes": {}}
    for label in sizes or list(SIZES):
        with tempfile.TemporaryDirectory() as name:
            simulate(SIZES[label], Path(name))
            rows = {
                one: _spawn(one, Path(name), device, times) for one in _names(SIZES[label], device)
            }
            whole = [one for one, row in rows.items() if "failed" not in row]
            pairs = [
                _agreement(Path(name), mine, other) for mine in whole[:2] for other in whole[2:]
            ]
        report["sizes"][label] = {"shape": SIZES[label], "contenders": rows, "agreement": pairs}
        print(json.dumps({label: report["sizes"][label]}, indent=1), flush=True)
        if out is not None:
            write_record(__file__, out, report)


if __name__ == "__main__":
    auto_cli(main, as_positional=False)
