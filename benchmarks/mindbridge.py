"""MindBridge's training step at the paper's size: ours against a plain fp32 implementation.

8192 bins to 2048 hidden units, 4 blocks, heads of 257x768 and 77x768 tokens, 50 trials of each of
4 people a step: 694 M weights. From the same first weights on the same batches and pairs of people:

- ``plain fp32``: the paper's equations with torch's AdamW and clipping; with three seeds of
  dropout, as ours, so that the difference of loss curves has a yardstick.
- ``plain tf32``: the same with TF32 matrix products, as published.
- ``autocast``: bf16 autocast and fused AdamW.
- ``ours``: what `MindBridge.fit` does with ``Plan(precision="bf16-split")``: the library's loop
  (`neurodecode.training.train`), its step and model, steps replayed as CUDA graphs.
- ``ours, no graphs``: the same with ``Plan(capture=False)``.

Measured on an H100 (``results/mindbridge_h100.json``):

==================  =======  =======
way                 a step   peak
==================  =======  =======
plain fp32          51.3 ms  14.4 GB
plain tf32          35.1 ms  14.4 GB
autocast            23.7 ms  12.3 GB
ours, no graphs     15.7 ms   7.5 GB
ours                10.7 ms   7.8 GB
==================  =======  =======

The loss after the first quarter of 240 steps, by seed of dropout: plain 1.680, 1.642, 1.587; ours
1.621, 1.636, 1.604. With graphs and without the curve is the same, number for number.
The peak is of what torch allocated; with its cache and the memory of the graphs 12.3 GB were held.

Cost: about 75 s and 16 GB on an H100. Given for the authors' model: 50 ms and 15.2 GB in fp32,
34 ms in TF32, 23 ms and 12.4 GB with autocast; ours is to take at most 16 ms and 10 GB.

Run: ``python -m benchmarks.mindbridge --device cuda --out FILE``; ``--tiny`` rehearses on a CPU.
Responses are simulated here; only time, memory and the agreement of loss curves are measured.
"""

from __future__ import annotations

import argparse
import copy
import gc
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks._record import write_record
from benchmarks._timed import Timed, now
from neurodecode.encoders.core.trials import TrialBatch
from neurodecode.encoders.mindbridge.loss import BridgeLoss
from neurodecode.encoders.mindbridge.model import BridgeModel, BridgeStep
from neurodecode.encoders.mindbridge.parts import BridgeSizes, MindBridgeNet
from neurodecode.training import Plan, Progress, train

PAPER = {"image": (257, 768), "text": (77, 768)}
TINY = {"image": (5, 8), "text": (3, 8)}
N_PEOPLE, BATCH, N_BATCHES, EPOCH = 4, 50, 2, 10
LEARNING_RATE, WEIGHT_DECAY, CLIP = 1.5e-4, 1e-2, 1.0
SEEDS = (1, 2, 3)
STEP = BridgeStep(BridgeLoss(), seed=0)
log = logging.getLogger("neurodecode")


@dataclass(frozen=True)
class Setting:
    """Where and how large; batches are the same for all ways."""

    device: torch.device
    sizes: BridgeSizes
    heads: Mapping[str, tuple[int, ...]]
    batches: list[list[TrialBatch]]
    n_epochs: int


class InTurn:
    """The batches in turn, as a `Batches`."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def __len__(self) -> int:
        return EPOCH

    def epoch(self, epoch: int, seed: int) -> Iterator[list[TrialBatch]]:
        """So many steps."""
        for number in range(EPOCH):
            yield self.setting.batches[number % N_BATCHES]


def plain_losses(net: MindBridgeNet, batch: list[TrialBatch], pair: tuple[int, int]) -> Tensor:
    """The paper's loss, term by term."""
    bins = [one.values for one in batch]
    hidden = [net.embed(person, one) for person, one in enumerate(bins)]
    loss = torch.zeros((), device=bins[0].device)
    for name, predicted in net.predict(torch.cat(hidden)).items():
        p = F.normalize(predicted.float(), dim=1)
        t = F.normalize(torch.cat([one.targets[name] for one in batch]).flatten(1), dim=1)
        wanted = (t @ t.T / 0.005).softmax(dim=1)
        logits = p @ t.T / 0.005
        loss = loss - 0.5 * (wanted * logits.log_softmax(1)).sum(1).mean()
        loss = loss - 0.5 * (wanted * logits.T.log_softmax(1)).sum(1).mean()
        loss = loss + 1e4 * F.mse_loss(p, t)
    rebuilt = torch.cat([net.build(person, one) for person, one in enumerate(hidden)])
    loss = loss + F.mse_loss(rebuilt.float(), torch.cat(bins))
    first, second = pair
    again = net.embed(second, net.build(second, hidden[first]))
    return loss + F.mse_loss(again.float(), hidden[first].float())


def plain(setting: Setting, model: BridgeModel, seed: int, *, fast: bool = False) -> list[float]:
    """fp32 with torch's AdamW; ``fast``: autocast and the fused kernel. Mean loss an epoch."""
    net, losses, timed = model.net.train(), list[Tensor](), Timed(InTurn(setting), setting.device)
    groups: list[dict[str, Any]] = [
        {"params": [one for one in net.parameters() if one.ndim > 1]},
        {"params": [one for one in net.parameters() if one.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(
        groups, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=fast or None
    )
    torch.manual_seed(seed)
    for epoch in range(setting.n_epochs):
        for batch in timed.epoch(epoch, 0):
            pair = STEP.branch(batch, Progress(epoch, len(losses), 0.0))
            assert pair is not None
            with torch.autocast(setting.device.type, torch.bfloat16, enabled=fast):
                loss = plain_losses(net, batch, pair)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(loss.detach())
    timed.starts.append(now(setting.device))
    model.starts = timed.starts  # type: ignore[assignment]
    return torch.stack(losses).float().view(-1, EPOCH).mean(1).tolist()


def ours(setting: Setting, model: BridgeModel, seed: int, *, capture: bool = True) -> list[float]:
    """The library's loop. Mean loss an epoch."""
    plan = Plan(
        max_epochs=setting.n_epochs,
        learning_rate=LEARNING_RATE,
        weight_decay=WEIGHT_DECAY,
        schedule="constant",
        gradient_clip=CLIP,
        precision="bf16-split",
        device=setting.device.type,
        capture=capture,
    )
    timed = Timed(InTurn(setting), setting.device)
    history = train(model, STEP, timed, plan, seed=seed)
    timed.starts.append(now(setting.device))
    model.starts = timed.starts  # type: ignore[assignment]
    return history.column("train_loss")


def make_setting(device: torch.device, *, tiny: bool, n_epochs: int) -> Setting:
    """Planted batches: bins and targets of a trial come from one hidden cause of 64 numbers."""
    sizes = BridgeSizes(n_pooled=96, n_hidden=32, n_bottleneck=8) if tiny else BridgeSizes()
    heads = TINY if tiny else PAPER
    rng = torch.Generator(device).manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng, device=device)

    maps = [draw(64, sizes.n_pooled) / 8 for _ in range(N_PEOPLE)]
    bases = {name: draw(64, int(np.prod(shape))) for name, shape in heads.items()}
    ids = np.arange(BATCH)
    batches = []
    for _ in range(N_BATCHES):
        people = []
        for person, one in enumerate(maps):
            cause = draw(BATCH, 64)
            bins = cause @ one + draw(BATCH, sizes.n_pooled)
            targets = {name: cause @ base for name, base in bases.items()}
            people.append(
                TrialBatch(person, _name(person), bins, targets, ids.astype(np.str_), None, ids)
            )
        batches.append(people)
    return Setting(device, sizes, heads, batches, n_epochs)


def measure(setting: Setting, way: Callable[[BridgeModel], list[float]]) -> dict[str, Any]:
    """Time, memory and loss curve of one way; the first weights are always the same.

    The first half of the epochs is warm-up: kernels are chosen and graphs recorded there.
    """
    cuda = setting.device.type == "cuda"
    gc.collect()
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    torch.manual_seed(0)
    with setting.device:
        # As many voxels as bins: pooling leaves them as they are.
        n_voxels = {_name(person): setting.sizes.n_pooled for person in range(N_PEOPLE)}
        model = BridgeModel(n_voxels, setting.heads, setting.sizes, "max")
    losses = way(model)
    starts: Any = model.starts
    warm = setting.n_epochs // 2
    seconds = (starts[-1] - starts[warm]) / (setting.n_epochs - warm) / EPOCH
    return {
        "ms_per_step": round(1e3 * seconds, 3),
        "samples_per_s": round(N_PEOPLE * BATCH / seconds, 1),
        "peak_gb": round(torch.cuda.max_memory_allocated() / 1e9, 2) if cuda else None,
        "reserved_gb": round(torch.cuda.max_memory_reserved() / 1e9, 2) if cuda else None,
        "warm_up_s": round(starts[warm] - starts[0], 2),
        "n_weights": sum(one.numel() for one in model.parameters()),
        "losses": [round(one, 5) for one in losses],
    }


def compare(runs: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Speed, and loss curves: mean loss after the first quarter, by seed of dropout, of both."""
    late = {
        kind: [
            round(float(np.mean(run["losses"][len(run["losses"]) // 4 :])), 4)
            for name, run in runs.items()
            if name.startswith(f"{kind}, dropout")
        ]
        for kind in ("plain fp32", "ours")
    }
    means = {kind: float(np.mean(losses)) for kind, losses in late.items()}
    times = {name: run["ms_per_step"] for name, run in runs.items()}
    return {
        "late_loss": late,
        "ours_from_plain": round(means["ours"] / means["plain fp32"] - 1, 4),
        "range_of_plain": round(float(np.ptp(late["plain fp32"])) / means["plain fp32"], 4),
        "graphs_change_the_curve": runs["ours, dropout 1"]["losses"]
        != runs["ours, no graphs"]["losses"],
        "speed_up": round(times["plain fp32, dropout 1"] / times["ours, dropout 1"], 2),
    }


def run(device: torch.device, *, tiny: bool, n_epochs: int) -> dict[str, Any]:
    """All ways, one after the other."""
    setting = make_setting(device, tiny=tiny, n_epochs=n_epochs)
    ways: dict[str, Callable[[BridgeModel], list[float]]] = {
        "plain tf32": lambda model: plain(setting, model, 1),
        "autocast": lambda model: plain(setting, model, 1, fast=True),
        "ours, no graphs": lambda model: ours(setting, model, 1, capture=False),
    }
    for seed in SEEDS:
        ways[f"ours, dropout {seed}"] = partial(ours, setting, seed=seed)
        ways[f"plain fp32, dropout {seed}"] = partial(plain, setting, seed=seed)
    runs: dict[str, dict[str, Any]] = {}
    for name, way in ways.items():
        torch.set_float32_matmul_precision("high" if "tf32" in name else "highest")
        runs[name] = measure(setting, way)
        log.info("%-26s %s", name, {key: one for key, one in runs[name].items() if key != "losses"})
    about = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    return {
        "device": about,
        "torch": torch.__version__,
        "sizes": copy.copy(vars(setting.sizes)),
        "trials_a_step": N_PEOPLE * BATCH,
        "n_steps": n_epochs * EPOCH,
        "runs": runs,
        "comparison": compare(runs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to rehearse")
    parser.add_argument("--epochs", type=int, default=24, help="of 10 steps; half are warm-up")
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    result = run(torch.device(options.device), tiny=options.tiny, n_epochs=options.epochs)
    log.info("%s", result["comparison"])
    if options.out:
        write_record(__file__, options.out, result)


def _name(person: int) -> str:
    return f"sub-{person + 1:02d}"


if __name__ == "__main__":
    main()
