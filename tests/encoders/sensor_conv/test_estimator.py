"""SensorConv learns a planted signal, tells people apart and leaves what it should alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import SensorConv
from neurodecode.encoders.sensor_conv.estimator import SensorConvSize
from neurodecode.training import Plan

DIMS = ("trial", "channel", "time")
SMALL = SensorConvSize(n_virtual=8, hidden=12, n_out=24)
PLACES = np.random.default_rng(9).normal(size=(10, 3)) * 80
TARGETS = Embeddings(np.random.default_rng(8).normal(size=(440, 4)), range(440), "planted")
SPLIT = Split(range(10, 400), range(400, 440), range(10))


def person(subject: str, seed: int, noise: float = 0.3) -> Responses:
    """The target through a mixing matrix that all share, plus noise, as a bump in time."""
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(7).normal(size=(10, 4))
    stimulus = np.concatenate([np.tile(np.arange(10), 4), np.arange(10, 440)])
    bump = np.hanning(16)
    signal = np.einsum("cd,nd,t->nct", mixing, TARGETS.values[stimulus], bump)
    values = signal + noise * rng.normal(size=(len(stimulus), 10, 16))
    return Responses(values, stimulus, subject, "meg", dims=DIMS, positions=PLACES)


def encoder(**changes: object) -> SensorConv:
    plan = Plan(max_epochs=10, learning_rate=5e-3, weight_decay=0.0, device="cpu")
    settings = {"size": SMALL, "plan": plan, "batch_size": 40} | changes
    return SensorConv(**settings)


def top1(predicted: Embeddings) -> float:
    unit = predicted.values / np.linalg.norm(predicted.values, axis=1, keepdims=True)
    ids = np.array([str(i) for i in range(10)])
    true = TARGETS.rows(ids)
    nearest = ids[(unit @ (true / np.linalg.norm(true, axis=1, keepdims=True)).T).argmax(axis=1)]
    return float((nearest == predicted.stimulus).mean())


@pytest.fixture(scope="module")
def fitted() -> tuple[SensorConv, list[Responses]]:
    people = [person("a", 0), person("b", 1)]
    return encoder().fit(people, TARGETS, SPLIT), people


def test_unseen_stimuli_are_found_by_both_heads(fitted: tuple[SensorConv, list[Responses]]) -> None:
    model, people = fitted
    test = SPLIT.part(people[0], "test")
    assert top1(model.predict(test)) > 0.5
    assert top1(model.predict(test, head="regression")) > 0.5


def test_the_epoch_with_the_best_ranks_on_validation_is_kept(
    fitted: tuple[SensorConv, list[Responses]],
) -> None:
    """Not that with the smallest loss: recomputed here from predictions and their order."""
    model, people = fitted
    history = [row["validation_loss"] for row in model.history_.rows]
    assert model.history_.best_epoch == int(np.argmin(history))
    assert {"validation_weighted", "validation_contrastive"} <= set(model.history_.rows[0])
    shares = []
    for one in people:
        part = SPLIT.part(one, "validation")
        for head in ("retrieval", "regression"):
            found = model.predict(part, head=head).array()
            truth = TARGETS.rows(part.stimulus)
            unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (found, truth)]
            alike = unit[0] @ unit[1].T
            shares.append((alike > np.diag(alike)[:, None]).sum(axis=1).mean() / (len(part) - 1))
    assert min(history) == pytest.approx(np.mean(shares), abs=2e-3)


def test_noise_is_at_chance(fitted: tuple[SensorConv, list[Responses]]) -> None:
    test = SPLIT.part(fitted[1][0], "test")
    noise = np.random.default_rng(3).normal(size=test.values.shape)
    assert top1(fitted[0].predict(test.with_values(noise))) < 0.35


def test_regression_is_in_the_units_of_the_target(
    fitted: tuple[SensorConv, list[Responses]],
) -> None:
    test = SPLIT.part(fitted[1][1], "test")
    predicted = fitted[0].predict(test, head="regression").values
    true = TARGETS.rows(test.stimulus)
    assert ((predicted - true) ** 2).mean() < 0.7 * true.var()


def test_a_new_person_is_adapted_to_and_the_others_stay(
    fitted: tuple[SensorConv, list[Responses]],
) -> None:
    people = fitted[1]
    model = encoder().fit(people, TARGETS, SPLIT)
    before = model.predict(people[0]).values
    new = person("c", 2)
    with pytest.raises(
        ValueError, match=r"no layer for subject 'c'; it knows 'a', 'b'\. Call adapt"
    ):
        model.predict(new)
    model.adapt(new, TARGETS, SPLIT)
    assert top1(model.predict(SPLIT.part(new, "test"))) > 0.4
    np.testing.assert_allclose(model.predict(people[0]).values, before, atol=1e-5)


def test_without_a_person_layer_unseen_people_are_decoded() -> None:
    model = encoder(subject_layer=False).fit([person("a", 0), person("b", 1)], TARGETS, SPLIT)
    assert top1(model.predict(SPLIT.part(person("c", 2), "test"))) > 0.4


def test_the_weight_of_the_losses_is_chosen_on_validation() -> None:
    plan = Plan(max_epochs=4, learning_rate=5e-3, device="cpu")
    model = encoder(contrastive_weight=(0.25, 1.0), plan=plan).fit(person("a", 0), TARGETS, SPLIT)
    assert model.contrastive_weight_ in (0.25, 1.0)
    with pytest.raises(ValueError, match="has no validation trials to choose on"):
        model.fit(person("a", 0), TARGETS, Split(range(10, 440), [], range(10)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"positions": None}, "Sensors of subject 'a' have no positions"),
        ({"values": np.full((470, 10, 16), np.nan)}, "values that are not finite in 470 of"),
    ],
)
def test_bad_responses_are_refused(change: dict[str, object], message: str) -> None:
    from dataclasses import replace

    plan = Plan(max_epochs=1, device="cpu")
    split = Split(range(440), [], [])
    with pytest.raises(ValueError, match=message):
        encoder(plan=plan).fit(replace(person("a", 0), **change), TARGETS, split)


def test_people_that_differ_in_length_and_several_targets_are_refused() -> None:
    short = person("b", 1)
    short = short.with_values(short.values[:, :, :12])
    with pytest.raises(ValueError, match="People differ in samples a trial"):
        encoder().fit([person("a", 0), short], TARGETS, SPLIT)
    with pytest.raises(ValueError, match=r"takes one target space; got 2 \('x', 'y'\)"):
        encoder().fit(person("a", 0), {"x": TARGETS, "y": TARGETS}, SPLIT)


def test_saved_and_loaded_it_predicts_the_same(
    fitted: tuple[SensorConv, list[Responses]], tmp_path: object
) -> None:
    model, people = fitted
    again = SensorConv.load(model.save(tmp_path))
    assert isinstance(again.plan, Plan)
    assert torch.equal(
        torch.as_tensor(again.predict(people[1]).values),
        torch.as_tensor(model.predict(people[1]).values),
    )
