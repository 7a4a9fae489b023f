"""Training from the store against training from memory: MindBridge and MindEye2.

    python -m benchmarks.training --out benchmarks/results/training_h100.json

4 people x 2,000 trials x 15,000 voxels, in float32, of the same 2,000 stimuli. MindBridge has the
paper's size and heads (257 x 768 and 77 x 768 tokens: 217 MB a step of 200 trials are read);
MindEye2 the published widths with one token of 768 (5.9 MB a step of 96 trials, but shorter
steps). Both are trained as their `fit` does, once from arrays and once from store files, targets
too, in turn and twice. The figure is the ratio of the median times of an epoch, without the first
half of the epochs (graphs are recorded there). Files are in the page cache, as from the second
epoch on; nothing else is kept in memory or on the device than the batches read ahead.

Measured on an H100 (``results/training_h100.json``; 8 epochs, of which 4 were timed): MindEye2
8,826 trials a second from the store and 8,732 from memory (1.01), MindBridge 10,803 and 12,271
(.88: 12 GB a second are read, and epochs from memory differ by more than that, .62 to .86 s).
Before the store's file was mapped into memory (`neurodecode/store/_layout.py`) it was .95 and .66.
Not repeated with the 20 epochs that are run now. On one CPU thread of a busy machine, 500 trials a
person and narrow networks (``--size light``, ``results/training_cpu.json``): 1.00 and 1.12.

Cost on an H100: about 150 s, 12 GB, 3 GB of disk in a temporary folder; on a CPU with
``--size light`` a minute. Values are simulated noise: only time is measured.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jsonargparse import auto_cli

from benchmarks._record import write_record
from benchmarks._timed import Timed, now
from neurodecode import store
from neurodecode.data import Embeddings, Responses
from neurodecode.encoders.core.fitting import Fitting
from neurodecode.encoders.mindbridge.loss import BridgeLoss
from neurodecode.encoders.mindbridge.model import BridgeModel, BridgeStep
from neurodecode.encoders.mindbridge.parts import BridgeSizes
from neurodecode.encoders.mindeye2.parts import MindEye2Net, MindEye2Sizes
from neurodecode.encoders.mindeye2.steps import MindEye2Loss, MindEye2Step
from neurodecode.training import Plan, pick_device

N_PEOPLE = 4
Data = tuple[list[Responses], dict[str, Embeddings]]


@dataclass(frozen=True)
class Size:
    """How much is read, and how wide the networks are."""

    n_trials: int = 2000
    n_voxels: int = 15_000
    n_epochs: int = 20
    shapes: Mapping[str, tuple[int, ...]] = field(
        default_factory=lambda: {"image": (257, 768), "text": (77, 768), "vector": (768,)}
    )
    bridge: BridgeSizes = field(default_factory=BridgeSizes)
    shared: MindEye2Sizes = field(default_factory=MindEye2Sizes)


SMALL = {"image": (5, 8), "text": (3, 8), "vector": (8,)}
NARROW = MindEye2Sizes(n_shared=64, n_blocks=1, prior_depth=1, prior_heads=2, prior_width=8)
SIZES = {
    "paper": Size(),
    "light": Size(500, n_epochs=6, shapes=SMALL, bridge=BridgeSizes(2048, 64), shared=NARROW),
    "tiny": Size(60, 500, shapes=SMALL, bridge=BridgeSizes(96, 32, n_bottleneck=8), shared=NARROW),
}


def simulate(folder: Path, size: Size) -> dict[str, Data]:
    """The same people and targets in memory and in the store."""
    n_trials = size.n_trials
    rng = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Any:
        return torch.randn(*shape, generator=rng).numpy()

    people = [
        Responses(draw(n_trials, size.n_voxels), range(n_trials), f"sub-{person + 1:02d}", "fmri")
        for person in range(N_PEOPLE)
    ]
    targets = {
        name: Embeddings(draw(n_trials, *shape), range(n_trials), "simulated")
        for name, shape in size.shapes.items()
    }
    kept = [_stored(folder, one.subject, one) for one in people]
    return {
        "memory": (people, targets),
        "store": (kept, {name: _stored(folder, name, one) for name, one in targets.items()}),
    }


def mindbridge(data: Data, plan: Plan, size: Size) -> list[float]:
    """When the epochs of MindBridge's training began, and the end."""
    people, targets = data
    heads = {name: targets[name] for name in ("image", "text")}
    shapes = {name: one.row_shape for name, one in heads.items()}
    fitting = Fitting(heads, plan, batch_size=50, seed=0)
    n_voxels = {one.subject: one.n_units for one in people}
    with pick_device(plan.device):
        model = BridgeModel(n_voxels, shapes, size.bridge, "max")
    return _train(fitting, model, BridgeStep(BridgeLoss(), 0), people)


def shared_space(data: Data, plan: Plan, size: Size) -> list[float]:
    """The same for MindEye2."""
    people, targets = data
    fitting = Fitting({"vector": targets["vector"]}, plan, batch_size=24, seed=0)
    n_voxels = {one.subject: one.n_units for one in people}
    with pick_device(plan.device):
        net = MindEye2Net(n_voxels, targets["vector"].row_shape, size.shared)
    return _train(fitting, net, MindEye2Step(MindEye2Loss(), "vector", None, 1.0), people)


def main(
    out: Path | None = None, device: str = "auto", size: Literal["paper", "light", "tiny"] = "paper"
) -> dict[str, Any]:
    """Time epochs from memory and from the store.

    Parameters
    ----------
    out : path, optional
        Where to write the figures as JSON.
    device : str
    size : {'paper', 'light', 'tiny'}
        ``'light'``: as many voxels, but networks so narrow that a CPU is held up by reading;
        ``'tiny'`` to rehearse.
    """
    chosen, cuda = SIZES[size], pick_device(device).type == "cuda"
    precision = "bf16-split" if cuda else "32-true"
    plan = Plan(max_epochs=chosen.n_epochs, precision=precision, device=device)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = simulate(Path(folder), chosen)
        for name, way in (("MindBridge", mindbridge), ("MindEye2", shared_space)):
            seconds: dict[str, list[float]] = {"memory": [], "store": []}
            for place in ("memory", "store", "memory", "store"):
                starts = way(data[place], plan, chosen)
                seconds[place] += np.diff(starts)[chosen.n_epochs // 2 :].tolist()
            found[name] = _told(seconds, chosen.n_trials)
            print(name, found[name], flush=True)
    result = {
        "what": f"4 people x {chosen.n_trials} trials x {chosen.n_voxels} voxels, {size}",
        "device": torch.cuda.get_device_name()
        if cuda
        else f"cpu, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
        **found,
    }
    if out is not None:
        write_record(__file__, out, result)
    return result


def _train(fitting: Fitting, module: Any, step: Any, people: list[Responses]) -> list[float]:
    trials = fitting.batches(people, together=True)
    timed = Timed(trials, trials.device)
    fitting.train(module, step, timed, step, ())
    return [*timed.starts, now(trials.device)]


def _told(seconds: dict[str, list[float]], n_trials: int) -> dict[str, Any]:
    median = {place: float(np.median(times)) for place, times in seconds.items()}
    return {
        "trials_per_s": {place: round(N_PEOPLE * n_trials / one) for place, one in median.items()},
        "seconds_an_epoch": {
            place: [round(one, 4) for one in times] for place, times in seconds.items()
        },
        "store_over_memory": round(median["memory"] / median["store"], 3),
    }


def _stored(folder: Path, name: str, content: Any) -> Any:
    return store.load(store.save(folder / f"{name}.h5", content), verify=False)


if __name__ == "__main__":
    auto_cli(main)
