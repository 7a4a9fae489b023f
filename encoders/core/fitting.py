"""What the fits of torch encoders share: trials as batches, validation as a number, training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from torch import Tensor

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders.core.resident import pooled_trials
from neurodecode.encoders.core.trials import PooledTrials, TrialBatch
from neurodecode.training import Batches, History, Plan, Step, pick_device, train

Losses: TypeAlias = Callable[[Any, TrialBatch], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Fitting:
    """How an encoder is fitted to people's trials.

    Parameters
    ----------
    targets : mapping of str to Embeddings
    plan : Plan
    batch_size : int
        Trials a person and step.
    seed : int
    run : mapping, optional
        Folder and identity of the run, from `run_of`.
    resident : bool
        Keep the trials on a CUDA device if they fit.
    """

    targets: Mapping[str, Embeddings]
    plan: Plan
    batch_size: int
    seed: int
    run: Mapping[str, Any] = field(default_factory=dict)
    resident: bool = False

    def batches(self, people: Sequence[Responses], *, together: bool = False) -> PooledTrials:
        """The people's trials in batches; ``together`` for one of every person in each step."""
        kind = pooled_trials if self.resident else PooledTrials
        return kind(
            people,
            self.targets,
            batch_size=self.batch_size,
            together=together,
            device=pick_device(self.plan.device),
        )

    def train(
        self,
        module: torch.nn.Module,
        step: Step,
        batches: Batches,
        losses: Losses,
        held_out: Sequence[Responses],
    ) -> History:
        """Train in place; the weights kept are those of the best mean loss on what is held out.

        Parameters
        ----------
        module, step, batches
            As for `neurodecode.training.train`.
        losses : callable
            ``losses(module, batch)`` of a batch of held-out trials.
        held_out : sequence of Responses
            The validation part of each person; may be empty.
        """
        there = [one for one in held_out if len(one)]
        check = MeanLosses(self.batches(there), losses) if there else None
        return train(module, step, batches, self.plan, validate=check, seed=self.seed, **self.run)


class MeanLosses:
    """The mean of losses over trials, a number that `train` can compare over epochs.

    Whatever is drawn is the same each time.

    Parameters
    ----------
    trials : PooledTrials
    losses : callable
        ``losses(module, batch)`` gives means over the batch, by name.
    """

    def __init__(self, trials: PooledTrials, losses: Losses) -> None:
        self.trials, self.losses = trials, losses

    def __call__(self, module: Any) -> dict[str, float]:
        """Mean of each loss over all trials."""
        shares: list[float] = []
        found: list[Mapping[str, Tensor]] = []
        n_trials = sum(len(one) for one in self.trials.people)
        with torch.random.fork_rng():
            torch.manual_seed(0)
            for batch in self.trials.in_order():
                shares.append(len(batch) / n_trials)
                found.append(self.losses(module, batch))
        return {name: _weighted(shares, [one[name] for one in found]) for name in found[0]}


def parts_of(people: Sequence[Responses], split: Split) -> tuple[list[Responses], list[Responses]]:
    """The training and the validation part of each person; the test part is not touched."""
    train_parts = [split.part(one, "train") for one in people]
    return train_parts, [split.part(one, "validation") for one in people]


def _weighted(shares: Sequence[float], values: Sequence[Tensor]) -> float:
    numbers: list[float] = torch.stack([one.detach().float() for one in values]).tolist()
    return sum(share * one for share, one in zip(shares, numbers, strict=True))
