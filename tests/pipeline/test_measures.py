from __future__ import annotations

import numpy as np
import pytest

from neurodecode import metrics
from neurodecode.data import Embeddings, Generated, Stimuli
from neurodecode.metrics.identification import top_k as identify
from neurodecode.metrics.identification import two_way
from neurodecode.metrics.networks import Network
from neurodecode.metrics.retrieval import top_k
from neurodecode.metrics.text import bleu
from neurodecode.pipeline import (
    Answers,
    CaptionAccuracy,
    FeatureDistance,
    FeatureTwoWay,
    PixelCorrelation,
    RetrievalTopK,
    SentenceScore,
    Shown,
    Ssim,
    TwoWay,
    network_measures,
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


def test_distances_of_features_are_lower_for_the_own_picture(shown, answers):
    from scipy.spatial.distance import correlation

    measure = FeatureDistance(lambda one: one.astype(float), "Eff")
    table = measure.table(shown, answers)
    made, truth = answers.outputs["p"].values, shown.stimuli.stack()
    want = np.mean([correlation(truth[3].ravel(), made[5, i].ravel()) for i in range(2)])
    assert table[5, 3] == pytest.approx(want)
    assert np.diag(table).mean() < table.mean()
    assert not measure.higher_is_better


def test_networks_become_measures(shown, answers):
    networks = {
        "A": Network("A", lambda one: one, details="layer 1"),
        "B": Network("B", lambda one: one, "distance"),
    }
    one, other = network_measures(networks)
    assert (one.name, one.variant, other.name) == ("A", "layer 1", "B")
    assert isinstance(other, FeatureDistance)
    np.testing.assert_allclose(
        one.table(shown, answers), FeatureTwoWay(lambda a: a).table(shown, answers)
    )


def test_features_of_truths_are_computed_once(shown, answers):
    calls = []
    measure = FeatureTwoWay(lambda one: calls.append(len(one)) or one)
    measure.table(shown, answers)
    measure.table(shown, answers)
    assert len(calls) == 1 + 2 * 2


@pytest.mark.parametrize("similarity", ["cosine", "correlation"])
def test_the_training_mean_of_the_own_fold_is_removed(stimuli, points, answers, similarity):
    folds = np.arange(60) % 2
    means = np.random.default_rng(3).normal(size=(2, 8))
    shown = Shown(stimuli, {"target": points}, {"target": means}, folds)
    table = RetrievalTopK(3, similarity=similarity, centred=True).table(shown, answers)
    two = TwoWay(centred=True).table(shown, answers)
    for fold in (0, 1):
        here = folds == fold
        guess = answers.embeddings["target"].array()[here] - means[fold]
        moved = points.array() - means[fold]
        if similarity == "correlation":
            want = identify(moved[here], guess, 3, candidates=moved)
        else:
            want = top_k(moved[here], guess, 3, candidates=moved)
        np.testing.assert_array_equal(table[here][np.arange(30), np.flatnonzero(here)], want)
        np.testing.assert_allclose(
            two[here][np.arange(30), np.flatnonzero(here)],
            two_way(moved[here], guess, candidates=moved),
        )
    assert "training mean removed" in TwoWay(centred=True).variant
    assert RetrievalTopK(label="identification_top1").name == "identification_top1"


@pytest.mark.parametrize("measure", [Ssim(), PixelCorrelation()])
def test_pairs_are_entries_of_the_table(shown, answers, measure):
    some = np.arange(60)[::-1]
    np.testing.assert_allclose(
        measure.pairs(shown, answers, some),
        measure.table(shown, answers)[np.arange(60), some],
        atol=1e-12,
    )


def test_sentences_are_scored_against_all_captions(shown, answers):
    measure = SentenceScore(bleu, "bleu1", n_permutations=9)
    column = np.arange(60)
    got = measure.pairs(shown, answers, column)
    references = [shown.stimuli.captions[one] for one in shown.stimuli.ids.tolist()]
    want = bleu(references, answers.outputs["t"].values[:, 0].tolist())
    np.testing.assert_allclose(got, want)
    np.testing.assert_allclose(np.diag(measure.table(shown, answers)), want)


def test_stimuli_without_captions_have_no_references(shown, answers):
    bare = Stimuli(shown.stimuli.ids, "image", shown.stimuli.load)
    with pytest.raises(ValueError, match=r"60 of 60 test stimuli have no caption to compare with"):
        SentenceScore(bleu, "b").pairs(Shown(bare, shown.points), answers, np.arange(60))
