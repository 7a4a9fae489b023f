"""One transformer for three modalities and any people: what it finds, refuses and keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import TokenLoss, TokenSizes, TokenTransformer
from neurodecode.encoders.core.bridge import Scaling
from neurodecode.encoders.core.calibration import calibrate
from neurodecode.encoders.core.crossfit import PENALTIES
from neurodecode.encoders.core.target_space import HeadSpace
from neurodecode.encoders.core.unit_groups import bump_weights, make_layout
from neurodecode.encoders.token_transformer.bridge import fit_bridge
from neurodecode.encoders.token_transformer.net import Head
from neurodecode.training import Plan

N, N_DIMS = 150, 8
IDS = np.array([f"scene-{i}" for i in range(N)])
SPLIT = Split(IDS[:100], IDS[100:120], IDS[120:], rule="the last thirty")
TRUTH = np.random.default_rng(7).normal(size=(N, N_DIMS)).astype(np.float32)
TARGET = Embeddings(TRUTH, IDS, "toy")
SMALL = TokenSizes(n_components=8, n_queries=2, width=16, n_heads=2, dropout=0.1)
PLAN = Plan(max_epochs=3, learning_rate=1e-3, device="cpu")


def voxels(name, n_voxels, seed, noise=1.0, own=True):
    """Voxels in two regions; without ``own``, what a voxel answers to follows from its place."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(-30, 30, (n_voxels, 3))
    waves = np.random.default_rng(3).normal(0, 1 / 25, (3, N_DIMS))
    tuning = rng.normal(size=(n_voxels, N_DIMS)) if own else np.cos(places @ waves + np.arange(8))
    values = TRUTH @ tuning.T + noise * rng.normal(size=(N, n_voxels))
    labels = np.where(places[:, 0] > 0, "right", "left")
    return Responses(values, IDS, name, "fmri", positions=places, units=labels)


def sensors(name, seed, modality="meg"):
    rng = np.random.default_rng(seed)
    places = np.random.default_rng(5).normal(size=(10, 3)) * 50
    course = np.zeros((N_DIMS, 30))
    course[:, 10:20] = 1.0
    values = np.einsum("nd,cd,dt->nct", TRUTH, rng.normal(size=(10, N_DIMS)), course)
    values += 2 * rng.normal(size=values.shape)
    return Responses(
        values, IDS, name, modality, ("trial", "channel", "time"), positions=places,
        times=np.arange(30) / 100 - 0.1, sfreq=100.0,
    )  # fmt: skip


def people(**more):
    return [voxels("a", 40, 0, **more), voxels("b", 55, 1, **more), voxels("c", 33, 2, **more)]


def make(**more):
    return TokenTransformer(**{"sizes": SMALL, "plan": PLAN, **more})


def top1(decoder, responses):
    test = SPLIT.part(responses, "test")
    predicted, true = decoder.predict(test).array(), TARGET.rows(test.stimulus)
    predicted = predicted / np.linalg.norm(predicted, axis=1, keepdims=True)
    true = true / np.linalg.norm(true, axis=1, keepdims=True)
    return float(np.mean((predicted @ true.T).argmax(1) == np.arange(len(test))))


@pytest.mark.parametrize("bridge", ["linear", "low_rank"])
def test_a_planted_signal_is_found_in_all_people_of_unequal_size(bridge):
    group = people()
    decoder = make(bridge=bridge).fit(group, TARGET, SPLIT)
    assert min(top1(decoder, one) for one in group) > 0.7  # chance is 1 in 30


def test_at_no_signal_it_is_at_chance():
    rng = np.random.default_rng(0)
    group = [one.with_values(rng.normal(size=one.values.shape)) for one in people()]
    decoder = make().fit(group, TARGET, SPLIT)
    hits = np.mean([top1(decoder, one) for one in group])
    assert hits < 0.12  # 90 trials at 1 in 30: .12 is five standard errors above


@pytest.mark.parametrize("modality", ["meg", "eeg"])
def test_sensors_in_time_patches_by_the_same_class(modality):
    group = [sensors("a", 0, modality), sensors("b", 1, modality)]
    decoder = make().fit(group, TARGET, SPLIT)
    assert decoder.layout_.n_tokens == 1 + 3  # 0.3 s in patches of 0.1 s
    assert min(top1(decoder, one) for one in group) > 0.5


def test_without_a_bridge_a_person_never_seen_is_decoded():
    group = people(own=False)
    decoder = make(bridge="none").fit(group[:2], TARGET, SPLIT)
    assert list(decoder.bridges_) == [""]
    assert top1(decoder, group[2]) > 0.3
    scrambled = replace(group[2], positions=group[2].positions[::-1].copy())
    assert top1(decoder, scrambled) < top1(decoder, group[2])


def test_adapting_to_a_new_person_leaves_the_shared_part():
    group = people()
    decoder = make().fit(group[:2], TARGET, SPLIT)
    before = {name: one.clone() for name, one in decoder.net_.state_dict().items()}
    decoder.adapt(group[2], TARGET, SPLIT)
    assert top1(decoder, group[2]) > 0.6
    after = decoder.net_.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_light_bridge_on_top_of_none():
    group = people()
    decoder = make(bridge="none").fit(group[:2], TARGET, SPLIT)
    before = top1(decoder, group[2])
    assert top1(decoder.adapt(group[2], TARGET, SPLIT), group[2]) > before + 0.2


def test_several_heads_and_tokens():
    tokens = Embeddings(TRUTH.reshape(N, 2, 4) * 3 + 1, IDS, "tokens")
    decoder = make().fit(people(), {"vector": TARGET, "tokens": tokens}, SPLIT)
    one = people()[0]
    assert decoder.predict(one).space == "toy"
    assert decoder.predict(one, "tokens").values.shape == (N, 2, 4)
    with pytest.raises(ValueError, match="There is no head 'text'; there are 'vector', 'tokens'"):
        decoder.predict(one, "text")


def test_what_is_expected_is_near_the_truth_in_place_and_size():
    one = people(noise=0.3)[0]
    decoder = make().fit(people(noise=0.3), Embeddings(TRUTH + 5, IDS, "toy"), SPLIT)
    test = SPLIT.part(one, "test")
    error = decoder.expect(test).array() - (TRUTH[120:] + 5)
    assert float(np.mean(error**2)) < 0.4 * float(np.var(TRUTH[120:]))


def test_attention_says_which_units_are_read():
    one = people()[0]
    decoder = make().fit(people(), TARGET, SPLIT)
    maps = decoder.attention(one)
    assert maps.shape == (N, SMALL.n_queries, one.n_units)
    np.testing.assert_allclose(maps.sum(-1), 1, rtol=1e-4)
    right = np.asarray(one.units) == "right"
    assert np.ptp(maps[0, 0, right]) < 1e-6  # units of one region are read alike


def test_a_person_without_a_region_is_taken():
    group = people()
    half = np.asarray(group[0].units) == "left"
    group[0] = Responses(
        group[0].array()[:, half], IDS, "a", "fmri",
        positions=group[0].positions[half], units=np.asarray(group[0].units)[half],
    )  # fmt: skip
    decoder = make().fit(group, TARGET, SPLIT)
    assert decoder.bridges_["a"].there.tolist() == [True, True, False]
    assert top1(decoder, group[0]) > 0.3


def test_training_keeps_the_ridge_where_it_is_better():
    bad = replace(PLAN, learning_rate=3.0, gradient_clip=None)
    wrecked = make(plan=bad).fit(people(), TARGET, SPLIT)
    assert wrecked.kept_ridge_
    assert top1(wrecked, people()[0]) > 0.7


def test_both_contrastive_losses():
    for kind in ("info_nce", "soft_clip"):
        decoder = make(loss=TokenLoss(kind)).fit(people(), TARGET, SPLIT)
        assert top1(decoder, people()[0]) > 0.7


def test_padded_samples_are_not_read():
    one = sensors("a", 0)
    valid = np.ones((N, 30), dtype=bool)
    valid[::2, 25:] = False
    spoiled = one.array().copy()
    spoiled[::2, :, 25:] = 1e4
    clean = one.array().copy()
    clean[::2, :, 25:] = 0.0
    first, second = (
        make(n_groups=1).fit(replace(one, values=values, valid=valid), TARGET, SPLIT)
        for values in (spoiled, clean)
    )
    given = [replace(one, values=values, valid=valid) for values in (spoiled, clean)]
    np.testing.assert_allclose(
        first.predict(given[0]).array(), second.predict(given[1]).array(), rtol=1e-5
    )


def test_left_out_tokens_have_not_seen_their_stimulus():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 200)).astype(np.float32)
    y = torch.from_numpy(rng.normal(size=(30, 2)).astype(np.float32)).repeat(2, 1)
    stimulus = np.tile(IDS[:30], 2)
    bridge, left_out = fit_bridge(x, y, stimulus, [np.arange(200)], rank=None, seed=0)
    inside = torch.corrcoef(torch.stack([bridge.tokens(x)[:, 0, 0], y[:, 0]]))[0, 1]
    outside = torch.corrcoef(torch.stack([left_out[:, 0, 0], y[:, 0]]))[0, 1]
    assert inside > 0.7 and abs(outside) < 0.4


def test_the_bridge_is_ridge_regression():
    from sklearn.linear_model import Ridge as Reference

    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 6)).astype(np.float32)
    y = (x @ rng.normal(size=(6, 2)) + rng.normal(size=(40, 2))).astype(np.float32)
    y -= y.mean(axis=0)
    bridge, _ = fit_bridge(x, torch.from_numpy(y), IDS[:40], [np.arange(6)], rank=None, seed=0)
    z = Scaling.learn(x)(x).numpy()
    unit = float((z**2).sum(axis=1).mean())
    fits = [Reference(alpha=one * unit, fit_intercept=False).fit(z, y).coef_.T for one in PENALTIES]
    gaps = [np.abs(one - bridge.weights[0].numpy()).max() for one in fits]
    assert min(gaps) < 1e-5


def test_rank_is_kept():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 12)).astype(np.float32)
    y = torch.from_numpy(rng.normal(size=(40, 6)).astype(np.float32))
    bridge, _ = fit_bridge(x, y - y.mean(0), IDS[:40], [np.arange(12)], rank=2, seed=0)
    assert int(torch.linalg.matrix_rank(bridge.weights[0], rtol=1e-4)) == 2


def test_sharpness_half_weighs_components_alike():
    torch.manual_seed(0)
    space = HeadSpace.learn(torch.randn(50, 4) * torch.tensor([8.0, 4.0, 2.0, 2.0]), 4)
    gains = space.gains(0.5)
    assert float(gains.max() / gains.min()) < 0.5 * float(space.spread.max() / space.spread.min())
    assert torch.allclose(space.gains(0.0), space.spread / space.spread[0])


def test_calibration_finds_a_temperature_and_shrinks_noise():
    torch.manual_seed(0)
    rows = torch.randn(200, 4)
    space = HeadSpace.learn(rows, 4)
    head = Head(space, gathered=3)
    noisy = space.whiten(rows) + 2 * torch.randn(200, 4)
    head.calibrate(calibrate(noisy, rows, space))
    assert float(head.shrink.detach().mean()) == pytest.approx(0.2, abs=0.07)
    assert float(head.log_scale.detach()) != 3.0


def test_layout_by_region_by_place_and_by_time():
    assert make_layout(people(), None, 0.1, shared=False).names == ("left", "right")
    assert len(make_layout(people(), 5, 0.1, shared=False).centres) == 5
    assert make_layout([sensors("a", 0)], None, 0.15, shared=False).n_tokens == 3
    shared = make_layout(people(), None, 0.1, shared=True)
    weights = bump_weights(people()[0].positions, shared.bumps)
    assert weights.shape == (40, len(shared.bumps)) and np.all(weights >= 0)


def test_what_is_refused():
    bare = replace(people()[0], positions=None, units=None)
    with pytest.raises(ValueError, match="subject 'a' have no positions"):
        make(bridge="none").fit(bare, TARGET, SPLIT)
    with pytest.raises(ValueError, match="bridge must be 'linear', 'low_rank' or 'none'"):
        make(bridge="magic").fit(people(), TARGET, SPLIT)
    with pytest.raises(ValueError, match="takes one modality; got fmri, meg"):
        make().fit([people()[0], sensors("b", 0)], TARGET, SPLIT)
    decoder = make().fit(people()[:2], TARGET, SPLIT)
    with pytest.raises(ValueError, match="no bridge for subject 'c'; it knows 'a', 'b'"):
        decoder.predict(people()[2])
    other = Embeddings(TRUTH[:, :3], IDS, "other")
    with pytest.raises(ValueError, match="Give the same target space"):
        decoder.adapt(people()[2], other, SPLIT)
    long = replace(sensors("b", 1), values=np.zeros((N, 10, 20)), times=np.arange(20) / 100)
    with pytest.raises(ValueError, match="time axes of different lengths"):
        make().fit([sensors("a", 0), long], TARGET, SPLIT)
