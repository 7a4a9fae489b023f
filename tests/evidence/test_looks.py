from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

from neurodecode import store
from neurodecode.data import LeaveOneOut, Responses, Split
from neurodecode.errors import CorruptFileError
from neurodecode.evidence import TestLooks, data_fingerprint, look_key


@pytest.fixture
def responses():
    values = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    return Responses(values, list("abcabc"), "s1", "fmri", run=list("111222"))


def test_looks_are_counted_apart_and_remembered(tmp_path):
    assert [TestLooks(tmp_path).add("one") for _ in range(3)] == [1, 2, 3]
    assert TestLooks(tmp_path).add("other", "note") == 1
    assert TestLooks(tmp_path).count("one") == 3
    assert TestLooks(tmp_path).count("never") == 0


def test_the_state_folder_is_named_by_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_STATE", str(tmp_path / "state"))
    TestLooks().add("one")
    [file] = (tmp_path / "state" / "test_looks").glob("*.json")
    ledger = json.loads(file.read_text())
    assert (ledger["key"], ledger["looks"]) == ("one", 1)


def test_the_results_folder_keeps_the_count_when_the_state_is_lost(tmp_path):
    looks = TestLooks(tmp_path / "a", mirror=tmp_path / "results")
    assert [looks.add("one"), looks.add("one")] == [1, 2]
    elsewhere = TestLooks(tmp_path / "b", mirror=tmp_path / "results")
    assert elsewhere.count("one") == 2
    assert elsewhere.add("one") == 3
    assert [file.name for file in (tmp_path / "results").iterdir()] == ["test_looks.json"]


def add_some(folder, mirror, times):
    return [TestLooks(folder, mirror).add("one") for _ in range(times)]


def test_looks_of_several_processes_are_all_counted(tmp_path):
    folders = [tmp_path / "state", tmp_path / "results"]
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        counts = list(pool.map(add_some, *([one] * 3 for one in folders), [8] * 3))
    assert sorted(one for some in counts for one in some) == list(range(1, 25))
    assert json.loads((tmp_path / "results" / "test_looks.json").read_text()) == {"one": 24}


def test_a_broken_ledger_is_one_clear_error(tmp_path):
    TestLooks(tmp_path).add("one")
    [file] = (tmp_path / "test_looks").glob("*.json")
    file.write_text("{")
    with pytest.raises(CorruptFileError, match="should hold the number of looks at a test part"):
        TestLooks(tmp_path).add("one")


def test_a_state_folder_that_cant_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="in the environment variable NEURODECODE_STATE"):
        TestLooks(tmp_path / "file").add("one")


def test_the_key_knows_data_and_split(responses):
    split = Split(["1"], [], ["2"], by="run")
    same = look_key([responses], [Split(["1"], [], ["2"], by="run", rule="other words")])
    assert look_key(responses, split) == same
    assert look_key(responses, Split(["2"], [], ["1"], by="run")) != same
    other = Responses(responses.array() + 1, responses.stimulus, "s1", "fmri", run=responses.run)
    assert look_key(other, split) != same


def test_what_was_done_to_the_values_or_the_training_part_is_no_new_test_part(responses):
    split = Split(["1"], [], ["2"], by="run")
    key = look_key(responses, split)
    scaled = responses.with_values(responses.array()[:, ::-1] * 3)
    assert look_key(scaled, split) == look_key(scaled, Split([], ["1"], ["2"], by="run")) == key
    helper = Responses(np.eye(2), ["a", "b"], "s2", "fmri", run=["1", "1"])
    assert look_key([helper, responses], split) == key


def test_of_several_processes_of_one_run_the_first_counts(tmp_path, monkeypatch):
    for rank in ("1", "0", "2", "1"):
        monkeypatch.setenv("RANK", rank)
        assert TestLooks(tmp_path).add("one") == 1
    assert TestLooks(tmp_path).count("one") == 1


def test_folds_together_are_one_key(responses):
    folds = list(LeaveOneOut("run").split(responses))
    assert look_key(responses, folds) == look_key(responses, folds[::-1])
    assert look_key(responses, folds) != look_key(responses, folds[0])


def test_the_fingerprint_is_the_same_from_a_file(responses, tmp_path):
    stored = store.load(store.save(tmp_path / "a.h5", responses))
    assert data_fingerprint(stored) == data_fingerprint(responses)


@pytest.mark.parametrize(
    "content",
    [
        '{"looks": null}', '{"looks": "x"}', '{"looks": -3}', '{"looks": true}',
        '{"looks": 1, "history": null}', '{"looks": 1, "history": ["x"]}', "[1]", '{"one": 1.5}',
        '{"once": null}', '{"once": {"one": null}}', '{"once": {"one": 5}}',
    ],
)  # fmt: skip
def test_a_count_that_is_none_does_not_pass_for_fewer_looks(tmp_path, content):
    looks = TestLooks(tmp_path / "state", tmp_path / "results", once="study")
    looks.add("one")
    [state] = (tmp_path / "state" / "test_looks").glob("*.json")
    for file in (state, tmp_path / "results" / "test_looks.json"):
        whole = file.read_text()
        file.write_text(content)
        with pytest.raises(CorruptFileError, match="should hold the number of looks") as told:
            looks.add("one")
        assert str(file) in str(told.value)
        file.write_text(whole)
    assert looks.add("one") == 1
