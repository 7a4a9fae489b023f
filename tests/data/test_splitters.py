"""Rules that make splits: every id is tested once; what stops early has something to stop by."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.model_selection import KFold as PlainKFold

from neurodecode.data import KFold, LeaveOneOut, RandomSplit, Responses, SklearnSplitter
from neurodecode.errors import LeakageError


def trials(n=24, subject="sub-01", n_runs=4):
    """Three labels in equal numbers, unequally spread over runs."""
    label = np.repeat(["cat", "cup", "tree"], n // 3)
    run = np.random.default_rng(0).permutation(np.arange(n) % n_runs)
    return Responses(
        np.zeros((n, 1)),
        range(n),
        subject,
        "fmri",
        run=run,
        metadata={"label": label, "trial": np.arange(n)},
    )


def ids_tested(splits):
    return np.sort(np.concatenate([split.test for split in splits])).tolist()


def test_leave_one_out_tests_every_group_once():
    responses = Responses(np.zeros((8, 1)), list("aabbccdd"), "sub-01", "fmri")
    splits = list(LeaveOneOut("stimulus").split(responses))
    assert [split.test.tolist() for split in splits] == [["a"], ["b"], ["c"], ["d"]]
    with pytest.raises(ValueError) as error:
        list(LeaveOneOut("subject").split(responses))
    assert str(error.value) == "Leave-one-subject-out needs two or more subject ids; got 1."


@pytest.mark.parametrize(
    ("n_ids", "validation", "n_held_out"),
    [(2, 0.1, 0), (3, 0.1, 0), (4, 0.1, 1), (31, 0.1, 3), (31, 0, 0), (6, 2, 2)],
)
def test_leave_one_out_gives_validation_to_what_stops_early(n_ids, validation, n_held_out):
    responses = Responses(np.zeros((n_ids, 1)), range(n_ids), "s", "fmri", run=range(n_ids))
    splits = list(LeaveOneOut("run", validation=validation).split(responses))
    assert {len(one.validation) for one in splits} == {n_held_out}
    assert {len(one.train) for one in splits} == {n_ids - 1 - n_held_out}
    if n_ids > 30 and n_held_out:
        assert len({tuple(one.validation) for one in splits}) > 20  # drawn anew each time


def test_validation_can_not_take_everything():
    with pytest.raises(ValueError) as error:
        list(LeaveOneOut("run", validation=3).split(trials()))
    assert str(error.value) == "3 validation ids leave nothing of 3 run ids to train on."


def test_k_folds_test_every_id_once_and_repeat_with_the_seed():
    one, same, other = (list(KFold(5, seed=seed).split(trials(48))) for seed in (1, 1, 2))
    assert ids_tested(one) == sorted(str(i) for i in range(48))
    assert [a.fingerprint for a in one] == [b.fingerprint for b in same]
    assert [a.fingerprint for a in one] != [b.fingerprint for b in other]
    with pytest.raises(ValueError) as error:
        list(KFold(5, by="run").split(trials()))
    assert str(error.value) == "4 run ids can be dealt into 2 to 4 folds; got n=5."


def test_a_trial_is_a_unit_wherever_it_is_taken():
    """Also of stimuli that repeat, and after what was learned was applied."""
    people = [trials(), trials(subject="sub-02")]
    people = [one.with_values(one.array() + i, stimulus=one.groups("label"))
              for i, one in enumerate(people)]  # fmt: skip
    splits = list(KFold(4, by="trial").split(people))
    assert len(ids_tested(splits)) == len(set(ids_tested(splits))) == 48
    for split in splits:
        for one in people:
            seen = split.seen(one.with_values(2 * one.array())).take(slice_of(split.seen(one)))
            assert not split.mask(seen, "test").any()
            assert (split.mask(seen, "train") | split.mask(seen, "validation")).all()


def slice_of(responses):
    return np.arange(len(responses))[::2]


def test_stratified_folds_hold_every_class_in_equal_shares():
    """Against scikit-learn's own, where nothing has to stay together."""
    people = trials()
    label = people.groups("label")
    for split in KFold(4, by="trial", stratify="label").split(people):
        assert np.unique(split.part(people, "test").groups("label"), return_counts=True)[
            1
        ].tolist() == [2, 2, 2]
    assert all(
        np.unique(label[test], return_counts=True)[1].tolist() == [2, 2, 2]
        for _, test in StratifiedKFold(4).split(label, label)
    )
    for split in KFold(4, by="run", stratify="label").split(people):
        assert len(split.test) == 1  # runs stay whole, whatever they hold
    with pytest.raises(ValueError) as error:
        list(KFold(9, stratify="label").split(people))
    assert str(error.value) == (
        "9 folds can't each hold every label: 'cat', 'cup', 'tree' have fewer trials than that. "
        "Give fewer folds."
    )


def test_people_are_split_together():
    both = [trials(subject="a"), trials(subject="b")]
    for split in KFold(4, by="run").split(both):
        assert [len(set(split.part(one, "test").run)) for one in both] == [1, 1]
    with pytest.raises(ValueError) as error:
        list(KFold(2).split([]))
    assert str(error.value) == (
        "There are no recordings to split. Give those of one person or several."
    )


def test_splitters_of_scikit_learn_are_splitters_here():
    people = trials()
    splits = list(SklearnSplitter(GroupKFold(4), by="run", validation=0).split(people))
    want = [np.unique(people.run[test]).tolist()
            for _, test in GroupKFold(4).split(people.run, None, people.run)]  # fmt: skip
    assert [split.test.tolist() for split in splits] == want
    stratified = SklearnSplitter(StratifiedKFold(4), by="trial", stratify="label", validation=0.2)
    for split in stratified.split(people):
        assert (len(split.train), len(split.validation), len(split.test)) == (14, 4, 6)
    with pytest.raises(LeakageError, match=r"run ids are in both train and test"):
        list(SklearnSplitter(PlainKFold(4), by="run").split(people))


def test_random_splits_repeat_with_the_seed():
    many = Responses(np.zeros((50, 1)), range(50), "s", "fmri")
    [one] = RandomSplit(seed=1).split(many)
    [same] = RandomSplit(seed=1).split(many)
    [other] = RandomSplit(seed=2).split(many)
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert (len(one.train), len(one.validation), len(one.test)) == (40, 5, 5)
    with pytest.raises(ValueError, match="leave nothing of 50 stimulus ids to train on"):
        list(RandomSplit(test=45, validation=5).split(many))
    with pytest.raises(ValueError, match="A part can't have -1 ids"):
        list(RandomSplit(test=-1).split(many))
