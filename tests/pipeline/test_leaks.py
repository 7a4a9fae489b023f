"""An encoder that learned from a test trial is refused, wherever the trial went in between."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Provenance, Responses, Rows, Split
from neurodecode.encoders import Ridge
from neurodecode.errors import LeakageError
from neurodecode.pipeline import Protocol, decode, evaluate

from .conftest import LeastSquares, Painter, person


@pytest.fixture
def split(points):
    return Split(points.stimulus[:-25], points.stimulus[-25:-20], points.stimulus[-20:])


@pytest.fixture
def one(points):
    return person(points, "p1")


def opened(one, goal, split, encoder, **changes):
    protocol = Protocol(split=split, **{"closed_forms": False, **changes})
    return evaluate(one, goal, encoder=encoder, generator=Painter(), protocol=protocol)


def leaky(one, goal, split):
    whole = Split([*split.train, *split.test], split.validation, [])
    return Ridge(device="cpu").fit(one, goal.for_fit(one.stimulus), whole)


def honest(one, goal, split):
    return Ridge(device="cpu").fit(split.seen(one), goal.for_fit(one.stimulus), split.blind())


def test_an_encoder_fitted_on_the_test_part_is_refused(one, goal, split, tmp_path):
    n_test = int(split.mask(one, "test").sum())
    encoder = leaky(one, goal, split)
    for fitted in (encoder, Ridge.load(encoder.save(tmp_path))):
        with pytest.raises(LeakageError) as caught:
            opened(one, goal, split, fitted)
        assert str(caught.value) == (
            f"Ridge learned from {n_test} of the {n_test} test trials of subject 'p1'. Test it on "
            f"trials that it has not seen, or fit it again without them."
        )


def test_validation_trials_are_learned_from_too(one, goal, split):
    swapped = Split(split.train, [], split.validation)
    with pytest.raises(LeakageError, match="Ridge learned from"):
        opened(one, goal, swapped, honest(one, goal, split))


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.average_repeats(),
        lambda one: one.with_values(one.array() * 3 + 1).average_repeats(),
        lambda one: Responses(one.array().copy(), one.stimulus, "p1", "fmri"),
        lambda one: one.with_values(Rows(one.values, np.arange(len(one)))),
    ],
    ids=["averaged", "preprocessed and averaged", "made again by hand", "lazy"],
)
def test_after_whatever_was_done_to_the_test_trials(one, goal, split, change):
    encoder = leaky(one, goal, split)
    with pytest.raises(LeakageError, match="learned from"):
        opened(change(split.part(one, "test")), goal, split, encoder)


def test_an_adapted_encoder_knows_what_it_adapted_to(points, goal, split):
    first, second = person(points, "p1"), person(points, "p2", n_voxels=31)
    encoder = honest(first, goal, split)
    whole = Split([*split.train, *split.test], [], [])
    encoder.adapt(second, goal.for_fit(second.stimulus), whole)
    with pytest.raises(LeakageError, match="test trials of subject 'p2'"):
        opened([first, second], goal, split, encoder)


def test_an_honest_encoder_passes(one, goal, split):
    found = opened(one, goal, split, honest(one, goal, split))
    assert found.result.details["learned_from"] == "known"
    fitted = decode(
        one, goal, encoder=Ridge(device="cpu"), generator=Painter(), protocol=Protocol(split=split)
    )
    assert fitted.result.details["learned_from"] == "known"


def test_encoders_that_do_not_say_are_of_unknown_provenance(one, goal, split):
    encoder = LeastSquares().fit(split.seen(one), goal.for_fit(one.stimulus), split.blind())
    assert opened(one, goal, split, encoder).result.details["learned_from"] == "unknown"
    protocol = Protocol(split=split, closed_forms=False)
    found = decode(one, goal, encoder=LeastSquares(), generator=Painter(), protocol=protocol)
    assert found.result.details["learned_from"] == "given"


def test_the_same_person_in_another_recording_is_no_leak(points, goal, split):
    def recorded(name):
        new = person(points, "p1")
        values = new.array() + np.random.default_rng(len(name)).normal(size=new.values.shape)
        told = Provenance("recorded", name)
        return Responses(values, new.stimulus, "p1", "fmri", provenance=told)

    encoder = leaky(recorded("monday"), goal, split)
    found = opened(recorded("tuesday!"), goal, split, encoder)
    assert found.result.details["learned_from"] == "known"
