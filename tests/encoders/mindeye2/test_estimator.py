"""The shared space learns, and the three defects of the released code would be caught."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from neurodecode import store
from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import MindEye2
from neurodecode.encoders.core.losses import bi_mixco
from neurodecode.encoders.core.trials import TrialBatch
from neurodecode.encoders.mindeye2.parts import MindEye2Net, MindEye2Sizes
from neurodecode.encoders.mindeye2.steps import MindEye2Loss, MindEye2Step, blend
from neurodecode.training import Plan, Progress

SIZES = MindEye2Sizes(
    n_shared=64, n_blocks=1, dropout=0.0, prior_depth=1, prior_heads=2, prior_width=64
)
PLAN = Plan(max_epochs=22, learning_rate=4e-3, device="cpu")
SPLIT = Split(range(120), range(120, 140), range(140, 200), rule="by number")


def targets() -> Embeddings:
    values = np.random.default_rng(0).normal(size=(200, 2, 8))
    return Embeddings(values.astype(np.float32), range(200), "toy")


def latents() -> Embeddings:
    values = targets().array().reshape(200, 16)[:, :4]
    grid = np.repeat(np.repeat(values.reshape(200, 1, 2, 2), 4, 2), 4, 3)
    return Embeddings(grid.astype(np.float32), range(200), "vae")


def person(name: str, n_voxels: int) -> Responses:
    rng = np.random.default_rng(sum(map(ord, name)))
    signal = targets().array().reshape(200, 16) @ rng.normal(size=(16, n_voxels))
    values = signal + 1.0 * rng.normal(size=(200, n_voxels))
    return Responses(values.astype(np.float32), range(200), name, "fmri")


def top_1(predicted: Embeddings) -> float:
    test = predicted.select(SPLIT.test).array().reshape(60, -1)
    truth = targets().select(SPLIT.test).array().reshape(60, -1)
    return float((np.corrcoef(truth, test)[:60, 60:].argmax(0) == np.arange(60)).mean())


@pytest.fixture(scope="module")
def people() -> list[Responses]:
    return [person("anna", 70), person("ben", 50)]


@pytest.fixture(scope="module")
def fitted(people: list[Responses]) -> MindEye2:
    model = MindEye2(SIZES, plan=PLAN, batch_size=12)
    return model.fit(people, {"clip": targets(), "latent": latents()}, SPLIT)


def test_every_head_learns_for_people_with_other_voxel_counts(fitted, people) -> None:
    for one in people:
        assert top_1(fitted.predict(one)) > 0.15  # chance 1 in 60
        assert top_1(fitted.predict(one, "retrieval")) > 0.15
        latent = fitted.predict(one, "latent")
        assert latent.space == "vae" and latent.row_shape == (1, 8, 8)
        test = latent.select(SPLIT.test).array().ravel()
        truth = latents().select(SPLIT.test).array().ravel()
        assert np.corrcoef(test, truth)[0, 1] > 0.5


def test_the_prior_gives_points_of_the_targets_size(fitted, people) -> None:
    predicted = fitted.predict(people[0]).select(SPLIT.test).array()
    assert 0.5 < predicted.std() / targets().array().std() < 1.5
    np.testing.assert_array_equal(predicted, fitted.predict(people[0]).select(SPLIT.test).array())


def test_a_new_person_gets_a_linear_and_the_shared_part_stays(fitted, people) -> None:
    from copy import deepcopy

    both = {"clip": targets(), "latent": latents()}
    adapted = deepcopy(fitted).adapt(
        person("carl", 60), both, SPLIT, plan=replace(PLAN, max_epochs=12)
    )
    before, after = fitted.net_.state_dict(), adapted.net_.state_dict()
    assert all(torch.equal(after[name], one) for name, one in before.items())
    assert top_1(adapted.predict(person("carl", 60), "retrieval")) > 0.15
    tuned = deepcopy(fitted).adapt(
        person("carl", 60), both, SPLIT, everything=True, plan=replace(PLAN, max_epochs=2)
    )
    assert not torch.equal(tuned.net_.tokens.weight, fitted.net_.tokens.weight)
    with pytest.raises(ValueError, match=r"Subject 'anna' is known already\. adapt"):
        fitted.adapt(people[0], both, SPLIT)


def test_saved_and_loaded_it_predicts_the_same(fitted, people, tmp_path: Path) -> None:
    again = MindEye2.load(fitted.save(tmp_path))
    for head in (None, "retrieval", "latent"):
        one, other = (model.predict(people[1], head).array() for model in (again, fitted))
        np.testing.assert_array_equal(one, other)


def test_from_the_store_it_learns_the_same_weights(people, tmp_path: Path) -> None:
    stored = [store.load(store.save(tmp_path / f"{one.subject}.h5", one)) for one in people]
    model = MindEye2(SIZES, plan=replace(PLAN, max_epochs=2), batch_size=12)
    memory = model.fit(people, targets(), SPLIT).predict(people[0]).array()
    again = model.fit(stored, targets(), SPLIT).predict(stored[0]).array()
    np.testing.assert_array_equal(again, memory)


def test_strangers_other_masks_and_wrong_axes_are_refused(fitted, people) -> None:
    with pytest.raises(ValueError, match="Subject 'dora' is not known; this model was fitted on"):
        fitted.predict(person("dora", 70))
    with pytest.raises(ValueError, match="Subject 'ben' was learned with 50 voxels, but these"):
        fitted.predict(person("ben", 51))
    with pytest.raises(ValueError, match="There is no head 'sound'; the heads are 'clip', 'retr"):
        fitted.predict(people[0], "sound")
    cube = people[0].with_values(
        people[0].array().reshape(200, 7, 10), dims=("trial", "tr", "parcel")
    )
    with pytest.raises(ValueError, match=r"MindEye2 needs responses with dims \('trial', 'vox"):
        MindEye2(SIZES).fit(cube, targets(), SPLIT)


# Three defects of the released code: each check below fails on a copy of the defect.


class DeadMixer(nn.Module):
    """The release's block at sequence length 1: a norm over one element hides the first half."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.LayerNorm(n), nn.Linear(n, n), nn.GELU(), nn.Linear(n, n))
        self.second = nn.Sequential(nn.LayerNorm(1), nn.Linear(1, 1))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        mixed = hidden + self.first(hidden)
        return self.second(mixed[..., None])[..., 0] + hidden


def affine_error(function) -> float:
    """How far f(a + b) - f(a) - f(b) + f(0) is from nothing, relative to f(a)."""
    torch.manual_seed(0)
    a, b = torch.randn(2, 9, 16)
    with torch.no_grad():
        whole = function(a + b) - function(a) - function(b) + function(torch.zeros(9, 16))
        return float(whole.abs().max() / function(a).abs().max())


def backbone() -> MindEye2Net:
    torch.manual_seed(0)
    return MindEye2Net({"s": 5}, (2, 8), replace(SIZES, n_shared=16, n_blocks=2)).eval()


def test_defect_1_every_block_reaches_the_output_and_bends_it() -> None:
    net = backbone()
    assert affine_error(lambda x: net.backbone(x)[1]) > 1e-2
    assert affine_error(DeadMixer(16)) < 1e-5  # what the check would say of the defect
    net.backbone(torch.randn(4, 16))[1].square().sum().backward()
    for block in net.blocks:
        assert all(one.grad.abs().sum() > 1e-4 for one in block.parameters())
    dead = DeadMixer(16)
    dead(torch.randn(4, 16)).square().sum().backward()
    assert dead.first[1].weight.grad.abs().sum() < 1e-6


def test_defect_1_blocks_matter_one_by_one() -> None:
    values = torch.randn(4, 16)
    for place in range(2):
        net = backbone()
        before = net.backbone(values)[1].detach()
        nn.init.normal_(net.blocks[place].layers[1].weight)
        assert (net.backbone(values)[1] - before).abs().max() > 1e-2


def batch(subject: str, n: int) -> TrialBatch:
    values = torch.randn(n, 5) + 1000 * ord(subject)
    ids = np.array([f"{subject}{i}" for i in range(n)])
    return TrialBatch(0, subject, values, {}, ids, None, np.arange(n))


def test_defect_2_partners_are_rows_of_the_same_person_in_the_joint_batch() -> None:
    torch.manual_seed(1)
    batches = [batch("a", 6), batch("b", 4), batch("c", 8)]
    joint = torch.cat([one.values for one in batches])
    for _ in range(20):
        values, partner, own = blend(batches)
        # the only rows whose blend gives these values are those that were named
        expected = own[:, None] * joint + (1 - own[:, None]) * joint[partner]
        torch.testing.assert_close(torch.cat(values), expected)
    without_offset = torch.cat([torch.arange(len(one)) for one in batches])
    assert not torch.allclose(
        joint, 0.5 * joint + 0.5 * joint[without_offset], atol=1.0
    )  # people differ, so the check above can't pass by accident


def test_defect_2_in_the_step_the_joint_rows_are_used(monkeypatch) -> None:
    from neurodecode.encoders.mindeye2 import steps

    seen = {}

    def watch(p, t, partner, own, temperature):
        seen.update(partner=partner, rows=len(p))
        return bi_mixco(p, t, partner, own, temperature)

    monkeypatch.setattr(steps, "bi_mixco", watch)
    net = MindEye2Net({"a": 5, "b": 5}, (2, 3), SIZES)
    batches = [
        replace(batch(name, 6), targets={"clip": torch.randn(6, 2, 3)}) for name in ("a", "b")
    ]
    MindEye2Step(MindEye2Loss(), "clip", None, 1.0)(net, batches, Progress(0, 0, 0.0))
    assert seen["rows"] == 12
    assert (seen["partner"][:6] < 6).all() and (seen["partner"][6:] >= 6).all()


def test_defect_3_a_row_that_is_its_own_partner_keeps_weight_1() -> None:
    target = torch.eye(3)
    own = torch.tensor([0.25, 1.0, 1.0])
    itself = bi_mixco(target, target, torch.tensor([0, 1, 2]), own, 1.0)
    unmixed = bi_mixco(target, target, torch.tensor([1, 0, 2]), torch.ones(3), 1.0)
    torch.testing.assert_close(itself, unmixed)


def test_blending_stops_after_a_third_and_the_temperature_rises() -> None:
    torch.manual_seed(0)
    net = MindEye2Net({"a": 5}, (2, 3), SIZES)
    step = MindEye2Step(MindEye2Loss(), "clip", None, 1.0)
    one = replace(batch("a", 6), targets={"clip": torch.randn(6, 2, 3)})
    net.eval()
    early = [float(step(net, [one], Progress(0, 0, 0.1))["clip"].detach()) for _ in range(4)]
    late = [float(step(net, [one], Progress(0, 0, 0.5))["clip"].detach()) for _ in range(4)]
    assert len(set(early)) > 1 and len(set(late)) == 1
    found = step._temperature(torch.tensor([1 / 3, 2 / 3, 1.0])).tolist()
    np.testing.assert_allclose(found, [0.004, 0.00575, 0.0075])
