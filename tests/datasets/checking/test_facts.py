"""What is told of numbers, against NumPy on the whole array, and each thing that is suspicious."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Responses
from neurodecode.datasets.checking import Piece, measure
from neurodecode.datasets.checking._facts import suspects, wrongs
from neurodecode.datasets.checking._pieces import of_responses

RNG = np.random.default_rng(0)


class InBlocks:
    """Rows so long that `blocks` reads few at a time."""

    def __init__(self, values):
        self._values, self.shape = values, values.shape
        self.dtype = np.dtype([("x", "V", 2**24)])  # what a row is said to weigh

    def __getitem__(self, index):
        return self._values[index]


def told(values, rows="trial", n_units=None, **more):
    piece = Piece("a", values, rows, n_units or values.shape[1], **more)
    facts = measure(piece)
    return wrongs(piece, facts), suspects(piece, facts)


@pytest.mark.parametrize("shape", [(7, 5), (6, 4, 9)])
@pytest.mark.parametrize("wrap", [lambda one: one, InBlocks], ids=["whole", "in blocks"])
def test_facts_are_those_of_the_whole_array(shape, wrap):
    values = RNG.normal(3, 2, shape)
    values[2, 1] = np.nan
    facts = measure(Piece("a", wrap(values), "trial", shape[1]))
    by_unit = np.moveaxis(values, 1, -1).reshape(-1, shape[1])
    assert facts.shape == shape and facts.n_missing == np.isnan(values).sum()
    assert (facts.low, facts.high) == (np.nanmin(values), np.nanmax(values))
    assert facts.spread == pytest.approx(np.median(np.nanstd(by_unit, axis=0)))


def test_good_numbers_are_not_suspicious():
    assert told(RNG.normal(size=(300, 4))) == ([], [])


def test_a_spread_far_from_zero_is_told_as_exactly():
    values = 1e9 + RNG.normal(size=(500, 3))
    facts = measure(Piece("a", values, "trial", 3))
    assert facts.spread == pytest.approx(np.median(values.std(axis=0)), rel=1e-6)


def test_values_that_are_not_finite_are_wrong():
    values = RNG.normal(size=(5, 3))
    values[1, 2], values[4, 0] = np.nan, np.inf
    assert told(values)[0] == ["2 values are not finite (NaN or infinite)"]
    wrong, suspect = told(values, rows="volume", background=True)
    assert (wrong, suspect) == ([], ["2 values are not finite (outside the brain?)"])
    assert told(np.full((3, 2), np.nan))[0][1] == "it holds no finite value at all"


def test_constant_recordings_are_wrong_and_constant_units_suspect():
    assert told(np.zeros((5, 3)))[0] == ["all values are 0"]
    values = RNG.normal(size=(5, 3))
    values[:, 1] = 7
    assert told(values) == ([], ["1 of 3 units never change"])
    assert told(np.ones((1, 8)), rows="volume", background=True)[0] == []  # a mask of everything
    assert told(np.zeros((0, 3)))[0] == ["it is empty (shape (0, 3))"]


def test_a_clipped_channel_is_suspect():
    values = RNG.normal(size=(1000, 3))
    values[:, 2] = np.clip(values[:, 2], -1, 1)
    assert told(values, rows="sample")[1] == [
        "1 of 3 units stand at their largest or smallest value in over 1% of samples (saturated or "
        "clipped)"
    ]


@pytest.mark.parametrize(("unit", "good"), [("V", 1e-5), ("µV", 10.0), ("T", 1e-13)])
@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_volts_are_not_microvolts(unit, good, factor):
    values = RNG.normal(size=(500, 3)) * good * factor
    suspect = told(values, rows="sample", unit=unit)[1]
    assert bool(suspect) == (factor != 1.0)
    assert all(f"{unit}, where" in one and "another unit was written" in one for one in suspect)


def test_trials_that_hold_the_same_values_are_named_with_what_they_show():
    values = RNG.normal(size=(6, 3)).astype(np.float32)
    values[4] = values[1]
    shown = np.array(list("abcdef"))
    [piece] = of_responses(Responses(values, shown, "sub-01", "fmri"))
    assert wrongs(piece, measure(piece)) == [
        "1 trials hold exactly the values of another (first: rows 1 and 4, 'b' and 'e')"
    ]
    assert told(values, rows="volume")[1] == ["1 volumes repeat another (first: 4)"]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_positions_are_in_mm(scale):
    places = RNG.normal(size=(3, 3)) * 50
    wrong = told(RNG.normal(size=(9, 3)), positions=places * scale)[0]
    assert bool(wrong) == (scale != 1.0)


def test_a_repetition_time_is_in_seconds():
    assert told(RNG.normal(size=(9, 3)), rows="volume", rate="TR 2 s")[0] == []
    assert told(RNG.normal(size=(9, 3)), rows="volume", rate="TR 2000 s")[0] == [
        "the repetition time is 2000 s: milliseconds were written as seconds?"
    ]
