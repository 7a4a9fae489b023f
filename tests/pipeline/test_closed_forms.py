"""Which closed forms stand beside an encoder by default, and that they may be chosen."""

import numpy as np
import pytest

from neurodecode.data import Responses, Split
from neurodecode.encoders import CalibratedRidge, Ridge
from neurodecode.pipeline import Protocol, TwoWay, decode
from neurodecode.pipeline._closed_forms import closed_forms, is_closed_form

from .conftest import LeastSquares, person


def split_of(points):
    ids = points.stimulus.tolist()
    return Split(ids[:-20], [], ids[-20:])


def test_defaults_by_modality(points):
    people = [person(points)]
    protocol = Protocol(split_of(points))
    assert list(closed_forms(LeastSquares(), protocol, people)) == [
        "plain_ridge",
        "calibrated_ridge",
    ]
    eeg = [people[0].with_values(people[0].values, modality="eeg")]
    assert "plain_ridge" in closed_forms(LeastSquares(), protocol, eeg)
    assert "calibrated_ridge" not in closed_forms(LeastSquares(), protocol, eeg)
    assert "binned_ridge" in closed_forms(LeastSquares(), protocol, eeg)
    fewer = person(points, "p2", n_voxels=9)
    other = [*eeg, fewer.with_values(fewer.values, modality="eeg")]
    assert "binned_ridge" not in closed_forms(LeastSquares(), protocol, other)
    places = np.random.default_rng(0).uniform(-50, 50, size=(people[0].n_units, 3))
    placed = [people[0].with_values(people[0].values, positions=places)]
    assert "region_stack" in closed_forms(LeastSquares(), protocol, placed)


def test_a_closed_form_has_the_others_beside_it_where_they_cost_little(points):
    protocol = Protocol(split_of(points))
    assert "plain_ridge" not in closed_forms(Ridge(), protocol, [person(points)])
    assert "calibrated_ridge" in closed_forms(Ridge(), protocol, [person(points)])
    assert "plain_ridge" in closed_forms(CalibratedRidge(), protocol, [person(points)])
    large = Responses(np.broadcast_to(0.0, (6000, 6000)), range(6000), "s", "fmri")
    assert closed_forms(Ridge(), Protocol(Split(["0"], [], ["1"])), [large]) == {}


def test_none_or_those_given(points):
    people, split = [person(points)], split_of(points)
    assert closed_forms(LeastSquares(), Protocol(split, closed_forms=False), people) == {}
    mine = Ridge([1.0])
    given = closed_forms(LeastSquares(), Protocol(split, closed_forms={"mine": mine}), people)
    assert list(given) == ["mine"]
    assert given["mine"] is not mine
    assert is_closed_form(mine)
    assert not is_closed_form(LeastSquares())


@pytest.mark.parametrize("name", ["plain_ridge", "calibrated_ridge"])
def test_who_has_no_training_trials_is_told(points, caplog, name):
    people = [person(points, "p1"), person(points, "p9")]
    protocol = Protocol(Split(["p1"], [], ["p9"], by="subject"), "new_subject")
    assert name not in closed_forms(LeastSquares(), protocol, people)
    assert (
        f"'{name}' does not stand beside the scores of 'new_subject': it needs training trials of "
        f"each test person, and p9 has none."
    ) in caplog.text


def test_they_stand_among_the_controls_and_in_the_details(points, goal):
    got = decode(
        person(points),
        goal,
        encoder=LeastSquares(),
        generator=None,
        protocol=Protocol(split_of(points), measures=[TwoWay()]),
    )
    assert got.result.details["closed_forms"] == ["plain_ridge", "calibrated_ridge"]
    assert {"plain_ridge", "calibrated_ridge"} <= set(got.result.controls)


def test_strangers_have_those_that_serve_them(points):
    places = np.random.default_rng(0).uniform(-50, 50, size=(40, 3))
    people = [person(points, name) for name in ("p1", "p9")]
    people = [one.with_values(one.values, positions=places) for one in people]
    protocol = Protocol(Split(["p1"], [], ["p9"], by="subject"), "new_subject")
    assert list(closed_forms(LeastSquares(), protocol, people)) == ["region_stack"]
