"""The numbers of ``results.json`` as rows of tables and marks of small charts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

CONTROL_NOTES = {
    "noise": "the same generator, fed with noise in place of the brain",
    "shuffle": "the same generator, fed with the brain's response to another stimulus",
    "permut": "the same generator, fed with the brain's response to another stimulus",
    "constant": "the one answer that is best when nothing is known of the brain",
    "mean": "the mean of the training part, as the answer to everything",
    "majority": "the most frequent class of the training trials",
    "nearest": "the training stimulus nearest to the prediction",
    "clock": "told when the stimulus was shown, and nothing of the brain",
    "shifted": "the brain's answers, shifted in time against what was shown",
    "run": "told the run of the trial, and nothing of the brain",
    "prior": "classes drawn as often as the training trials have them",
    "ceiling": "the same generator, fed with the true embedding: the best it can do",
    "ridge": "plain ridge in place of the encoder",
    "length": "as long as the truth, and nothing else known",
    "corpus": "another text of the same corpus",
}
VERDICTS = ("shown", "not shown", "suspect")


@dataclass(frozen=True)
class Axis:
    """Maps values to percent of a chart's width."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Place of a value, 2 to 98 percent.

        Examples
        --------
        >>> Axis(0.0, 1.0).at(0.5)
        50.0
        """
        share = (value - self.low) / (self.high - self.low)
        return round(2 + 96 * min(1.0, max(0.0, share)), 2)


@dataclass(frozen=True)
class Judgement:
    """What follows from one score, in words for the page.

    Parameters
    ----------
    word : str
        ``'shown'``, ``'not shown'`` or ``'suspect'``.
    closed_form : str
        How it stands to the best closed form; may be empty.
    over_control, over_closed_form : str
        Paired intervals with the name of what they are over; may be empty.
    reasons : tuple of str
        Sentences.
    """

    word: str
    closed_form: str
    over_control: str
    over_closed_form: str
    reasons: tuple[str, ...]

    @property
    def style(self) -> str:
        """Its CSS class."""
        return self.word.replace(" ", "-")


@dataclass(frozen=True)
class Row:
    """One metric of one protocol: the score and what it is to be read against."""

    metric: str
    score: Mapping[str, float | None]
    controls: Mapping[str, float]
    axis: Axis
    lower_is_better: bool = False
    judgement: Judgement | None = None

    @property
    def label(self) -> str:
        """The metric's name for people."""
        return label(self.metric)

    @property
    def summary(self) -> str:
        """The chart in words, for those who do not see it."""
        parts = [f"{self.label}: {number(self.score['value'])}"]
        if self.score["low"] is not None and self.score["high"] is not None:
            parts.append(f"interval {number(self.score['low'])} to {number(self.score['high'])}")
        if self.judgement is not None:
            parts.append(f"verdict {self.judgement.word}")
        parts.append(f"chance {number(self.score['chance'])}")
        parts += [f"{label(name)} {number(value)}" for name, value in self.controls.items()]
        return ", ".join(parts)


def label(name: str) -> str:
    """A metric's or control's name for people.

    Examples
    --------
    >>> label("identification_two_way"), label("retrieval_top1"), label("PixCorr")
    ('identification two-way', 'retrieval top-1', 'PixCorr')
    """
    words = name.replace("_", " ")
    words = re.sub(r"\btop ?(\d+)\b", r"top-\1", words)
    words = words.replace("two way", "two-way").replace("two vs two", "two-vs-two")
    return re.sub(r"\b(fmri|meg|eeg|clip|ssim|bleu|wer)\b", lambda found: found[0].upper(), words)


def control_note(name: str) -> str:
    """What a control is, by its name; empty for a name that says it itself.

    Examples
    --------
    >>> control_note("noise")
    'the same generator, fed with noise in place of the brain'
    """
    plain = name.lower()
    return next((note for word, note in CONTROL_NOTES.items() if word in plain), "")


def number(value: Any, digits: int = 3) -> str:
    """A number for a table; a dash where there is none.

    Examples
    --------
    >>> number(0.5), number(12), number(None), number(1234.5)
    ('0.500', '12', '-', '1,234.5')
    """
    value = finite(value)
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.{1 if abs(value) >= 100 else digits}f}"


def p_value(value: Any) -> str:
    r"""A p value for a table.

    Examples
    --------
    >>> p_value(0.0002), p_value(0.000999), p_value(0.04)
    ('<\u20090.001', '0.001', '0.040')
    """
    plain = finite(value)
    return "<\u20090.001" if plain is not None and plain < 0.0005 else number(plain)


def finite(value: Any) -> float | None:
    """A finite number, or None for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if math.isfinite(value) else None


def rows(protocol: Mapping[str, Any]) -> list[Row]:
    """The metrics of one protocol, in the order of the file."""
    controls = protocol.get("controls") or {}
    made = []
    for metric, score in (protocol.get("scores") or {}).items():
        beside = {
            name: value
            for name, values in controls.items()
            if isinstance(values, Mapping) and (value := _plain(values.get(metric))) is not None
        }
        flat = _flatten(score)
        axis = _axis([*flat.values_on_axis(), *beside.values()])
        lower = isinstance(score, Mapping) and score.get("higher_is_better") is False
        made.append(Row(metric, flat, beside, axis, lower, judgement(score)))
    return made


def judgement(score: Any) -> Judgement | None:
    """The verdict of a score of ``results.json``; None where an earlier version wrote none.

    Examples
    --------
    >>> judgement({"verdict": "shown", "over_best_control": [0.1, 0.2], "best_control": "mean"})
    Judgement(word='shown', closed_form='', over_control='+0.100 to +0.200 over mean', \
over_closed_form='', reasons=())
    """
    if not isinstance(score, Mapping) or score.get("verdict") not in VERDICTS:
        return None
    return Judgement(
        score["verdict"],
        str(score.get("beside_closed_form") or ""),
        _over(score, "control"),
        _over(score, "closed_form"),
        tuple(str(one) for one in score.get("verdict_reasons") or ()),
    )


def _over(score: Mapping[str, Any], what: str) -> str:
    ends = score.get(f"over_best_{what}")
    if not ends:
        return ""
    name = label(str(score.get(f"best_{what}") or "the best"))
    return f"{ends[0]:+.3f} to {ends[1]:+.3f} over {name}"


class _Flat(dict[str, "float | None"]):
    def values_on_axis(self) -> list[float]:
        names = ("value", "low", "high", "chance", "null_mean", "null_p95")
        return [value for name in names if (value := self[name]) is not None]


def _flatten(score: Any) -> _Flat:
    plain = score if isinstance(score, Mapping) else {"value": score}
    interval = plain.get("ci95") or (None, None)
    null = plain.get("null") or {}
    return _Flat(
        value=finite(plain.get("value")),
        low=finite(interval[0]),
        high=finite(interval[1]),
        chance=finite(plain.get("chance")),
        null_mean=finite(null.get("mean")),
        null_p95=finite(null.get("p95")),
        p=finite(null.get("p")),
        n=finite(plain.get("n")),
    )


def _plain(value: Any) -> float | None:
    return finite(value.get("value")) if isinstance(value, Mapping) else finite(value)


def _axis(values: Iterable[float]) -> Axis:
    known = list(values) or [0.0]
    if min(known) >= 0 and max(known) <= 1:
        return Axis(0.0, 1.0)
    low, high = min(0.0, *known), max(0.0, *known)
    edge = 0.05 * (high - low or 1.0)
    return Axis(low - edge if low < 0 else 0.0, high + edge)
