"""Results for people: a table for the terminal and a paragraph for a paper's methods."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from neurodecode.evidence._verdict import Verdict

if TYPE_CHECKING:
    from rich.table import Table

LEARNED_FROM = {
    "known": "None of the trials that the encoder learned from, validation trials included, was "
    "among the test trials; this was checked trial by trial.",
    "given": "The encoder was fitted here and was given training and validation trials only; "
    "whether it had learned from others before is not known.",
    "unknown": "The encoder is of unknown provenance: which trials it learned from is not known.",
}
"""What may be said of an encoder's training trials, by what was checked."""


def scores_table(results: Mapping[str, Any]) -> Table:
    """All scores of ``results.json`` with interval, chance and null, one row each.

    Examples
    --------
    >>> scores_table({"experiment": "toy", "protocols": {}, "test_looks": 1}).row_count
    0
    """
    looks = results["test_looks"]
    table = _table(f"{results['experiment']} (look {looks} at this test part)", 2)
    for name in ("value", "95 % interval", "chance", "null p95", "p", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for protocol, content in results["protocols"].items():
        for metric, score in content["scores"].items():
            table.add_row(_text(protocol), _text(metric), *_cells(score))
    return table


def controls_table(results: Mapping[str, Any]) -> Table:
    """The same scores of every control, below those of the brain: one row a control.

    Examples
    --------
    >>> controls_table({"experiment": "toy", "protocols": {}, "test_looks": 1}).row_count
    0
    """
    metrics: dict[str, None] = {}
    for content in results["protocols"].values():
        metrics |= dict.fromkeys(content["scores"])
    table = _table("what gives the answer", 2)
    for name in metrics:
        table.add_column(_text(name), justify="right")
    for protocol, content in results["protocols"].items():
        decoded = {name: score["value"] for name, score in content["scores"].items()}
        for name, have in {"decoded": decoded, **content["controls"]}.items():
            cells = [have.get(metric) for metric in metrics]
            shown = ["" if one is None else _short(one) for one in cells]
            table.add_row(_text(protocol), _text(name), *shown)
    return table


def verdicts_table(results: Mapping[str, Any]) -> Table:
    """Is each score shown, and by how much does it exceed controls and closed forms?

    Differences are paired, item by item, and above 0 where the score is better. Results of
    earlier versions, without verdicts, give no row.

    Examples
    --------
    >>> verdicts_table({"experiment": "toy", "protocols": {}, "test_looks": 1}).row_count
    0
    """
    table = _table("what follows", 2)
    table.add_column("verdict", no_wrap=True)
    table.add_column("over the best control", overflow="fold")
    table.add_column("over the best closed form", overflow="fold")
    for protocol, metric, score in _judged(results):
        table.add_row(
            _text(protocol),
            _text(metric),
            score["verdict"],
            _text(_over(score, "best_control", "over_best_control")),
            _text(_over(score, "best_closed_form", "over_best_closed_form")),
        )
    return table


def verdict_lines(results: Mapping[str, Any]) -> list[str]:
    """A line for each score: its verdict, how it stands to the closed forms, and why.

    Examples
    --------
    >>> score = {"verdict": "shown", "beside_closed_form": "no better than plain ridge"}
    >>> verdict_lines({"protocols": {"pooled": {"scores": {"two_way": score}}}})
    ['pooled, two way: shown, but no better than plain ridge.']
    """
    lines = []
    for protocol, metric, score in _judged(results):
        verdict = Verdict(score["verdict"], (), score.get("beside_closed_form", ""))
        why = [] if score["verdict"] == "shown" else score.get("verdict_reasons", [])
        told = " ".join(why)
        lines.append(f"{_plain(protocol)}, {_plain(metric)}: {verdict}. {told}".strip())
    return lines


def scores_text(results: Mapping[str, Any], width: int = 160) -> str:
    """All tables as plain text, and why a score is not shown or suspect."""
    from rich.console import Console

    out = io.StringIO()
    console = Console(file=out, width=width, no_color=True, force_terminal=False)
    console.print(scores_table(results))
    told = (one for each in results["protocols"].values() for one in scopes(each["scores"]))
    for sentence in dict.fromkeys(told):
        console.print(sentence, markup=False)
    console.print(controls_table(results))
    if list(_judged(results)):
        console.print(verdicts_table(results))
        for line in verdict_lines(results):
            console.print(line, markup=False, highlight=False)
    return out.getvalue()


def _judged(results: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for protocol, content in results["protocols"].items():
        for metric, score in content["scores"].items():
            if "verdict" in score:
                yield protocol, metric, score


def _over(score: Mapping[str, Any], best: str, over: str) -> str:
    if not score.get(over):
        return "none"
    low, high = score[over]
    return f"{_signed(low)} to {_signed(high)} ({_plain(score[best])})"


def methods_paragraph(results: Mapping[str, Any]) -> str:
    """What a decoding report must state, from what was recorded; nothing is said that was not.

    Parameters
    ----------
    results : mapping
        The content of ``results.json``.

    Returns
    -------
    str

    Notes
    -----
    Source: COBIDAS (Nichols et al. 2017), appendix D.6 "multivariate modelling and predictive
    analysis": what was predicted, from which units, how training and test were kept apart, how
    parameters were chosen, the metric, its chance level, its uncertainty and its null.

    Examples
    --------
    >>> methods_paragraph({"experiment": "toy", "protocols": {}, "split": "by run", "seed": 0,
    ...     "test_looks": 2, "versions": {"neurodecode": "0.1"}}).split(". ")[0]
    'Data were split as follows: by run'
    """
    simulated = f"{simulated_sentence(results)} "
    protocols = " ".join(
        _protocol_sentences(name, content) for name, content in results["protocols"].items()
    )
    return " ".join(f"{simulated}{_split(results)} {protocols} {_closing(results)}".split())


def simulated_sentence(results: Mapping[str, Any]) -> str:
    """That recordings are simulated, or which of them are; empty where none is.

    Examples
    --------
    >>> simulated_sentence({"simulated": True, "sources": {"a": "simulated", "b": "recorded"}})
    '1 of 2 recordings is simulated: a.'
    """
    if not results.get("simulated"):
        return ""
    sources = results.get("sources", {})
    made = [name for name, source in sources.items() if source == "simulated"]
    if not made or len(made) == len(sources):
        return "The recordings are simulated."
    are = "is" if len(made) == 1 else "are"
    return f"{len(made)} of {len(sources)} recordings {are} simulated: {', '.join(made)}."


def _split(results: Mapping[str, Any]) -> str:
    split = results["split"]
    rules = split if isinstance(split, str) else "; ".join(f"{k}: {v}" for k, v in split.items())
    return (
        f"Data were split as follows: {rules}. The test part was opened by the evaluation, "
        f"{_times(results['test_looks'])} so far as counted on this machine."
    )


def _protocol_sentences(name: str, content: Mapping[str, Any]) -> str:
    words = [f"Protocol {_plain(name)}:"]
    for key, sentence in (
        ("subjects", "people: {}"),
        ("sessions", "sessions: {}"),
        ("units", "units: {}"),
        ("n_train", "training trials: {}"),
        ("n_test", "test items: {}"),
        ("class_of_a_trial", "class of a trial: its {}"),
        ("preprocess", "learned anew in each fold: {}"),
        ("encoder", "encoder: {}"),
        ("target", "target space: {}"),
        ("generator", "generator: {}"),
        ("n_samples", "samples per item: {}"),
        ("restandardised", "given the spread of true points before drawing: {}"),
        ("selection_rule", "selection among samples: {}"),
        ("repeats_averaged", "repeats: {}"),
        ("kept_apart", "kept apart between training and test: {}"),
        ("shared", "found on both sides: {}"),
    ):
        if content.get(key) not in (None, [], {}, ""):
            words.append(sentence.format(_value(content[key])) + ",")
    sentences = [" ".join(words).rstrip(",:") + "."]
    if content.get("learned_from") in LEARNED_FROM:
        sentences.append(LEARNED_FROM[content["learned_from"]])
    sentences += [_score_sentence(metric, one) for metric, one in content["scores"].items()]
    sentences += scopes(content["scores"])
    if content["controls"]:
        names = ", ".join(_plain(one) for one in content["controls"])
        sentences.append(f"The same scores were computed for these controls: {names}.")
    return " ".join(sentences)


def scopes(scores: Mapping[str, Any]) -> list[str]:
    """For whom the intervals hold and how they were made, a sentence each.

    Examples
    --------
    >>> scopes({"top1": {"scope": "other stimuli", "ci_method": "Wilson interval over stimuli"}})
    ['Intervals hold for other stimuli (top1: Wilson interval over stimuli).']
    """
    methods: dict[str, dict[str, list[str]]] = {}
    for metric, score in scores.items():
        if score.get("scope"):
            names = methods.setdefault(score["scope"], {})
            names.setdefault(score.get("ci_method", ""), []).append(_plain(metric))
    found = []
    for scope, of_scope in methods.items():
        how = "; ".join(f"{', '.join(names)}: {method}" for method, names in of_scope.items())
        found.append(f"Intervals hold for {scope} ({how}).")
    return found


def _score_sentence(metric: str, score: Mapping[str, Any]) -> str:
    low, high = score["ci95"]
    null = score["null"]
    chance = "" if score["chance"] is None else f", chance {_number(score['chance'])}"
    variant = f" ({score['variant']})" if score.get("variant") else ""
    how = f"{null['n']} arrangements ({null['kind']})" if "n" in null else "permutations"
    return (
        f"{_plain(metric)}{variant} was {_number(score['value'])} (95 % interval "
        f"{_number(low)} to {_number(high)}, n = {score['n']}{chance}; null of {how}: mean "
        f"{_number(null['mean'])}, 95th percentile {_number(null['p95'])}, one-sided "
        f"p = {_number(null['p'])}).{_verdict_sentence(score)}"
    )


def _verdict_sentence(score: Mapping[str, Any]) -> str:
    if "verdict" not in score:
        return ""
    return f" Verdict: {score['verdict']}. {' '.join(score.get('verdict_reasons', []))}".rstrip()


def _closing(results: Mapping[str, Any]) -> str:
    versions = ", ".join(
        f"{name} {version}" for name, version in results["versions"].items() if name != "platform"
    )
    commit = results.get("git_commit")
    at = f", commit {commit[:12]}" if commit else ""
    return f"Seed {results['seed']}. Software: {versions}{at}."


def _table(title: str, n_names: int) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for _ in range(n_names):
        table.add_column("", overflow="fold")
    return table


def _cells(score: Mapping[str, Any]) -> list[str]:
    low, high = score["ci95"]
    return [
        _short(score["value"]),
        f"{_short(low)} to {_short(high)}",
        "" if score["chance"] is None else _short(score["chance"]),
        _short(score["null"]["p95"]),
        _short(score["null"]["p"]),
        str(score["n"]),
    ]


def _short(value: float) -> str:
    return f"{value:.3f}" if value == 0 or abs(value) > 0.0005 else f"{value:.0e}"


def _signed(value: float) -> str:
    return f"{value:+.3f}"


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 0.1 else f"{value:.3f}"


def _times(looks: int) -> str:
    return "once" if looks == 1 else f"{looks} times"


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _text(name: str) -> str:
    """A name as it is: rich takes ``[small]`` for markup, and drops it."""
    from rich.markup import escape

    return escape(_plain(name))


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {one}" for key, one in value.items())
    return str(value)
