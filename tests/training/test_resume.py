"""A run that is killed, again and again, ends with the weights of one that was not, bit for bit."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time

import numpy as np
import pytest
import torch
from torch import nn

from neurodecode.training import Plan, seeded, train

N_STEPS = 3


class Noise:
    def __len__(self):
        return N_STEPS

    def epoch(self, epoch, seed):
        draw = np.random.default_rng([seed, epoch])
        for _ in range(N_STEPS):
            yield torch.from_numpy(draw.normal(size=(8, 6)).astype(np.float32))


def fit(n_epochs, folder=None, pause_s=0.0, tell=lambda: None):
    """Train a net whose steps draw from every generator; returns weights and history."""
    torch.set_num_threads(1)
    with seeded(1):
        module = nn.Sequential(
            nn.Linear(6, 16), nn.BatchNorm1d(16), nn.Dropout(0.3), nn.Linear(16, 6)
        )

    def step(module, batch, progress):
        tell()
        time.sleep(pause_s)
        # The legacy generator is drawn from on purpose: its state must come back too.
        shift = float(np.random.rand()) + random.random()  # noqa: NPY002
        loss = (module(batch + shift * torch.randn_like(batch)) - batch).square().mean()
        return {"loss": loss * (1 - progress.fraction / 2)}

    def validate(module):
        return {"loss": float(module(torch.ones(2, 6)).square().mean())}

    plan = Plan(max_epochs=n_epochs, learning_rate=1e-2, accumulate=2, device="cpu")
    history = train(module, step, Noise(), plan, validate=validate, seed=4, folder=folder)
    return {name: one.tolist() for name, one in module.state_dict().items()}, history.rows


def child(n_epochs, folder, pause_s, pipe):
    pipe.send(fit(n_epochs, folder, pause_s, tell=lambda: pipe.send("step")))
    pipe.close()


def start(n_epochs, folder, pause_s):
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["neurodecode.training"])
    receive, send = context.Pipe(duplex=False)
    process = context.Process(target=child, args=(n_epochs, folder, pause_s, send))
    process.start()
    send.close()
    assert receive.recv() == "step"
    return process, receive


def kill_often(n_epochs, folder, n_kills, longest_s):
    """Kill runs at random moments; returns how many epochs the checkpoints had that were met."""
    draw, lengths = np.random.default_rng(0), set()
    for _ in range(n_kills):
        process, _pipe = start(n_epochs, folder, pause_s=0.01)
        time.sleep(draw.uniform(0.05, longest_s))
        assert process.is_alive(), "The run ended before it was killed: make it longer."
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        file = folder / "checkpoint.pt"
        if file.exists():
            lengths.add(len(torch.load(file, weights_only=True)["history"]["rows"]))
    return lengths


def compare(n_epochs, folder, n_kills, longest_s):
    lengths = kill_often(n_epochs, folder, n_kills, longest_s)
    assert lengths and max(lengths) < n_epochs, lengths
    process, pipe = start(n_epochs, folder, pause_s=0.0)
    last = pipe.recv()
    while last == "step":
        last = pipe.recv()
    process.join()
    weights, rows = last
    expected_weights, expected_rows = fit(n_epochs)
    assert weights == expected_weights
    assert rows == expected_rows
    return lengths


posix = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and forkserver are POSIX")


@posix
def test_two_kills_change_nothing(tmp_path):
    compare(60, tmp_path, n_kills=2, longest_s=0.4)


@posix
@pytest.mark.slow
def test_twenty_kills_at_random_points_change_nothing(tmp_path):
    lengths = compare(400, tmp_path, n_kills=20, longest_s=0.5)
    assert len(lengths) > 10


def test_a_checkpoint_left_half_written_is_not_read(tmp_path):
    expected, _ = fit(3)
    (tmp_path / ".checkpoint.pt.123.part").write_bytes(b"half")
    weights, _ = fit(3, tmp_path)
    assert weights == expected
