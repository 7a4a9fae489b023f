"""The figures in the heads of experiments, written from results and checked against them.

    python -m benchmarks.heads OUT NAME        # after a run of experiments/NAME.py into OUT

keeps a summary of ``OUT/results.json`` in ``experiments/results/NAME.json`` and writes the lines
under *Measured* in the script's head. A test holds each head to its summary, so that no figure is
quoted by hand.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks._record import ROOT
from neurodecode.evidence import read_results
from neurodecode.store import write_json

SUMMARIES = ROOT / "experiments" / "results"
MARK = "Measured (``results/"
KEPT = ("seed", "git_commit", "seconds", "peak_rss_mb", "simulated", "recording", "test_looks")
OF_SCORE = ("value", "ci95", "chance", "n", "verdict", "over_best_control", "over_best_closed_form")


def summary_of(results: Mapping[str, Any]) -> dict[str, Any]:
    """What a head quotes of ``results.json``: scores, controls, claims, and how it was made."""
    protocols = {
        name: {
            "scores": {
                metric: {key: score.get(key) for key in OF_SCORE} | {"p": score["null"]["p"]}
                for metric, score in one["scores"].items()
            },
            "controls": one["controls"],
        }
        for name, one in results["protocols"].items()
    }
    claims = results.get("claims", [])
    return {
        **{key: results.get(key) for key in KEPT},
        "protocols": protocols,
        "claims": claims if isinstance(claims, list) else [],
    }


def block_of(name: str, summary: Mapping[str, Any]) -> str:
    """The lines of a head: each score with its interval, chance and verdict, and each claim.

    Examples
    --------
    >>> score = {"value": 0.5, "ci95": [0.4, 0.6], "chance": 0.1, "verdict": "shown"}
    >>> told = {"protocols": {"pooled": {"scores": {"top1": score}, "controls": {}}}}
    >>> print(block_of("toy", told | {"simulated": True}))
    Measured (``results/toy.json``, simulated):
        pooled top1: .500 [.400, .600], chance .100, shown
    """
    kind = "simulated" if summary.get("simulated") else "recorded"
    return "\n".join([f"{MARK}{name}.json``, {kind}):", *_lines(summary)])


def _lines(summary: Mapping[str, Any]) -> Iterator[str]:
    for protocol, one in summary["protocols"].items():
        for metric, score in one["scores"].items():
            low, high = (_short(end) for end in score["ci95"])
            chance = "" if score["chance"] is None else f", chance {_short(score['chance'])}"
            told = f"{_short(score['value'])} [{low}, {high}]{chance}, {score['verdict']}"
            yield f"    {protocol} {metric}: {told}"
    for claim in summary.get("claims", []):
        yield f"    {claim['verdict']}: {claim['claim']}"


def _short(value: float) -> str:
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.3f}")


def written(script: str, block: str) -> str:
    """A script's text with its block in place; a new one goes to the end of the docstring."""
    start = script.find(MARK)
    if start < 0:
        end = script.index('"""', 3)
        return f"{script[:end].rstrip()}\n\n{block}\n{script[end:]}"
    rest = re.search(r"\n(?! {4})", script[start:])
    assert rest is not None  # the docstring ends somewhere
    return script[:start] + block + script[start + rest.start() :]


def main(out: str, name: str) -> None:
    """Keep the summary and write the head."""
    script = ROOT / "experiments" / f"{name}.py"
    summary = summary_of(read_results(out))
    write_json(SUMMARIES / f"{name}.json", summary)
    text = script.read_text(encoding="utf-8")
    script.write_text(written(text, block_of(name, summary)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
