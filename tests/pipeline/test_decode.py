from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from neurodecode.data import Generated, LeaveOneOut, RandomSplit, Split, Stimuli
from neurodecode.encoders import Ridge
from neurodecode.evidence import (
    Run,
    TestLooks,
    check_results,
    look_key,
    methods_paragraph,
    write_results,
)
from neurodecode.generators import DirectImage
from neurodecode.pipeline import (
    CaptionAccuracy,
    Goal,
    Output,
    PixelCorrelation,
    Protocol,
    RetrievalTopK,
    Ssim,
    TwoWay,
    decode,
    evaluate,
)
from neurodecode.targets import Pixels

from .conftest import LeastSquares, Namer, Painter, person

BRAINLESS = ("noise", "shuffled", "constant", "mean")


def split_of(points, n_test=20):
    ids = points.stimulus
    return Split(ids[: -n_test - 5], ids[-n_test - 5 : -n_test], ids[-n_test:], rule="by hand")


@pytest.fixture
def two(points):
    return [person(points, "p1"), person(points, "p2", n_voxels=31)]


def run_it(people, goal, points, *, run=None, **changes):
    protocol = Protocol(**{"split": split_of(points), "closed_forms": False, **changes})
    return decode(
        people, goal, encoder=LeastSquares(), generator=Painter(), protocol=protocol, run=run
    )


def test_a_planted_signal_is_found_and_controls_are_at_chance(two, goal, points):
    got = run_it(two, goal, points)
    top1, pixels = (got.result.scores[one] for one in ("retrieval_top1", "pixel_correlation"))
    assert (top1.n, top1.chance) == (40, 1 / 20)
    assert top1.value > 0.6
    assert top1.p == 1 / 1001
    assert got.score("two_way") > 0.9
    assert pixels.value > 0.6
    assert pixels.chance is None
    for control in BRAINLESS:
        values = got.result.controls[control]
        assert values["retrieval_top1"] <= 0.15
        assert abs(values["two_way"] - 0.5) < 0.15
        assert values["pixel_correlation"] < 0.35
    best = got.result.controls["ceiling"]
    assert (best["retrieval_top1"], best["two_way"]) == (1.0, 1.0)
    assert best["pixel_correlation"] > 0.95
    assert got.result.controls["nearest_training"]["pixel_correlation"] < pixels.value


def test_without_signal_everything_is_at_chance(points, goal):
    people = [person(points, name, signal=0.0) for name in ("p1", "p2", "p3")]
    got = run_it(people, goal, points)
    for name, chance in (("retrieval_top1", 0.05), ("two_way", 0.5)):
        score = got.result.scores[name]
        assert score.ci95.low <= chance <= score.ci95.high
        assert score.p > 0.05
    assert got.result.scores["pixel_correlation"].p > 0.05


def test_fit_sees_nothing_of_the_test_part(two, goal, points):
    encoder, split = LeastSquares(), split_of(points)
    decode(
        two,
        goal,
        encoder=encoder,
        generator=Painter(),
        protocol=Protocol(split, closed_forms=False),
    )
    [(people, targets, given)] = encoder.fits
    test = set(split.test.tolist())
    assert given.test.tolist() == []
    assert given.train.tolist() == split.train.tolist()
    for one in people:
        assert not test & set(one.stimulus.tolist())
    assert not test & set(targets.stimulus.tolist())


def test_what_is_answered_does_not_depend_on_the_test_truths(two, stimuli, points):
    """Another truth for the test stimuli changes scores, and not one answer."""
    from neurodecode.data import Embeddings

    split = split_of(points)
    turned = points.array().copy()
    test = np.isin(points.stimulus, split.test)
    turned[test] = turned[test][::-1]
    other = Goal(stimuli, Embeddings(turned, points.stimulus, "points"))
    one, two_ = (run_it(two, goal, points) for goal in (Goal(stimuli, points), other))
    for control in ("noise", "constant", "mean", "nearest_training"):
        for name in ("answers", control):
            a, b = (got.answers if name == "answers" else got.controls[name] for got in (one, two_))
            np.testing.assert_array_equal(a.embeddings["target"].array(),
                                          b.embeddings["target"].array())  # fmt: skip
            np.testing.assert_array_equal(a.outputs["decoded"].values, b.outputs["decoded"].values)
    assert one.score("retrieval_top1") > two_.score("retrieval_top1")


def test_the_same_seed_gives_the_same_digits(two, goal, points, tmp_path):
    """At the first look: a second one is told beside the verdict."""
    first, second = (
        json.dumps(run_it(two, goal, points, run=Run(looks=TestLooks(state))).result.as_json())
        for state in (tmp_path / "a", tmp_path / "b")
    )
    assert first == second


def test_every_evaluation_is_one_look_at_the_test_part(two, goal, points, tmp_path):
    looks = TestLooks(tmp_path)
    key = look_key(two, split_of(points))
    run = Run(looks=looks)
    protocol = Protocol(split_of(points), closed_forms=False)
    encoder = LeastSquares()
    decode(two, goal, encoder=encoder, generator=Painter(), protocol=protocol, run=run)
    assert looks.count(key) == run.as_json()["test_looks"] == 1
    evaluate(two, goal, encoder=encoder, generator=Painter(), protocol=protocol, run=run)
    assert looks.count(key) == 2


def test_a_run_that_fails_half_way_has_looked(two, goal, points, tmp_path):
    class Broken(Painter):
        def generate(self, embeddings, *, seed=0, n_samples=1):
            raise RuntimeError("no picture")

    run = Run(looks=TestLooks(tmp_path))
    with pytest.raises(RuntimeError, match="no picture"):
        decode(
            two,
            goal,
            encoder=LeastSquares(),
            generator=Broken(),
            protocol=Protocol(split_of(points), closed_forms=False),
            run=run,
        )
    assert run.as_json()["test_looks"] == 1


def test_results_can_be_written_and_told(two, goal, points, tmp_path):
    with Run(seed=0) as run:
        got = decode(
            two,
            goal,
            encoder=LeastSquares(),
            generator=Painter(),
            protocol=Protocol(split_of(points), "pooled", closed_forms=False),
            run=run,
        )
    results = write_results(tmp_path, "toy", [got.result], run)
    check_results(json.loads((tmp_path / "results.json").read_text()))
    pooled = results["protocols"]["pooled"]
    assert pooled["subjects"] == ["p1", "p2"]
    assert (pooled["n_test"], pooled["n_items"]) == (20, 40)
    assert pooled["n_train"] == {"p1": 35, "p2": 35}
    assert pooled["sessions"] == {"p1": 2, "p2": 2}
    assert pooled["kept_apart"] == ["stimulus"]
    assert pooled["generator"] == {"decoded": "Painter"}
    assert set(pooled["controls_ci95"]) == set(pooled["controls"])
    text = methods_paragraph(results)
    assert "selection among samples: none; scores are means over samples" in text
    assert "kept apart between training and test: stimulus" in text
    assert "opened by the evaluation, once so far" in text


def test_a_deep_encoder_stands_beside_plain_ridge(two, goal, points):
    got = run_it(two, goal, points, closed_forms=True)
    assert got.result.controls["plain_ridge"]["retrieval_top1"] > 0.5
    low, high = got.result.details["controls_ci95"]["plain_ridge"]["retrieval_top1"]
    assert low < got.result.controls["plain_ridge"]["retrieval_top1"] < high
    above = got.result.details["above_controls_ci95"]
    low, high = above["plain_ridge"]["two_way"]
    assert low < 0.1 < 0.3 < above["noise"]["two_way"][0]
    difference = got.score("two_way") - got.result.controls["plain_ridge"]["two_way"]
    assert low <= difference <= high
    assert high - low < 0.2


def test_ridge_with_pixels_and_a_direct_picture(points, stimuli):
    target = Pixels(12, grey=True)
    got = decode(
        person(points),
        Goal(stimuli, target),
        encoder=Ridge(device="cpu"),
        generator=DirectImage(target),
        protocol=Protocol(split_of(points)),
    )
    assert got.score("pixel_correlation") > 0.7
    assert got.result.controls["ceiling"]["pixel_correlation"] > 0.999
    assert "plain_ridge" not in got.result.controls


def test_only_the_drawn_items_are_generated(two, goal, points):
    painter = Painter()
    protocol = Protocol(split_of(points), n_drawn=7, closed_forms=False)
    got = decode(two, goal, encoder=LeastSquares(), generator=painter, protocol=protocol)
    assert got.result.scores["retrieval_top1"].n == 40
    assert got.result.scores["pixel_correlation"].n == 7
    assert len(got.answers.outputs["decoded"]) == 7
    ids = got.items.stimulus[got.drawn]
    assert got.answers.outputs["decoded"].stimulus.tolist() == ids.tolist()
    # the brain, noise, the run and the place in it, one constant, each drawn stimulus once for the
    # ceiling, and three times four under other names: this generator is not of the package
    assert painter.rows == 4 * 7 + 1 + len(set(ids.tolist())) + 3 * 4


@pytest.mark.parametrize(
    ("repeats", "n_items"), [("predictions", 20), ("responses", 20), ("single", 60)]
)
def test_repeats_are_averaged_as_asked(points, goal, repeats, n_items):
    one = person(points, n_repeats=3)
    got = run_it(one, goal, points, repeats=repeats)
    assert len(got.items) == n_items
    assert got.result.scores["retrieval_top1"].chance == 1 / 20
    assert got.result.scores["two_way"].details["permuted_within"] == "person and run"
    if repeats != "single":
        single = run_it(one, goal, points, repeats="single")
        assert got.score("pixel_correlation") > single.score("pixel_correlation")


def test_folds_are_fitted_apart_and_scored_together(points, goal):
    one = person(points, n_repeats=2)
    folds = list(LeaveOneOut("run", validation=0).split(one))
    got = run_it(one, goal, points, split=folds, repeats="single")
    assert len(got.encoders) == len(folds) == 8
    assert len(got.items) == 120
    assert got.score("retrieval_top1") > 0.5
    for fold, encoder in zip(folds, got.encoders, strict=True):
        [([seen], _, _)] = encoder.fits
        assert fold.test[0] not in seen.run
    assert got.result.details["kept_apart"] == ["run"]
    assert "stimulus" in got.result.details["shared"]
    with pytest.raises(ValueError, match=r"There are 8 folds with an encoder each; choose one"):
        got.encoder  # noqa: B018


def test_controls_of_a_fold_come_from_its_own_training_part(points, goal):
    one = person(points)
    folds = list(LeaveOneOut("run", validation=0).split(one))
    got = run_it(one, goal, points, split=folds)
    mean = got.controls["mean"].embeddings["target"]
    for fold in folds:
        test = np.isin(mean.stimulus, fold.part(one, "test").stimulus)
        want = points.rows(fold.part(one, "train").stimulus).mean(axis=0)
        np.testing.assert_allclose(mean.array()[test], np.tile(want, (15, 1)), rtol=1e-4)


def test_pictures_and_sentences_from_two_heads(two, stimuli, points):
    from neurodecode.data import Embeddings

    half = Embeddings(points.array()[:, :3], points.stimulus, "half")
    got = decode(
        two,
        Goal(stimuli, {"whole": points, "half": half}),
        encoder=LeastSquares(),
        generator={"picture": Output(Painter(), n_samples=2), "sentence": Output(Namer(), "half")},
        protocol=Protocol(
            split_of(points),
            measures=(
                RetrievalTopK(),
                TwoWay("half", name="half_two_way"),
                PixelCorrelation(),
                CaptionAccuracy("kind"),
            ),
            closed_forms=False,
        ),
    )
    assert got.score("caption_object_accuracy") > 0.65
    assert got.score("half_two_way") > 0.7
    assert got.result.controls["ceiling"]["caption_object_accuracy"] == 1.0
    assert got.result.controls["shuffled"]["caption_object_accuracy"] < 0.6
    train = stimuli.select(split_of(points).train).metadata["kind"].tolist()
    common = max(sorted(set(train)), key=train.count)
    test_kinds = stimuli.select(split_of(points).test).metadata["kind"]
    assert got.result.controls["mean"]["caption_object_accuracy"] == pytest.approx(
        np.mean(test_kinds == common)
    )
    assert got.result.details["n_samples"] == {"picture": 2, "sentence": 1}


def test_a_new_person_is_decoded_by_an_encoder_that_can(points, goal, caplog):
    class Anyone(LeastSquares):
        def predict(self, responses, head=None):
            first = next(iter(self.maps))
            mine = {"maps": self.maps | {responses.subject: self.maps[first]}}
            self.maps = mine["maps"]
            return super().predict(responses, head)

    known, new = person(points, "p1"), person(points, "p1", seed=0)
    new = new.with_values(new.values, subject="p9")
    got = decode(
        [known, new],
        goal,
        encoder=Anyone(),
        generator=Painter(),
        protocol=Protocol(Split(["p1"], [], ["p9"], by="subject"), "new_subject", n_drawn=5),
    )
    assert set(got.items.subject.tolist()) == {"p9"}
    assert got.score("retrieval_top1") > 0.6
    assert "subject" in got.result.details["kept_apart"]
    assert got.result.details["shared"] == ["stimulus"]
    assert "plain_ridge" not in got.result.controls
    assert "it needs training trials of each test person, and p9 has none." in caplog.text


def test_random_splits_of_the_library_fit_in(two, goal):
    [split] = RandomSplit(test=10, validation=5).split(two)
    got = decode(
        two,
        goal,
        encoder=LeastSquares(),
        generator=Painter(),
        protocol=Protocol(split, closed_forms=False),
    )
    assert got.result.details["n_test"] == 10


def test_costly_and_centred_measures_have_their_nulls(two, goal, points):
    got = run_it(
        two,
        goal,
        points,
        measures=[Ssim(n_permutations=19), TwoWay(centred=True, name="identification_two_way")],
        n_drawn=12,
    )
    ssim = got.result.scores["ssim"]
    assert len(ssim.null.values) == 19
    assert ssim.p == 1 / 20
    assert got.result.controls["ceiling"]["ssim"] > ssim.value > ssim.null.p95
    assert got.score("identification_two_way") > 0.9
    # the mean is nothing once it is removed
    assert got.result.controls["mean"]["identification_two_way"] == 0.0


class Filmer:
    """Clips of two frames: the picture, and the picture upside down."""

    def generate(self, embeddings, *, seed=0, n_samples=1):
        still = Painter().generate(embeddings, seed=seed, n_samples=n_samples).values
        clips = np.stack([still, still[:, :, ::-1]], axis=2)
        return Generated(clips, embeddings.stimulus, "video", "Filmer")


def test_clips_are_decoded_as_pictures_are(two, points, stimuli):
    still = stimuli.stack()
    films = Stimuli.from_arrays(stimuli.ids, np.stack([still, still[:, ::-1]], axis=1))
    got = decode(
        two,
        Goal(films, points),
        encoder=LeastSquares(),
        generator=Filmer(),
        protocol=Protocol(split_of(points), closed_forms=False),
    )
    assert got.score("pixel_correlation") > 0.6
    assert got.result.controls["mean"]["pixel_correlation"] < 0.3
    assert next(got.views()).truth.shape == next(got.views()).decoded[0].shape == (2, 12, 12, 3)


def test_sentences_that_were_read_are_decoded(two, points, stimuli):
    read = Stimuli.from_texts({one: f"I saw one {one}" for one in stimuli.ids.tolist()})
    read = type(read)(read.ids, "text", read.load, metadata=stimuli.metadata)
    got = decode(
        two,
        Goal(read, points),
        encoder=LeastSquares(),
        generator=Namer(),
        protocol=Protocol(
            split_of(points), measures=[TwoWay(), CaptionAccuracy("kind")], closed_forms=False
        ),
    )
    assert got.score("caption_object_accuracy") > 0.6
    view = next(got.views())
    assert view.truth == f"I saw one {view.stimulus}"
    assert view.controls["nearest_training"].startswith("I saw one s")
    assert view.captions == {}


def test_wrong_requests_are_told_before_slow_work(two, goal, points):
    encoder = LeastSquares()
    with pytest.raises(ValueError, match="reads the head 'x', but the targets are target"):
        decode(
            two,
            goal,
            encoder=encoder,
            generator=Output(Painter(), "x"),
            protocol=Protocol(split_of(points)),
        )
    assert encoder.fits == []
    with pytest.raises(ValueError, match="decode\\(\\) got no responses"):
        run_it([], goal, points)
    with pytest.raises(ValueError, match="No training trial is left by the split"):
        run_it(two, goal, points, split=Split(["zz"], [], points.stimulus[:3]))
    with pytest.raises(ValueError, match="The test part holds no trial of any person"):
        run_it(two, goal, points, split=Split(points.stimulus[:30], [], ["zz"]))
    with pytest.raises(ValueError, match="'caption_object_accuracy' can't be measured"):
        run_it(two, goal, points, measures=[CaptionAccuracy("kind")])


class Sharpened(LeastSquares):
    """Searches with points ten times as long, and expects the plain ones shrunk towards zero."""

    def predict(self, responses, head=None):
        rows = super().predict(responses)
        return replace(rows, values=10.0 * rows.array())

    def expect(self, responses, head=None):
        rows = super().predict(responses)
        return replace(rows, values=0.1 * rows.array())


class Recorder(Painter):
    def __init__(self):
        super().__init__()
        self.given = []

    def generate(self, embeddings, *, seed=0, n_samples=1):
        self.given.append(embeddings)
        return super().generate(embeddings, seed=seed, n_samples=n_samples)


def test_generators_draw_what_the_encoder_expects_and_retrieval_searches(two, goal, points):
    drawn, protocol = Recorder(), Protocol(split_of(points), closed_forms=False)
    got = decode(two, goal, encoder=Sharpened(), generator=drawn, protocol=protocol)
    searched = got.answers.embeddings["target"].array()
    assert np.allclose(drawn.given[0].array(), 0.01 * searched, atol=1e-5)


def test_points_to_draw_get_the_spread_of_true_ones_from_trials_that_are_not_tested(
    two, goal, points
):
    split, drawn = split_of(points), Recorder()
    output = Output(drawn, restandardise=True)
    got = decode(
        two,
        goal,
        encoder=Sharpened(),
        generator=output,
        protocol=Protocol(split, closed_forms=False),
    )
    seen = [split.part(one, "validation") for one in two]
    encoder = got.encoders[0]
    rows = [encoder.expect(one) for one in seen]
    predicted = np.concatenate([one.array() for one in rows])
    true = points.rows(np.unique(np.concatenate([one.stimulus for one in seen])))
    expected = 0.01 * got.answers.embeddings["target"].array()
    wanted = (expected - predicted.mean(0)) / predicted.std(0) * true.std(0) + true.mean(0)
    assert np.allclose(drawn.given[0].array(), wanted, atol=1e-3)
    assert got.result.details["restandardised"] == ["decoded"]


class Diverged(LeastSquares):
    """Predicts not-a-number for one trial of one person."""

    def predict(self, responses, head=None):
        got = super().predict(responses, head)
        if responses.subject == "p2":
            got.values[3, 1] = np.nan
        return got


def test_predictions_that_are_not_finite_are_refused_by_name(two, goal, points):
    protocol = Protocol(split=split_of(points), closed_forms=False)
    with pytest.raises(ValueError) as error:
        decode(two, goal, encoder=Diverged(), generator=Painter(), protocol=protocol)
    assert str(error.value) == (
        "Diverged predicted values that are not finite for 1 of 20 trials of subject 'p2' (first: "
        "row 3, stimulus 's43'). Look for not-a-number in the responses, and for a fit that "
        "diverged."
    )


class Broken(TwoWay):
    """A measure that has no number for one item."""

    def table(self, shown, answers):
        got = super().table(shown, answers)
        got[2] = np.nan
        return got


def test_measures_that_are_not_finite_are_refused_by_name(two, goal, points):
    with pytest.raises(ValueError) as error:
        run_it(two, goal, points, measures=[Broken()])
    assert str(error.value) == (
        "'two_way' of the encoder is not finite for 1 of 40 items (first: row 2, subject 'p1', "
        "stimulus 's42'). A measure must give a number for every item."
    )


def test_a_trial_that_two_folds_test_is_refused_before_slow_work(two, goal, points):
    split = split_of(points)
    encoder = LeastSquares()
    with pytest.raises(ValueError) as error:
        decode(
            two, goal, encoder=encoder, generator=Painter(), protocol=Protocol(split=[split, split])
        )
    assert str(error.value) == (
        "20 of 60 trials of subject 'p1' are tested by more than one fold (first: row 40, stimulus "
        "'s40'). Each trial counts once: give folds whose test parts do not overlap."
    )
    assert not encoder.fits
