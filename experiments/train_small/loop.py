"""The loop of these scripts: all on the device, scheduled by the clock, weights averaged.

The library trains encoders with `neurodecode.training`; here whole data sets lie on one GPU and the
clock is the budget, so the loop is its own.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

WARM_UP = 0.04


@dataclass(frozen=True)
class Budget:
    """How long to train: ``steps`` if given (to repeat a run), else ``seconds``."""

    seconds: float
    steps: int | None = None
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    average: float = 0.99
    seed: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a run did."""

    steps: int
    seconds: float
    loss: float
    device: str


def fit(
    model: nn.Module, loss_of: Callable[[], Tensor], budget: Budget
) -> tuple[nn.Module, Outcome]:
    """Train; give the moving average of the weights and what was done."""
    device = next(model.parameters()).device
    torch.backends.cudnn.benchmark = True
    optimizer = torch.optim.AdamW(
        _groups(model, budget.weight_decay),
        lr=budget.learning_rate,
        betas=(0.9, 0.98),
        fused=device.type == "cuda",
    )
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(budget.average))
    start, step, smooth, fraction = time.monotonic(), 0, math.nan, 0.0
    while fraction < 1.0:
        for group in optimizer.param_groups:
            group["lr"] = budget.learning_rate * _schedule(fraction)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = loss_of()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(model)
        step += 1
        if step % 50 == 0 or step == 1:
            now = float(loss.detach())
            smooth = now if math.isnan(smooth) else 0.8 * smooth + 0.2 * now
            if step % 500 == 0 or step == 1:
                print(
                    f"step {step}  {time.monotonic() - start:.0f} s  loss {smooth:.4f}", flush=True
                )
        elapsed = time.monotonic() - start
        fraction = step / budget.steps if budget.steps else elapsed / budget.seconds
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    return average.module, Outcome(step, round(time.monotonic() - start, 1), round(smooth, 5), name)


def write_outcome(folder: Path, outcome: Outcome, budget: Budget, **more: float | str) -> None:
    """Keep beside the weights what the model card states."""
    facts = {**asdict(outcome), "seed": budget.seed, "learning_rate": budget.learning_rate, **more}
    (folder / "training.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    print(folder.name, json.dumps(facts), flush=True)


def _schedule(fraction: float) -> float:
    """Linear warm-up, then a cosine to a hundredth."""
    if fraction < WARM_UP:
        return max(fraction, 1e-3) / WARM_UP
    rest = (fraction - WARM_UP) / (1.0 - WARM_UP)
    return 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * min(rest, 1.0)))


def _groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Decay matrices and kernels, not biases, norms and single numbers."""
    matrices = [one for one in model.parameters() if one.requires_grad and one.ndim > 1]
    others = [one for one in model.parameters() if one.requires_grad and one.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
