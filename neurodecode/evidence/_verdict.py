"""A verdict, not a table: is a score *shown*, *not shown* or *suspect*, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurodecode.statistics import Interval

Word = Literal["shown", "not shown", "suspect"]
WORDS: tuple[Word, ...] = ("shown", "not shown", "suspect")
ALPHA = 0.05
ABOVE_CHANCE = 0.002
"""A control counts as above chance from here: many are looked at, and each may be lucky."""
KNOWS_NO_BRAIN = (
    "noise", "shuffled", "constant", "mean", "majority", "prior", "clock", "shifted", "run_mean",
    "place_in_run",
)  # fmt: skip
"""Controls that a score must exceed, every one of them."""
MAY_EXCEED_CHANCE = ("clock", "shifted", "run_mean", "place_in_run")
"""Controls that are told when a trial was: above chance they are a bar, not a fault."""

Values: TypeAlias = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Suspicion:
    """Something that makes a score less believable, by name.

    Parameters
    ----------
    name : str
        In two to five words, such as ``'reads stimulus ids'``.
    sentence : str
        What was seen.
    weak : bool
        Makes a score that would be shown suspect, but does not speak against one that is not
        shown: a second look, an encoder of unknown provenance.

    Examples
    --------
    >>> str(Suspicion("ignores its input", "Noise gives the same predictions."))
    'ignores its input: Noise gives the same predictions.'
    """

    name: str
    sentence: str
    weak: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {self.sentence}"


@dataclass(frozen=True)
class Verdict:
    """What a reader may conclude from one score.

    Parameters
    ----------
    word : {'shown', 'not shown', 'suspect'}
    reasons : tuple of str
        Sentences, the weightiest first.
    closed_form : str
        How it stands to the best closed-form decoder, in a few words; empty where there is none.

    Examples
    --------
    >>> print(Verdict("shown", ("p = 0.001.",), "no better than plain ridge"))
    shown, but no better than plain ridge
    """

    word: Word
    reasons: tuple[str, ...] = ()
    closed_form: str = ""

    def __str__(self) -> str:
        if not self.closed_form:
            return self.word
        joint = (
            ", but" if self.word == "shown" and not self.closed_form.startswith("better") else ","
        )
        return f"{self.word}{joint} {self.closed_form}"


@dataclass(frozen=True)
class Comparison:
    """One score against the best of those that stand beside it, item by item.

    Differences are turned so that above 0 is better, also where a lower score is better.

    Parameters
    ----------
    best_control : str
        The control without a brain with the best mean.
    gain : float
        Mean difference from it.
    over_control : Interval
        Of that difference. The low end is the lowest over *all* controls (an intersection-union
        test: above 0 only if every one of them is exceeded, so that choosing the best costs
        nothing).
    best_closed_form : str
        Empty where none was fitted.
    closed_form_gain : float
    over_closed_form : Interval, optional
        As ``over_control``, over the closed-form decoders.

    Examples
    --------
    >>> Comparison("noise", 0.3, Interval(0.2, 0.4)).over_control.low
    0.2
    """

    best_control: str
    gain: float
    over_control: Interval
    best_closed_form: str = ""
    closed_form_gain: float = 0.0
    over_closed_form: Interval | None = None


def compare(
    values: Values,
    controls: Mapping[str, Values],
    interval: Callable[[NDArray[np.float64]], Interval],
    *,
    closed_forms: Mapping[str, Values] | None = None,
    higher_is_better: bool = True,
) -> Comparison | None:
    """Pair a score with its controls and with the closed forms.

    Parameters
    ----------
    values : array, shape (n,)
        One value an item.
    controls : mapping of str to array, shape (n,)
        The same items answered without a brain.
    interval : callable
        From n differences to the interval of their mean; it must respect people, stimuli and runs.
    closed_forms : mapping of str to array, shape (n,), optional
    higher_is_better : bool

    Returns
    -------
    Comparison, or None without a control

    Sources
    -------
    Berger 1982, "Multiparameter hypothesis testing and acceptance sampling" (intersection-union
    test).

    Examples
    --------
    >>> def plain(apart):
    ...     return Interval(apart.mean() - 0.1, apart.mean() + 0.1)
    >>> got = compare(np.ones(4), {"mean": np.zeros(4), "noise": np.full(4, 0.5)}, plain)
    >>> got.best_control, got.gain, float(got.over_control.low)
    ('noise', 0.5, 0.4)
    """
    if not controls:
        return None
    sign = 1.0 if higher_is_better else -1.0
    name, gain, over = _best(values, controls, interval, sign)
    if not closed_forms:
        return Comparison(name, gain, over)
    return Comparison(name, gain, over, *_best(values, closed_forms, interval, sign))


def _best(
    values: Values,
    others: Mapping[str, Values],
    interval: Callable[[NDArray[np.float64]], Interval],
    sign: float,
) -> tuple[str, float, Interval]:
    apart = {
        name: sign * (np.asarray(values, np.float64) - np.asarray(other, np.float64))
        for name, other in others.items()
    }
    best = min(apart, key=lambda name: float(apart[name].mean()))
    ends = {name: interval(one) for name, one in apart.items()}
    low = min(one.low for one in ends.values())
    return best, float(apart[best].mean()), Interval(low, ends[best].high, ends[best].level)


def verdict_of(
    p: float, comparison: Comparison | None, suspicions: Sequence[Suspicion] = ()
) -> Verdict:
    """Judge one score.

    *Shown*: p < .05 against its null, the paired interval over the best control above 0, and no
    suspicion. *Suspect*: something speaks against believing it, whatever its p. Else *not shown*.

    Parameters
    ----------
    p : float
    comparison : Comparison, optional
    suspicions : sequence of Suspicion

    Examples
    --------
    >>> verdict_of(0.001, Comparison("clock", 0.052, Interval(-0.04, 0.143)))
    Verdict(word='not shown', reasons=('Not above the control clock: +0.052 [-0.040, 0.143].', \
'p = 0.001 against its null.'), closed_form='')
    """
    above = comparison is not None and comparison.over_control.low > 0
    passed = p < ALPHA and above
    told = [str(one) for one in suspicions]
    facts = sorted(
        [(not above, _over_control(comparison)), (p >= ALPHA, f"p = {p:.3g} against its null.")],
        key=lambda fact: not fact[0],
    )
    beside = _over_closed_form(comparison)
    reasons = (*told, *(sentence for _, sentence in facts), *([beside[1]] if beside else []))
    counted = [one for one in suspicions if passed or not one.weak]
    word: Word = "suspect" if counted else "shown" if passed else "not shown"
    return Verdict(word, reasons, beside[0] if beside else "")


def _over_control(comparison: Comparison | None) -> str:
    if comparison is None:
        return "No control was set beside it item by item."
    name = comparison.best_control.replace("_", " ")
    numbers = _numbers(comparison.gain, comparison.over_control)
    if comparison.over_control.low > 0:
        return f"Above every control; over the best, {name}: {numbers}."
    return f"Not above the control {name}: {numbers}."


def _over_closed_form(comparison: Comparison | None) -> tuple[str, str] | None:
    """How it stands to the best closed form: in a few words, and with numbers."""
    if comparison is None or comparison.over_closed_form is None:
        return None
    ends = comparison.over_closed_form
    how = "better than" if ends.low > 0 else "worse than" if ends.high < 0 else "no better than"
    words = f"{how} {comparison.best_closed_form.replace('_', ' ')}"
    numbers = _numbers(comparison.closed_form_gain, ends)
    return words, f"{words[0].upper()}{words[1:]}: {numbers}."


def _numbers(gain: float, ends: Interval) -> str:
    return f"{gain:+.3f} [{ends.low:.3f}, {ends.high:.3f}]"


def suspicious_controls(
    p_of_controls: Mapping[str, float],
    ceiling: NDArray[np.float64] | None,
    interval: Callable[[NDArray[np.float64]], Interval],
) -> list[Suspicion]:
    """What controls themselves say against a score.

    Parameters
    ----------
    p_of_controls : mapping of str to float
        One-sided p of each control against chance (its own permutation null).
    ceiling : array, shape (n,), optional
        How much each item lies above the ceiling (turned so that above 0 is better).
    interval : callable
        As for `compare`.

    Examples
    --------
    >>> [one.name for one in suspicious_controls({"noise": 0.001, "clock": 0.001}, None, print)]
    ['a control that knows no brain is above chance']
    """
    found = []
    lucky = {
        name: p
        for name, p in p_of_controls.items()
        if p <= ABOVE_CHANCE and name not in MAY_EXCEED_CHANCE
    }
    if lucky:
        names = ", ".join(f"{name.replace('_', ' ')} (p = {p:.2g})" for name, p in lucky.items())
        found.append(
            Suspicion(
                "a control that knows no brain is above chance",
                f"{names}. Something besides the brain tells the test stimuli apart.",
            )
        )
    if ceiling is not None:
        ends = interval(ceiling)
        if ends.low > 0:
            found.append(
                Suspicion(
                    "ceiling below the score",
                    f"The true points reach {ceiling.mean():.3f} less [{ends.low:.3f}, "
                    f"{ends.high:.3f}] than what was decoded.",
                )
            )
    return found


def many_looks(looks: int) -> list[Suspicion]:
    """A test part that was opened before: what was chosen in between may be chosen by its score.

    Examples
    --------
    >>> many_looks(1), many_looks(3)[0].name
    ([], 'more than one look')
    """
    if looks < 2:
        return []
    sentence = f"This test part was opened {looks} times; the best of several looks is too good."
    return [Suspicion("more than one look", sentence, weak=True)]
