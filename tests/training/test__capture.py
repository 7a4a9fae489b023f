"""Replayed steps do what steps run one by one do; on CUDA, and by a stand-in on the CPU.

The stand-in repeats the recorded Python on the recorded inputs: whatever of a step does not follow
the tensors of its inputs stays what it was, as in a graph.
"""

from __future__ import annotations

import math
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from neurodecode.training import Plan, Progress, _work, seeded, train
from neurodecode.training._capture import Captured


class StandIn:
    """Records by keeping what to call."""

    def __init__(self) -> None:
        self.n_warm, self.n_records, self.n_replays = 0, 0, 0

    def warm(self, work, batch, progress):
        self.n_warm += 1
        return work(batch, progress)

    def record(self, work, batch, progress):
        self.n_records += 1

        def replay():
            self.n_replays += 1
            return work(batch, progress)

        return replay


@dataclass(frozen=True)
class Trials:
    person: int
    x: torch.Tensor
    y: torch.Tensor
    rows: np.ndarray


class People:
    """Batches of two people, the last ones of other sizes."""

    def __init__(self, device="cpu", spoil=None) -> None:
        self.device, self.spoil = device, spoil

    def __len__(self):
        return 10

    def epoch(self, epoch, seed):
        draw = np.random.default_rng([seed, epoch])
        for index in range(10):
            n = 16 if index < 8 else 5 + index
            x = draw.normal(size=(n, 3)).astype(np.float32)
            if self.spoil == epoch * 10 + index:
                x[0, 0] = np.nan
            x, y = torch.from_numpy(x).to(self.device), torch.from_numpy(x[:, :2] ** 2)
            yield [Trials(index % 2, x, y.to(self.device), np.arange(n))]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.people = nn.ModuleList([nn.Linear(3, 16), nn.Linear(3, 16)])
        self.norm, self.drop, self.head = nn.BatchNorm1d(16), nn.Dropout(0.2), nn.Linear(16, 2)

    def forward(self, person, x):
        return self.head(self.drop(self.norm(self.people[person](x)).relu()))


class Steps:
    """Two phases, and a weight that changes in each step."""

    def branch(self, batch, progress):
        return progress.fraction < 0.5

    def __call__(self, module, batch, progress):
        (one,) = batch
        error = (module(one.person, one.x) - one.y).square().mean()
        if self.branch(batch, progress):
            error = error + 0.1 * module.head.weight.abs().mean()
        return {"loss": error * (2 - progress.done), "done": progress.done}


class Forgetful(Steps):
    """Reads a number of Python's that ``branch`` does not tell."""

    def __call__(self, module, batch, progress):
        losses = super().__call__(module, batch, progress)
        return losses | {"loss": losses["loss"] * (1 + progress.fraction)}


def fit(step, *, device="cpu", n_epochs=6, batches=None, **plan):
    with seeded(0):
        module = Net()
    how = {"max_epochs": n_epochs, "learning_rate": 1e-2, "device": device, **plan}
    history = train(module, step, batches or People(device), Plan(**how), seed=3)
    return module.cpu().state_dict(), history.rows


@pytest.fixture
def stand_in(monkeypatch):
    recorder = StandIn()
    found = lambda module, plan, fabric: recorder if plan.capture else None  # noqa: E731
    monkeypatch.setattr(_work, "recorder_for", found)
    return recorder


def test_replayed_steps_give_the_same_weights(stand_in):
    weights, rows = fit(Steps())
    # two people and two other sizes, in two phases
    assert (stand_in.n_warm, stand_in.n_records) == (8, 8)
    assert stand_in.n_replays == 6 * 10 - 8
    expected, expected_rows = fit(Steps(), capture=False)
    assert rows == expected_rows
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_the_stand_in_finds_a_step_that_breaks_its_promise(stand_in):
    assert fit(Forgetful())[1] != fit(Forgetful(), capture=False)[1]


def test_a_step_without_branch_is_never_recorded(stand_in):
    fit(Steps().__call__)
    assert stand_in.n_warm == stand_in.n_records == 0


def test_no_more_than_so_many_forms_are_recorded(stand_in, monkeypatch):
    monkeypatch.setattr("neurodecode.training._capture.MOST", 1)
    fit(Steps())
    assert stand_in.n_records == 1 and stand_in.n_warm > 30


def test_inputs_lie_in_the_same_tensors_for_each_branch():
    seen = []

    def work(batch, progress):
        seen.append(batch["x"])
        return {"loss": batch["x"].sum()}

    captured = Captured(work, lambda batch, progress: progress.step % 2, StandIn())
    sums = [
        float(captured({"x": torch.full((2,), float(step))}, Progress(0, step, 0.0))["loss"])
        for step in range(8)
    ]
    assert sums == [2.0 * step for step in range(8)]
    assert len({one.data_ptr() for one in seen[2:]}) == 1


def on_cuda(step, **plan):
    return fit(step, device="cuda", n_epochs=12, **plan)


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "bf16-split"])
def test_graphs_give_the_loss_curve_of_single_steps(precision):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    steps = Half() if precision == "bf16-split" else Steps()
    weights, rows = on_cuda(steps, precision=precision)
    expected, expected_rows = on_cuda(steps, precision=precision, capture=False)
    curve, other = ([row["train_loss"] for row in one] for one in (rows, expected_rows))
    assert curve[-1] < 0.8 * curve[0]
    # the same random numbers: dropout of another seed moves the curve by a tenth
    np.testing.assert_allclose(curve, other, rtol=1e-3 if precision == "32-true" else 3e-2)
    if precision == "32-true":
        for name, one in expected.items():
            torch.testing.assert_close(weights[name], one, rtol=1e-2, atol=1e-3)


class Half(Steps):
    """For weights in bfloat16."""

    def __call__(self, module, batch, progress):
        (one,) = batch
        cast = Trials(one.person, one.x.to(module.head.weight.dtype), one.y, one.rows)
        return super().__call__(module, [cast], progress)


@pytest.mark.gpu
def test_on_cuda_a_loss_that_is_not_a_number_is_named_with_its_own_step():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    with pytest.raises(ValueError, match=r"the loss is nan in epoch 2, step 4 of 10\. Check"):
        fit(Steps(), device="cuda", batches=People("cuda", spoil=24))


@pytest.mark.gpu
def test_a_step_that_waits_for_the_device_is_refused_in_words():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")

    # In a process of its own: what fails while it is recorded leaves the device's generator stuck.
    code = "from tests.training.test__capture import Waits, fit; fit(Waits(), device='cuda')"
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert re.search(r"can't be recorded as a CUDA graph \(.*capture=False", found.stderr)


class Waits(Steps):
    """Reads a number from the device."""

    def __call__(self, module, batch, progress):
        losses = super().__call__(module, batch, progress)
        assert math.isfinite(float(losses["loss"]))
        return losses
