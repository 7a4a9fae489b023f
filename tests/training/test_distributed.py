"""Two processes under torchrun do what one does with twice the batch, with the same model code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from neurodecode.training import Plan, seeded, train


class Numbered:
    """Batches of two people; each uses layers of its own and a method that is not forward."""

    def __len__(self):
        return 6

    def epoch(self, epoch, seed):
        for index in range(6):
            generator = torch.Generator().manual_seed(100 * epoch + index)
            yield index % 2, torch.randn(8, 3, generator=generator)


class People(nn.Module):
    def __init__(self):
        super().__init__()
        self.bridges = nn.ModuleList([nn.Linear(3, 4), nn.Linear(3, 4)])
        self.shared = nn.Linear(4, 3)

    def embed(self, person, x):
        return self.shared(self.bridges[person](x))


def step(module, batch, progress):
    person, x = batch
    return {"loss": (module.embed(person, x) - x).square().mean()}


def fit(accumulate, folder=None):
    with seeded(0):
        module = People()
    plan = Plan(max_epochs=2, learning_rate=1e-2, accumulate=accumulate, device="cpu")
    losses = iter([2.0, 1.0])
    validate = lambda _: {"loss": next(losses)}  # noqa: E731
    train(module, step, Numbered(), plan, validate=validate, folder=folder)
    return module


def main(folder):
    weights = fit(accumulate=1, folder=folder).state_dict()
    rank = torch.distributed.get_rank()
    torch.save(weights, Path(folder) / f"weights-{rank}.pt")


@pytest.mark.slow
def test_two_processes_average_their_gradients(tmp_path):
    command = ["torch.distributed.run", "--standalone", "--nproc_per_node=2", __file__]
    done = subprocess.run(
        [sys.executable, "-m", *command, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = fit(accumulate=2).state_dict()
    for rank in (0, 1):
        weights = torch.load(tmp_path / f"weights-{rank}.pt", weights_only=True)
        for name, one in expected.items():
            torch.testing.assert_close(weights[name], one, rtol=1e-4, atol=1e-6)
    assert (tmp_path / "metrics.csv").exists()


if __name__ == "__main__":
    main(sys.argv[1])
