"""Pictures from simulated MEG: the whole study in small, its parts exactly."""

from __future__ import annotations

import json

import numpy as np
import pytest

from experiments import things_eeg2_retrieval, things_meg_pictures
from experiments._meeg_figures import _first
from experiments._meeg_material import by_stimulus, pictures_below, scaled, twin_material
from experiments._meeg_windows import Curves, contrast
from neurodecode import twin
from neurodecode.data import Embeddings, Split


@pytest.fixture(scope="module")
def material():
    return twin_material(twin.EEG, fast=True, seed=0)


def test_test_pictures_are_in_no_other_part(material):
    tested = {one for ids in material.test.values() for one in ids.tolist()}
    fitted = {*material.split.train.tolist(), *material.split.validation.tolist()}
    assert len(material.test["large"]) == 12 and len(material.test["small"]) == 12
    assert not tested & fitted


def test_scaling_does_not_see_the_test_trials(material):
    [person] = twin.eeg(1, 12, design=twin.Design(n_test=2, test_repeats=2))
    split = Split(person.stimulus[:4], [], np.setdiff1d(person.stimulus, person.stimulus[:4]))
    test = split.mask(person, "test")
    values = person.array().copy()
    values[test] *= 100
    one, other = scaled(person, split), scaled(person.with_values(values), split)
    np.testing.assert_array_equal(one.values[~test], other.values[~test])
    assert not np.array_equal(one.values[test], other.values[test])


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
    ends = np.arange(0.15, 0.7, 0.05)
    rows = np.zeros((len(ends), 4))
    rising, falling = rows.copy(), rows.copy()
    rising[6:] += 0.2
    falling[:6] += 0.1
    curves = Curves(
        ends, {"clip": rising, "pixels": falling}, {}, {}, np.array(list("abcd")), np.array(["s"])
    )
    np.testing.assert_allclose(contrast(curves.linear()), 0.3)


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
