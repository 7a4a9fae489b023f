"""Are intervals and p-values what they say? Thousands of simulated studies of every design.

    python -m benchmarks.calibration --out benchmarks/results/calibration.json

For each design (`_studies.py`): 1,500 studies without a signal and 500 each with a weak, a middling
and a strong one. Counted: how often p <= .05 where nothing is there (a nominal 5 %), how often 95 %
intervals hold the true score, how often p <= .05 where something is there.

Cost: about 20 minutes on 2 cores. Expected: false positives .03 to .065 (fewer for hits, which come
in steps), coverage .93 to .97; see ``docs/statistics.md``.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from jsonargparse import auto_cli

from benchmarks._record import write_record
from benchmarks._studies import DESIGNS
from neurodecode.evidence import git_commit, score_table

SIGNALS = {"none": 0.0, "weak": 0.25, "middling": 0.5, "strong": 1.2}


def one_study(design: str, signal: str, seed: int) -> list[dict[str, Any]]:
    """Scores of one simulated study, one a metric."""
    rng = np.random.default_rng([seed, *map(ord, design + signal)])
    rows = []
    for study in DESIGNS[design](rng, SIGNALS[signal]):
        score = score_table(
            study.table,
            study.column,
            study.items,
            chance=study.chance,
            n_permutations=199,
            seed=seed,
        )
        rows.append(
            {
                "metric": study.metric,
                "value": score.value,
                "low": score.ci95.low,
                "high": score.ci95.high,
                "p": score.p,
                "truth": study.truth,
            }
        )
    return rows


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Coverage, share of small p-values, mean value and mean width of one metric."""
    value, low, high, p = (
        np.array([one[key] for one in rows]) for key in ("value", "low", "high", "p")
    )
    truth = [one["truth"] for one in rows]
    true = np.full(len(rows), value.mean()) if None in truth else np.array(truth, dtype=float)
    return {
        "n": len(rows),
        "value": round(float(value.mean()), 4),
        "truth": round(float(true.mean()), 4),
        "width": round(float((high - low).mean()), 4),
        "coverage": round(float(((low <= true) & (true <= high)).mean()), 4),
        "p_05": round(float((p <= 0.05).mean()), 4),
    }


def calibrate(
    design: str, n_null: int, n_signal: int, n_jobs: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Signal and metric to what was counted."""
    found = {}
    for signal in SIGNALS:
        count = n_null if signal == "none" else n_signal
        studies = Parallel(n_jobs=n_jobs)(
            delayed(one_study)(design, signal, seed) for seed in range(count)
        )
        by_metric: dict[str, list[dict[str, Any]]] = {}
        for row in (row for study in studies for row in study):
            by_metric.setdefault(row["metric"], []).append(row)
        found[signal] = {name: summary(rows) for name, rows in by_metric.items()}
        for name, told in found[signal].items():
            print(f"{design:16} {signal:9} {name:12} {told}", flush=True)
    return found


def markdown(designs: dict[str, Any]) -> str:
    """The table of ``docs/statistics.md``: false positives, and coverage by strength of signal."""
    signals = list(SIGNALS)
    lines = [
        "| design | score | p <= .05 without signal | "
        + " | ".join(f"held, {one}" for one in signals)
        + " |",
        f"| {' | '.join(['---'] * (3 + len(signals)))} |",
    ]
    for design, counted in designs.items():
        for metric, none in counted["none"].items():
            held = [
                f"{counted[one][metric]['coverage']:.3f}" if one in counted else ""
                for one in signals
            ]
            lines.append(f"| {design} | {metric} | {none['p_05']:.3f} | {' | '.join(held)} |")
    return "\n".join(lines)


def main(
    out: Path | None = None,
    designs: list[str] | None = None,
    n_null: int = 1500,
    n_signal: int = 500,
    n_jobs: int = 2,
) -> None:
    """Simulate, count, print and write.

    Parameters
    ----------
    out : path, optional
        JSON; designs that are not asked for keep what the file says of them.
    designs : list of str, optional
    n_null, n_signal : int
        Studies without a signal, and with each of three.
    n_jobs : int
    """
    known = {}
    if out is not None and out.is_file():
        known = json.loads(out.read_text(encoding="utf-8"))["designs"]
    for design in designs or list(DESIGNS):
        known[design] = calibrate(design, n_null, n_signal, n_jobs)
        if out is not None:  # each design as soon as it is counted
            write_record(__file__, out, {"commit": git_commit(), "designs": known})
    print(markdown(known))


if __name__ == "__main__":
    auto_cli(main)
