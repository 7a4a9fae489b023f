"""A short form of ``benchmarks/calibration.py``: enough studies that a wrong spread is seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import calibration

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
N = 150


def test_a_study_of_each_design_is_scored():
    for design in calibration.DESIGNS:
        rows = calibration.one_study(design, "middling", 0)
        assert all(row["low"] <= row["value"] <= row["high"] for row in rows)
        assert all(0 < row["p"] <= 1 for row in rows)


def test_what_is_counted_is_what_it_says():
    rows = [
        {"value": 0.5, "low": 0.4, "high": 0.6, "p": 0.01, "truth": 0.45},
        {"value": 0.7, "low": 0.6, "high": 0.8, "p": 0.20, "truth": 0.55},
    ]
    got = calibration.summary(rows)
    assert (got["coverage"], got["p_05"], got["value"], got["truth"]) == (0.5, 0.5, 0.6, 0.5)
    alike = calibration.summary([row | {"truth": None} for row in rows])
    assert alike["truth"] == 0.6  # people drawn anew: the mean of all studies
    assert alike["coverage"] == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("design", ["four folds", "four people", "repeats in runs", "film"])
def test_false_alarms_and_coverage_are_near_what_is_said(design):
    studies = [calibration.one_study(design, "none", seed) for seed in range(N)]
    for metric in {row["metric"] for row in studies[0]}:
        rows = [row for study in studies for row in study if row["metric"] == metric]
        got = calibration.summary(rows)
        # 99.9 % of binomials with .05 and .95 pass; twice the variance (folds) does not
        assert got["p_05"] <= 0.12
        assert got["coverage"] >= 0.89


def test_the_page_holds_the_table_of_the_results():
    results = json.loads((BENCHMARKS / "results" / "calibration.json").read_text(encoding="utf-8"))
    page = (BENCHMARKS.parent / "docs" / "statistics.md").read_text(encoding="utf-8")
    assert calibration.markdown(results["designs"]) in page
    assert set(results["designs"]) <= set(calibration.DESIGNS)
