"""Calibrated ridge: what it is by hand, that it beats plain ridge, and what it refuses."""

import numpy as np
import pytest
import torch

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import CalibratedRidge, Ridge, TokenSizes, TokenTransformer
from neurodecode.metrics.retrieval import top_k
from neurodecode.training import Plan

N = 200
IDS = np.array([f"p{i:03d}" for i in range(N)])
SPLIT = Split(IDS[:140], [], IDS[140:])


def truth(seed=0):
    rng = np.random.default_rng(seed)
    return Embeddings((rng.normal(size=(N, 20)) * np.logspace(0, -1, 20) + 0.2), IDS, "toy")


def person(points, name="anna", n_voxels=60, noise=3.0, seed=1):
    rng = np.random.default_rng(seed)
    values = points.array() @ rng.normal(size=(20, n_voxels))
    values = values + noise * values.std() * rng.normal(size=values.shape)
    return Responses(values.astype(np.float32), IDS, name, "fmri")


def hits(predicted, points):
    return float(top_k(points.rows(predicted.stimulus), predicted.array(), 1).mean())


def test_it_is_the_token_transformer_before_its_first_step():
    points = truth()
    people = [person(points), person(points, "ben", 45, seed=2)]
    ridge = CalibratedRidge(device="cpu").fit(people, points, SPLIT)
    plan = Plan(max_epochs=1, device="cpu")
    deep = TokenTransformer(sizes=TokenSizes(width=8, n_heads=2), plan=plan, n_groups=1)
    deep.fit(people, points, SPLIT)
    deep._calibrate(  # what training changed is set back
        deep._fit_bridges([SPLIT.part(one, "train") for one in people], {"target": points},
                          deep._spaces), deep._spaces,
    )  # fmt: skip
    torch.nn.init.zeros_(deep.net_.heads[0].correct.weight)
    torch.nn.init.zeros_(deep.net_.heads[0].correct.bias)
    for one in people:
        test = SPLIT.part(one, "test")
        for what in ("predict", "expect"):
            got, wanted = (getattr(each, what)(test).array() for each in (ridge, deep))
            np.testing.assert_allclose(got, wanted, atol=2e-3)


def test_more_is_found_than_by_plain_ridge():
    """Noise enough that ridge shrinks: over ten draws the calibrated one finds more."""
    plain, calibrated = [], []
    for seed in range(10):
        points = truth(seed)
        one = person(points, noise=1.0, seed=seed + 50)
        test = SPLIT.part(one, "test")
        plain.append(hits(Ridge(device="cpu").fit(one, points, SPLIT).predict(test), points))
        fitted = CalibratedRidge(device="cpu").fit(one, points, SPLIT)
        calibrated.append(hits(fitted.predict(test), points))
    gain = np.array(calibrated) - np.array(plain)
    assert gain.mean() > 2 * gain.std(ddof=1) / np.sqrt(len(gain))


def test_what_is_expected_is_nearer_in_place_than_what_is_searched_with():
    points = truth()
    one = person(points)
    fitted, test = CalibratedRidge(device="cpu").fit(one, points, SPLIT), SPLIT.part(one, "test")
    wanted = points.rows(test.stimulus)
    expected, searched = (
        np.mean((what(test).array() - wanted) ** 2) for what in (fitted.expect, fitted.predict)
    )
    assert expected < searched
    assert expected < np.mean((wanted - points.rows(SPLIT.train).mean(0)) ** 2)


def test_no_signal_is_at_chance():
    points = truth()
    noise = person(points).with_values(np.random.default_rng(9).normal(size=(N, 60)))
    fitted = CalibratedRidge(device="cpu").fit(noise, points, SPLIT)
    assert hits(fitted.predict(SPLIT.part(noise, "test")), points) < 0.1


def test_a_scale_of_responses_does_not_matter():
    points = truth()
    one = person(points)
    huge = one.with_values(one.array() * 1e6)
    small = one.with_values(one.array(np.float64) * 1e-13)
    test = SPLIT.part(one, "test").stimulus
    first, *others = (
        CalibratedRidge(device="cpu").fit(each, points, SPLIT).predict(each.select(test)).array()
        for each in (one, huge, small)
    )
    for other in others:
        np.testing.assert_allclose(other, first, atol=1e-3)


def test_a_lazy_source_in_blocks_is_enough(tmp_path):
    points = truth()
    one = person(points)
    np.save(tmp_path / "x.npy", one.array())
    lazy = one.with_values(np.load(tmp_path / "x.npy", mmap_mode="r"))
    small = CalibratedRidge(device="cpu", dtype="float32", max_memory=70_000)
    whole = CalibratedRidge(device="cpu", dtype="float32")
    test = SPLIT.part(one, "test")
    np.testing.assert_allclose(
        small.fit(lazy, points, SPLIT).predict(test).array(),
        whole.fit(one, points, SPLIT).predict(test).array(),
        atol=1e-4,
    )


def test_several_heads():
    points = truth()
    heads = {"one": points, "two": Embeddings(points.array()[:, :6].reshape(N, 2, 3), IDS, "six")}
    fitted = CalibratedRidge(device="cpu").fit(person(points), heads, SPLIT)
    test = SPLIT.part(person(points), "test")
    assert fitted.predict(test, head="two").array().shape == (60, 2, 3)
    with pytest.raises(ValueError, match="no head 'three'"):
        fitted.predict(test, head="three")


def test_what_is_refused():
    points = truth()
    one = person(points)
    with pytest.raises(ValueError, match="penalties") as error:
        CalibratedRidge([0.0]).fit(one, points, SPLIT)
    assert str(error.value) == "penalties must be positive numbers; got [0.0]."
    with pytest.raises(ValueError, match="n_folds") as error:
        CalibratedRidge(n_folds=1).fit(one, points, SPLIT)
    assert str(error.value) == "n_folds must be 2 or more; got 1."
    with pytest.raises(ValueError, match="dtype") as error:
        CalibratedRidge(dtype="half").fit(one, points, SPLIT)
    assert str(error.value) == "dtype must be 'auto', 'float32' or 'float64'; got 'half'."
    with pytest.raises(ValueError, match="max_memory") as error:
        CalibratedRidge(device="cpu", max_memory=1000).fit(one, points, SPLIT)
    assert str(error.value) == (
        "Ridge of subject 'anna' on 140 trials x 60 features needs about 0.1 MB and max_memory "
        "allows 0.0 MB. Raise max_memory, use dtype='float32', or select fewer voxels or trials."
    )
    fitted = CalibratedRidge(device="cpu").fit(one, points, SPLIT)
    other = Embeddings(points.array()[:, :3], IDS, "other")
    with pytest.raises(ValueError, match="Give the same target space"):
        fitted.adapt(person(points, "ben"), other, SPLIT)
