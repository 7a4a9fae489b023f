"""The contract of encoders, as checks that run over every one of them.

To add an encoder, add one `Case` to ``CASES`` in ``test_contract.py``: a name, a factory with tiny
sizes (a fit should take about a second), and what kind of recording it takes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders import category_targets
from neurodecode.evidence import noise_responses
from neurodecode.pipeline._folds import Fold
from neurodecode.pipeline._suspicions import encoder_suspicions

N_STIMULI, N_REPEATS, N_DIMS = 24, 2, 6
IDS = np.array([f"picture-{i:02d}" for i in range(N_STIMULI)])
SPLIT = Split(IDS[:16], IDS[16:19], IDS[19:], rule="the last five")


def _latent() -> np.ndarray:
    return np.random.default_rng(99).normal(size=(N_STIMULI, N_DIMS)).astype(np.float32)


def _trials(rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(np.repeat(np.arange(N_STIMULI), N_REPEATS))


def voxel_people(sizes: Sequence[int] = (14, 20, 17)) -> list[Responses]:
    """Simulated fMRI: people with different voxel counts and places."""
    people = []
    for i, n_voxels in enumerate(sizes):
        rng = np.random.default_rng(i)
        shown = _trials(rng)
        values = _latent()[shown] @ rng.normal(size=(N_DIMS, n_voxels))
        values += rng.normal(size=values.shape)
        people.append(
            Responses(
                values.astype(np.float32),
                IDS[shown],
                f"sub-{i + 1:02d}",
                "fmri",
                run=np.arange(len(shown)) // 8,
                positions=rng.uniform(-40, 40, size=(n_voxels, 3)),
            )
        )
    return people


def sensor_people(
    n_people: int = 3,
    n_channels: int = 9,
    n_times: int = 20,
    modality: Any = "meg",
    alike: bool = False,
) -> list[Responses]:
    """Simulated MEG or EEG: channels by time points; ``alike``: one brain, other noise."""
    people = []
    places = np.random.default_rng(5).normal(size=(n_channels, 3))
    places *= 90 / np.linalg.norm(places, axis=1, keepdims=True)
    for i in range(n_people):
        rng = np.random.default_rng(10 + i)
        shown = _trials(rng)
        brain = np.random.default_rng(7) if alike else rng
        course = np.einsum(
            "nd,dct->nct", _latent()[shown], brain.normal(size=(N_DIMS, n_channels, 1))
        )
        values = course * np.hanning(n_times) + rng.normal(size=(len(shown), n_channels, n_times))
        people.append(
            Responses(
                values.astype(np.float32),
                IDS[shown],
                f"sub-{i + 1:02d}",
                modality,
                dims=("trial", "channel", "time"),
                run=np.arange(len(shown)) // 8,
                sfreq=100.0,
                times=np.arange(n_times) / 100.0,
                positions=places,
                units=[f"channel-{c}" for c in range(n_channels)],
            )
        )
    return people


def flat_targets() -> Embeddings:
    """A row of numbers a stimulus, test stimuli included."""
    return Embeddings(_latent(), IDS, "toy")


def category_row() -> Embeddings:
    """Two categories, by the sign of what responses carry."""
    lit = np.where(_latent()[:, 0] > 0, "lit", "dark")
    return category_targets(dict(zip(IDS.tolist(), lit.tolist(), strict=True)))


@dataclass(frozen=True)
class Case:
    """One encoder, and what it can be given.

    Parameters
    ----------
    name : str
    make : callable
        A new encoder with tiny sizes; must use the CPU.
    people : callable
        Three people: two to fit, the last to adapt to.
    targets : callable
        Embeddings, or a mapping of heads.
    zero_shot : bool
        Predicts for a person it never saw.
    any_size : bool
        Takes any number of voxels or channels of a person it knows.
    one_person : bool
        ``fit`` takes one person only.
    tolerance : float
        Of predictions that should be equal.
    """

    name: str
    make: Callable[[], Any]
    people: Callable[[], list[Responses]] = voxel_people
    targets: Callable[[], Any] = flat_targets
    zero_shot: bool = False
    any_size: bool = False
    one_person: bool = False
    tolerance: float = 1e-6

    def fitted_people(self) -> list[Responses]:
        """Those that ``fit`` gets."""
        return self.people()[: 1 if self.one_person else 2]

    def fit(self) -> Any:
        """A new encoder, fitted."""
        return self.make().fit(self.fitted_people(), self.targets(), SPLIT)

    def close(self, one: Embeddings, other: Embeddings) -> bool:
        """Are the predictions the same?"""
        return np.allclose(one.array(), other.array(), atol=self.tolerance, rtol=self.tolerance)


def check_predicts_one_row_a_trial(case: Case) -> None:
    encoder, targets = case.fit(), _heads(case)
    first = next(iter(targets.values()))
    for person in case.fitted_people():
        predicted = encoder.predict(person)
        assert predicted.stimulus.tolist() == person.stimulus.tolist()
        assert predicted.array().shape == (len(person), *first.row_shape)
        assert predicted.space == first.space
        assert np.isfinite(predicted.array()).all()
        few = encoder.predict(person.take([5, 2]))
        assert np.allclose(few.array(), predicted.array()[[5, 2]], atol=1e-4)


def check_parameters_are_stored_and_cloned(case: Case) -> None:
    encoder = case.make()
    assert not [name for name in vars(encoder) if name.endswith("_")], "learned before fit"
    copy = clone(encoder)
    assert repr(copy.get_params()) == repr(encoder.get_params())
    fitted = copy.fit(case.fitted_people(), case.targets(), SPLIT)
    assert fitted is copy
    assert repr(copy.get_params()) == repr(encoder.get_params())


def check_fit_twice_means_the_last(case: Case) -> None:
    people, targets = case.fitted_people(), case.targets()
    other = [one.with_values(one.array()[::-1].copy()) for one in people]
    twice = case.make().fit(other, targets, SPLIT).fit(people, targets, SPLIT)
    assert case.close(twice.predict(people[0]), case.fit().predict(people[0]))


def check_inputs_stay_as_they_are(case: Case) -> None:
    people, targets = case.people(), case.targets()
    before = [one.array().copy() for one in people]
    heads = [one.array().copy() for one in _heads(case, targets).values()]
    fitted = people[: 1 if case.one_person else 2]
    encoder = case.make().fit(fitted, targets, SPLIT)
    encoder.predict(people[0])
    encoder.adapt(people[-1], targets, SPLIT)
    assert all(np.array_equal(one.array(), was) for one, was in zip(people, before, strict=True))
    after = [one.array() for one in _heads(case, targets).values()]
    assert all(np.array_equal(one, was) for one, was in zip(after, heads, strict=True))


def check_loads_as_it_was_saved(case: Case) -> None:
    encoder, people = case.fit(), case.fitted_people()
    with tempfile.TemporaryDirectory() as folder:
        loaded = type(encoder).load(encoder.save(folder))
    for person in people:
        assert case.close(loaded.predict(person), encoder.predict(person))
    assert repr(clone(loaded).get_params()) == repr(loaded.get_params())


def check_test_part_is_not_used(case: Case) -> None:
    """Other responses to test stimuli, and other targets of them, change nothing."""
    people, targets = case.fitted_people(), _heads(case)
    rng = np.random.default_rng(3)
    altered = []
    for one in people:
        values = one.array().copy()
        values[SPLIT.mask(one, "test")] = 50 * rng.normal(size=values.shape[1:]) + 20
        altered.append(one.with_values(values))
    seen = [*SPLIT.train.tolist(), *SPLIT.validation.tolist()]
    without = {name: one.select(seen) for name, one in targets.items()}
    given = without if isinstance(case.targets(), dict) else next(iter(without.values()))
    other = case.make().fit(altered, given, SPLIT)
    assert case.close(other.predict(people[0]), case.fit().predict(people[0]))


def check_same_seed_gives_the_same(case: Case) -> None:
    person = case.fitted_people()[0]
    np.random.seed(1)  # noqa: NPY002 (a global state that must not matter)
    first = case.fit().predict(person)
    np.random.seed(2)  # noqa: NPY002
    assert case.close(first, case.fit().predict(person))


def check_something_is_learned(case: Case) -> None:
    """Responses and targets share a signal: training trials are predicted better than shuffled."""
    person, target = case.fitted_people()[0], next(iter(_heads(case).values()))
    train = SPLIT.part(person, "train")
    predicted = case.fit().predict(train).array().reshape(len(train), -1)
    truth = target.rows(train.stimulus).reshape(len(train), -1)
    truth = truth - truth.mean(axis=0)
    predicted = predicted - predicted.mean(axis=0)
    hit = np.sum(truth * predicted)
    order = np.random.default_rng(0)
    null = [np.sum(truth[order.permutation(len(truth))] * predicted) for _ in range(200)]
    assert hit > np.quantile(null, 0.95)


def check_not_a_number_is_refused(case: Case) -> None:
    people = case.fitted_people()
    values = people[0].array().copy()
    row = int(np.flatnonzero(SPLIT.mask(people[0], "train"))[0])
    values[row].reshape(-1)[1] = np.nan
    broken = people[0].with_values(values)
    with pytest.raises(ValueError, match="not finite"):
        case.make().fit([broken, *people[1:]], case.targets(), SPLIT)
    with pytest.raises(ValueError, match="not finite"):
        case.fit().predict(broken)


def check_a_missing_target_is_refused(case: Case) -> None:
    gone = str(SPLIT.train[3])
    keep = [one for one in IDS.tolist() if one != gone]
    heads = {name: one.select(keep) for name, one in _heads(case).items()}
    given = heads if isinstance(case.targets(), dict) else next(iter(heads.values()))
    with pytest.raises(ValueError, match=gone):
        case.make().fit(case.fitted_people(), given, SPLIT)


def check_an_unknown_person_is_refused(case: Case) -> None:
    stranger = replace(case.people()[-1], subject="sub-99")
    encoder = case.fit()
    if case.zero_shot:
        assert np.isfinite(encoder.predict(stranger).array()).all()
        return
    with pytest.raises(ValueError, match="sub-99"):
        encoder.predict(stranger)


def check_another_number_of_units_is_refused(case: Case) -> None:
    encoder, person = case.fit(), case.fitted_people()[0]
    fewer: dict[str, Any] = {"positions": None, "units": None}
    if person.positions is not None:
        fewer["positions"] = person.positions[:-2]
    if person.units is not None:
        fewer["units"] = person.units[:-2]
    axis = person.unit_axis
    assert axis is not None
    cut = np.delete(person.array(), [-2, -1], axis=axis)
    smaller = person.with_values(cut, **fewer)
    if case.any_size:
        assert np.isfinite(encoder.predict(smaller).array()).all()
        return
    with pytest.raises(ValueError, match=person.subject):
        encoder.predict(smaller)


def check_a_person_given_twice_is_refused(case: Case) -> None:
    person = case.people()[0]
    with pytest.raises(ValueError, match=r"stand more than once|one person"):
        case.make().fit([person, person], case.targets(), SPLIT)


def check_no_training_trials_is_refused(case: Case) -> None:
    nothing = Split(["never-shown"], [], SPLIT.test, rule="nothing to learn from")
    with pytest.raises(ValueError, match="train"):
        case.make().fit(case.fitted_people(), case.targets(), nothing)


def check_adapt_adds_a_person(case: Case) -> None:
    encoder, people = case.fit(), case.people()
    before = encoder.predict(people[0])
    assert encoder.adapt(people[-1], case.targets(), SPLIT) is encoder
    assert case.close(encoder.predict(people[0]), before), "adapt() changed another person"
    predicted = encoder.predict(people[-1])
    assert predicted.stimulus.tolist() == people[-1].stimulus.tolist()
    assert np.isfinite(predicted.array()).all()


def check_knows_what_it_learned_from(case: Case) -> None:
    """Training and validation trials, saved with the model, and those that adapt() was given."""
    encoder, people = case.fit(), case.people()
    n_fitted = 1 if case.one_person else 2
    for i, one in enumerate(people):
        seen = ~SPLIT.mask(one, "test") if i < n_fitted else np.zeros(len(one), bool)
        assert np.array_equal(encoder.learned_from_.holds(one), seen)
    with tempfile.TemporaryDirectory() as folder:
        card = (encoder.save(folder) / "README.md").read_text(encoding="utf-8")
        loaded = type(encoder).load(folder)
    assert np.array_equal(loaded.learned_from_.keys, encoder.learned_from_.keys)
    assert people[0].provenance.recording in loaded.learned_from_.recordings
    assert people[0].provenance.recording in card and "| data | unknown |" in card
    loaded.adapt(people[-1], case.targets(), SPLIT)
    for one in (people[0], people[-1]):
        assert np.array_equal(loaded.learned_from_.holds(one), ~SPLIT.mask(one, "test"))


def check_answers_by_the_values_alone(case: Case) -> None:
    """Not by ids, the trial table, the order or the company of the test trials: an honest one."""
    encoder = case.fit()
    fold = Fold(SPLIT, encoder, case.fitted_people(), "predictions")
    assert encoder_suspicions(fold, list(_heads(case))) == []
    test = fold.tests()[0]
    noise = noise_responses(test, fold.train(test.subject), seed=1)
    for head, rows in _predictions(encoder, case, noise).items():
        assert not case.close(rows, _predictions(encoder, case, test)[head])


def _predictions(encoder: Any, case: Case, trials: Responses) -> dict[str, Embeddings]:
    heads = _heads(case)
    return {one: encoder.predict(trials, None if len(heads) == 1 else one) for one in heads}


def _heads(case: Case, targets: Any = None) -> dict[str, Embeddings]:
    given = case.targets() if targets is None else targets
    return {"target": given} if isinstance(given, Embeddings) else dict(given)


CHECKS: tuple[Callable[[Case], None], ...] = (
    check_predicts_one_row_a_trial,
    check_parameters_are_stored_and_cloned,
    check_fit_twice_means_the_last,
    check_inputs_stay_as_they_are,
    check_loads_as_it_was_saved,
    check_test_part_is_not_used,
    check_same_seed_gives_the_same,
    check_something_is_learned,
    check_not_a_number_is_refused,
    check_a_missing_target_is_refused,
    check_an_unknown_person_is_refused,
    check_another_number_of_units_is_refused,
    check_a_person_given_twice_is_refused,
    check_no_training_trials_is_refused,
    check_adapt_adds_a_person,
    check_knows_what_it_learned_from,
    check_answers_by_the_values_alone,
)
