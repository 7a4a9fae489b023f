"""Steps that say they may be replayed keep that promise; validation is a mean over trials."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import MindBridge, MindEye2, SensorConv
from neurodecode.encoders.core.fitting import MeanLosses
from neurodecode.encoders.core.trials import PooledTrials
from neurodecode.encoders.mindbridge.parts import BridgeSizes
from neurodecode.encoders.mindeye2.parts import MindEye2Sizes
from neurodecode.encoders.sensor_conv.estimator import SensorConvSize
from neurodecode.training import Plan, _work
from tests.training.test__capture import StandIn

SPLIT = Split(range(20), range(20, 26), range(26, 30))
SHARED = MindEye2Sizes(n_shared=8, n_blocks=1, prior_depth=1, prior_heads=2, prior_width=8)
SENSORS = SensorConvSize(n_virtual=4, hidden=4, n_out=8)


def plan(**more):
    return Plan(max_epochs=6, learning_rate=3e-3, device="cpu", **more)


def voxels():
    draw = np.random.default_rng(0)
    truth = draw.normal(size=(30, 4)).astype(np.float32)
    people = [
        Responses(truth @ draw.normal(size=(4, size)), range(30), name, "fmri")
        for name, size in (("anna", 20), ("ben", 31))
    ]
    return people, Embeddings(truth, range(30), "toy")


def sensors():
    draw = np.random.default_rng(0)
    truth = draw.normal(size=(30, 4)).astype(np.float32)
    people = [
        Responses(
            draw.normal(size=(30, 5, 12)) + truth[:, :1, None],
            range(30),
            name,
            "meg",
            dims=("trial", "channel", "time"),
            positions=draw.normal(size=(5, 3)) * 90,
        )
        for name in ("anna", "ben")
    ]
    return people, Embeddings(truth, range(30), "toy")


CASES = {
    "MindBridge": (voxels, lambda how: MindBridge(BridgeSizes(16, 8), plan=how, batch_size=5)),
    "MindEye2": (voxels, lambda how: MindEye2(SHARED, plan=how, batch_size=5)),
    "SensorConv": (sensors, lambda how: SensorConv(size=SENSORS, plan=how, batch_size=5)),
}


@pytest.mark.parametrize("name", CASES)
def test_replayed_steps_of_an_encoder_change_nothing(name, monkeypatch):
    recorder = StandIn()
    found = lambda module, plan, fabric: recorder if plan.capture else None  # noqa: E731
    monkeypatch.setattr(_work, "recorder_for", found)
    simulate, make = CASES[name]
    people, targets = simulate()
    replayed, plain = (
        make(plan(capture=capture)).fit(people, targets, SPLIT) for capture in (True, False)
    )
    assert recorder.n_replays > 12
    assert replayed.history_.rows == plain.history_.rows
    for one in people:
        found, expected = (model.predict(one).values for model in (replayed, plain))
        assert np.array_equal(found, expected)


@pytest.mark.gpu
@pytest.mark.parametrize("name", CASES)
def test_graphs_on_cuda_give_the_curve_of_single_steps(name):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    simulate, make = CASES[name]
    people, targets = simulate()
    curves = [
        make(Plan(max_epochs=6, learning_rate=3e-3, device="cuda", capture=capture))
        .fit(people, targets, SPLIT)
        .history_.column("train_loss")
        for capture in (True, False)
    ]
    np.testing.assert_allclose(*curves, rtol=1e-3)


@pytest.mark.parametrize("name", ["MindBridge", "MindEye2"])
def test_split_weights_train_like_float32_and_leave_frozen_ones_alone(name):
    simulate, make = CASES[name]
    (anna, ben), targets = simulate()
    split, plain = (
        make(plan(precision=precision)).fit(anna, targets, SPLIT)
        for precision in ("bf16-split", "32-true")
    )
    curve, expected = (one.history_.column("train_loss") for one in (split, plain))
    assert curve[-1] < 0.95 * curve[0]
    np.testing.assert_allclose(curve, expected, rtol=0.05)
    before = split.predict(anna).values
    split.adapt(ben, targets, SPLIT)
    assert np.array_equal(split.predict(anna).values, before)
    module = split.model_ if name == "MindBridge" else split.net_
    assert {one.dtype for one in module.parameters()} == {torch.float32}


def test_the_mean_is_over_trials_and_draws_the_same_each_time():
    sizes = (5, 1)
    people = [Responses(np.full((n, 2), n), range(n), f"s{n}", "fmri") for n in sizes]
    trials = PooledTrials(people, {"t": Embeddings(np.eye(5), range(5), "toy")}, batch_size=4)

    def losses(module, batch):
        return {"loss": batch.values.mean(), "drawn": torch.rand(())}

    mean = MeanLosses(trials, losses)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = mean(None)
    assert torch.equal(before, torch.get_rng_state())
    assert first["loss"] == pytest.approx((5 * 5 + 1) / 6)
    assert mean(None) == first
