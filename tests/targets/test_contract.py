"""What every target promises, run over every target. New targets add one entry to CASES."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from neurodecode.contracts import Target
from neurodecode.data import Stimuli
from neurodecode.targets import PixelPCA, Pixels


def pictures(n: int = 5, size: int = 8) -> Stimuli:
    values = np.random.default_rng(0).random((n, size, size, 3))
    return Stimuli.from_arrays([f"s{i}" for i in range(n)], values)


def texts() -> Stimuli:
    return Stimuli.from_texts({"a": "a red ball", "b": "two cats by a tree", "c": "a boat"})


CASES: dict[str, tuple[Callable[[], Target], Callable[[], Stimuli]]] = {
    "Pixels": (lambda: Pixels(4), pictures),
    "Pixels grey": (lambda: Pixels((4, 6), grey=True), pictures),
    "PixelPCA": (lambda: PixelPCA(3, size=4).fit(pictures()), pictures),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[Target, Stimuli]:
    make, stimuli = CASES[request.param]
    return make(), stimuli()


def test_is_a_target(case):
    target, _ = case
    assert isinstance(target, Target)


def test_embeds_one_finite_row_a_stimulus_in_the_space_it_names(case):
    target, stimuli = case
    found = target.embed(stimuli)
    assert found.stimulus.tolist() == stimuli.ids.tolist()
    assert found.space == target.space
    assert np.isfinite(found.array()).all()
    assert len(np.unique(found.array().reshape(len(found), -1), axis=0)) == len(stimuli)


def test_same_stimuli_same_points(case):
    target, stimuli = case
    np.testing.assert_array_equal(target.embed(stimuli).array(), target.embed(stimuli).array())


def test_a_row_does_not_depend_on_the_others(case):
    target, stimuli = case
    some = stimuli.ids[::-1][:2]
    np.testing.assert_allclose(
        target.embed(stimuli.select(some)).array(),
        target.embed(stimuli).rows(some),
        rtol=1e-4,
        atol=1e-5,
    )


def test_no_stimuli_give_no_rows_of_the_same_shape(case):
    target, stimuli = case
    empty = target.embed(stimuli.select([]))
    assert len(empty) == 0
    assert empty.row_shape == target.embed(stimuli).row_shape


def test_refuses_stimuli_of_a_kind_it_cannot_embed(case):
    target, _ = case
    clips = Stimuli.from_arrays(["v"], np.zeros((1, 2, 4, 4, 3)))
    with pytest.raises(ValueError, match=r"takes stimuli of kind .*; got Stimuli\(1 videos\)"):
        target.embed(clips)
