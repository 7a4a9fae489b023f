"""Every trained encoder goes on after a kill as if nothing had been, and never with another run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neurodecode.data import Embeddings, Responses, Split
from neurodecode.training import _checkpoint, _loop
from tests.encoders.contract import SPLIT
from tests.encoders.trained import PLAN, Trained, small_t5, trained

NAMES = list(trained(Path()))
SINGLE = [name for name in NAMES if name != "SensorConv, weight chosen"]


class Killed(BaseException):
    """What a kill does, without the process."""


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Trained]:
    return trained(small_t5(tmp_path_factory.mktemp("t5")))


@pytest.fixture(autouse=True)
def _each_epoch_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_checkpoint.Writer, "due", lambda self, last: self.path is not None)


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``kill(True)`` stops training after its first epoch was written; ``kill(False)`` no more."""
    finish = _loop._Run._end_epoch
    on = {"now": False}

    def end(self: Any, *rest: Any) -> None:
        finish(self, *rest)
        if on["now"]:
            raise Killed

    monkeypatch.setattr(_loop._Run, "_end_epoch", end)
    yield lambda now: on.update(now=now)


def tensors(encoder: Any) -> dict[str, torch.Tensor]:
    return {name: one.detach().clone() for name, one in encoder._state()[0].items()}


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def fit(case: Trained, folder: Path | None, plan: Any = PLAN, **changes: Any) -> Any:
    given = {"people": case.people()[:2], "targets": case.targets(), "split": SPLIT} | changes
    encoder = case.make(plan=plan, folder=None if folder is None else str(folder))
    return encoder.fit(given["people"], given["targets"], given["split"])


@pytest.mark.parametrize("name", NAMES)
def test_a_killed_fit_goes_on_to_the_same_weights(name, cases, tmp_path, kill):
    case = cases[name]
    whole = fit(case, None)
    kill(True)
    with pytest.raises(Killed):
        fit(case, tmp_path)
    kill(False)
    steps = []
    work = _loop.Worker.__call__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_loop.Worker, "__call__", lambda *given: steps.append(1) or work(*given))
        resumed = fit(case, tmp_path)
    assert equal(tensors(resumed), tensors(whole))
    assert resumed.history_.rows == whole.history_.rows
    assert not hasattr(resumed, "_given") and resumed.learned_from_.keys.size
    n_epochs = 2 if name in SINGLE else 5  # of three, the first was done; twice where two are tried
    assert len(steps) == n_epochs * (len(steps) // n_epochs) > 0


@pytest.mark.parametrize("name", SINGLE)
def test_each_writes_a_table_and_tensorboard_files(name, cases, tmp_path):
    pytest.importorskip("tensorboard")
    fit(cases[name], tmp_path)
    lines = (tmp_path / "metrics.csv").read_text().splitlines()
    assert len(lines) == 1 + PLAN.max_epochs and "train_loss" in lines[0]
    assert list((tmp_path / "tensorboard").iterdir())


def changed(people: list[Responses]) -> list[Responses]:
    """One training value of the second person is another."""
    values = people[1].array().copy()
    values[int(np.flatnonzero(SPLIT.mask(people[1], "train"))[0])].reshape(-1)[0] += 1
    return [people[0], people[1].with_values(values)]


def other_test_part(people: list[Responses]) -> list[Responses]:
    values = people[0].array().copy()
    values[SPLIT.mask(people[0], "test")] += 1
    return [people[0].with_values(values), people[1]]


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_of_another_run_is_refused_with_what_differs(name, cases, tmp_path):
    case = cases[name]
    fit(case, tmp_path, replace(PLAN, max_epochs=1))
    plan = replace(PLAN, max_epochs=1)
    moved = Split([*SPLIT.train, SPLIT.test[0]], SPLIT.validation, SPLIT.test[1:])
    for changes, differs in (
        ({"people": changed(case.people()[:2])}, "data of subject 'sub-02'"),
        ({"split": moved}, "data of subject 'sub-01'; data of subject 'sub-02'"),
        ({"people": case.people()[:1]}, "people: sub-01, sub-02, now sub-01"),
    ):
        with pytest.raises(ValueError, match="was written by another run") as caught:
            fit(case, tmp_path, plan, **changes)
        assert differs in str(caught.value).split("What differs: ")[1]
    assert "split" in str(_refused(case, tmp_path, plan, split=moved))
    if case.targets() is not None:
        other = replace(case.targets(), values=case.targets().values + 1)
        assert "What differs: targets 'target'. Give another folder, or delete the file" in str(
            _refused(case, tmp_path, plan, targets=other)
        )


def _refused(case: Trained, folder: Path, plan: Any, **changes: Any) -> ValueError:
    with pytest.raises(ValueError, match="was written by another run") as caught:
        fit(case, folder, plan, **changes)
    return caught.value


@pytest.mark.parametrize("name", SINGLE)
def test_another_parameter_is_named_with_both_values(name, cases, tmp_path):
    case, plan = cases[name], replace(PLAN, max_epochs=1)
    fit(case, tmp_path, plan)
    encoder = case.make(plan=plan, folder=str(tmp_path))
    before = encoder.batch_size
    encoder.set_params(batch_size=7)
    with pytest.raises(ValueError, match=f"parameter batch_size: {before}, now 7"):
        encoder.fit(case.people()[:2], case.targets(), SPLIT)
    with pytest.raises(ValueError, match="What differs: seed: 0, now 3"):
        case.make(plan=plan, folder=str(tmp_path)).set_params(seed=3).fit(
            case.people()[:2], case.targets(), SPLIT
        )


@pytest.mark.parametrize("name", SINGLE)
def test_what_is_tested_does_not_belong_to_a_run(name, cases, tmp_path):
    case, plan = cases[name], replace(PLAN, max_epochs=1)
    first = fit(case, tmp_path, plan)
    again = fit(case, tmp_path, plan, people=other_test_part(case.people()[:2]))
    assert equal(tensors(first), tensors(again))


@pytest.mark.parametrize("name", SINGLE)
def test_adapt_has_folders_of_its_own(name, cases, tmp_path, kill):
    case = cases[name]
    if case.adapts_by_training is None:
        pytest.skip("adapt() trains nothing")
    person, more = case.people()[2], case.adapts_by_training
    one, alone = fit(case, tmp_path), fit(case, None)
    before = (tmp_path / "checkpoint.pt").read_bytes()
    alone.adapt(person, case.targets(), SPLIT, **more)
    kill(True)
    with pytest.raises(Killed):
        one.adapt(person, case.targets(), SPLIT, **more)
    kill(False)
    two = fit(case, tmp_path).adapt(person, case.targets(), SPLIT, **more)
    assert equal(tensors(two), tensors(alone))
    assert (tmp_path / "checkpoint.pt").read_bytes() == before
    other = person.with_values(person.array() * 1.5)
    other_fit = fit(case, None).adapt(other, case.targets(), SPLIT, **more)
    three = fit(case, tmp_path).adapt(other, case.targets(), SPLIT, **more)
    assert equal(tensors(three), tensors(other_fit))
    places = sorted(path.name for path in tmp_path.glob("adapt-*"))
    assert len(places) == 2 and all(one.startswith("adapt-sub-03-") for one in places)


def test_saved_models_do_not_name_the_folder(cases, tmp_path):
    encoder = fit(cases["MindBridge"], tmp_path / "run")
    loaded = type(encoder).load(encoder.save(tmp_path / "model"))
    assert loaded.folder is None
    assert str(tmp_path) not in (tmp_path / "model" / "config.json").read_text()
    assert isinstance(cases["MindBridge"].targets(), Embeddings)
