"""What every encoder gets from its base class: what it learned from, and files without pickle."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from neurodecode.data import Embeddings, Provenance, Responses, Split
from neurodecode.encoders import Ridge
from neurodecode.errors import CorruptFileError

RNG = np.random.default_rng(0)
IDS = np.array([f"s{i}" for i in range(12)])
SPLIT = Split(IDS[:8], IDS[8:9], IDS[9:])
TARGETS = Embeddings(RNG.normal(size=(12, 2)), IDS, "toy")


def person(name="sub-1", source="recorded"):
    values = RNG.normal(size=(12, 5))
    return Responses(values, IDS, name, "fmri", provenance=Provenance(source, f"toy/{name}"))


def test_a_subclass_that_fits_on_more_than_it_was_given_has_learned_from_it():
    class FitsOnTest(Ridge):
        def fit(self, responses, targets, split):
            whole = Split([*split.train, *split.test], split.validation, [])
            return super().fit(responses, targets, whole)

    one = person()
    assert FitsOnTest(device="cpu").fit(one, TARGETS, SPLIT).learned_from_.holds(one).all()


def test_fit_forgets_and_adapt_adds():
    first, second = person(), person("sub-2")
    ridge = Ridge(device="cpu").fit(first, TARGETS, SPLIT)
    ridge.adapt(second, TARGETS, SPLIT)
    assert set(ridge.learned_from_.recordings) == {"toy/sub-1", "toy/sub-2"}
    ridge.fit(second, TARGETS, SPLIT)
    assert set(ridge.learned_from_.recordings) == {"toy/sub-2"}


def test_a_fit_that_fails_leaves_no_knowledge():
    ridge, one = Ridge(device="cpu"), person()
    ridge.fit(one, TARGETS, SPLIT)
    with pytest.raises(ValueError, match="not finite"):
        ridge.fit(one.with_values(one.array() * np.nan), TARGETS, SPLIT)
    assert not hasattr(ridge, "learned_from_") and not hasattr(ridge, "_noting")


def test_a_model_saved_without_it_is_of_unknown_provenance(tmp_path):
    ridge = Ridge(device="cpu").fit(person(), TARGETS, SPLIT)
    ridge.save(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["learned_from.keys"]
    save_file(tensors, tmp_path / "model.safetensors")
    config = json.loads((tmp_path / "config.json").read_text())
    del config["learned_from"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    old = Ridge.load(tmp_path)
    assert not hasattr(old, "learned_from_")
    old.adapt(person("sub-2"), TARGETS, SPLIT)
    assert not hasattr(old, "learned_from_"), "adapt() does not make the past known"
    card = (old.save(tmp_path) / "README.md").read_text(encoding="utf-8")
    assert "| learned from | unknown recordings |" in card


def test_the_card_says_simulated(tmp_path):
    ridge = Ridge(device="cpu").fit(person(source="simulated"), TARGETS, SPLIT)
    card = (ridge.save(tmp_path) / "README.md").read_text(encoding="utf-8")
    assert "| data | simulated |" in card and "| learned from | 'toy/sub-1' |" in card


VALUES = (None, 5, -1, "x", [], {}, [1], {"a": 1}, 10**400)


def test_an_altered_model_is_one_clear_error_or_a_model(tmp_path):
    """Each part of config.json in turn; the rows of each tensor too."""
    Ridge(device="cpu").fit(person(), TARGETS, SPLIT).save(tmp_path)
    file, refused = tmp_path / "config.json", 0
    whole = json.loads(file.read_text())
    changed = [whole | {key: value} for key in whole for value in VALUES]
    for part in ("parameters", "facts", "learned_from"):
        changed += [whole | {part: whole[part] | {k: v}} for k in whole[part] for v in VALUES]
        changed += [whole | {part: {k: v for k, v in whole[part].items() if k != lost}}
                    for lost in whole[part]]  # fmt: skip
    for text in ["[1]", "null", "[" * 100_000, *map(json.dumps, changed)]:
        file.write_text(text)
        try:
            Ridge.load(tmp_path)
        except CorruptFileError as error:
            refused += 1
            assert str(tmp_path) in str(error)
    assert refused > len(changed) / 4


def test_a_layer_that_no_weights_are_stored_for_is_refused_before_memory_is_asked_for(tmp_path):
    class Wide(Ridge):
        def _restore(self, tensors, facts):
            torch.nn.Linear(10**6, 10**5)

    Wide(device="cpu").fit(person(), TARGETS, SPLIT).save(tmp_path)
    with pytest.raises(CorruptFileError) as told:
        Wide.load(tmp_path)
    stored = sum(one.nbytes for one in load_file(tmp_path / "model.safetensors").values())
    assert str(told.value) == (
        f"{tmp_path} holds a Wide whose config.json and model.safetensors do not fit: ValueError: "
        f"a layer of 100000000000 numbers is declared, but {stored} bytes of weights are stored. "
        f"It was altered, or written by another version; obtain it again."
    )
