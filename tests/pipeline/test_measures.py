from __future__ import annotations

import numpy as np
import pytest

from neurodecode import metrics
from neurodecode.data import Embeddings, Generated
from neurodecode.metrics.identification import two_way
from neurodecode.metrics.retrieval import top_k
from neurodecode.pipeline import (
    Answers,
    CaptionAccuracy,
    FeatureTwoWay,
    PixelCorrelation,
    RetrievalTopK,
    Shown,
    Ssim,
    TwoWay,
)
from neurodecode.targets import Pixels

from .conftest import Namer, paint


@pytest.fixture
def shown(stimuli, points):
    return Shown(stimuli, {"target": points})


@pytest.fixture
def answers(points):
    noise = np.random.default_rng(5).normal(size=(3, *points.values.shape))
    guess = Embeddings(points.array() + noise[0], points.stimulus, "points")
    pictures = np.stack([paint(points.array() + 0.7 * one) for one in noise[1:]], axis=1)
    outputs = {
        "p": Generated(pictures, points.stimulus, "image", "x"),
        "t": Namer().generate(guess),
    }
    return Answers({"target": guess}, outputs)


def test_retrieval_is_the_metric(shown, answers, points):
    for k in (1, 5):
        table = RetrievalTopK(k).table(shown, answers)
        want = top_k(points.array(), answers.embeddings["target"].array(), k)
        np.testing.assert_array_equal(np.diag(table), want)
        assert (table.sum(axis=1) == k).all()


def test_two_way_is_the_metric(shown, answers, points):
    table = TwoWay().table(shown, answers)
    want = two_way(points.array(), answers.embeddings["target"].array())
    np.testing.assert_allclose(np.diag(table), want)


@pytest.mark.parametrize(
    ("measure", "metric"),
    [
        (PixelCorrelation(), metrics.pixel_correlation),
        (Ssim(), metrics.ssim),
        (Ssim("legacy"), lambda a, b: metrics.ssim(a, b, "legacy")),
        (FeatureTwoWay(lambda one: one), two_way),
        (FeatureTwoWay(Pixels(12)), two_way),
    ],
)
def test_picture_measures_are_means_of_the_metric_over_samples(shown, answers, measure, metric):
    made = answers.outputs["p"].values
    want = np.mean([metric(shown.stimuli.stack(), made[:, i]) for i in range(2)], axis=0)
    np.testing.assert_allclose(np.diag(measure.table(shown, answers)), want, atol=1e-6)


def test_truths_are_brought_to_the_size_of_the_decoded(shown, answers, points):
    from PIL import Image

    small = answers.outputs["p"].values[:, :, ::2, ::2]
    made = Answers(answers.embeddings, {"p": Generated(small, points.stimulus, "image", "x")})
    truth = [
        np.asarray(Image.fromarray(one).resize((6, 6), Image.Resampling.BILINEAR))
        for one in shown.stimuli.stack()
    ]
    want = np.mean([metrics.pixel_correlation(truth, small[:, i]) for i in range(2)], axis=0)
    np.testing.assert_allclose(np.diag(PixelCorrelation().table(shown, made)), want)


def test_a_caption_is_right_if_it_names_the_word(shown, answers):
    table = CaptionAccuracy("kind").table(shown, answers)
    kinds = shown.stimuli.metadata["kind"]
    for text, row in zip(answers.outputs["t"].values[:, 0], table, strict=True):
        np.testing.assert_array_equal(row, [word in text for word in kinds])


def test_a_missing_column_is_told(shown, answers):
    with pytest.raises(ValueError, match="needs the metadata column 'size' of the stimuli"):
        CaptionAccuracy("size").table(shown, answers)


def test_measures_know_what_they_can_measure(answers):
    pictures = Answers(answers.embeddings, {"p": answers.outputs["p"]})
    assert PixelCorrelation().applies(pictures)
    assert not CaptionAccuracy("kind").applies(pictures)
    assert not PixelCorrelation("q").applies(pictures)
    assert not TwoWay("other").applies(pictures)
    with pytest.raises(LookupError, match="No generator makes text"):
        pictures.output(None, "text")
