"""MindBridge's training step at the paper's size: ours against a plain fp32 implementation.

8192 bins to 2048 hidden units, 4 blocks, heads of 257x768 and 77x768 tokens, 50 trials of each of
4 people a step: 694 M weights. Four ways from the same first weights on the same batches:

- ``plain fp32``: the paper's equations with torch's AdamW and clipping; twice, with other dropout,
  so that the difference of loss curves has a yardstick.
- ``plain tf32``: the same with TF32 matrix products, as published.
- ``autocast``: bf16 autocast and fused AdamW.
- ``ours``: bfloat16 weights whose lost bits are kept (`SplitAdamW`), losses from one matrix of
  cosines.

Cost: about 40 s and 16 GB on an H100. Expect (figures given for the authors' model): 50 ms and
15.2 GB in fp32, 34 ms in TF32, 23 ms and 12.4 GB with autocast; ours at most 16 ms and 10 GB.

Run: ``python benchmarks/mindbridge.py --device cuda --out FILE``; ``--tiny`` rehearses on a CPU.
Responses are simulated here; only time, memory and the agreement of loss curves are measured.
"""

from __future__ import annotations

import argparse
import copy
import gc
import logging
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

if __name__ == "__main__":  # a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from neurodecode.encoders._mindbridge_loss import BridgeLoss, bridge_losses
from neurodecode.encoders._mindbridge_parts import MindBridgeNet, Sizes
from neurodecode.encoders._split_adamw import SplitAdamW
from neurodecode.store import write_json

PAPER = {"image": (257, 768), "text": (77, 768)}
TINY = {"image": (5, 8), "text": (3, 8)}
N_PEOPLE, BATCH, N_BATCHES = 4, 50, 2
LEARNING_RATE, WEIGHT_DECAY, CLIP = 1.5e-4, 1e-2, 1.0
PAIRS = [(a, b) for a in range(N_PEOPLE) for b in range(N_PEOPLE) if a != b]
log = logging.getLogger("neurodecode")
Step = Callable[[int], Tensor]


@dataclass(frozen=True)
class Setting:
    """Where and how large; batches are the same for all ways."""

    device: torch.device
    sizes: Sizes
    heads: Mapping[str, tuple[int, ...]]
    batches: list[tuple[list[Tensor], dict[str, Tensor]]]
    n_steps: int
    n_warm: int


def plain_losses(
    net: MindBridgeNet, bins: list[Tensor], targets: dict[str, Tensor], pair: tuple[int, int]
) -> Tensor:
    """The paper's loss, term by term."""
    hidden = [net.embed(person, one) for person, one in enumerate(bins)]
    loss = torch.zeros((), device=bins[0].device)
    for name, predicted in net.predict(torch.cat(hidden)).items():
        p = F.normalize(predicted.float(), dim=1)
        t = F.normalize(targets[name].flatten(1), dim=1)
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


def plain_step(net: MindBridgeNet, setting: Setting, *, fast: bool) -> Step:
    """fp32 with torch's AdamW; ``fast``: autocast and the fused kernel."""
    groups: list[dict[str, Any]] = [
        {"params": [one for one in net.parameters() if one.ndim > 1]},
        {"params": [one for one in net.parameters() if one.ndim == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(
        groups, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY, fused=fast or None
    )

    def step(number: int) -> Tensor:
        bins, targets = setting.batches[number % N_BATCHES]
        with torch.autocast(setting.device.type, torch.bfloat16, enabled=fast):
            loss = plain_losses(net, bins, targets, PAIRS[number % len(PAIRS)])
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss.detach()

    return step


def our_step(net: MindBridgeNet, setting: Setting) -> Step:
    """The library's losses and optimizer."""
    optimizer = SplitAdamW(net, gradient_clip=CLIP)
    half = [
        (
            [(person, one.bfloat16()) for person, one in enumerate(bins)],
            {name: one.bfloat16() for name, one in targets.items()},
        )
        for bins, targets in setting.batches
    ]
    weights = BridgeLoss()

    def step(number: int) -> Tensor:
        pooled, targets = half[number % N_BATCHES]
        pair = PAIRS[number % len(PAIRS)]
        loss = bridge_losses(net, pooled, targets, weights, pair)["loss"]
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step(LEARNING_RATE)
        return loss.detach()

    return step


def make_setting(device: torch.device, *, tiny: bool, n_steps: int) -> Setting:
    """Planted batches: bins and targets of a trial come from one hidden cause of 64 numbers."""
    sizes = Sizes(n_pooled=96, n_hidden=32, n_bottleneck=8) if tiny else Sizes()
    heads = TINY if tiny else PAPER
    rng = torch.Generator(device).manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=rng, device=device)

    maps = [draw(64, sizes.n_pooled) / 8 for _ in range(N_PEOPLE)]
    bases = {name: draw(64, int(torch.tensor(shape).prod())) for name, shape in heads.items()}
    batches = []
    for _ in range(N_BATCHES):
        causes = [draw(BATCH, 64) for _ in range(N_PEOPLE)]
        bins = [
            cause @ one + draw(BATCH, sizes.n_pooled)
            for cause, one in zip(causes, maps, strict=True)
        ]
        targets = {name: torch.cat(causes) @ base for name, base in bases.items()}
        batches.append((bins, targets))
    return Setting(device, sizes, heads, batches, n_steps, n_warm=min(10, n_steps // 2))


def measure(setting: Setting, make: Callable[[MindBridgeNet], Step], seed: int) -> dict[str, Any]:
    """Time, memory and loss curve of one way; the first weights are always the same."""
    cuda = setting.device.type == "cuda"
    _free(setting.device)
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    torch.manual_seed(0)
    with setting.device:
        net = MindBridgeNet(N_PEOPLE, setting.heads, setting.sizes)
    step = make(net.train())
    torch.manual_seed(seed)
    losses = [step(number) for number in range(setting.n_warm)]
    start = _now(setting.device)
    losses += [step(number) for number in range(setting.n_warm, setting.n_steps)]
    seconds = (_now(setting.device) - start) / (setting.n_steps - setting.n_warm)
    peak = torch.cuda.max_memory_allocated() / 1e9 if cuda else None
    return {
        "ms_per_step": round(1e3 * seconds, 3),
        "samples_per_s": round(N_PEOPLE * BATCH / seconds, 1),
        "peak_gb": None if peak is None else round(peak, 2),
        "n_weights": sum(one.numel() for one in net.parameters()),
        "losses": [round(one, 5) for one in torch.stack(losses).float().tolist()],
    }


def compare(runs: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Mean distance of our curve from the plain one, and of two plain ones from each other."""
    curves = {name: torch.tensor(run["losses"]) for name, run in runs.items()}
    late = slice(len(curves["ours"]) // 4, None)

    def distance(one: str, other: str) -> float:
        gap = (curves[one] - curves[other])[late].abs() / curves[other][late].abs()
        return round(float(gap.mean()), 5)

    return {
        "ours_from_plain": distance("ours", "plain fp32"),
        "plain_from_plain_with_other_dropout": distance("plain fp32, other dropout", "plain fp32"),
        "speed_up": round(runs["plain fp32"]["ms_per_step"] / runs["ours"]["ms_per_step"], 2),
    }


def run(device: torch.device, *, tiny: bool, n_steps: int) -> dict[str, Any]:
    """All ways, one after the other."""
    setting = make_setting(device, tiny=tiny, n_steps=n_steps)
    runs: dict[str, dict[str, Any]] = {}

    def plain(net: MindBridgeNet) -> Step:
        return plain_step(net, setting, fast=False)

    runs["plain fp32"] = measure(setting, plain, seed=1)
    runs["plain fp32, other dropout"] = measure(setting, plain, seed=2)
    torch.set_float32_matmul_precision("high")
    runs["plain tf32"] = measure(setting, plain, seed=1)
    torch.set_float32_matmul_precision("highest")
    runs["autocast"] = measure(setting, lambda net: plain_step(net, setting, fast=True), seed=1)
    runs["ours"] = measure(setting, lambda net: our_step(net, setting), seed=1)
    about = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    return {
        "device": about,
        "torch": torch.__version__,
        "sizes": copy.copy(vars(setting.sizes)),
        "trials_a_step": N_PEOPLE * BATCH,
        "n_steps": n_steps,
        "runs": runs,
        "comparison": compare(runs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--tiny", action="store_true", help="small sizes, to rehearse")
    parser.add_argument("--steps", type=int, default=110)
    parser.add_argument("--out", type=Path, help="JSON file to write")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    result = run(torch.device(options.device), tiny=options.tiny, n_steps=options.steps)
    for name, one in result["runs"].items():
        log.info(
            "%-26s %8.2f ms  %9.1f samples/s  %s GB  loss %.3f to %.3f",
            name,
            one["ms_per_step"],
            one["samples_per_s"],
            one["peak_gb"],
            one["losses"][0],
            one["losses"][-1],
        )
    log.info("%s", result["comparison"])
    if options.out:
        write_json(options.out, result)


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def _free(device: torch.device) -> None:
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
