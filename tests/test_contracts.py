"""What the parts promise each other, told by their types."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode import contracts, encoders, errors
from neurodecode.data import Embeddings, Generated, Responses


def test_encoders_are_encoders():
    assert isinstance(encoders.Ridge(), contracts.Encoder)
    assert isinstance(encoders.RidgeClassifier(), contracts.Encoder)
    assert not isinstance(encoders.ForwardRidge(), contracts.Encoder)


def test_forward_models_are_forward_models():
    assert isinstance(encoders.ForwardRidge(), contracts.ForwardModel)


def test_what_lacks_a_verb_is_neither():
    class Half:
        def fit(self, responses, targets, split):
            return self

    assert not isinstance(Half(), contracts.Encoder)
    assert not isinstance(Half(), contracts.Generator)


@pytest.mark.parametrize(
    ("special", "plain"),
    [
        (errors.LeakageError, ValueError),
        (errors.CorruptFileError, ValueError),
        (errors.UnsafeFileError, errors.CorruptFileError),
        (errors.MissingWeightsError, FileNotFoundError),
        (errors.MissingDependencyError, ImportError),
    ],
)
def test_who_catches_the_plain_kind_catches_ours(special, plain):
    with pytest.raises(plain, match="what happened"):
        raise special("what happened")


@pytest.mark.parametrize(
    "thing",
    [
        Responses(np.zeros((1, 2)), ["a"], "s", "fmri"),
        Embeddings(np.zeros((1, 2)), ["a"], "toy"),
        Generated(np.zeros((1, 1), dtype="<U3"), ["a"], "text", "toy"),
    ],
)
def test_what_travels_is_frozen(thing):
    with pytest.raises(AttributeError, match="cannot assign to field"):
        thing.stimulus = ["b"]
    with pytest.raises(ValueError, match="read-only"):
        thing.stimulus[0] = "b"
