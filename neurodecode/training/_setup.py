"""What a run is made of: the processes, their share of the batches, the optimizer."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from typing import Any

import torch
from lightning.fabric import Fabric
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.fabric.strategies.ddp import DDPStrategy
from torch import nn

from neurodecode.training._plan import SPLIT, Batches, Plan, pick_device
from neurodecode.training._split_adamw import SplitAdamW


def make_fabric(plan: Plan) -> Fabric:
    """One process on the plan's device, or this one of those that torchrun started.

    Which of the two is told to Fabric. Left to guess, it warns wherever an ``srun`` is on the path,
    and takes each task of a Slurm job for a rank of one training.
    """
    device = pick_device(plan.device)
    precision: Any = "32-true" if plan.precision == SPLIT else plan.precision
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world > 1 and "LOCAL_WORLD_SIZE" in os.environ:
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        # People differ from step to step, so do the layers that a step uses.
        strategy = DDPStrategy(find_unused_parameters=True)
        fabric = Fabric(
            accelerator=device.type,
            devices=local,
            num_nodes=world // local,
            strategy=strategy,
            precision=precision,
            plugins=[TorchElasticEnvironment()],
        )
    else:
        chosen: Any = 1 if device.type == "cpu" or device.index is None else [device.index]
        fabric = Fabric(
            accelerator=device.type,
            devices=chosen,
            precision=precision,
            plugins=[LightningEnvironment()],
        )
    fabric.launch()
    return fabric


def share(batches: Batches, fabric: Fabric) -> tuple[Batches, int]:
    """The batches of this process and how many steps it makes an epoch."""
    world, n_steps = fabric.world_size, len(batches) // fabric.world_size
    if n_steps == 0:
        raise ValueError(
            f"There are {len(batches)} batches an epoch for {world} processes. Use smaller "
            f"batches, fewer processes or more trials."
        )
    if world == 1:
        return batches, n_steps
    if hasattr(batches, "shard"):
        shared: Batches = batches.shard(fabric.global_rank, world)
        return shared, n_steps
    return _EveryNth(batches, fabric.global_rank, world), n_steps


class _EveryNth:
    """The batches of one process of several."""

    def __init__(self, batches: Batches, rank: int, world: int) -> None:
        self.batches, self.rank, self.world = batches, rank, world

    def __len__(self) -> int:
        return len(self.batches) // self.world

    def epoch(self, epoch: int, seed: int) -> Iterator[Any]:
        end = len(self) * self.world
        return itertools.islice(self.batches.epoch(epoch, seed), self.rank, end, self.world)


def make_optimizer(module: nn.Module, plan: Plan) -> torch.optim.Optimizer:
    """AdamW that decays matrices only, unless the module groups its own weights.

    The module must be on its device.
    """
    own: Any = getattr(module, "parameter_groups", None)
    if own is not None:
        groups = [dict(group) for group in own()]
    else:
        moving = [one for one in module.parameters() if one.requires_grad]
        groups = [
            {"params": [one for one in moving if one.ndim > 1]},
            {"params": [one for one in moving if one.ndim <= 1], "weight_decay": 0.0},
        ]
    for group in groups:
        group["lr"] = plan.learning_rate * group.pop("lr_scale", 1.0)
    groups = [group for group in groups if group["params"]]
    if not groups:
        raise ValueError("The module has no weights that may be trained (requires_grad).")
    if plan.precision == SPLIT:
        return SplitAdamW(groups, lr=plan.learning_rate, weight_decay=plan.weight_decay)
    on_cuda = all(one.is_cuda for group in groups for one in group["params"])
    return torch.optim.AdamW(
        groups, lr=plan.learning_rate, weight_decay=plan.weight_decay, fused=on_cuda or None
    )


def make_schedule(optimizer: torch.optim.Optimizer, plan: Plan, n_updates: int) -> Any:
    """Torch's schedule of that name, one step an update."""
    rates = [group["lr"] for group in optimizer.param_groups]
    if plan.schedule == "one_cycle":
        return torch.optim.lr_scheduler.OneCycleLR(
            optimizer,
            max_lr=rates,
            total_steps=n_updates + 1,
            pct_start=min(0.3, 2 / plan.max_epochs),
            final_div_factor=100,
        )
    if plan.schedule == "cosine":
        return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=n_updates)
    return torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0)


def round_frozen(module: nn.Module) -> Callable[[], None]:
    """Make the weights that don't learn bfloat16 too; gives what makes them what they were."""
    kept = [(one, one.data) for one in module.parameters() if not one.requires_grad]
    for weight, values in kept:
        weight.data = values.bfloat16()

    def restore() -> None:
        for weight, values in kept:
            weight.data = values

    return restore
