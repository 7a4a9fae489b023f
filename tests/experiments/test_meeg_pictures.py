"""Pictures from simulated MEG: the whole study in small, its parts exactly."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from experiments import things_eeg2_retrieval, things_meg_pictures
from experiments._meeg import (
    FAST,
    held_out_spread,
    nearest_training,
    plain_ridge,
    unseen_people,
)
from experiments._meeg_figures import _first
from experiments._meeg_material import by_stimulus, pictures_below, twin_material, twin_parts
from experiments._meeg_windows import contrast
from neurodecode import twin
from neurodecode.data import Embeddings, Split
from neurodecode.encoders import Ridge
from neurodecode.evidence import Run, TestLooks
from neurodecode.pipeline import Goal
from neurodecode.targets import PixelPCA


@pytest.fixture(scope="module")
def material():
    return twin_material(twin.EEG, 48, fast=True, seed=0)


def test_test_pictures_are_in_no_other_part(material):
    tested = {one for ids in material.test.values() for one in ids.tolist()}
    fitted = {*material.split.train.tolist(), *material.split.validation.tolist()}
    assert len(material.test["large"]) == 12 and len(material.test["small"]) == 12
    assert not tested & fitted


@pytest.fixture(scope="module")
def altered_and_not():
    """The same people twice; the second time all their test trials are other signals."""
    design = twin.Design(n_test=2, test_repeats=2, shared=0.25)
    people = twin.eeg(2, 32, design=design)
    shared = set.intersection(*(set(one.stimulus.tolist()) for one in people))
    altered = []
    for one in people:
        values = one.array().copy()
        rows = np.isin(one.stimulus, sorted(shared))
        values[rows] = 100 * values[rows][::-1] + 1e-4
        altered.append(one.with_values(values))
    return [twin_parts(each, 0.25, 0, fast=True) for each in (people, altered)]


def test_no_fitted_step_sees_the_test_trials(altered_and_not):
    """Scale, whitening, ridge, both heads, and what undoes their shrinking."""
    found = []
    for each in altered_and_not:
        goal = Goal(each.stimuli, PixelPCA(4, size=8).fit(each.stimuli.select(each.train_ids())))
        person = each.split.part(each.people[0], "validation")
        deep = FAST.encoder(0, subject_layer=True)
        deep.fit(
            [each.split.seen(one) for one in each.people],
            goal.for_fit(each.seen_ids()),
            each.split.blind(),
        )
        whole = Ridge(device="cpu").fit(each.people, goal.for_fit(each.seen_ids()), each.split)
        blind = plain_ridge(each, goal, FAST)
        undo = held_out_spread(each, goal, deep)
        found.append(
            [
                person.array(),
                deep.predict(person).array(),
                deep.predict(person, head="regression").array(),
                whole.predict(person).array(),
                blind.predict(person).array(),
                *undo.predicted_,
                *undo.true_,
            ]
        )
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)
    tests = [each.split.part(each.people[0], "test").array() for each in altered_and_not]
    assert not np.allclose(*tests)


class Recorder:
    """Learns nothing but whom it met; answers with the truth."""

    def __init__(self, goal):
        self.goal = goal

    def fit(self, people, targets, split):
        self.met = {one.subject for one in people}
        assert not len(split.test)
        return self

    def predict(self, responses, head=None):
        assert self.met and responses.subject not in self.met
        [truth] = self.goal.points(responses.stimulus).values()
        return Embeddings(truth.rows(responses.stimulus), responses.stimulus, truth.space)


def test_nobody_is_decoded_by_a_network_that_met_them(material, tmp_path):
    goal = Goal(material.stimuli, PixelPCA(4, size=8).fit(material.stimuli))
    effort = SimpleNamespace(encoder=lambda seed, **_: Recorder(goal))
    with Run(seed=0, looks=TestLooks(mirror=tmp_path)) as run:
        found = unseen_people(material, goal, effort, nearest_training(material, goal), run)
    assert found.result.scores["two_way"].value == 1.0
    assert set(found.items.subject.tolist()) == {one.subject for one in material.people}


def test_concept_split_becomes_one_of_pictures(material):
    person = material.people[0]
    concept = np.array(["c1", "c2", "c3"])[np.arange(len(person)) % 3]
    facts = person.with_values(person.values, metadata={"concept": concept})
    split = by_stimulus(
        [facts.take(np.arange(3))], Split(["c1"], ["c2"], ["c3"], "concept"), np.array(["x"])
    )
    assert split.train.tolist() == [person.stimulus[0]]
    assert split.validation.tolist() == [person.stimulus[1]] and split.test.tolist() == ["x"]


def test_contrast_is_the_gain_of_clip_over_that_of_pixels():
    early_late = {
        "clip": np.array([[0.5, 0.5], [0.7, 0.6]]),
        "pixels": np.array([[0.6, 0.6], [0.5, 0.6]]),
    }
    np.testing.assert_allclose(contrast(early_late), [0.3, 0.1])


def test_first_trials_of_each_picture():
    ids = list("abaabb")
    found = _first(Embeddings(np.arange(6.0)[:, None], ids, "toy"), 2)
    assert found.stimulus.tolist() == list("abab")
    assert found.array()[:, 0].tolist() == [0, 1, 2, 4]


def test_missing_pictures_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"lacks 2 pictures \(such as cup_01b.jpg\)"):
        pictures_below(tmp_path, np.array(["cup_01b", "dog_01b", "cup_01b"]))


def test_real_data_need_their_folders(tmp_path):
    for script in (things_meg_pictures, things_eeg2_retrieval):
        with pytest.raises(ValueError, match="Give --data and --pictures, or --twin"):
            script.main(tmp_path)


@pytest.mark.slow
def test_study_writes_all_its_evidence(tmp_path):
    things_eeg2_retrieval.main(tmp_path, twin=True, fast=True)
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["simulated"] is True
    assert set(results["protocols"]) == {
        "large_set_single_trial", "small_set_single_trial", "small_set_averaged",
        "new_subject_zero_shot", "generation_small_set", "averaging_small_set",
        "over_time_large_set",
    }  # fmt: skip
    large = results["protocols"]["large_set_single_trial"]
    assert {"noise", "shuffled", "plain_ridge", "ceiling"} <= set(large["controls"])
    assert large["scores"]["retrieval_top5"]["chance"] == pytest.approx(5 / 12)
    low, high = large["deep_over_ridge_top5"]["ci95"]
    assert low <= large["deep_over_ridge_top5"]["value"] <= high
    assert (tmp_path / "index.html").exists()
