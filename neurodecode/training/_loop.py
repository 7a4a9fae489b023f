"""The loop."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from neurodecode.training import _checkpoint
from neurodecode.training._history import Board, History, average, progress_bar
from neurodecode.training._ledger import Ledger
from neurodecode.training._pace import Pace
from neurodecode.training._plan import SPLIT, Batches, Plan, Progress, Step, Validate
from neurodecode.training._randomness import random_state, seeded, set_random_state
from neurodecode.training._setup import (
    make_fabric,
    make_optimizer,
    make_schedule,
    round_frozen,
    share,
)
from neurodecode.training._split_adamw import SplitAdamW
from neurodecode.training._work import Stepper, Worker


def train(
    module: nn.Module,
    step: Step,
    batches: Batches,
    plan: Plan,
    *,
    validate: Validate | None = None,
    seed: int = 0,
    folder: str | Path | None = None,
    identity: Mapping[str, str] | None = None,
) -> History:
    """Train a module in place with AdamW; a killed run goes on where it was.

    Parameters
    ----------
    module : torch.nn.Module
        Moved to the plan's device. If it has ``parameter_groups()``, AdamW gets those; a group may
        have ``lr_scale``, a factor on the plan's learning rate.
    step : callable
        ``step(module, batch, progress)`` gives tensors by name, ``'loss'`` among them. It may call
        any method of the module.
    batches : Batches
    plan : Plan
    validate : callable, optional
        ``validate(module)`` gives numbers by name after each epoch, ``'loss'`` among them (lower is
        better). The weights of the best epoch are kept and put back at the end.
    seed : int
        Of the batches and of all that is drawn in a step. The generators of torch, NumPy and Python
        are put back as they were at the end.
    folder : path, optional
        For ``checkpoint.pt``, ``metrics.csv`` and TensorBoard's files. With a checkpoint of the
        same run there, training goes on from it: on the CPU to the same weights, bit for bit.
    identity : mapping of str to str, optional
        What else makes this run: fingerprints of data, targets and split, and parameters. A folder
        of a run with another identity is refused. Values that start with ``#`` are not printed.

    Returns
    -------
    History

    Raises
    ------
    ValueError
        If a loss or gradient is not finite (names epoch and step), if ``step`` or ``validate``
        gives no ``'loss'``, or if the folder holds another run.

    Notes
    -----
    Under ``torchrun`` each process gets its share of the batches and gradients are averaged.

    On CUDA a step with a method ``branch(batch, progress)`` is recorded as a CUDA graph for each
    form of batch and each (hashable) value of ``branch``, and replayed, with the same results.
    By having ``branch`` a step promises that its Python depends on nothing else that changes: not
    on NumPy arrays in the batch, on numbers drawn on the host, or on ``progress`` but for
    ``progress.done``; and that it neither waits for the device nor copies from the host. Batches
    met once, accumulated steps, several processes and ``'16-mixed'`` run without a graph. Losses
    are read from the device every 50 steps, so a loss that is not finite is found so much later.

    Examples
    --------
    >>> class Fixed:
    ...     def __len__(self): return 2
    ...     def epoch(self, epoch, seed): return iter([torch.ones(4, 1), torch.zeros(4, 1)])
    >>> def step(module, batch, progress):
    ...     return {"loss": (module(batch) - batch).square().mean()}
    >>> history = train(nn.Linear(1, 1), step, Fixed(), Plan(max_epochs=2, device="cpu"))
    >>> len(history), history.finished
    (2, True)
    """
    with seeded(seed):
        place = None if folder is None else Path(folder)
        run = _Run(module, step, batches, plan, seed, place, identity)
        return run.go(validate)


class _Run:
    """One training run: what moves from epoch to epoch."""

    def __init__(
        self,
        module: nn.Module,
        step: Step,
        batches: Batches,
        plan: Plan,
        seed: int,
        folder: Path | None,
        identity: Mapping[str, str] | None,
    ) -> None:
        self.fabric = make_fabric(plan)
        self.module, self.plan, self.seed = module, plan, seed
        self.batches, self.n_steps = share(batches, self.fabric)
        self.settings = _checkpoint.run_settings(module, plan, seed, self.n_steps, identity)
        self.folder = folder if self.fabric.is_global_zero else None
        self.writer = _checkpoint.Writer(self.folder)
        stepper = Stepper(module.to(self.fabric.device), step)
        self.restore = round_frozen(module) if plan.precision == SPLIT else None
        model, self.optimizer = self.fabric.setup(stepper, make_optimizer(module, plan))
        self.work = Worker(self.fabric, stepper, model, self.optimizer, plan)
        self.pace = Pace(self.fabric.device)
        n_updates = math.ceil(self.n_steps / plan.accumulate) * plan.max_epochs
        self.schedule = make_schedule(self.optimizer.optimizer, plan, n_updates)
        self.history, self.best = History(), dict[str, torch.Tensor]()
        torch.manual_seed(seed + self.fabric.global_rank)
        if folder is not None:
            self._resume(_checkpoint.read_checkpoint(folder / _checkpoint.NAME, self.settings))

    def go(self, validate: Validate | None) -> History:
        board = Board(self.folder, len(self.history))
        done, planned = len(self.history) * self.n_steps, self.plan.max_epochs * self.n_steps
        with progress_bar(self.fabric.is_global_zero) as bar:
            task = bar.add_task("", total=planned, completed=done, epoch=len(self.history), loss="")
            while not self.history.finished:
                row = self._epoch(lambda n, loss: bar.update(task, advance=n, loss=f"{loss:.4g}"))
                bar.update(task, epoch=len(self.history) + 1)
                self._end_epoch(row, validate)
                board.add(self.history.rows[-1])
        board.close()
        self._finish()
        return self.history

    def _finish(self) -> None:
        if isinstance(self.optimizer.optimizer, SplitAdamW):
            self.optimizer.optimizer.join()
        if self.best:
            self.module.load_state_dict(self.best)
        if self.restore is not None:
            self.restore()
        self.module.eval()

    def _epoch(self, tell: Any) -> dict[str, float]:
        self.module.train()
        epoch, found = len(self.history), 0
        ledger = Ledger(epoch, self.n_steps, self.plan.learning_rate, tell)
        for index, batch in enumerate(self._batches(epoch)):
            self._step(epoch, index, batch, ledger)
            found += 1
        ledger.read()
        if found != self.n_steps:
            raise ValueError(
                f"batches.epoch() gave {found} steps in epoch {epoch} but len(batches) is "
                f"{self.n_steps}. They must agree in every epoch."
            )
        return average(ledger.rows)

    def _batches(self, epoch: int) -> Iterator[Any]:
        return itertools.islice(self.batches.epoch(epoch, self.seed), self.n_steps + 1)

    def _step(self, epoch: int, index: int, batch: Any, ledger: Ledger) -> None:
        place, every = epoch * self.n_steps + index, self.plan.accumulate
        fraction = place / (self.n_steps * self.plan.max_epochs)
        done = torch.full((), fraction, device=self.fabric.device)
        first = index - index % every
        group = min(every, self.n_steps - first)
        moves = index == first + group - 1
        # Raises before the weights move, if the numbers are read at once.
        ledger.add(self.work(batch, Progress(epoch, place, fraction, done), group, moves))
        if moves:
            self.optimizer.step()
            self.optimizer.zero_grad()
            self.schedule.step()
        self.pace.wait()

    def _end_epoch(self, row: dict[str, float], validate: Validate | None) -> None:
        history, epoch = self.history, len(self.history)
        entry: dict[str, float] = {"epoch": epoch, "learning_rate": self._rate()}
        entry |= {f"train_{name}": value for name, value in row.items()}
        if validate is not None:
            scores = self._validate(validate)
            entry |= {f"validation_{name}": value for name, value in scores.items()}
        better = "validation_loss" in entry and entry["validation_loss"] < history.best_loss
        history.rows.append(entry)
        if better:
            history.best_epoch, self.best = epoch, _checkpoint.copy_weights(self.module)
        history.finished = epoch + 1 >= self.plan.max_epochs or self._out_of_patience()
        if self.folder is not None:
            history.write_csv(self.folder / "metrics.csv")
        if self.writer.due(last=history.finished):
            self.writer.write(self._state())

    def _validate(self, validate: Validate) -> dict[str, float]:
        self.module.eval()
        scores: dict[str, float] = {}
        if self.fabric.is_global_zero:
            with torch.no_grad(), self.fabric.autocast():
                scores = {name: float(value) for name, value in validate(self.module).items()}
        scores = self.fabric.broadcast(scores)
        if "loss" not in scores:
            raise ValueError(
                f"validate() must return a 'loss' among its values; got "
                f"{', '.join(scores) or 'none'}."
            )
        return scores

    def _out_of_patience(self) -> bool:
        best, patience = self.history.best_epoch, self.plan.patience
        if patience is None or (best is None and "validation_loss" not in self.history.rows[-1]):
            return False
        return len(self.history) - 1 - (-1 if best is None else best) >= patience

    def _rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def _state(self) -> dict[str, Any]:
        return {
            "settings": self.settings,
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": random_state(),
            "history": asdict(self.history),
            "best": self.best,
        }

    def _resume(self, state: dict[str, Any] | None) -> None:
        if state is None:
            return
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.history, self.best = History(**state["history"]), state["best"]
        if self.fabric.global_rank == 0:
            set_random_state(state["random"])
        else:
            # Rank 0 alone is exact; the others draw from a stream of their own per epoch.
            torch.manual_seed(self.seed + self.fabric.global_rank + 1009 * len(self.history))
