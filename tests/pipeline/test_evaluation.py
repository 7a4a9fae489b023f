from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Split
from neurodecode.pipeline import CaptionAccuracy, PixelCorrelation, Protocol, TwoWay, decode

from .conftest import LeastSquares, Namer, Painter, person


@pytest.fixture
def evaluation(points, goal):
    ids = points.stimulus
    return decode(
        [person(points, "p1"), person(points, "p2")],
        goal,
        encoder=LeastSquares(),
        generator={"picture": Painter(), "sentence": Namer()},
        protocol=Protocol(
            Split(ids[:50], [], ids[50:]),
            measures=(TwoWay(), PixelCorrelation(), CaptionAccuracy("kind")),
            n_drawn=6,
            closed_forms=False,
        ),
    )


def test_a_view_shows_one_item_with_all_that_belongs_to_it(evaluation, stimuli):
    views = list(evaluation.views(tags=["kind"]))
    assert len(views) == 6
    for place, view in enumerate(views):
        row = evaluation.drawn[place]
        assert view.stimulus == evaluation.items.stimulus[row]
        assert view.subject == evaluation.items.subject[row]
        np.testing.assert_array_equal(view.truth, stimuli[view.stimulus])
        np.testing.assert_array_equal(
            view.decoded[0], evaluation.answers.outputs["picture"].values[place, 0]
        )
        assert set(view.controls) == {
            "noise", "shuffled", "constant", "mean", "nearest_training", "ceiling", "run_mean",
            "place_in_run",
        }  # fmt: skip
        assert view.scores["two_way"] == evaluation.per_item["two_way"][row]
        assert view.scores["pixel_correlation"] == evaluation.per_item["pixel_correlation"][place]
        kind = stimuli.select([view.stimulus]).metadata["kind"][0]
        assert view.tags == {"kind": kind}
        assert view.captions["seen"] == f"a {kind} here"
        assert view.captions["ceiling"] == f"I see a {kind}."
        assert view.captions["decoded"].startswith("I see a ")


def test_values_are_the_means_of_the_items(evaluation):
    for name, values in evaluation.per_item.items():
        assert evaluation.score(name) == pytest.approx(values.mean())


def test_views_can_be_limited_and_are_gallery_items(evaluation):
    from neurodecode.gallery import GalleryItem

    views = list(evaluation.views(2))
    assert len(views) == 2
    item = GalleryItem(**vars(views[0]))
    assert item.stimulus == views[0].stimulus
