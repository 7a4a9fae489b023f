"""Cheats, each called by its name; honest encoders, shown without suspicion."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from neurodecode import scenes, twin
from neurodecode.data import Embeddings, Generated, KFold, RandomSplit
from neurodecode.encoders import Ridge, TokenTransformer
from neurodecode.evidence import Run, TestLooks
from neurodecode.pipeline import CaptionAccuracy, Goal, Protocol, TwoWay, decode, evaluate
from neurodecode.targets import OpenClip

from .conftest import LeastSquares, Namer, Painter, person

EMBEDDING = (TwoWay(),)


def split_of(points, by="stimulus"):
    [split] = RandomSplit(test=20, validation=0, by=by).split(person(points))
    return split


def judge(points, goal, encoder, *, generator=None, signal=1.0, people=None, **changes):
    protocol = Protocol(
        **{"split": split_of(points), "measures": EMBEDDING, "closed_forms": False, **changes}
    )
    recordings = people or [person(points, "p1", signal=signal)]
    return decode(
        recordings, goal, encoder=encoder, generator=generator or Painter(), protocol=protocol
    )


def names_of(evaluation, metric="two_way"):
    return [one.name for one in evaluation.result.scores[metric].suspicions]


@pytest.fixture
def truth(points):
    return dict(zip(points.stimulus.tolist(), points.array(), strict=True))


class Cheat(LeastSquares):
    """Honest until `cheat` is given."""

    def __init__(self, truth, train=None):
        super().__init__()
        self.truth = truth


class ReadsIds(Cheat):
    def predict(self, responses, head=None):
        rows = LeastSquares.predict(self, responses, head)
        known = [self.truth.get(one, rows.array()[i]) for i, one in
                 enumerate(responses.stimulus.tolist())]  # fmt: skip
        return replace(rows, values=np.array(known))


class NeedsIds(Cheat):
    def predict(self, responses, head=None):
        known = np.array([self.truth[one] for one in responses.stimulus.tolist()])
        return Embeddings(known, responses.stimulus, "points")


class ReadsTable(Cheat):
    def predict(self, responses, head=None):
        rows = super().predict(responses, head)
        if "answer" not in responses.metadata:
            return rows
        known = [self.truth[one] for one in responses.metadata["answer"].tolist()]
        return replace(rows, values=np.array(known))


class ReadsOrder(Cheat):
    """Knows which stimuli come, one after another."""

    def predict(self, responses, head=None):
        return Embeddings(
            np.array([self.truth[one] for one in self.order[: len(responses)]]),
            responses.stimulus,
            "points",
        )


class Transductive(Cheat):
    """Takes the mean of all test trials away."""

    def predict(self, responses, head=None):
        rows = super().predict(responses, head)
        return replace(rows, values=rows.array() - rows.array().mean(axis=0))


class Deaf(Cheat):
    def predict(self, responses, head=None):
        values = np.repeat(next(iter(self.truth.values()))[None], len(responses), axis=0)
        return Embeddings(values, responses.stimulus, "points")


class FitsOnTest(Cheat):
    """Knows each recorded trial by heart, from elsewhere."""

    def __init__(self, truth, recording):
        super().__init__(truth)
        self.by_values = {
            row.tobytes(): one
            for row, one in zip(recording.array(), recording.stimulus.tolist(), strict=True)
        }

    def predict(self, responses, head=None):
        rows = super().predict(responses, head)
        known = [
            self.truth[self.by_values[row.tobytes()]] if row.tobytes() in self.by_values else found
            for row, found in zip(responses.array(), rows.array(), strict=True)
        ]
        return replace(rows, values=np.array(known))


class ExpectsIds(Cheat):
    """Honest where it is searched with; cheats in what is drawn."""

    def expect(self, responses, head=None):
        return ReadsIds.predict(self, responses, head)


def test_an_honest_encoder_is_shown(points, goal):
    got = judge(points, goal, LeastSquares())
    assert names_of(got) == []
    assert got.verdict("two_way").word == "shown"
    assert got.result.scores["two_way"].over_best_control.low > 0


def test_a_zero_signal_twin_is_not_shown(points, goal):
    got = judge(points, goal, LeastSquares(), signal=0.0)
    assert got.verdict("two_way").word == "not shown"
    assert got.result.as_json()["scores"]["two_way"]["verdict"] == "not shown"


@pytest.mark.parametrize("cheat", [ReadsIds, NeedsIds])
def test_who_reads_ids_is_named(points, goal, truth, cheat):
    got = judge(points, goal, cheat(truth), signal=0.0)
    assert "reads stimulus ids" in names_of(got)
    assert got.verdict("two_way").word == "suspect"


def test_ids_that_are_read_do_not_help(points, goal, truth):
    """Predictions are asked for under numbers, so that the score is an honest one."""
    cheat = judge(points, goal, ReadsIds(truth), signal=0.0)
    honest = judge(points, goal, LeastSquares(), signal=0.0)
    assert cheat.score("two_way") == honest.score("two_way")
    assert cheat.answers.embeddings["target"].stimulus.tolist() == cheat.items.stimulus.tolist()


def test_who_reads_the_trial_table_is_named(points, goal, truth):
    one = person(points, signal=0.0)
    told = replace(one, metadata={"answer": one.stimulus})
    got = judge(points, goal, ReadsTable(truth), people=[told])
    assert "reads the trial table" in names_of(got)
    assert abs(got.score("two_way") - 0.5) < 0.25


def test_who_reads_the_order_is_named(points, goal, truth):
    one = person(points, signal=0.0)
    cheat = ReadsOrder(truth)
    cheat.order = split_of(points).part(one, "test").stimulus.tolist()
    got = judge(points, goal, cheat, people=[one])
    assert {"reads the order of trials", "ignores its input"} <= set(names_of(got))
    assert got.verdict("two_way").word == "suspect"


def test_who_uses_the_test_part_as_a_whole_is_named(points, goal, truth):
    got = judge(points, goal, Transductive(truth))
    assert names_of(got) == ["uses the test part as a whole"]


def test_who_ignores_the_brain_is_named(points, goal, truth):
    got = judge(points, goal, Deaf(truth))
    assert "ignores its input" in names_of(got)


def test_who_knows_the_test_part_from_elsewhere_is_named(points, goal, truth):
    one = person(points, signal=0.0)
    got = judge(points, goal, FitsOnTest(truth, one), people=[one])
    assert got.score("two_way") == 1.0
    assert "knows the test part from elsewhere" in names_of(got)
    assert got.verdict("two_way").word == "suspect"


class Knowing:
    """A step of preprocessing that writes the true points beside the voxels."""

    def __init__(self, truth, recording=None):
        self.truth = truth
        self.known = None if recording is None else FitsOnTest(truth, recording).by_values

    def fit(self, responses):
        return self

    def transform(self, responses):
        ids = responses.stimulus.tolist()
        if self.known is not None:
            ids = [self.known[row.tobytes()] for row in responses.array()]
        told = np.array([self.truth[one] for one in ids])
        return responses.with_values(np.concatenate([responses.array(), 10 * told], axis=1))


class KnowingSoftly(Knowing):
    """The same, but silent about ids that it does not know."""

    def __init__(self, truth):
        super().__init__(defaultdict(lambda: np.zeros(len(next(iter(truth.values())))), truth))


@pytest.mark.parametrize("encoder", [Ridge(), LeastSquares()])
@pytest.mark.parametrize("kind", ["ids", "ids, softly", "values"])
def test_preprocessing_that_knows_the_test_part_is_named(points, goal, truth, kind, encoder):
    one = person(points, "p1", signal=0.0)
    step = {
        "ids": lambda: Knowing(truth),
        "ids, softly": lambda: KnowingSoftly(truth),
        "values": lambda: Knowing(truth, one),
    }[kind]()
    protocol = Protocol(split_of(points), measures=EMBEDDING, closed_forms=False)
    found = decode(one, goal, encoder=encoder, protocol=protocol, preprocess=[step])
    name = "knows the test part from elsewhere" if kind == "values" else "reads stimulus ids"
    assert name in names_of(found)
    assert found.verdict("two_way").word == "suspect"


def test_preprocessing_of_ones_own_is_shown_without_suspicion(points, goal):
    class Centre:
        def fit(self, responses):
            self.mean = responses.array().mean(axis=0)

        def transform(self, responses):
            return responses.with_values(responses.array() - self.mean)

    protocol = Protocol(split_of(points), measures=EMBEDDING, closed_forms=False)
    one = person(points, "p1")
    found = decode(one, goal, encoder=Ridge(), protocol=protocol, preprocess=[Centre()])
    assert found.verdict("two_way").word == "shown"
    assert names_of(found) == []


class DeafToOne(LeastSquares):
    def predict(self, responses, head=None):
        rows = super().predict(responses, head)
        if responses.subject != "p2":
            return rows
        return replace(rows, values=np.ones_like(rows.array()))


def test_who_ignores_the_brain_of_one_person_is_named(points, goal):
    people = [person(points, name) for name in ("p1", "p2")]
    found = judge(points, goal, DeafToOne(), people=people)
    [told] = [one for one in found.result.scores["two_way"].suspicions
              if one.name == "ignores its input"]  # fmt: skip
    assert told.sentence == (
        "DeafToOne predicts the same from noise as from the brain of subject 'p2'."
    )


class LaterIds(ReadsIds):
    """Honest in the first fold that is fitted."""

    n_fits = 0

    def fit(self, responses, targets, split):
        self.number = LaterIds.n_fits
        LaterIds.n_fits += 1
        return super().fit(responses, targets, split)

    def predict(self, responses, head=None):
        honest = self.number == 0
        return (LeastSquares if honest else ReadsIds).predict(self, responses, head)


def test_who_reads_ids_in_later_folds_is_named(points, goal, truth):
    LaterIds.n_fits = 0
    folds = list(KFold(3, validation=0).split(person(points)))
    found = judge(points, goal, LaterIds(truth), split=folds, signal=0.0)
    assert "reads stimulus ids" in names_of(found)


def test_a_class_that_writes_itself_what_it_learned_from_is_not_believed(points, goal, truth):
    one, split = person(points, "p1", signal=0.0), split_of(points)
    cheat = FitsOnTest(truth, one).fit(split.seen(one), goal.for_fit(one.stimulus), split.blind())
    honest = Ridge().fit(split.seen(one), goal.for_fit(one.stimulus), split.blind())
    cheat.learned_from_ = honest.learned_from_
    protocol = Protocol(split, measures=EMBEDDING)
    found = evaluate(one, goal, encoder=cheat, protocol=protocol)
    assert found.result.details["learned_from"] == "unknown"
    assert names_of(found) == ["unknown provenance"]
    assert found.verdict("two_way").word == "suspect"


def test_what_is_drawn_from_ids_is_named(points, goal, truth):
    got = judge(points, goal, ExpectsIds(truth))
    assert names_of(got) == ["reads stimulus ids"]
    assert ".expect()" in got.verdict("two_way").reasons[0]


class PaintsIds(Painter):
    def __init__(self, truth):
        super().__init__()
        self.truth = truth

    def generate(self, embeddings, *, seed=0, n_samples=1):
        known = [self.truth.get(one, np.zeros(8)) for one in embeddings.stimulus.tolist()]
        return super().generate(
            replace(embeddings, values=np.array(known)), seed=seed, n_samples=n_samples
        )


class Fluent:
    """Writes well, whatever it is given."""

    def generate(self, embeddings, *, seed=0, n_samples=1):
        said = np.array([[f"I see a {('cat', 'cup')[i % 2]}."] for i in range(len(embeddings))])
        return Generated(said, embeddings.stimulus, "text", "Fluent")


def test_a_generator_that_reads_ids_is_named(points, goal, truth):
    got = judge(points, goal, LeastSquares(), generator=PaintsIds(truth), measures=None)
    assert "reads stimulus ids" in names_of(got, "pixel_correlation")
    assert got.verdict("pixel_correlation").word == "suspect"


def test_fluent_text_is_named(points, goal):
    got = judge(
        points, goal, LeastSquares(), generator=Fluent(), measures=[CaptionAccuracy("kind")]
    )
    verdict = got.verdict("caption_object_accuracy")
    assert verdict.word == "suspect"
    assert "ignores its input" in names_of(got, "caption_object_accuracy")
    assert "I see a cat." in " ".join(verdict.reasons)


def test_an_honest_writer_is_not_suspect(points, goal):
    honest = judge(
        points, goal, LeastSquares(), generator=Namer(), measures=[CaptionAccuracy("kind")]
    )
    assert names_of(honest, "caption_object_accuracy") == []


def test_a_second_look_is_told_and_takes_away_the_word_shown(points, goal):
    first, second = (judge(points, goal, Ridge()) for _ in range(2))
    assert first.verdict("two_way").word == "shown"
    assert second.verdict("two_way").word == "suspect"
    assert names_of(second) == ["more than one look"]


def test_an_encoder_from_elsewhere_is_of_unknown_provenance(points, goal):
    one, split = person(points), split_of(points)
    fitted = LeastSquares().fit(split.seen(one), goal.for_fit(points.stimulus), split.blind())
    protocol = Protocol(split, measures=EMBEDDING, closed_forms=False)
    got = evaluate([one], goal, encoder=fitted, generator=Painter(), protocol=protocol)
    assert names_of(got) == ["unknown provenance"]
    assert got.verdict("two_way").word == "suspect"


def test_a_closed_form_that_is_as_good_is_named(points, goal):
    got = judge(points, goal, LeastSquares(), closed_forms={"plain_ridge": Ridge(device="cpu")})
    score = got.result.scores["two_way"]
    assert score.over_best_closed_form is not None
    assert "plain ridge" in str(got.verdict("two_way"))
    assert got.result.as_json()["scores"]["two_way"]["best_closed_form"] == "plain_ridge"


@pytest.mark.slow
def test_without_signal_few_are_shown_and_few_are_suspect(points, goal, tmp_path):
    """Over 200 simulated people without signal: at most 5 % of each."""
    words = []
    for seed in range(200):
        one = person(points, "p1", signal=0.0, seed=seed)
        [split] = RandomSplit(test=20, validation=0, seed=seed).split(one)
        got = decode(
            one, goal, encoder=LeastSquares(), protocol=Protocol(split, closed_forms=False),
            run=Run(looks=TestLooks(tmp_path / str(seed))),
        )  # fmt: skip
        words += [got.verdict(metric).word for metric in got.result.scores]
    assert words.count("shown") / len(words) <= 0.05
    assert words.count("suspect") / len(words) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    "encoder", [Ridge(), TokenTransformer()], ids=lambda one: type(one).__name__
)
def test_encoders_of_this_package_are_shown_on_a_twin(encoder):
    people = twin.fmri(2, 200, seed=3)
    ids = np.unique(np.concatenate([one.stimulus for one in people]))
    got = decode(
        people,
        Goal(scenes.stimuli(ids.tolist()), OpenClip()),
        encoder=encoder,
        protocol=Protocol(twin.split(people, seed=3)),
    )
    for metric, score in got.result.scores.items():
        assert score.verdict.word == "shown", (metric, score.verdict.reasons)
        assert score.suspicions == ()
