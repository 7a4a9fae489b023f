from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Embeddings
from neurodecode.errors import LeakageError
from neurodecode.generators import Restandardise


def shrunk_and_true(n: int = 400, unit: bool = False) -> tuple[Embeddings, Embeddings, Embeddings]:
    rng = np.random.default_rng(0)
    true = rng.standard_normal((n, 5)) * [1, 2, 3, 4, 5] + 1
    if unit:
        true /= np.linalg.norm(true, axis=1, keepdims=True)
    ids = [f"s{i}" for i in range(n)]
    small = Embeddings(true * 0.2 + 0.5, ids, "toy")
    n_new = min(n, 50)
    new = Embeddings(small.array()[:n_new], [f"new{i}" for i in range(n_new)], "toy")
    return small, Embeddings(true, ids, "toy"), new


def test_a_shrunk_prediction_gets_its_spread_back():
    small, true, new = shrunk_and_true()
    found = Restandardise().fit(small, true).apply(new)
    np.testing.assert_allclose(found.values, true.array()[:50], atol=1e-3)
    assert found.stimulus.tolist() == new.stimulus.tolist()


def test_points_of_unit_length_stay_so():
    small, true, new = shrunk_and_true(unit=True)
    found = Restandardise().fit(small, true)
    assert found.unit_length_
    np.testing.assert_allclose(np.linalg.norm(found.apply(new).values, axis=1), 1.0, atol=1e-5)


def test_stimuli_to_be_drawn_are_refused():
    small, true, _ = shrunk_and_true(6)
    learned = Restandardise().fit(small, true)
    with pytest.raises(LeakageError, match=r"learned from 6 of the stimuli to be drawn \('s0'"):
        learned.apply(small)
    learned.allow_repeats = True
    assert len(learned.apply(small)) == 6


def test_must_be_fitted():
    with pytest.raises(ValueError, match=r"learned nothing yet. Call fit\(\) with training pred"):
        Restandardise().apply(shrunk_and_true(6)[2])


def test_spaces_must_agree():
    small, true, new = shrunk_and_true(6)
    other = Embeddings(true.values, true.stimulus, "other")
    with pytest.raises(ValueError, match="of the space 'toy' but true embeddings of 'other'"):
        Restandardise().fit(small, other)
    with pytest.raises(ValueError, match="learned in the space 'toy'; got embeddings of 'other'"):
        Restandardise().fit(small, true).apply(Embeddings(new.values, new.stimulus, "other"))
