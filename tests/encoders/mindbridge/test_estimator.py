"""MindBridge on planted signals: one model for people with different voxels, and a new person."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from neurodecode import store
from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import MindBridge
from neurodecode.encoders.mindbridge.loss import BridgeLoss
from neurodecode.encoders.mindbridge.parts import BridgeSizes
from neurodecode.training import Plan

N_DIMS = 6
SIZES = BridgeSizes(
    n_pooled=48, n_hidden=32, n_blocks=1, n_bottleneck=8, dropout_in=0.1, dropout=0.0
)
PLAN = Plan(max_epochs=12, learning_rate=6e-3, device="cpu")
LOSS = BridgeLoss(temperature=0.05, mse=1.0)
SPLIT = Split(range(120), range(120, 140), range(140, 200), rule="by number")


def targets() -> Embeddings:
    values = np.random.default_rng(0).normal(size=(200, 2, N_DIMS // 2))
    return Embeddings(values.astype(np.float32), range(200), "toy")


def person(name: str, n_voxels: int, *, noise: float = 0.5, repeats: int = 1) -> Responses:
    rng = np.random.default_rng(sum(map(ord, name)))
    ids = np.tile(np.arange(200), repeats)
    signal = targets().array().reshape(200, -1) @ rng.normal(size=(N_DIMS, n_voxels))
    values = signal[ids] + noise * rng.normal(size=(len(ids), n_voxels))
    positions = rng.uniform(-40, 40, (n_voxels, 3))
    return Responses(values.astype(np.float32), ids, name, "fmri", positions=positions)


def bridge(**changes: object) -> MindBridge:
    return MindBridge(**{"sizes": SIZES, "loss": LOSS, "plan": PLAN, "batch_size": 24} | changes)


def top_1(predicted: Embeddings) -> float:
    test = predicted.select(SPLIT.test).array().reshape(60, -1)
    truth = targets().select(SPLIT.test).array().reshape(60, -1)
    return float((np.corrcoef(truth, test)[:60, 60:].argmax(0) == np.arange(60)).mean())


@pytest.fixture(scope="module")
def people() -> list[Responses]:
    return [person("anna", 90), person("ben", 60)]


@pytest.fixture(scope="module")
def fitted(people: list[Responses]) -> MindBridge:
    return bridge().fit(people, targets(), SPLIT)


def test_one_model_decodes_people_with_other_voxel_counts(
    fitted: MindBridge, people: list[Responses]
) -> None:
    for one in people:
        predicted = fitted.predict(one)
        assert predicted.space == "toy" and predicted.row_shape == (2, 3)
        assert predicted.stimulus.tolist() == one.stimulus.tolist()
        assert top_1(predicted) > 0.4  # chance 1 in 60


def test_shuffled_responses_give_chance(people: list[Responses], fitted: MindBridge) -> None:
    order = np.random.default_rng(0).permutation(200)
    shuffled = people[0].with_values(people[0].array()[order])
    assert top_1(fitted.predict(shuffled)) < 0.1


def test_predictions_have_the_length_of_the_training_targets(fitted: MindBridge) -> None:
    lengths = np.linalg.norm(fitted.predict(person("anna", 90)).array().reshape(200, -1), axis=1)
    truth = targets().select(SPLIT.train).array().reshape(120, -1)
    np.testing.assert_allclose(lengths, np.linalg.norm(truth, axis=1).mean(), rtol=1e-4)


def test_a_new_person_gets_a_bridge_and_the_shared_part_stays(
    fitted: MindBridge, people: list[Responses]
) -> None:
    from copy import deepcopy

    adapted = deepcopy(fitted)
    before = {name: one.clone() for name, one in adapted.model_.state_dict().items()}
    new = person("carl", 70)
    adapted.adapt(new, targets(), SPLIT, sources=people, plan=replace(PLAN, max_epochs=20))
    after = adapted.model_.state_dict()
    assert all(torch.equal(after[name], one) for name, one in before.items())
    assert adapted.subjects_ == ["anna", "ben", "carl"]
    assert top_1(adapted.predict(new)) > 0.4
    assert all(one.requires_grad for one in adapted.model_.parameters())
    assert top_1(adapted.predict(people[0])) == top_1(fitted.predict(people[0]))


def test_pseudo_data_reach_the_new_persons_bridge(
    fitted: MindBridge, people: list[Responses]
) -> None:
    from copy import deepcopy

    few = Split(range(8), [], [])
    short = replace(PLAN, max_epochs=2)
    made = []
    for sources in ([], people):
        adapted = deepcopy(fitted).adapt(
            person("carl", 70), targets(), few, sources=sources, plan=short
        )
        made.append(adapted)
    assert "train_cycle" not in made[0].history_.rows[0]
    assert made[1].history_.rows[0]["train_cycle"] > 0


def test_synthesised_responses_are_those_of_the_person(
    fitted: MindBridge, people: list[Responses]
) -> None:
    real = people[1].select(SPLIT.test)
    other = people[0].select(SPLIT.test)
    from_person = fitted.synthesise(other, "ben")
    from_target = fitted.synthesise(targets().select(SPLIT.test), "ben")
    for made in (from_person, from_target):
        assert made.subject == "ben" and made.values.shape == (60, 60)
        matched = np.corrcoef(made.array(), real.array())[:60, 60:]
        others = matched[~np.eye(60, dtype=bool)].mean()
        assert matched.diagonal().mean() > others + 0.2
    wrong = fitted.synthesise(targets().select(SPLIT.test), "anna").values[:, :60]
    crossed = np.corrcoef(wrong, real.array())[:60, 60:].diagonal().mean()
    assert matched.diagonal().mean() > crossed + 0.2


def test_repeats_are_averaged_at_three_places_by_name(fitted: MindBridge) -> None:
    three = person("anna", 90, noise=2.0, repeats=3)
    found = {
        repeats: fitted.predict_repeats(three, repeats) for repeats in ("before", "pooled", "after")
    }
    assert all(len(one) == 200 for one in found.values())
    values = [one.array() for one in found.values()]
    assert not np.allclose(values[0], values[1]) and not np.allclose(values[1], values[2])
    np.testing.assert_allclose(
        values[2], fitted.predict(three).average_repeats().array(), rtol=1e-5
    )
    np.testing.assert_allclose(values[0], fitted.predict(three.average_repeats()).array())


def test_saved_and_loaded_it_predicts_the_same(
    fitted: MindBridge, people: list[Responses], tmp_path: Path
) -> None:
    again = MindBridge.load(fitted.save(tmp_path / "bridge"))
    assert again.plan == PLAN and again.sizes == SIZES
    np.testing.assert_array_equal(
        again.predict(people[0]).array(), fitted.predict(people[0]).array()
    )
    np.testing.assert_array_equal(
        again.synthesise(people[0], "ben").array(), fitted.synthesise(people[0], "ben").array()
    )


def test_from_the_store_it_learns_the_same_weights(tmp_path: Path, people: list[Responses]) -> None:
    stored = [store.load(store.save(tmp_path / f"{one.subject}.h5", one)) for one in people]
    short = bridge(plan=replace(PLAN, max_epochs=2))
    memory = short.fit(people, targets(), SPLIT).predict(people[0]).array()
    np.testing.assert_array_equal(
        short.fit(stored, targets(), SPLIT).predict(stored[0]).array(), memory
    )


@pytest.mark.parametrize("pooling", ["mean", "resize", "anatomical"])
def test_every_pooling_learns(pooling: str, people: list[Responses], tmp_path: Path) -> None:
    model = bridge(pooling=pooling).fit(people, targets(), SPLIT)
    assert top_1(model.predict(people[0])) > 0.4
    again = MindBridge.load(model.save(tmp_path))
    again.adapt(person("carl", 70), targets(), SPLIT, plan=replace(PLAN, max_epochs=1))
    assert again.subjects_[-1] == "carl"


def test_several_heads_and_the_first_is_the_default(people: list[Responses]) -> None:
    text = Embeddings(targets().array()[:, 0], range(200), "words")
    model = bridge(plan=replace(PLAN, max_epochs=1))
    model.fit(people, {"image": targets(), "text": text}, SPLIT)
    assert model.predict(people[0]).space == "toy"
    assert model.predict(people[0], "text").space == "words"
    with pytest.raises(ValueError, match="There is no head 'sound'; the heads are 'image', 'text'"):
        model.predict(people[0], "sound")


def test_test_trials_change_nothing(people: list[Responses]) -> None:
    short = bridge(plan=replace(PLAN, max_epochs=1))
    plain = short.fit(people, targets(), SPLIT).predict(people[0]).array()
    spoiled = [
        one.with_values(np.where(SPLIT.mask(one, "test")[:, None], 1e3, one.array()))
        for one in people
    ]
    again = short.fit(spoiled, targets(), SPLIT).predict(people[0]).array()
    np.testing.assert_array_equal(plain, again)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda one: one.with_values(np.full_like(one.array(), np.nan)),
            "Responses of subject 'anna' have values that are not finite in",
        ),
        (
            lambda one: one.take([150, 151]),
            "Subject 'anna' has no trial in the training part of the split.",
        ),
        (
            lambda one: one.with_values(
                one.array().reshape(200, 9, 10), dims=("trial", "tr", "parcel"), positions=None
            ),
            "MindBridge needs responses with dims ('trial', 'voxel'); those of subject 'anna'",
        ),
    ],
)
def test_bad_responses_are_refused_by_name(change, message, people: list[Responses]) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        bridge().fit([change(people[0]), people[1]], targets(), SPLIT)


def test_anatomical_pooling_needs_positions(people: list[Responses]) -> None:
    blind = replace(people[1], positions=None)
    with pytest.raises(ValueError, match=r"but subject 'ben' has none. Give responses.positions"):
        bridge(pooling="anatomical").fit([people[0], blind], targets(), SPLIT)


def test_strangers_and_other_masks_are_refused_by_name(
    fitted: MindBridge, people: list[Responses]
) -> None:
    with pytest.raises(ValueError, match="Subject 'carl' is not known; this model was fitted on"):
        fitted.predict(person("carl", 70))
    with pytest.raises(ValueError, match="Subject 'ben' was learned with 60 voxels, but these"):
        fitted.predict(person("ben", 61))
    with pytest.raises(ValueError, match=r"Subject 'anna' is known already. adapt"):
        fitted.adapt(people[0], targets(), SPLIT)


def test_a_stimulus_without_target_is_named(people: list[Responses]) -> None:
    with pytest.raises(ValueError, match="stimulus ids are not among the"):
        bridge().fit(people, targets().take(np.arange(100)), SPLIT)
