"""Heads of experiments quote what their results say, and nothing else."""

from __future__ import annotations

import json

import pytest

from benchmarks import heads

SUMMARIES = sorted(heads.SUMMARIES.glob("*.json"))


@pytest.mark.parametrize("file", SUMMARIES, ids=lambda file: file.stem)
def test_head_says_what_its_results_say(file):
    script = heads.ROOT / "experiments" / f"{file.stem}.py"
    summary = json.loads(file.read_text(encoding="utf-8"))
    assert heads.block_of(file.stem, summary) in script.read_text(encoding="utf-8")


def test_a_changed_figure_is_seen():
    text = '"""Head.\n"""\n'
    score = {"value": 0.5, "ci95": [0.4, 0.6], "chance": None, "verdict": "shown"}
    summary = {"protocols": {"p": {"scores": {"m": score}, "controls": {}}}, "simulated": False}
    head = heads.written(text, heads.block_of("x", summary))
    assert heads.block_of("x", summary) in head
    summary["protocols"]["p"]["scores"]["m"] = score | {"value": 0.501}
    assert heads.block_of("x", summary) not in head
    again = heads.written(head, heads.block_of("x", summary))
    assert again.count(heads.MARK) == 1
    assert again.endswith('"""\n')


def test_every_script_that_names_results_has_them():
    for script in (heads.ROOT / "experiments").glob("*.py"):
        if heads.MARK in script.read_text(encoding="utf-8"):
            assert (heads.SUMMARIES / f"{script.stem}.json").is_file(), script.name
