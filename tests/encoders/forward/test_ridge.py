"""The linear forward model and identification by it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import Ridge as SklearnRidge

from neurodecode.data import Embeddings, Responses
from neurodecode.encoders import ForwardRidge
from neurodecode.encoders.forward.fit import Trials, fit_forward, matched_filter
from neurodecode.encoders.forward.noise import residuals, shrunk_noise

NAMES = np.array([f"p{i:02d}" for i in range(16)])


def make(signal=1.0, seed=0, n_repeats=3):
    """Simulated: 16 stimuli of 4 dims, 30 voxels, noise that voxels share."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(16, 4))
    shown = np.concatenate([rng.permutation(16) for _ in range(n_repeats)])
    x = signal * features[shown] @ rng.normal(size=(4, 30))
    x += rng.normal(size=x.shape) + 3 * rng.normal(size=(len(x), 2)) @ rng.normal(size=(2, 30))
    runs = np.repeat(np.arange(n_repeats), 16)
    return (
        Embeddings(features, NAMES, "toy"),
        Responses(x, NAMES[shown], "sub-01", "fmri", run=runs, positions=np.zeros((30, 3))),
    )


def test_noise_is_the_inverse_of_ledoit_and_wolfs_covariance():
    rest = np.random.default_rng(0).normal(size=(40, 60)) @ np.diag(np.linspace(0.5, 2, 60))
    theirs = LedoitWolf(assume_centered=True).fit(rest).covariance_
    ours = np.linalg.inv(shrunk_noise(rest, 40).whiten(np.eye(60)))
    assert np.allclose(ours, theirs, atol=1e-8)


def test_residuals_have_no_stimulus_in_them():
    _, responses = make()
    code = np.unique(responses.stimulus, return_inverse=True)[1]
    rest, n_free = residuals(responses.array(np.float64), code)
    assert n_free == 48 - 16
    for one in range(16):
        assert np.allclose(rest[code == one].sum(axis=0), 0)


def test_expected_responses_equal_scikit_learn():
    embeddings, responses = make()
    model = ForwardRidge([0.5], [1.0]).fit(embeddings, responses)
    z = embeddings.rows(responses.stimulus, dtype=np.float64)
    unit = ((z - z.mean(axis=0)) ** 2).sum() / len(z)
    theirs = SklearnRidge(alpha=0.5 * unit).fit(z, responses.array(np.float64))
    predicted = model.predict(embeddings)
    assert np.allclose(predicted.array(), theirs.predict(embeddings.array()), atol=1e-4)
    assert predicted.positions.shape == (30, 3) and predicted.subject == "sub-01"


def test_the_matched_filter_is_the_textbook_formula():
    embeddings, responses = make()
    code = np.unique(responses.stimulus, return_inverse=True)[1]
    z = embeddings.array(np.float64)
    fitted = fit_forward(Trials(responses.array(np.float64), z, code, code), [1.0])
    x, m = fitted.standardise(fitted.trials.x), fitted.expected(1.0, z)
    inverse = inverse_of(fitted.rest, fitted.n_free)
    by_hand = x @ inverse @ m.T / np.sqrt(np.diag(m @ inverse @ m.T))
    assert np.allclose(matched_filter(x, m, fitted.noise(np.arange(30))), by_hand, atol=1e-8)


def inverse_of(rest, n_free):
    return shrunk_noise(rest, n_free).whiten(np.eye(rest.shape[1]))


@pytest.mark.parametrize("leave_out", ["stimulus", "run"])
def test_new_stimuli_are_identified_among_all(leave_out):
    embeddings, responses = make(signal=1.5)
    train, test = responses.select(NAMES[:12]), responses.select(NAMES[12:])
    model = ForwardRidge(leave_out=leave_out).fit(embeddings, train)
    scores = model.identify(test, embeddings)
    hits = NAMES[scores.argmax(axis=1)] == test.stimulus
    assert scores.shape == (12, 16) and hits.mean() > 0.5
    assert model.penalty_ in model.penalties and model.share_ in model.shares
    assert len(model.voxels_) == max(2, round(model.share_ * 30))


def test_shared_noise_is_taken_away():
    """With noise that voxels share, the covariance helps against independent noise."""
    embeddings, responses = make(signal=0.7)
    code = np.unique(responses.stimulus, return_inverse=True)[1]
    out = responses.run == "2"
    z, x = embeddings.array(np.float64), responses.array(np.float64)
    fitted = fit_forward(Trials(x[~out], z, code[~out], code[~out]), [0.3])
    voxels = np.arange(30)
    expected, test = fitted.expected(0.3, z), fitted.standardise(x[out])
    full = matched_filter(test, expected, fitted.noise(voxels)).argmax(axis=1) == code[out]
    alone = (test @ (expected / np.linalg.norm(expected, axis=1)[:, None]).T).argmax(axis=1)
    assert full.mean() > (alone == code[out]).mean() + 0.1


def test_a_new_candidate_is_not_favoured_for_being_new():
    """Noise is not called the one stimulus that training lacked more often than chance allows."""
    embeddings, responses = make()
    model = ForwardRidge([0.3], [1.0]).fit(embeddings, responses.select(NAMES[:15]))
    x = np.random.default_rng(1).normal(size=(400, 30)) * responses.array().std(axis=0)
    noise = Responses(x, ["?"] * 400, "sub-01", "fmri")
    chosen = model.identify(noise, embeddings).argmax(axis=1)
    assert (chosen == 15).mean() < 0.15


def test_nothing_is_identified_in_noise():
    embeddings, responses = make(signal=0.0)
    model = ForwardRidge().fit(embeddings, responses.select(NAMES[:12]))
    test = responses.select(NAMES[12:])
    scores = model.identify(test, embeddings)
    own = scores[np.arange(len(test)), np.searchsorted(NAMES, test.stimulus)]
    assert abs((scores < own[:, None]).mean() - 0.5) < 0.3


def test_constant_voxels_do_no_harm():
    embeddings, responses = make()
    values = responses.array().copy()
    values[:, 4] = 2.0
    model = ForwardRidge([0.3], [1.0]).fit(embeddings, responses.with_values(values))
    scores = model.identify(responses.with_values(values), embeddings)
    assert np.isfinite(scores).all()
    assert np.allclose(model.predict(embeddings).array()[:, 4], 2.0)


def test_what_cannot_be_learned_from_is_refused():
    embeddings, responses = make()
    once = responses.take(np.arange(16))
    with pytest.raises(ValueError, match="saw none of 16 training stimuli twice"):
        ForwardRidge().fit(embeddings, once)
    with pytest.raises(ValueError, match="make 2 groups by run; choosing a penalty needs three"):
        ForwardRidge(leave_out="run").fit(embeddings, responses.take(responses.run != "2"))
    with pytest.raises(ValueError, match="1 of 16 stimulus ids are not among the 15 embeddings"):
        ForwardRidge().fit(embeddings.select(NAMES[:15]), responses)
    broken = responses.array().copy()
    broken[2, 2] = np.nan
    with pytest.raises(ValueError, match="not finite in 1 of 48 trials"):
        ForwardRidge().fit(embeddings, responses.with_values(broken))
    volume = Responses(
        np.zeros((4, 2, 2)), list("aabb"), "s", "fmri", dims=("trial", "tr", "parcel")
    )
    with pytest.raises(ValueError, match=r"needs responses of dims \('trial', 'voxel'\)"):
        ForwardRidge().fit(embeddings, volume)


def test_another_person_is_refused():
    embeddings, responses = make()
    model = ForwardRidge([0.3], [1.0]).fit(embeddings, responses)
    other = Responses(responses.values, responses.stimulus, "sub-02", "fmri")
    with pytest.raises(ValueError, match=r"\('sub-02', 30\) but was fitted with \('sub-01', 30\)"):
        model.identify(other, embeddings)
