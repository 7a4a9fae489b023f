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


def fit(n_epochs, folder=None, pause_s=0.0, tell=lambda: None, **more):
    """Train a net whose steps draw from every generator; returns weights and history."""
    torch.set_num_threads(1)
    with seeded(1):
        # Batch statistics in float32 don't go with weights in bfloat16.
        norm = nn.LayerNorm(16) if "precision" in more else nn.BatchNorm1d(16)
        module = nn.Sequential(nn.Linear(6, 16), norm, nn.Dropout(0.3), nn.Linear(16, 6))

    def step(module, batch, progress):
        tell()
        time.sleep(pause_s)
        # The legacy generator is drawn from on purpose: its state must come back too.
        shift = float(np.random.rand()) + random.random()  # noqa: NPY002
        noisy = (batch + shift * torch.randn_like(batch)).to(module[0].weight.dtype)
        loss = (module(noisy).float() - batch).square().mean()
        return {"loss": loss * (1 - progress.fraction / 2)}

    def validate(module):
        ones = torch.ones(2, 6, dtype=module[0].weight.dtype)
        return {"loss": float(module(ones).square().mean())}

    plan = Plan(max_epochs=n_epochs, learning_rate=1e-2, accumulate=2, device="cpu", **more)
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


def epochs_kept(folder):
    file = folder / "checkpoint.pt"
    return len(torch.load(file, weights_only=True)["history"]["rows"]) if file.exists() else 0


def kill_often(n_epochs, folder, n_kills, most_steps):
    """Kill runs at random moments; returns how many epochs the checkpoints had that were left."""
    draw, lengths = np.random.default_rng(0), []
    for _ in range(n_kills):
        process, pipe = start(n_epochs, folder, pause_s=0.01)
        for _ in range(draw.integers(N_STEPS, most_steps)):
            assert pipe.recv() == "step", "The run ended before it was killed: make it longer."
        time.sleep(draw.uniform(0.0, 0.02))  # anywhere in a step, or in the writing
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert process.exitcode == -signal.SIGKILL
        lengths.append(epochs_kept(folder))
    return lengths


def compare(n_epochs, folder, n_kills, most_steps):
    """The weights of a run that was killed are those of one that was not, and it did go on."""
    lengths = kill_often(n_epochs, folder, n_kills, most_steps)
    assert lengths == sorted(lengths) and 0 < lengths[-1] < n_epochs, lengths
    process, pipe = start(n_epochs, folder, pause_s=0.0)
    n_steps, last = 1, pipe.recv()
    while last == "step":
        n_steps, last = n_steps + 1, pipe.recv()
    process.join()
    # A run that began anew would end with the same weights too.
    assert n_steps == (n_epochs - lengths[-1]) * N_STEPS
    assert last == fit(n_epochs)
    return lengths


posix = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL and forkserver are POSIX")


@posix
def test_two_kills_change_nothing(tmp_path):
    lengths = compare(60, tmp_path, n_kills=2, most_steps=30)
    assert lengths[0] > 0


@posix
@pytest.mark.slow
def test_twenty_kills_at_random_points_change_nothing(tmp_path):
    lengths = compare(400, tmp_path, n_kills=20, most_steps=45)
    assert len(set(lengths)) > 10


def test_a_checkpoint_left_half_written_is_not_read(tmp_path):
    expected, _ = fit(3)
    (tmp_path / ".checkpoint.pt.123.part").write_bytes(b"half")
    weights, _ = fit(3, tmp_path)
    assert weights == expected


def test_split_weights_go_on_bit_for_bit(tmp_path):
    """The module's own weights lack the bits that the optimizer keeps."""
    how = {"precision": "bf16-split"}
    expected, rows = fit(4, **how)

    class Stop(Exception):
        pass

    met = []

    def stop():
        met.append(len(met))
        if len(met) > 2 * N_STEPS:
            raise Stop

    with pytest.raises(Stop):
        fit(4, tmp_path, tell=stop, **how)
    assert epochs_kept(tmp_path) in (1, 2)
    weights, again = fit(4, tmp_path, **how)
    assert weights == expected and again == rows
