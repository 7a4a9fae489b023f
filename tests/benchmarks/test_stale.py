from __future__ import annotations

import json

import pytest

from benchmarks import _record, stale

SCRIPT = '''"""Head."""
from benchmarks._timed import now
from neurodecode.metrics.retrieval import top_k
x = 1  # a comment
'''


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A benchmark of its own, with the package beside it."""
    script = _record.ROOT / "benchmarks" / "_stale_test_script.py"
    script.write_text(SCRIPT)
    yield script
    script.unlink()


def _result(tmp_path, script):
    out = tmp_path / "x.json"
    _record.write_record(str(script), out, {"seconds": 1.0})
    return out


def test_fresh_result_is_not_stale(bench, tmp_path):
    assert stale.why_stale(_result(tmp_path, bench)) is None


def test_comments_and_docstrings_do_not_count(bench, tmp_path):
    out = _result(tmp_path, bench)
    bench.write_text(SCRIPT.replace("Head.", "Another head.").replace("# a comment", ""))
    assert stale.why_stale(out) is None


def test_changed_code_counts(bench, tmp_path):
    out = _result(tmp_path, bench)
    bench.write_text(SCRIPT.replace("x = 1", "x = 2"))
    assert "has changed since" in stale.why_stale(out)


def test_imports_are_followed_through_lazy_packages(bench):
    reached = {file.name for file in _record._reached(bench)}
    assert {"_timed.py", "retrieval.py"} <= reached
    bench.write_text("from neurodecode.encoders import Ridge\n")
    reached = {file.as_posix() for file in _record._reached(bench)}
    assert any(one.endswith("encoders/ridge/estimator.py") for one in reached)


def test_changed_models_count(bench, tmp_path):
    out = _result(tmp_path, bench)
    told = json.loads(out.read_text())
    told["made_by"]["models"] = "other"
    out.write_text(json.dumps(told))
    assert "the shipped models have changed since" in stale.why_stale(out)


def test_result_without_a_maker_is_stale(tmp_path):
    (tmp_path / "x.json").write_text("{}")
    assert stale.why_stale(tmp_path / "x.json") == "does not say what it was made by"
