"""Preprocessing is learned in each fold from its training trials, and from nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from neurodecode.data import Embeddings, KFold, LeaveOneOut, Responses, Split, Stimuli
from neurodecode.encoders import Ridge
from neurodecode.pipeline import Goal, Protocol, RetrievalTopK, decode, evaluate
from neurodecode.preprocessing import Standardize, VoxelSelection
from neurodecode.preprocessing.fmri import anova_f

from .conftest import LeastSquares, Painter, person

SEEN = []


class Witness:
    """Adds what it learned, and writes down which trials it learned from."""

    def fit(self, responses):
        SEEN.append((responses.subject, responses.groups("row").tolist()))
        self.mean = responses.array().mean()
        return self

    def transform(self, responses):
        return responses.with_values(responses.array() + self.mean)


@pytest.fixture
def rows_of(points):
    SEEN.clear()
    one = person(points, n_repeats=2)
    return one.with_column("row", range(len(one)))


def test_each_fold_learns_from_its_own_training_trials(rows_of, goal):
    folds = list(LeaveOneOut("run", validation=2).split(rows_of))
    encoder = LeastSquares()
    decode(
        rows_of,
        goal,
        encoder=encoder,
        protocol=Protocol(folds, closed_forms=False),
        preprocess=[Witness()],
    )
    assert len(SEEN) == len(folds)
    for split, (_, rows) in zip(folds, SEEN, strict=True):
        assert rows == split.part(rows_of, "train").groups("row").tolist()


def test_every_person_and_step_learns_from_what_came_before(points, goal):
    people = [person(points, name).with_column("row", range(len(points))) for name in ("p1", "p2")]
    split = Split(points.stimulus[:40], points.stimulus[40:45], points.stimulus[45:])
    got = decode(
        people,
        goal,
        encoder=LeastSquares(),
        protocol=Protocol(split, closed_forms=False),
        preprocess=[Standardize(), Witness()],
    )
    assert [name for name, _ in SEEN[-2:]] == ["p1", "p2"]
    [(given, _, _)] = got.encoders[0].fits
    for one, raw in zip(given, people, strict=True):
        train = split.part(raw, "train").array(np.float64)
        want = (split.seen(raw).array() - train.mean(axis=0)) / train.std(axis=0)
        np.testing.assert_allclose(one.array(), want, atol=1e-4)
    first, second = got.result.details["preprocess"]
    assert first == "Standardize()"
    assert second.endswith("test_preprocess.Witness")  # no place in memory


def test_another_test_part_changes_nothing_that_is_learned(points, goal):
    one = person(points)
    split = Split(points.stimulus[:45], [], points.stimulus[45:])
    wild = one.array().copy()
    wild[45:] = 1e3 * wild[45:][::-1]
    models = [
        decode(
            each,
            goal,
            encoder=Ridge(device="cpu"),
            protocol=Protocol(split),
            preprocess=[VoxelSelection(variance, n_voxels=20), Standardize()],
        ).encoder
        for each in (one, one.with_values(wild))
    ]
    maps = [model.maps_["p1"].weights for model in models]
    assert maps[0].shape[0] == 20
    np.testing.assert_array_equal(*maps)


def variance(responses):
    return responses.array().var(axis=0)


def labelled_noise(seed, n=60, n_voxels=2000):
    rng = np.random.default_rng(seed)
    label = np.tile(["cat", "cup"], n // 2)
    return Responses(
        rng.normal(size=(n, n_voxels)).astype(np.float32),
        label,
        "s",
        "fmri",
        run=np.arange(n) // 10,
    )


def test_supervised_selection_on_noise_stays_at_chance():
    """Choosing voxels on all trials, the classic error, finds in noise what is not there."""
    targets = Embeddings(np.array([[1.0, -1.0], [-1.0, 1.0]]), ["cat", "cup"], "classes")
    goal = Goal(Stimuli.from_texts({"cat": "cat", "cup": "cup"}), targets)

    def accuracy(responses, preprocess):
        protocol = Protocol(
            LeaveOneOut("run", validation=0).split(responses),
            measures=[RetrievalTopK()],
            repeats="single",
            closed_forms=False,
        )
        encoder = Ridge([100.0], device="cpu")
        got = decode(responses, goal, encoder=encoder, protocol=protocol, preprocess=preprocess)
        return got.score("retrieval_top1")

    select = VoxelSelection(anova_f, n_voxels=20)
    noise = [labelled_noise(seed) for seed in range(4)]
    inside = [accuracy(one, [select]) for one in noise]
    circular = [accuracy(select.fit(one).transform(one), []) for one in noise]
    assert abs(np.mean(inside) - 0.5) < 0.12
    assert np.mean(circular) > 0.8


def test_fitted_encoders_are_evaluated_on_the_same_preprocessing(points, goal):
    one = person(points)
    folds = list(KFold(3, validation=0).split(one))
    protocol = Protocol(folds, closed_forms=False)
    preprocess = [VoxelSelection(variance, n_voxels=20), Standardize()]
    got = decode(
        one,
        goal,
        encoder=LeastSquares(),
        generator=Painter(),
        protocol=protocol,
        preprocess=preprocess,
    )
    again = evaluate(
        one,
        goal,
        encoder={"decoded": got.encoders},
        generator=Painter(),
        protocol=protocol,
        preprocess=preprocess,
    )
    assert again.result.details["learned_from"] == "unknown"  # fitted by another call
    for metric, score in got.result.scores.items():  # verdicts differ: it is the second look
        assert again.result.scores[metric].value == score.value
        assert again.result.scores[metric].comparison == score.comparison


def test_people_without_training_trials_can_not_be_preprocessed_in_folds(points, goal):
    people = [person(points, "p1"), person(points, "p2")]
    with pytest.raises(ValueError) as error:
        decode(
            people,
            goal,
            encoder=LeastSquares(),
            protocol=Protocol(Split(["p1"], [], ["p2"], by="subject", rule="new person")),
            preprocess=[Standardize()],
        )
    assert str(error.value) == (
        "Preprocessing is learned from training trials, and subject 'p2' has none in the split "
        "(new person). Preprocess the recordings of new people before decode(), by what needs no "
        "training trials."
    )


def test_points_are_scored_without_a_generator(points, goal):
    split = Split(points.stimulus[:45], [], points.stimulus[45:])
    got = decode(
        person(points), goal, encoder=LeastSquares(), protocol=Protocol(split, closed_forms=False)
    )
    assert set(got.result.scores) == {"retrieval_top1", "two_way"}
    assert got.answers.outputs == {}
    assert list(got.views()) == []
    assert got.result.details["selection_rule"] == "none; nothing is generated"
