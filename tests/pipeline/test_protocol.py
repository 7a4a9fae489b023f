from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Split
from neurodecode.pipeline import Goal, Output, Protocol
from neurodecode.pipeline._protocol import as_outputs
from neurodecode.targets import Pixels

from .conftest import Painter

SPLIT = Split(["a"], [], ["b"])


def test_a_goal_embeds_only_what_is_asked(stimuli):
    loaded = []
    watched = type(stimuli)(
        stimuli.ids, "image", lambda one: loaded.append(one) or stimuli.load(one)
    )
    got = Goal(watched, Pixels(12)).for_fit(["s03", "s01"])
    assert got.stimulus.tolist() == loaded == ["s03", "s01"]


def test_each_stimulus_is_embedded_once(stimuli):
    loaded = []
    watched = type(stimuli)(
        stimuli.ids, "image", lambda one: loaded.append(one) or stimuli.load(one)
    )
    goal = Goal(watched, Pixels(12))
    goal.points(["s03", "s01"])
    got = goal.points(["s01", "s02", "s01", "s03"])["target"]
    assert loaded == ["s03", "s01", "s02"]
    assert got.stimulus.tolist() == ["s01", "s02", "s01", "s03"]
    np.testing.assert_array_equal(
        got.array(), Pixels(12).embed(stimuli).rows(["s01", "s02", "s01", "s03"])
    )


def test_ready_points_and_targets_go_together(stimuli, points):
    goal = Goal(stimuli, {"ready": points, "pixels": Pixels(12)})
    got = goal.for_fit(["s05"])
    assert list(got) == ["ready", "pixels"]
    np.testing.assert_array_equal(got["ready"].array(), points.rows(["s05"]))


def test_outputs_get_names_and_heads():
    painter = Painter()
    [(name, output)] = as_outputs(painter, ["one", "two"]).items()
    assert (name, output.generator, output.head, output.n_samples) == ("decoded", painter, "one", 1)
    got = as_outputs({"x": Output(painter, "two", 3), "y": painter}, ["one", "two"])
    assert [(one.head, one.n_samples) for one in got.values()] == [("two", 3), ("one", 1)]


def test_bad_protocols_are_refused():
    with pytest.raises(ValueError, match="repeats must be 'single', 'responses' or 'predictions'"):
        Protocol(SPLIT, repeats="all")
    with pytest.raises(ValueError, match=r"A protocol needs a split; got none\."):
        Protocol([])
    with pytest.raises(ValueError, match=r"n_drawn must be at least 1; got 0\."):
        Protocol(SPLIT, n_drawn=0)
