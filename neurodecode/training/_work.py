"""What is done with one batch: losses, gradients, clipping."""

from __future__ import annotations

from typing import Any

import torch
from lightning.fabric import Fabric
from torch import Tensor, nn

from neurodecode.training._capture import Captured, Values, Work, recorder_for
from neurodecode.training._ledger import GRADIENT
from neurodecode.training._plan import Plan, Progress, Step
from neurodecode.training._split_adamw import SplitAdamW


class Stepper(nn.Module):
    """Makes a step the forward pass, so that DDP and autocast hold for any method it calls."""

    def __init__(self, module: nn.Module, step: Step) -> None:
        super().__init__()
        self.module = module
        self.step = step
        self.inputs: tuple[Any, Progress] = (None, Progress(0, 0, 0.0))

    def forward(self) -> dict[str, Tensor]:
        """The losses of the inputs."""
        losses = self.step(self.module, *self.inputs)
        if "loss" not in losses:
            raise ValueError(
                f"step() must return a 'loss' among its values; got {', '.join(losses) or 'none'}."
            )
        return dict(losses)


class Worker:
    """Losses and gradients of batches; on CUDA as graphs, where the step has a ``branch``."""

    def __init__(
        self, fabric: Fabric, stepper: Stepper, model: Any, optimizer: Any, plan: Plan
    ) -> None:
        self.fabric, self.plan = fabric, plan
        self.stepper, self.model, self.optimizer = stepper, model, optimizer
        self._whole: Work = self._alone
        branch = getattr(stepper.step, "branch", None)
        recorder = recorder_for(stepper.module, plan, fabric)
        if branch is not None and recorder is not None:
            self._whole = Captured(self._alone, branch, recorder)

    def __call__(self, batch: Any, progress: Progress, group: int, moves: bool) -> Values:
        """Values of the step, the norm of the gradient among them if the weights are to move.

        ``group`` steps are averaged; ``moves`` says that this is the last of them.
        """
        if group == 1:
            return self._whole(batch, progress)
        with self.fabric.no_backward_sync(self.model, enabled=not moves):
            values = self._backward(batch, progress, group)
        return values | (self._clip() if moves else {})

    def _alone(self, batch: Any, progress: Progress) -> Values:
        return self._backward(batch, progress, 1) | self._clip()

    def _backward(self, batch: Any, progress: Progress, group: int) -> Values:
        self.stepper.inputs = (batch, progress)
        losses = self.model()
        self.fabric.backward(losses["loss"] / group)
        return {name: one.detach() for name, one in losses.items()}

    def _clip(self) -> Values:
        limit = self.plan.gradient_clip
        if limit is None:
            return {}
        if isinstance(self.optimizer.optimizer, SplitAdamW):
            return {GRADIENT: self.optimizer.optimizer.clip(limit)}
        norm = self.fabric.clip_gradients(
            self.model, self.optimizer, max_norm=limit, error_if_nonfinite=False
        )
        # With 16-mixed the scaler meets infinite gradients as a matter of course.
        told = norm is not None and self.plan.precision != "16-mixed"
        return {GRADIENT: torch.as_tensor(norm)} if told else {}
