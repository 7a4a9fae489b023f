"""Batches hold each trial once, with its own target, from memory or from the store."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode import store
from neurodecode.data import Embeddings, Responses
from neurodecode.encoders.core.trials import PooledTrials
from neurodecode.training import Batches

N_DIMS = 3


def person(name, n, n_voxels=4, seed=0):
    draw = np.random.default_rng(seed)
    ids = [f"scene-{i}" for i in draw.permutation(40)[:n]]
    values = np.array([[int(one.split("-")[1])] * n_voxels for one in ids], dtype=np.float32)
    return Responses(values, ids, name, "fmri")


def targets():
    values = np.arange(40)[:, None] * np.ones((1, N_DIMS))
    return {"target": Embeddings(values, [f"scene-{i}" for i in range(40)], "toy")}


def people():
    return [person("a", 17), person("b", 5, n_voxels=7, seed=1), person("c", 12, seed=2)]


def test_it_is_what_the_loop_wants():
    assert isinstance(PooledTrials(people(), targets(), batch_size=4), Batches)


@pytest.mark.parametrize("together", [False, True])
def test_values_ids_and_targets_stay_together(together):
    trials = PooledTrials(people(), targets(), batch_size=4, together=together)
    steps = list(trials.epoch(0, seed=3))
    assert len(steps) == len(trials) == (5 if together else 5 + 2 + 3)
    for batch in (batch for step in steps for batch in step):
        number = torch.tensor([float(one.split("-")[1]) for one in batch.stimulus.tolist()])
        assert torch.equal(batch.values[:, 0], number)
        assert torch.equal(batch.targets["target"][:, 0], number)
        assert batch.subject == "abc"[batch.person]
        assert len(set(batch.rows.tolist())) == len(batch)


def test_apart_each_trial_comes_once():
    steps = list(PooledTrials(people(), targets(), batch_size=4).epoch(0, seed=0))
    assert all(len(step) == 1 for step in steps)
    for place, one in enumerate(people()):
        rows = [step[0].rows for step in steps if step[0].person == place]
        assert sorted(np.concatenate(rows).tolist()) == list(range(len(one)))
        assert max(map(len, rows)) - min(map(len, rows)) <= 1
    assert len({step[0].person for step in steps[:5]}) > 1


def test_together_every_step_has_everybody_and_small_ones_come_again():
    steps = list(PooledTrials(people(), targets(), batch_size=4, together=True).epoch(0, seed=0))
    assert all([batch.person for batch in step] == [0, 1, 2] for step in steps)
    rows = np.concatenate([step[0].rows for step in steps])
    assert sorted(rows.tolist()) == list(range(17))
    small = np.concatenate([step[1].rows for step in steps])
    assert set(small.tolist()) == set(range(5)) and len(small) > 5


def test_order_depends_on_epoch_and_seed_alone():
    def order(epoch, seed):
        trials = PooledTrials(people(), targets(), batch_size=4)
        return [(step[0].person, step[0].rows.tolist()) for step in trials.epoch(epoch, seed)]

    assert order(1, 2) == order(1, 2)
    assert order(1, 2) != order(2, 2) and order(1, 2) != order(1, 3)


def test_from_the_store_the_same_as_from_memory(tmp_path):
    kept, far = [], []
    for one in people():
        kept.append(one.take(np.arange(1, len(one))))
        stored = store.load(store.save(tmp_path / f"{one.subject}.h5", one))
        far.append(stored.take(np.arange(1, len(one))))
    stored = {"target": store.load(store.save(tmp_path / "t.h5", targets()["target"]))}
    near = PooledTrials(kept, targets(), batch_size=4).epoch(0, 0)
    for [one], [other] in zip(
        near, PooledTrials(far, stored, batch_size=4).epoch(0, 0), strict=True
    ):
        assert torch.equal(one.values, other.values)
        assert torch.equal(one.targets["target"], other.targets["target"])


@pytest.mark.parametrize("together", [False, True])
def test_shards_are_apart_and_together_the_whole(together):
    trials = PooledTrials(people(), targets(), batch_size=3, together=together)

    def seen(one):
        return [(b.person, tuple(b.rows.tolist())) for step in one.epoch(0, 0) for b in step]

    parts = [trials.shard(rank, 2) for rank in (0, 1)]
    assert [len(part) for part in parts] == [len(trials) // 2] * 2
    apart = [seen(part) for part in parts]
    whole = seen(trials)[: 2 * len(parts[0]) * (3 if together else 1)]
    assert not set(apart[0]) & set(apart[1])
    assert sorted(apart[0] + apart[1]) == sorted(whole)


def test_in_order_for_validation():
    batches = list(PooledTrials(people(), targets(), batch_size=4).in_order())
    assert [b.person for b in batches] == [0] * 5 + [1] * 2 + [2] * 3
    assert np.concatenate([b.rows for b in batches[:5]]).tolist() == list(range(17))


def test_padding_travels_along():
    valid = np.array([[True, True], [True, False]])
    one = Responses(
        np.zeros((2, 3, 2)), ["scene-0", "scene-1"], "s", "eeg", ("trial", "channel", "time"),
        valid=valid,
    )  # fmt: skip
    batch = PooledTrials([one], targets(), batch_size=2).batch(0, np.array([1]))
    assert batch.valid is not None and batch.valid.tolist() == [[True, False]]


def test_what_is_refused():
    with pytest.raises(ValueError, match="batch_size must be at least 1; got 0"):
        PooledTrials(people(), targets(), batch_size=0)
    with pytest.raises(ValueError, match="got no people"):
        PooledTrials([], targets(), batch_size=1)
    with pytest.raises(ValueError, match="Subject 'a' has no trials to train on"):
        PooledTrials([people()[0].take([])], targets(), batch_size=1)
    few = {"target": targets()["target"].take(np.arange(3))}
    with pytest.raises(ValueError, match="are not among the 3 targets of 'target'"):
        PooledTrials(people(), few, batch_size=1)
