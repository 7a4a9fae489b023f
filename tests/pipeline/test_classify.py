"""Classification: what scikit-learn gets, with a null, intervals and controls of its own kind."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, confusion_matrix
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from neurodecode.data import KFold, LeaveOneOut, Responses, Split
from neurodecode.encoders import Ridge, RidgeClassifier, TokenSizes, TokenTransformer
from neurodecode.evidence import Run, TestLooks, check_results, methods_paragraph, write_results
from neurodecode.pipeline import Protocol, classify
from neurodecode.preprocessing import Standardize, VoxelSelection
from neurodecode.preprocessing.fmri import anova_f
from neurodecode.training import Plan

KINDS = np.array(["cat", "cup", "shoe", "tree"])


def trials(
    n=120,
    signal=1.0,
    seed=0,
    name="anna",
    n_units=12,
    shares=(0.25, 0.25, 0.25, 0.25),
    n_runs=6,
    alike=False,
):
    """Trials of classes in mixed order; units are voxels with places, so that any encoder can."""
    rng = np.random.default_rng([seed, sum(name.encode())])
    code = rng.choice(len(shares), n, p=shares)
    brain = np.random.default_rng(9) if alike else rng
    centres = brain.normal(size=(len(shares), n_units))
    return Responses(
        (signal * centres[code] + 1.5 * rng.normal(size=(n, n_units))).astype(np.float32),
        [f"picture-{row}" for row in range(n)],
        name,
        "fmri",
        run=np.arange(n) * n_runs // n,
        positions=rng.uniform(-30, 30, (n_units, 3)),
        units=["v1"] * n_units,
        metadata={"label": KINDS[code]},
    )


def by_run(people, name="within", **changes):
    return Protocol(LeaveOneOut("run").split(people), name, **changes)


LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))


@pytest.mark.parametrize("model", [LOGISTIC, make_pipeline(StandardScaler(), SVC())])
def test_scores_are_those_of_scikit_learn(model):
    one = trials(shares=(0.5, 0.3, 0.2))
    got = classify(one, "label", encoder=model, protocol=by_run(one))
    label = one.groups("label")
    said = cross_val_predict(model, one.array(np.float64), label, groups=one.run,
                             cv=LeaveOneGroupOut())  # fmt: skip
    assert got.score("accuracy") == pytest.approx((said == label).mean())
    assert got.score("balanced_accuracy") == pytest.approx(balanced_accuracy_score(label, said))
    np.testing.assert_array_equal(got.confusion.counts, confusion_matrix(label, said))
    assert got.result.details["confusion"]["classes"] == ["cat", "cup", "shoe"]
    assert got.score("auc") > 0.7


def test_an_item_is_a_trial():
    one = trials()
    got = classify(one, "label", protocol=by_run(one))
    score = got.result.scores["accuracy"]
    assert (score.n, score.chance) == (120, 0.25)
    assert score.p == 1 / 1001
    assert score.details["permuted_within"].startswith("trials within person, run")
    assert len(got.items) == got.result.details["n_independent"] == 120
    half = (score.ci95.high - score.ci95.low) / 2
    binomial = 1.96 * np.sqrt(score.value * (1 - score.value) / 120)
    assert 0.95 * binomial < half < 1.35 * binomial
    controls = got.result.controls
    assert set(controls) == {"majority", "prior", "noise", "shuffled", "clock", "order"}
    for control in ("prior", "noise", "shuffled", "clock", "order"):
        assert controls[control]["accuracy"] == pytest.approx(0.25, abs=0.13)
        assert controls[control]["auc"] == pytest.approx(0.5, abs=0.12)
    view = next(got.views())
    assert view.truth in KINDS
    assert view.decoded[0] in KINDS
    assert view.scores["accuracy"] in (0.0, 1.0)


def test_verdicts_know_what_was_decoded_and_what_was_not():
    for seed, encoder in enumerate((None, LOGISTIC)):
        one, silent = trials(seed=seed), trials(signal=0.0, seed=seed)
        shown = classify(one, "label", encoder=encoder, protocol=by_run(one))
        for metric in shown.result.scores:
            assert shown.verdict(metric).word == "shown", shown.verdict(metric)
        assert shown.result.details["learned_from"] == "known"
        nothing = classify(silent, "label", encoder=encoder, protocol=by_run(silent))
        assert nothing.verdict("accuracy").word == "not shown", nothing.verdict("accuracy")
    assert "plain ridge" in shown.verdict("accuracy").closed_form
    told = shown.result.as_json()["scores"]["accuracy"]
    assert told["over_best_control"][0] > 0
    assert len(told["over_best_closed_form"]) == 2


class Cheat(ClassifierMixin, BaseEstimator):
    """Knows every trial by heart, whatever it was fitted to."""

    def __init__(self, x=None, y=None):
        self.x, self.y = x, y

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, x):
        return np.array([self.y[np.abs(self.x - row).sum(axis=1).argmin()] for row in x])


class Deaf(Cheat):
    """Says the same, whatever it is given."""

    def predict(self, x):
        return np.array(self.y[: len(x)])


def test_cheats_are_called_by_their_name():
    one = trials()
    label = one.groups("label")
    knows = classify(
        one, "label", encoder=Cheat(one.array(np.float64), label), protocol=by_run(one)
    )
    verdict = knows.verdict("accuracy")
    assert verdict.word == "suspect"
    assert any(told.startswith("knows the test part from elsewhere") for told in verdict.reasons)
    protocol = Protocol(Split(["1", "2", "3", "4", "5"], [], ["0"], by="run"))
    deaf = classify(one, "label", encoder=Deaf(None, label), protocol=protocol)
    verdict = deaf.verdict("accuracy")
    assert verdict.word == "suspect"
    assert any(told.startswith("ignores its input") for told in verdict.reasons)


def test_trials_are_left_out_one_by_one():
    one = trials(n=40, signal=2.0, n_runs=1)
    folds = LeaveOneOut("trial", validation=0).split(one)
    got = classify(one, "label", encoder=RidgeClassifier([10.0]), protocol=Protocol(folds))
    assert set(got.result.scores) == {"accuracy", "balanced_accuracy"}  # no pair to compare
    assert got.score("accuracy") > 0.7
    assert got.result.controls["shuffled"]["accuracy"] < 0.6
    assert got.verdict("accuracy").word == "shown", got.verdict("accuracy")


def test_an_order_that_all_runs_share_is_told_and_slow_time_is_the_bar():
    """The same random order in each run: a perfect clock would know all, a drift does not."""
    rng = np.random.default_rng(0)
    label = np.tile(rng.permutation(np.tile(KINDS, 8)), 6)
    centres = rng.normal(size=(4, 12))[np.searchsorted(KINDS, label)]
    brain = centres + 1.5 * rng.normal(size=(192, 12))
    one = Responses(brain, label, "anna", "fmri", run=np.arange(192) // 32)
    got = classify(one, protocol=by_run(one))
    assert got.result.controls["order"]["accuracy"] == 1.0
    assert got.result.controls["clock"]["accuracy"] < 0.6
    assert got.verdict("accuracy").word == "shown", got.verdict("accuracy")


def test_classes_that_drift_through_a_run_are_told_by_the_clock():
    """First cats, later cups in every run, and a signal that drifts: time alone knows as much."""
    rng = np.random.default_rng(0)
    place = np.tile(np.arange(40), 6)
    label = np.where(rng.random(240) < np.where(place < 20, 0.85, 0.15), "cat", "cup")
    values = place[:, None] / 20 - 1 + 0.3 * rng.normal(size=(240, 6))
    one = Responses(values, label, "anna", "eeg", ("trial", "channel"), run=np.arange(240) // 40)
    got = classify(one, protocol=by_run(one))
    assert got.score("accuracy") > 0.75
    assert got.result.controls["clock"]["accuracy"] > 0.75
    assert got.verdict("accuracy").word == "not shown", got.verdict("accuracy")


def test_what_the_run_alone_tells_stands_beside():
    """Trials of all runs on both sides, and runs differ in their share of classes."""
    rng = np.random.default_rng(1)
    run = np.arange(160) // 40
    label = np.where(rng.random(160) < np.where(run % 2 == 0, 0.9, 0.1), "cat", "cup")
    values = 3.0 * rng.normal(size=(4, 6))[run] + rng.normal(size=(160, 6))
    one = Responses(values, label, "anna", "fmri", run=run)
    folds = KFold(4, by="trial", validation=0).split(one)
    got = classify(one, protocol=Protocol(folds))
    assert got.result.controls["run_mean"]["accuracy"] > 0.8
    assert got.score("accuracy") > 0.7
    assert got.verdict("accuracy").word != "shown"
    assert "run_mean" not in classify(one, protocol=by_run(one)).result.controls


def test_unequal_classes_are_told_by_majority_and_balanced_accuracy():
    one = trials(n=400, signal=0.0, shares=(0.7, 0.2, 0.1), n_runs=8)
    got = classify(one, "label", protocol=by_run(one))
    share = (one.groups("label") == "cat").mean()
    assert got.result.controls["majority"]["accuracy"] == pytest.approx(share)
    assert got.result.controls["majority"]["balanced_accuracy"] == pytest.approx(1 / 3)
    assert got.result.controls["majority"]["auc"] == pytest.approx(0.5)
    assert got.result.controls["prior"]["accuracy"] == pytest.approx(0.54, abs=0.08)
    for name, chance in (("balanced_accuracy", 1 / 3), ("auc", 0.5)):
        score = got.result.scores[name]
        assert score.ci95.low - 1e-9 <= chance <= score.ci95.high + 1e-9
        assert score.p > 0.01


def test_nothing_is_found_where_there_is_nothing():
    """Noise: p below .1 in about a tenth of the studies."""
    ps = []
    for seed in range(12):
        one = trials(n=60, signal=0.0, seed=seed, n_runs=3)
        got = classify(one, "label", encoder=RidgeClassifier([100.0]), protocol=by_run(one))
        ps.append(got.result.scores["accuracy"].p)
    assert np.mean(np.array(ps) < 0.1) <= 0.25
    assert np.mean(ps) == pytest.approx(0.5, abs=0.2)


def test_what_a_run_tells_is_not_taken_for_a_class():
    """Runs differ in level and in their share of classes; the brain knows nothing."""
    rng = np.random.default_rng(0)
    run = np.arange(160) // 40
    label = np.where(rng.random(160) < np.where(run % 2 == 0, 0.8, 0.2), "cat", "cup")
    level = np.where(run % 2 == 0, 3.0, -3.0)[:, None]
    values = level + rng.normal(size=(160, 10))
    one = Responses(values, label, "anna", "fmri", run=run)
    got = classify(one, encoder=RidgeClassifier([1.0]), protocol=by_run(one))
    score = got.result.scores["accuracy"]
    assert score.value > 0.65  # the run tells it
    assert score.p > 0.05  # and the null knows


def blocks(seed=0, drift=2.0, signal=0.0, n_runs=6):
    """Eight blocks of nine trials a run, four classes; what drifts is shared by a block."""
    rng = np.random.default_rng(seed)
    label = np.concatenate([rng.permutation(np.tile(KINDS, 2)) for _ in range(n_runs)])
    own = drift * rng.normal(size=(len(label), 10))
    centres = signal * rng.normal(size=(4, 10))
    code = np.searchsorted(KINDS, label)
    values = np.repeat(own + centres[code], 9, axis=0) + 0.3 * rng.normal(size=(72 * n_runs, 10))
    return Responses(
        values,
        label.repeat(9),
        "anna",
        "fmri",
        run=np.arange(72 * n_runs) // 72,
        metadata={"block": np.arange(len(label)).repeat(9) % 8},
    )


def test_trials_of_a_block_are_one_observation():
    """As 432 independent trials, blocks of noise would be 'significant' about half the time."""
    ps, covered, naive = [], [], []
    for seed in range(8):
        one = blocks(seed)
        got = classify(one, encoder=RidgeClassifier([100.0]), protocol=by_run(one))
        score = got.result.scores["accuracy"]
        ps.append(score.p)
        covered.append(score.ci95.low <= 0.25 <= score.ci95.high)
        half = 1.96 * np.sqrt(0.25 * 0.75 / score.n)
        naive.append(abs(score.value - 0.25) < half)
    assert got.result.details["n_independent"] == len(
        set(got.items.cluster.tolist())
    )  # neighbours of one class are one block
    assert got.result.details["n_independent"] <= 48
    assert score.details["permuted_within"].startswith("blocks of trials within person")
    assert np.mean(np.array(ps) < 0.05) <= 0.17
    assert np.mean(covered) >= 0.85
    assert np.mean(naive) < 0.6


def test_blocks_can_be_named():
    one = blocks(signal=3.0)
    got = classify(one, block="block", protocol=by_run(one))
    assert got.result.details["n_independent"] == 48
    assert got.result.scores["accuracy"].p < 0.01
    with pytest.raises(ValueError) as error:
        classify(one, block="run", protocol=by_run(one))
    assert str(error.value) == (
        "The column 'run' of subject 'anna' names 6 blocks, some of which hold trials of several "
        "classes. A block is one observation and has one class; leave block= out to have blocks "
        "found by the order of labels."
    )


def test_a_split_through_blocks_is_told(caplog):
    """Noise that is shared by a block tells its class, if the block is in training too."""
    one = blocks()
    protocol = Protocol(KFold(4, by="trial").split(one), "trials")
    got = classify(one, encoder=KNeighborsClassifier(1), protocol=protocol)
    assert got.score("accuracy") > 0.9
    assert "block" in got.result.details["shared"]
    verdict = got.verdict("accuracy")
    assert verdict.word == "suspect"
    assert verdict.reasons[0].startswith("blocks in training and test: 432 trials are tested")
    assert "'trials' tests 432 trials while others of their block are in training" in caplog.text
    kept = classify(one, protocol=by_run(one))
    assert "block" in kept.result.details["kept_apart"]


def test_runs_of_one_class_change_places_as_a_whole():
    rng = np.random.default_rng(0)
    run = np.arange(200) // 20
    label = KINDS[:2][run % 2]
    values = (run % 2)[:, None] + rng.normal(size=(200, 5))
    one = Responses(values, label, "anna", "eeg", dims=("trial", "channel"), run=run)
    score = classify(one, protocol=by_run(one)).result.scores["accuracy"]
    assert score.value > 0.7
    assert score.details["n_independent"] == 10
    assert score.p < 0.05
    assert score.null.p95 > 0.6  # ten runs are ten observations


class Witness:
    """Remembers what it was shown of the test trials."""

    def fit(self, responses, targets, split):
        people = [responses] if isinstance(responses, Responses) else responses
        self.trained = [split.part(one, "train") for one in people]
        self.targets = targets
        self.model = Ridge([100.0]).fit(responses, targets, split)
        return self

    def predict(self, responses):
        self.asked = responses
        return self.model.predict(responses)

    def adapt(self, responses, targets, split):
        raise NotImplementedError

    def save(self, folder):
        raise NotImplementedError


def test_test_trials_do_not_carry_their_class():
    one = trials()
    split = next(LeaveOneOut("run").split(one))
    got = classify(one, "label", encoder=Witness(), protocol=Protocol(split))
    encoder = got.encoder
    assert "label" not in encoder.asked.metadata
    told = set(encoder.asked.stimulus.tolist())
    assert not any(kind in name for kind in KINDS for name in told)
    assert not told & set(encoder.targets.stimulus.tolist())
    assert encoder.targets.space == 'categories:["cat", "cup", "shoe", "tree"]'


def test_what_is_supervised_learns_from_training_labels_only():
    """Circular choice of units would find classes in noise."""
    noise = [trials(n=60, signal=0.0, seed=seed, n_units=1500) for seed in range(3)]
    select = VoxelSelection(anova_f, n_voxels=20)
    inside, circular = [], []
    for one in noise:
        ridge = RidgeClassifier([100.0])
        got = classify(one, "label", encoder=ridge, protocol=by_run(one), preprocess=[select])
        inside.append(got.score("accuracy"))
        named = one.with_values(one.values, stimulus=one.groups("label"))
        chosen = select.fit(named).transform(one)
        got = classify(chosen, "label", encoder=ridge, protocol=by_run(chosen))
        circular.append(got.score("accuracy"))
    assert np.mean(inside) == pytest.approx(0.25, abs=0.1)
    assert np.mean(circular) > 0.6


@pytest.mark.parametrize(
    "encoder",
    [
        Ridge(device="cpu"),
        TokenTransformer(
            sizes=TokenSizes(n_components=3, n_queries=2, width=16, n_heads=2),
            plan=Plan(max_epochs=5, device="cpu"),
        ),
    ],
)
def test_any_encoder_classifies_and_ridge_stands_beside_it(encoder):
    one = trials(signal=1.5)
    protocol = Protocol(next(KFold(4, by="run").split(one)))
    got = classify(one, "label", encoder=encoder, protocol=protocol, preprocess=[Standardize()])
    assert got.score("accuracy") > 0.6
    assert got.result.controls["plain_ridge"]["accuracy"] > 0.6
    assert got.result.details["encoder"] == type(encoder).__name__


def test_people_are_classified_each_by_their_own_or_by_what_others_taught():
    people = [trials(name=name) for name in ("anna", "bert", "carl")]
    same = [trials(name=name, alike=True) for name in ("anna", "bert", "carl")]
    within = classify(people, "label", protocol=by_run(people))
    assert within.result.scores["accuracy"].n == 360
    assert within.score("accuracy") > 0.5
    for encoder in (None, LOGISTIC):
        split = Split(["anna", "bert"], [], ["carl"], by="subject")
        new = classify(same, "label", encoder=encoder, protocol=Protocol(split, "new_person"))
        assert new.result.scores["accuracy"].n == 120
        assert new.score("accuracy") > 0.5
        assert "subject" in new.result.details["kept_apart"]
        assert new.result.controls["majority"]["accuracy"] < 0.4


def test_what_stops_by_nothing_learns_from_validation_trials_too():
    one = trials()
    split = Split(["0", "1"], ["2", "3"], ["4", "5"], by="run")
    whole = Split(["0", "1", "2", "3"], [], ["4", "5"], by="run")
    for encoder in (None, LOGISTIC):
        got = classify(one, "label", encoder=encoder, protocol=Protocol(split))
        want = classify(one, "label", encoder=encoder, protocol=Protocol(whole))
        assert got.result.details["n_train"] == {"anna": 80}
        np.testing.assert_array_equal(got.confusion.counts, want.confusion.counts)
    seen = classify(one, "label", encoder=Witness(), protocol=Protocol(split)).encoder
    assert len(seen.trained[0]) == 40


def test_the_result_is_written_counted_and_described(tmp_path):
    one = trials()
    run = Run(looks=TestLooks(tmp_path / "looks"))
    scaled = [Standardize()]
    got = classify(one, "label", encoder=LOGISTIC, protocol=by_run(one), preprocess=scaled, run=run)
    file = write_results(tmp_path, "classes", [got.result], run)
    check_results(file)
    assert run.as_json()["test_looks"] == 1
    told = methods_paragraph(file)
    assert "class of a trial: its label, learned anew in each fold: Standardize()" in told
    assert got.result.details["encoder"].startswith("Pipeline(steps=[('standardscaler'")


def wrong(label="label", split=None, **changes):
    one = trials(n=60)
    return lambda: classify(one, label, protocol=Protocol(split or by_run(one).split), **changes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            wrong(split=Split(["0"], [], ["1"], by="run"), label="subject"),
            "Classification needs two or more values of 'subject'; got 1 ('anna').",
        ),
        (
            wrong(split=Split(["cat", "cup"], [], ["tree"], by="label", rule="by class")),
            "Fold 1 (by class) tests trials of subject 'anna' whose label has no training trial "
            "there ('tree'). A class that was never learned can't be decoded: keep runs, sessions "
            "or trials apart, not classes.",
        ),
        (
            wrong(split=Split(["x"], [], ["1"], by="run", rule="wrong run")),
            "No training trial is left by the split (wrong run). Its training part must name ids "
            "of these recordings.",
        ),
        (
            wrong(encoder=StandardScaler()),
            "classify() needs an encoder or a classifier of scikit-learn; got StandardScaler, "
            "which is neither.",
        ),
    ],
)
def test_wrong_requests_are_told(call, message):
    with pytest.raises((ValueError, TypeError)) as error:
        call()
    assert str(error.value) == message


def test_the_class_is_taken_off_the_trial_table():
    from neurodecode.pipeline._class_trials import class_trials

    labels = ["a", "b"] * 4
    ids, runs = [f"t{row}" for row in range(8)], [1, 1, 1, 1, 2, 2, 2, 2]
    person = Responses(np.zeros((8, 1)), ids, "s", "fmri", run=runs)
    person = person.with_column("label", labels).with_column("other", labels)
    halves = [Split(np.array(["1"]), np.array([]), np.array(["2"]), by="run")]
    [named] = class_trials([person], "label", halves).people
    assert set(named.metadata) == {"other"}
