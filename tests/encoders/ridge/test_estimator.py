"""Ridge against scikit-learn and himalaya, and its own properties."""

from __future__ import annotations

import numpy as np
import pytest
from himalaya.kernel_ridge import KernelRidgeCV
from himalaya.ridge import RidgeCV as HimalayaRidgeCV
from sklearn import linear_model
from sklearn.model_selection import GridSearchCV, GroupKFold, LeaveOneGroupOut
from sklearn.preprocessing import StandardScaler

from neurodecode import store
from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import Ridge

PENALTIES = [0.1, 1.0, 10.0, 100.0, 1000.0]
TALL, WIDE = (80, 12), (40, 90)


def make(shape, n_targets=6, seed=0, *, noise=3.0, repeats=1):
    """Simulated: targets are a noisy linear map of the responses."""
    rng = np.random.default_rng(seed)
    n_trials, n_dims = shape
    x = rng.normal(size=shape) * rng.uniform(0.5, 3, n_dims) + rng.normal(size=n_dims)
    ids = np.array([f"s{i // repeats:03d}" for i in range(n_trials)])
    y = x[::repeats] @ rng.normal(size=(n_dims, n_targets))
    y += noise * np.sqrt(n_dims) * rng.normal(size=y.shape) * np.linspace(0.02, 2, n_targets)
    runs = np.arange(n_trials) // 10
    return (
        Responses(x.astype(np.float32), ids, "sub-01", "fmri", run=runs),
        Embeddings(y.astype(np.float32), np.unique(ids), "toy"),
    )


def everything(responses):
    return Split(np.unique(responses.stimulus), [], [], rule="all trials")


def fit(responses, targets, **how):
    return Ridge(**{"penalties": PENALTIES, "device": "cpu"} | how).fit(
        responses, targets, everything(responses)
    )


def relative(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return np.abs(a - b).max() / np.abs(b).max()


@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("standardise", [True, False])
def test_equals_scikit_learn_at_each_penalty(shape, dtype, standardise):
    responses, targets = make(shape)
    x, y = responses.array(np.float64), targets.array(np.float64)
    scaled = StandardScaler(with_std=standardise).fit_transform(x)
    for penalty in PENALTIES:
        ours = fit(responses, targets, penalties=[penalty], dtype=dtype, standardise=standardise)
        theirs = linear_model.Ridge(alpha=penalty).fit(scaled, y).predict(scaled)
        assert relative(ours.predict(responses).array(), theirs) < 1e-5


@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_leave_one_out_equals_scikit_learn(shape, dtype):
    responses, targets = make(shape)
    x, y = responses.array(np.float64), targets.array(np.float64)
    ours = fit(responses, targets, standardise=False, dtype=dtype, leave_out="trial")
    for i in range(y.shape[1]):
        theirs = linear_model.RidgeCV(PENALTIES, scoring=None).fit(x, y[:, i])
        assert ours.maps_["sub-01"].penalty[i] == pytest.approx(theirs.alpha_)
        share = 1 + theirs.best_score_ / y[:, i].var()  # best_score_ is minus the squared error
        assert float(ours.maps_["sub-01"].left_out_r2[i]) == pytest.approx(share, abs=1e-5)


@pytest.mark.parametrize("shape", [TALL, WIDE])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_leave_group_out_equals_refitting(shape, dtype):
    """Runs of unequal size, each predicted by a model that was fitted without it."""
    responses, targets = make(shape)
    responses = responses.take(np.arange(shape[0] - 3))
    targets = targets.select(responses.stimulus)
    x, y = responses.array(np.float64), targets.array(np.float64)
    ours = fit(responses, targets, standardise=False, leave_out="run", per="all", dtype=dtype)
    errors = []
    for penalty in PENALTIES:
        left_out = np.zeros_like(y)
        for train, test in LeaveOneGroupOut().split(x, groups=responses.run):
            model = linear_model.Ridge(alpha=penalty).fit(x[train], y[train])
            left_out[test] = (model.predict(x[test]) - y[test]) ** 2
        errors.append(left_out.mean(axis=0) / y.var(axis=0))
    best = int(np.argmin(np.mean(errors, axis=1)))
    one = ours.maps_["sub-01"]
    assert one.penalty.tolist() == pytest.approx([PENALTIES[best]] * y.shape[1])
    assert np.allclose(one.left_out_r2.numpy(), 1 - errors[best], atol=1e-5)


@pytest.mark.parametrize("shape", [TALL, WIDE])
def test_equals_himalaya(shape):
    responses, targets = make(shape)
    x, y = responses.array(np.float64), targets.array(np.float64)
    for penalty in PENALTIES:
        one = KernelRidgeCV([penalty], cv=5, warn=False)
        centred = x - x.mean(axis=0)
        theirs = one.fit(centred, y - y.mean(axis=0)).predict(centred) + y.mean(axis=0)
        ours = fit(responses, targets, penalties=[penalty], standardise=False)
        assert relative(ours.predict(responses).array(), theirs) < 1e-5


def test_chooses_himalayas_penalties_on_the_same_folds():
    responses, targets = make(TALL)
    x, y = responses.array(np.float64), targets.array(np.float64)
    folds = list(GroupKFold(8).split(x, groups=responses.run))
    theirs = HimalayaRidgeCV(PENALTIES, fit_intercept=True, cv=folds).fit(x, y)
    ours = fit(responses, targets, standardise=False, leave_out="run")
    assert len(set(theirs.best_alphas_.tolist())) > 1
    assert np.allclose(ours.maps_["sub-01"].penalty.numpy(), theirs.best_alphas_)
    assert relative(ours.predict(responses).array(), theirs.predict(x)) < 1e-5


def test_one_penalty_for_all_equals_a_grid_search():
    responses, targets = make(WIDE)
    x, y = responses.array(np.float64), targets.array(np.float64)[:, :1]
    runs = LeaveOneGroupOut()
    search = GridSearchCV(
        linear_model.Ridge(), {"alpha": PENALTIES}, cv=runs, scoring="neg_mean_squared_error"
    ).fit(x, y, groups=responses.run)
    ours = fit(
        responses,
        Embeddings(y, targets.stimulus, "toy"),
        standardise=False,
        leave_out="run",
        per="all",
    )
    assert ours.maps_["sub-01"].penalty.tolist() == pytest.approx([search.best_params_["alpha"]])


def test_repeats_of_a_stimulus_are_left_out_together():
    responses, targets = make((60, 30), repeats=3)
    together = fit(responses, targets, per="all").maps_["sub-01"]
    apart = fit(responses, targets, per="all", leave_out="trial").maps_["sub-01"]
    labelled = responses.with_values(responses.values, run=responses.stimulus)
    by_hand = fit(labelled, targets, per="all", leave_out="run").maps_["sub-01"]
    assert np.array_equal(together.left_out_r2.numpy(), by_hand.left_out_r2.numpy())
    assert (apart.left_out_r2 > together.left_out_r2).all()


@pytest.mark.parametrize("shape", [TALL, (80, 300)])
@pytest.mark.parametrize("leave_out", ["trial", "run"])
def test_little_memory_gives_the_same_map(tmp_path, shape, leave_out):
    """Blocks of rows and batches of targets, from a file, equal all at once from memory."""
    responses, targets = make(shape, n_targets=40)
    lazy = store.load(store.save(tmp_path / "r.h5", responses))
    lazy_targets = store.load(store.save(tmp_path / "t.h5", targets))
    k = min(shape)
    little = 8 * (4 * k * k + 9 * (8 * k + 2 * sum(shape)))
    whole = fit(responses, targets, leave_out=leave_out)
    parts = fit(lazy, lazy_targets, leave_out=leave_out, max_memory=little)
    one, other = whole.maps_["sub-01"], parts.maps_["sub-01"]
    assert np.array_equal(one.penalty.numpy(), other.penalty.numpy())
    assert relative(other.weights.numpy(), one.weights.numpy()) < 1e-6
    assert relative(parts.predict(lazy).array(), whole.predict(responses).array()) < 1e-6


def test_the_training_part_is_read_in_blocks_only():
    """No read asks for more rows than a block of the memory given, even from a part of a split."""
    responses, targets = make((200, 12))
    asked = []

    class Watched:
        shape, dtype = responses.values.shape, responses.values.dtype

        def __getitem__(self, index):
            block = responses.values[index]
            asked.append(len(block))
            return block

    ids = np.unique(responses.stimulus)
    split = Split(ids[:150], [], ids[150:])
    little = 8 * (4 * 12 * 12 + 5 * (8 * 12 + 2 * 212))
    lazy = Ridge(PENALTIES, device="cpu", max_memory=little).fit(
        responses.with_values(Watched()), targets, split
    )
    whole = Ridge(PENALTIES, device="cpu").fit(responses, targets, split)
    assert 0 < max(asked) < 100
    assert relative(lazy.maps_["sub-01"].weights, whole.maps_["sub-01"].weights) < 1e-6


def test_too_little_memory_is_refused_with_the_amount_needed():
    responses, targets = make(TALL)
    with pytest.raises(ValueError, match=r"Ridge on 80 trials x 12 features needs about 0.0 MB"):
        fit(responses, targets, max_memory=1000)


def test_groups_of_targets_share_a_penalty():
    responses, targets = make(WIDE)
    penalty = fit(responses, targets, per=[0, 0, 0, 1, 1, 1]).maps_["sub-01"].penalty.numpy()
    assert len(set(penalty[:3])) == 1 and len(set(penalty[3:])) == 1
    assert penalty[0] != penalty[3]


def test_heads_and_tokens_keep_their_shape():
    responses, targets = make(TALL, n_targets=12)
    tokens = Embeddings(targets.array().reshape(-1, 3, 4), targets.stimulus, "tokens")
    heads = {"tokens": tokens, "flat": targets}
    ridge = fit(responses, heads)
    first = ridge.predict(responses)
    assert first.row_shape == (3, 4) and first.space == "tokens"
    flat = ridge.predict(responses, head="flat").array()
    assert np.allclose(first.array().reshape(-1, 12), flat, atol=1e-5)
    assert ridge.weights("sub-01").shape == (3, 4, 12)
    with pytest.raises(ValueError, match="There is no head 'sound'; there are 'tokens', 'flat'"):
        ridge.predict(responses, head="sound")


def test_weights_and_mean_give_the_prediction():
    responses, targets = make(TALL)
    ridge = fit(responses, targets)
    one = ridge.maps_["sub-01"]
    by_hand = (responses.array() - one.mean.numpy()) @ ridge.weights("sub-01").T
    by_hand += one.intercept.numpy()
    assert np.allclose(by_hand, ridge.predict(responses).array(), atol=1e-4)


def test_a_large_mean_costs_no_digits():
    """Raw scanner units: a mean of 10,000 and a standard deviation of about 1."""
    responses, targets = make(TALL)
    raised = responses.with_values(responses.array(np.float64) + 1e4)
    one = fit(responses, targets, dtype="float64").predict(responses).array()
    other = fit(raised, targets, dtype="float64").predict(raised).array()
    assert relative(other, one) < 1e-3  # predict() reads float32: 1e4 keeps three digits


def test_constant_features_get_no_weight_and_are_counted(caplog):
    responses, targets = make(TALL)
    values = responses.array().copy()
    values[:, [2, 5]] = 7.3
    with caplog.at_level("WARNING", logger="neurodecode"):
        ridge = fit(responses.with_values(values), targets)
    assert "2 of 12 features of subject 'sub-01' are constant in training (first: '2', '5')" in (
        caplog.text
    )
    assert (ridge.weights("sub-01")[:, [2, 5]] == 0).all()
    without = fit(responses.with_values(np.delete(values, [2, 5], axis=1)), targets)
    assert np.allclose(
        np.delete(ridge.weights("sub-01"), [2, 5], axis=1), without.weights("sub-01"), atol=1e-5
    )


def test_a_constant_target_is_predicted_by_its_mean():
    responses, targets = make(TALL)
    values = targets.array().copy()
    values[:, 0] = 4.0
    ridge = fit(responses, Embeddings(values, targets.stimulus, "toy"))
    assert np.allclose(ridge.predict(responses).array()[:, 0], 4.0)


@pytest.mark.parametrize("per", ["voxel", "targets"])
def test_unknown_grouping_is_refused(per):
    with pytest.raises(ValueError, match=f"one group label for each target; got '{per}'"):
        fit(*make(TALL), per=per)


def test_bad_parameters_are_refused():
    data = make(TALL)
    with pytest.raises(ValueError, match=r"penalties must be positive numbers; got \[0.0, 1.0\]"):
        fit(*data, penalties=[0.0, 1.0])
    with pytest.raises(ValueError, match="dtype must be 'auto', 'float32' or 'float64'; got 'f2'"):
        fit(*data, dtype="f2")
    with pytest.raises(ValueError, match=r"labels of shape \(2,\) but there are 6 targets"):
        fit(*data, per=[0, 1])
    with pytest.raises(ValueError, match="make 1 fold by run; choosing a penalty needs two"):
        alone = data[0].with_values(data[0].values, run=["1"] * 80)
        fit(alone, data[1], leave_out="run")


def test_targets_that_are_not_finite_are_refused():
    responses, targets = make(TALL)
    values = targets.array().copy()
    values[3, 1] = np.nan
    with pytest.raises(ValueError, match="not finite in 1 of 80 training trials"):
        fit(responses, Embeddings(values, targets.stimulus, "toy"))


def test_another_number_of_voxels_is_refused():
    responses, targets = make(TALL)
    ridge = fit(responses, targets)
    fewer = responses.with_values(responses.array()[:, :7])
    with pytest.raises(ValueError, match=r"rows of shape \(7,\) but were fitted with \(12,\)"):
        ridge.predict(fewer)


def test_adapt_refuses_another_space():
    responses, targets = make(TALL)
    ridge = fit(responses, targets)
    other = Embeddings(targets.array(), targets.stimulus, "elsewhere")
    with pytest.raises(ValueError, match="Give the same target space, or fit a new one"):
        ridge.adapt(responses, other, everything(responses))


def test_nothing_is_decoded_from_noise():
    rng = np.random.default_rng(1)
    ids = [f"s{i}" for i in range(60)]
    noise = Responses(rng.normal(size=(60, 200)), ids, "sub-01", "fmri")
    targets = Embeddings(rng.normal(size=(60, 20)), ids, "toy")
    one = Ridge(per="all").fit(noise, targets, Split(ids, [], [])).maps_["sub-01"]
    assert abs(float(one.left_out_r2.mean())) < 0.06
    assert float(one.penalty[0]) >= 1000


def test_validation_trials_change_nothing():
    rng = np.random.default_rng(0)
    truth = Embeddings(rng.normal(size=(30, 3)).astype(np.float32), range(30), "toy")
    values = (truth.values @ rng.normal(size=(3, 8))).astype(np.float32)
    split = Split(range(20), range(20, 25), range(25, 30))
    other = values.copy()
    other[20:25] = rng.normal(size=(5, 8)) * 100
    fitted = [Ridge().fit(Responses(one, range(30), "s", "fmri"), truth, split)
              for one in (values, other)]  # fmt: skip
    test = split.part(Responses(values, range(30), "s", "fmri"), "test")
    one, two = (each.predict(test).array() for each in fitted)
    np.testing.assert_array_equal(one, two)
