from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from neurodecode.data import Embeddings, Provenance, Responses, Split
from neurodecode.errors import CorruptFileError
from neurodecode.evidence import (
    ProtocolResult,
    Run,
    Score,
    TestLooks,
    check_results,
    read_results,
    write_results,
)
from neurodecode.statistics import Interval, Null


@pytest.fixture
def responses():
    told = Provenance("simulated", "toy/s1")
    return Responses(np.eye(4), list("abcd"), "s1", "fmri", provenance=told)


@pytest.fixture
def protocol():
    score = Score(0.5, Interval(0.4, 0.6), None, Null(np.array([0.1, 0.2])), 4)
    return ProtocolResult("within", {"top1": score}, {"noise": {"top1": 0.1}})


@pytest.fixture
def written(tmp_path, responses, protocol):
    with Run(seed=7, looks=TestLooks(tmp_path / "state")) as run:
        run.look("within", responses, Split(["a", "b"], ["c"], ["d"], rule="by hand"))
    write_results(tmp_path / "out", "toy", [protocol], run, {"signal": 1})
    return tmp_path / "out"


def test_the_file_has_the_shape_that_others_read(written):
    results = json.loads((written / "results.json").read_text())
    assert {
        "experiment", "protocols", "split", "test_looks", "seed", "versions", "seconds",
        "peak_rss_mb",
    } <= set(results)  # fmt: skip
    score = results["protocols"]["within"]["scores"]["top1"]
    assert score["value"] == 0.5
    assert score["ci95"] == [0.4, 0.6]
    assert score["chance"] is None
    assert score["n"] == 4
    assert (score["null"]["mean"], score["null"]["p95"], score["null"]["p"]) == (
        pytest.approx(0.15),
        pytest.approx(0.195),
        pytest.approx(1 / 3),
    )
    assert results["protocols"]["within"]["controls"] == {"noise": {"top1": 0.1}}
    assert results["split"] == {
        "within": "by hand; stimulus kept apart (2 train, 1 validation, 1 test stimulus ids)"
    }
    assert (results["test_looks"], results["seed"], results["simulated"]) == (1, 7, True)
    assert list(results["data"]) == ["s1"]
    assert (results["recording"], results["sources"]) == (["toy/s1"], {"toy/s1": "simulated"})


def test_reading_gives_what_was_written(written):
    assert read_results(written)["experiment"] == "toy"


def test_nobody_can_deny_that_a_recording_is_simulated(tmp_path, responses, protocol):
    run = Run(looks=TestLooks(tmp_path))
    run.use(responses)
    with pytest.raises(ValueError) as caught:
        write_results(tmp_path, "toy", [protocol], run, {"simulated": False})
    assert str(caught.value) == (
        "extra says that nothing is simulated, but 'toy/s1' is. Leave 'simulated' out: it is known "
        "from the recordings."
    )
    assert not (tmp_path / "results.json").exists()


@pytest.mark.parametrize(
    ("sources", "shown", "simulated"),
    [
        (["recorded"], "unknown", False),
        (["unknown"], "unknown", False),
        (["recorded", "simulated"], "unknown", True),
        (["unknown"], "simulated", True),
        (["recorded"], "simulated", False),  # people can be shown drawn scenes
        ([], "simulated", True),
    ],
)
def test_simulated_follows_from_recordings_and_what_was_shown(sources, shown, simulated):
    run = Run()
    for name in sources:
        told = Provenance(name, f"toy/{name}")
        run.use(Responses(np.eye(4), list("abcd"), name, "fmri", provenance=told))
    run.use(Embeddings(np.eye(2), ["a", "b"], "toy", shown))
    assert run.as_json()["simulated"] is simulated


def test_of_several_processes_the_first_writes(tmp_path, protocol, monkeypatch):
    monkeypatch.setenv("RANK", "1")
    with Run() as run:
        assert write_results(tmp_path, "toy", [protocol], run)["experiment"] == "toy"
    assert not list(tmp_path.iterdir())


def test_every_evaluation_adds_a_look(tmp_path, responses):
    split = Split(["a", "b"], [], ["c", "d"])
    for want in (1, 2):
        run = Run(looks=TestLooks(tmp_path))
        assert run.look("x", responses, split) == want
    assert run.as_json()["test_looks"] == 2


def put(results, path, value):
    changed = copy.deepcopy(results)
    place = changed
    for key in path[:-1]:
        place = place[key]
    if value is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


SCORE = ("protocols", "within", "scores", "top1")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("seed",), KeyError, r"results lacks 'seed'\."),
        (("experiment",), 3, r"experiment must be a name; got 3\."),
        (("test_looks",), -1, r"test_looks must be a number of looks; got -1\."),
        (("protocols",), [], r"protocols must be an object with named entries; got \[\]\."),
        (("protocols", "within", "controls"), KeyError, r"protocols\.within lacks 'controls'\."),
        ((*SCORE, "null"), KeyError, r"protocols\.within\.scores\.top1 lacks 'null'\."),
        ((*SCORE, "ci95"), [0.6, 0.4], r"ci95 must be \[low, high\]; got \[0\.6, 0\.4\]\."),
        ((*SCORE, "value"), float("nan"), r"top1\.value must be a finite number; got nan\."),
        ((*SCORE, "value"), True, r"top1\.value must be a finite number; got True\."),
        ((*SCORE, "n"), 0, r"top1\.n must be a number of items; got 0\."),
        ((*SCORE, "null", "p"), 0.0, r"null\.p must be a p-value above 0 and up to 1; got 0\.0\."),
        (
            ("protocols", "within", "controls", "noise", "top1"),
            "high",
            r"controls\.noise\.top1 must be a finite number; got 'high'\.",
        ),
    ],
)
def test_what_is_wrong_is_named(written, path, value, message):
    results = read_results(written)
    check_results(results)
    with pytest.raises(ValueError, match=message):
        check_results(put(results, path, value))


def test_nothing_is_written_if_it_is_wrong(tmp_path, protocol):
    bad = ProtocolResult("within", protocol.scores, {"noise": {"top1": float("inf")}})
    with pytest.raises(ValueError, match="must be a finite number; got inf"):
        write_results(tmp_path, "toy", [bad], Run(looks=TestLooks(tmp_path)))
    assert not (tmp_path / "results.json").exists()


def test_broken_and_absent_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no .*results\.json"):
        read_results(tmp_path)
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(CorruptFileError, match=r"results\.json is not a file of results"):
        read_results(tmp_path)


def test_numbers_too_large_for_a_float_are_named(written):
    results = read_results(written)
    results["seconds"] = 10**400
    with pytest.raises(ValueError, match=r"seconds must be a finite number; got 1000"):
        check_results(results)
    results = read_results(written)
    results["split"] = None
    with pytest.raises(ValueError, match="split must be a rule, or one for each protocol; got No"):
        check_results(results)
