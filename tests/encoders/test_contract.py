"""Every encoder keeps the contract; add yours to ``CASES`` as one entry."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from neurodecode import encoders
from neurodecode.training import Plan

sys.path.insert(0, str(Path(__file__).parent))
from contract import CHECKS, Case, category_row, sensor_people


def _token_transformer(bridge="linear"):
    return encoders.TokenTransformer(
        bridge,
        encoders.TokenSizes(n_components=6, n_queries=2, width=8, n_heads=2),
        plan=Plan(max_epochs=2, device="cpu"),
    )


def _mind_bridge():
    sizes = encoders.MindBridge().sizes
    small = replace(sizes, n_pooled=12, n_hidden=16, n_blocks=1, n_bottleneck=4, dropout_in=0.1)
    plan = Plan(max_epochs=15, learning_rate=1e-2, device="cpu")
    return encoders.MindBridge(small, "mean", plan=plan, batch_size=8)


def _shared_space():
    sizes = encoders.MindEye2().sizes
    small = replace(sizes, n_shared=16, n_blocks=1, prior_depth=1, prior_heads=2, prior_width=32)
    plan = Plan(max_epochs=8, learning_rate=5e-3, device="cpu")
    return encoders.MindEye2(small, plan=plan, batch_size=8)


def _sensor_conv(subject_layer=True):
    return encoders.SensorConv(
        subject_layer=subject_layer,
        size=encoders.SensorConvSize(n_virtual=6, hidden=8, n_out=16),
        plan=Plan(max_epochs=15, learning_rate=1e-2, weight_decay=0.0, device="cpu"),
        batch_size=16,
    )


def _compact(kind):
    plan = Plan(max_epochs=15, learning_rate=1e-2, weight_decay=0.0, device="cpu")
    return kind(0.5, encoders.CompactSize(4, 5, 4, 2), plan, batch_size=16)


CASES = [
    Case("SensorConv", _sensor_conv, people=sensor_people, any_size=True, tolerance=1e-4),
    Case(
        "SensorConv, no subject layer",
        lambda: _sensor_conv(subject_layer=False),
        # without a layer of their own, people can be decoded as far as their brains are alike
        people=lambda: sensor_people(alike=True),
        zero_shot=True,
        any_size=True,
        tolerance=1e-4,
    ),
    Case(
        "Nice",
        lambda: _compact(encoders.Nice),
        people=sensor_people,
        zero_shot=True,
        tolerance=1e-4,
    ),
    Case(
        "Atm",
        lambda: _compact(encoders.Atm),
        people=sensor_people,
        zero_shot=True,
        tolerance=1e-4,
    ),
    Case("MindBridge", _mind_bridge, tolerance=1e-5),
    Case("MindEye2", _shared_space, tolerance=1e-4),
    Case("Ridge", lambda: encoders.Ridge(device="cpu")),
    Case("Ridge, sensors", lambda: encoders.Ridge(device="cpu"), people=sensor_people),
    Case("CalibratedRidge", lambda: encoders.CalibratedRidge(device="cpu"), tolerance=1e-5),
    Case(
        "CalibratedRidge, sensors",
        lambda: encoders.CalibratedRidge(device="cpu"),
        people=sensor_people,
        tolerance=1e-5,
    ),
    Case(
        "RegionStack",
        lambda: encoders.RegionStack(device="cpu", n_places=3),
        zero_shot=True,
        tolerance=1e-5,
    ),
    Case(
        "BinnedRidge",
        lambda: encoders.BinnedRidge([encoders.Bins(0.0, 0.2, 0.02)], device="cpu"),
        people=lambda: sensor_people(alike=True),
        zero_shot=True,
        tolerance=1e-5,
    ),
    Case("RidgeClassifier", lambda: encoders.RidgeClassifier(device="cpu"), targets=category_row),
    Case("TokenTransformer", _token_transformer, tolerance=1e-5),
    Case("TokenTransformer, sensors", _token_transformer, people=sensor_people, tolerance=1e-5),
    Case(
        "TokenTransformer, no bridge",
        lambda: _token_transformer("none"),
        zero_shot=True,
        any_size=True,
        tolerance=1e-5,
    ),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda one: one.__name__.removeprefix("check_"))
@pytest.mark.parametrize("case", CASES, ids=lambda one: one.name)
def test_contract(case, check):
    check(case)


def test_the_contract_can_be_broken():
    """A check that passes whatever the encoder does is worth nothing: four broken encoders."""

    class SeesTheTest(encoders.Ridge):
        def fit(self, responses, targets, split):
            whole = type(split)([*split.train, *split.test], [], [], rule="leaky")
            return super().fit(responses, targets, whole)

    class ForgetsTrials(encoders.Ridge):
        def predict(self, responses, head=None):
            return super().predict(responses, head).average_repeats()

    class ChangesOthers(encoders.Ridge):
        def adapt(self, responses, targets, split):
            return self.fit([responses], targets, split)

    broken = {
        SeesTheTest: "check_test_part_is_not_used",
        ForgetsTrials: "check_predicts_one_row_a_trial",
        ChangesOthers: "check_adapt_adds_a_person",
    }
    by_name = {one.__name__: one for one in CHECKS}
    for encoder, name in broken.items():
        with pytest.raises((AssertionError, ValueError)):
            by_name[name](Case(encoder.__name__, encoder))
