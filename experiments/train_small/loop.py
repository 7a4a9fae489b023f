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
from typing import Any

import torch
from torch import Tensor, nn

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


def fit(model: Any, loss_of: Callable[[], Tensor], budget: Budget) -> tuple[Any, Outcome]:
    """Train in place; the model ends with the moving average of its weights.

    On CUDA the whole step (drawing a batch, forward, backward, update) is captured once as a graph
    and replayed, since these models are so small that launching kernels would take most of the
    time; where capture fails, steps run one by one.
    """
    device = next(model.parameters()).device
    torch.backends.cudnn.benchmark = True
    step_of, rate, average = _stepper(model, loss_of, budget, device)
    start, step, smooth, fraction = time.monotonic(), 0, math.nan, 0.0
    step_of = _captured(step_of) if device.type == "cuda" else step_of
    while fraction < 1.0:
        rate.fill_(budget.learning_rate * _schedule(fraction))
        loss = step_of()
        step += 1
        if step % 50 == 0 or step == 1:
            now = float(loss.detach())
            smooth = now if math.isnan(smooth) else 0.8 * smooth + 0.2 * now
        if step % 500 == 0 or step == 1:
            print(f"step {step}  {time.monotonic() - start:.0f} s  loss {smooth:.4f}", flush=True)
        elapsed = time.monotonic() - start
        fraction = step / budget.steps if budget.steps else elapsed / budget.seconds
    with torch.no_grad():
        for ours, mean in zip(_trained(model), average, strict=True):
            ours.copy_(mean)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    return model, Outcome(step, round(time.monotonic() - start, 1), round(smooth, 5), name)


def _stepper(
    model: Any, loss_of: Callable[[], Tensor], budget: Budget, device: torch.device
) -> tuple[Callable[[], Tensor], Tensor, list[Tensor]]:
    """One step of training, the learning rate it reads, and the average it keeps."""
    on_gpu = device.type == "cuda"
    rate = torch.tensor(budget.learning_rate, device=device)
    groups = _groups(model, budget.weight_decay)
    optimizer = torch.optim.AdamW(
        groups, lr=rate, betas=(0.9, 0.98), fused=on_gpu, capturable=on_gpu
    )
    weights = _trained(model)
    average = [one.detach().clone() for one in weights]

    def step() -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device.type, torch.bfloat16, enabled=on_gpu):
            loss = loss_of()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, [one.detach() for one in weights], 1.0 - budget.average)
        return loss

    return step, rate, average


def _captured(step: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """The step as a CUDA graph, or the step itself where it can't be captured."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(4):
            step()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph):
            loss = step()
    except RuntimeError as error:
        print(f"no graph ({str(error)[:300]}); steps run one by one", flush=True)
        torch.cuda.synchronize()
        return step

    def replay() -> Tensor:
        graph.replay()
        return loss

    print("one step is one graph", flush=True)
    return replay


def _trained(model: Any) -> list[Tensor]:
    return [one for one in model.parameters() if one.requires_grad]


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


def _groups(model: Any, weight_decay: float) -> list[dict[str, Any]]:
    """Decay matrices and kernels, not biases, norms and single numbers."""
    matrices = [one for one in _trained(model) if one.ndim > 1]
    others = [one for one in _trained(model) if one.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
