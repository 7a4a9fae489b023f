"""Units answer to what their area answers to, where their receptive field is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from neurodecode import scenes
from neurodecode.twin import AREA_NAMES, Cortex, look

N_SCENES = 300


@pytest.fixture(scope="module")
def seen():
    return look([scenes.scene_id(i) for i in range(N_SCENES)])


@pytest.fixture(scope="module")
def cortex():
    return Cortex(400, seed=(5, 0))


def test_responses_have_mean_0_and_spread_1(cortex, seen):
    answers = cortex.respond(seen)
    assert abs(answers.mean()) < 0.05
    assert 0.85 < answers.var(axis=0).mean() < 1.15
    assert np.isfinite(answers).all()


def test_all_areas_are_there_on_both_sides(cortex):
    assert set(cortex.labels.tolist()) == set(AREA_NAMES)
    assert 0.4 < (cortex.positions_mm[:, 0] > 0).mean() < 0.6
    early = cortex.positions_mm[cortex.labels == "V1"][:, 1].mean()
    late = cortex.positions_mm[cortex.labels == "FFA"][:, 1].mean()
    assert early < late - 20


def test_early_areas_see_the_picture_and_late_areas_the_kind(cortex, seen):
    """Share of variance that the main object's kind explains, area by area."""
    answers, kind = cortex.respond(seen), seen.facts["kind"][:, 0]
    means = np.stack([answers[kind == one].mean(axis=0) for one in range(len(scenes.KINDS))])
    explained = ((means[kind] - answers.mean(axis=0)) ** 2).mean(axis=0) / answers.var(axis=0)
    share = {area: explained[cortex.labels == area].mean() for area in AREA_NAMES}
    assert share["V1"] < 0.12
    assert min(share["FFA"], share["EBA"], share["LO"]) > 3 * share["V1"]
    face = scenes.KINDS.index("face")
    assert means[face][cortex.labels == "FFA"].mean() > 1
    place = np.stack([answers[seen.facts["background"] == one].mean(axis=0) for one in range(8)])
    assert place.var(axis=0)[cortex.labels == "PPA"].mean() > 0.4
    assert place.var(axis=0)[cortex.labels == "FFA"].mean() < 0.15


def test_each_side_of_the_brain_sees_the_other_side_of_the_picture(cortex, seen):
    """Scramble the left half of all maps: units of the right hemisphere change more."""
    half = np.tile(np.arange(16) < 8, 16)
    maps = seen.maps.copy()
    maps[:, :, half] = maps[::-1][:, :, half]
    before, after = cortex.respond(seen), cortex.respond(replace(seen, maps=maps))
    change = np.abs(after - before).mean(axis=0)
    v1, right = cortex.labels == "V1", cortex.positions_mm[:, 0] > 0
    assert change[v1 & right].mean() > 3 * change[v1 & ~right].mean()


def test_receptive_fields_grow_from_early_to_late_areas(cortex):
    size = 1 / (cortex.fields**2).sum(axis=1)
    mean = {area: size[cortex.labels == area].mean() for area in AREA_NAMES}
    assert mean["V1"] < mean["V2"] < mean["V3"] < mean["hV4"] < mean["LO"]


def test_another_seed_is_another_person_with_the_same_areas(seen):
    one, other = Cortex(100, seed=(5, 0)), Cortex(100, seed=(5, 1))
    again = Cortex(100, seed=(5, 0))
    assert np.array_equal(one.respond(seen), again.respond(seen))
    assert not np.array_equal(one.area, other.area)
    assert np.bincount(one.area).tolist() == np.bincount(other.area).tolist()
    assert np.abs(np.corrcoef(one.respond(seen).T, other.respond(seen).T)[:100, 100:]).max() < 0.98
