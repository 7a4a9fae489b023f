"""``results.json``: its one shape, written whole and checked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from neurodecode.data import listing
from neurodecode.errors import CorruptFileError
from neurodecode.evidence._rank import is_first_process
from neurodecode.evidence._run import Run
from neurodecode.evidence._scores import ProtocolResult
from neurodecode.evidence._verdict import WORDS, many_looks
from neurodecode.store import write_json

RESULTS = "results.json"
TOP = ("experiment", "protocols", "split", "test_looks", "seed", "versions", "seconds",
       "peak_rss_mb")  # fmt: skip
SCORE = ("value", "ci95", "chance", "null", "n")
NULL = ("mean", "p95", "p")


def write_results(
    folder: str | Path,
    experiment: str,
    protocols: Iterable[ProtocolResult],
    run: Run,
    extra: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Write ``results.json`` into a folder, after checking it.

    Parameters
    ----------
    folder : path
    experiment : str
    protocols : iterable of ProtocolResult
    run : Run
    extra : mapping, optional
        Further facts at the top level. Whether recordings are simulated is known from them.

    Returns
    -------
    dict
        What was written.

    Raises
    ------
    ValueError
        If the content is not of the shape that `check_results` wants, or if ``extra`` denies that
        a recording is simulated.

    Notes
    -----
    Of several processes of one run (torchrun) the first alone writes.

    Examples
    --------
    >>> import tempfile
    >>> with Run() as run:
    ...     pass
    >>> results = write_results(tempfile.mkdtemp(), "toy", [ProtocolResult("none", {})], run)
    >>> results["protocols"]
    {'none': {'scores': {}, 'controls': {}}}
    """
    told = dict(extra or {})
    if run.simulated and not told.get("simulated", True):
        names = [one for one, source in run.sources.items() if source == "simulated"]
        raise ValueError(
            f"extra says that nothing is simulated, but {listing(names or ['what was shown'])} is. "
            f"Leave 'simulated' out: it is known from the recordings."
        )
    results = {
        "experiment": experiment,
        "protocols": {one.name: _with_looks(one, run).as_json() for one in protocols},
        **run.as_json(),
        **told,
    }
    check_results(results)
    if is_first_process():
        write_json(Path(folder) / RESULTS, results)
    return results


def _with_looks(protocol: ProtocolResult, run: Run) -> ProtocolResult:
    """A test part that was opened before makes scores suspect, whoever computed them."""
    looks = many_looks(run.test_looks.get(protocol.name, 1))
    scores = {}
    for name, score in protocol.scores.items():
        known = {one.name for one in score.suspicions}
        new = [one for one in looks if one.name not in known]
        scores[name] = replace(score, suspicions=(*score.suspicions, *new))
    return replace(protocol, scores=scores)


def read_results(folder: str | Path) -> dict[str, Any]:
    """Read and check the ``results.json`` of a folder.

    Raises
    ------
    FileNotFoundError
        If there is none.
    CorruptFileError
        If it is no JSON or not of the right shape.
    """
    file = Path(folder) / RESULTS
    if not file.is_file():
        raise FileNotFoundError(
            f"There is no {file}. Give the folder that an experiment or the demo wrote."
        )
    try:
        results = json.loads(file.read_text(encoding="utf-8"))
        check_results(results)
    except (ValueError, RecursionError) as error:
        raise CorruptFileError(f"{file} is not a file of results: {error}") from error
    return dict(results)


def check_results(results: Any) -> None:
    """Refuse what is not of the shape of ``results.json``; further keys are welcome.

    Raises
    ------
    ValueError
        Naming the place, what was expected there and what stands there.

    Examples
    --------
    >>> check_results({"experiment": "toy"})
    Traceback (most recent call last):
    ValueError: results lacks 'protocols', 'split', 'test_looks', ... and 4 more.
    """
    _keys("results", results, TOP)
    _expect("experiment", results["experiment"], isinstance(results["experiment"], str), "a name")
    split = results["split"]
    _expect("split", split, isinstance(split, str | Mapping), "a rule, or one for each protocol")
    _expect("test_looks", results["test_looks"], _count(results["test_looks"]), "a number of looks")
    _number("seconds", results["seconds"])
    if results["peak_rss_mb"] is not None:
        _number("peak_rss_mb", results["peak_rss_mb"])
    _mapping("versions", results["versions"])
    _mapping("sources", results.get("sources", {}))
    _mapping("protocols", results["protocols"])
    for name, protocol in results["protocols"].items():
        place = f"protocols.{name}"
        _keys(place, protocol, ("scores", "controls"))
        _mapping(f"{place}.scores", protocol["scores"])
        _mapping(f"{place}.controls", protocol["controls"])
        for metric, score in protocol["scores"].items():
            _check_score(f"{place}.scores.{metric}", score)
        for control, values in protocol["controls"].items():
            _mapping(f"{place}.controls.{control}", values)
            for metric, value in values.items():
                _number(f"{place}.controls.{control}.{metric}", value)


def _check_score(place: str, score: Any) -> None:
    _keys(place, score, SCORE)
    _number(f"{place}.value", score["value"])
    _check_ends(f"{place}.ci95", score["ci95"])
    if score["chance"] is not None:
        _number(f"{place}.chance", score["chance"])
    _keys(f"{place}.null", score["null"], NULL)
    for name in NULL:
        _number(f"{place}.null.{name}", score["null"][name])
    p = score["null"]["p"]
    _expect(f"{place}.null.p", p, 0 < p <= 1, "a p-value above 0 and up to 1")
    _expect(f"{place}.n", score["n"], _count(score["n"]) and score["n"] > 0, "a number of items")
    if "verdict" in score:  # files of earlier versions have none
        word = score["verdict"]
        _expect(f"{place}.verdict", word, word in WORDS, "'shown', 'not shown' or 'suspect'")
    for what in ("best_control", "best_closed_form"):
        if score.get(f"over_{what}") is not None:
            _check_ends(f"{place}.over_{what}", score[f"over_{what}"])
            _text(f"{place}.{what}", score.get(what))
    for name in ("beside_closed_form", "scope", "ci_method"):
        _text(f"{place}.{name}", score.get(name, ""))
    reasons = score.get("verdict_reasons", [])
    _expect(f"{place}.verdict_reasons", reasons, isinstance(reasons, list | tuple), "sentences")
    for reason in reasons:
        _text(f"{place}.verdict_reasons", reason)


def _check_ends(place: str, ends: Any) -> None:
    good = isinstance(ends, list | tuple) and len(ends) == 2 and all(map(_finite, ends))
    _expect(place, ends, good and ends[0] <= ends[1], "[low, high]")


def _keys(place: str, content: Any, wanted: Iterable[str]) -> None:
    _mapping(place, content)
    missing = [name for name in wanted if name not in content]
    if missing:
        shown = ", ".join(f"'{name}'" for name in missing[:3])
        more = f", ... and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise ValueError(f"{place} lacks {shown}{more}.")


def _text(place: str, content: Any) -> None:
    _expect(place, content, isinstance(content, str), "a text")


def _mapping(place: str, content: Any) -> None:
    _expect(place, content, isinstance(content, Mapping), "an object with named entries")


def _number(place: str, value: Any) -> None:
    _expect(place, value, _finite(value), "a finite number")


def _finite(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # compared, since integers of JSON may be too large for a float
    return is_number and -sys.float_info.max <= value <= sys.float_info.max


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _expect(place: str, value: Any, good: bool, wanted: str) -> None:
    if not good:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        raise ValueError(f"{place} must be {wanted}; got {shown}.")
