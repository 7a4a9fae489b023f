"""Responses that MindBridge makes of pictures: are they those of the person they are made for?"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments import _nsd, _nsd_scores
from neurodecode.data import Responses
from neurodecode.encoders import MindBridge
from neurodecode.statistics import mean_interval


def own_responses(data: _nsd.Data, model: MindBridge, person: Responses) -> dict[str, Any]:
    """Are responses made from the test pictures' targets those of this person?

    A ridge trained on the person's real responses decodes them; and the person's real mean
    responses are correlated, over bins, with those made for them and those made for the others.
    """
    real = data.test(person).average_repeats()
    shown = data.main.select(real.stimulus)
    plain = _nsd.ridge_of(person, data.main, data.split)

    def identified(made: Responses) -> float:
        return _nsd_scores.compare(data, person, plain.predict(made)).value("two_way_embedding")

    truth = binned(model, real)
    made = {one.subject: model.synthesise(shown, one.subject) for one in data.people}
    like = {name: likeness(binned(model, one), truth) for name, one in made.items()}
    within = like.pop(person.subject)
    between = np.mean(list(like.values()), axis=0)
    gap = mean_interval(within - between)
    return {
        "subject": person.subject,
        "seed": data.seed,
        "two_way": identified(made[person.subject]),
        "two_way_from_others": identified(from_others(data, model, person)),
        "within": float(within.mean()),
        "between": float(between.mean()),
        "gap_low": gap.low,
        "gap_high": gap.high,
    }


def from_others(data: _nsd.Data, model: MindBridge, person: Responses) -> Responses:
    """A person's responses, made from those of the next person to the same pictures."""
    names = [one.subject for one in data.people]
    other = data.people[(names.index(person.subject) + 1) % len(names)]
    return model.synthesise(data.test(other).average_repeats(), person.subject)


def binned(model: MindBridge, responses: Responses) -> NDArray[Any]:
    """Responses as bins, which all people have alike in number, less their mean over stimuli."""
    values = np.concatenate([one.cpu().numpy() for one in model._pooled(responses)])
    return np.asarray(values - values.mean(axis=0))


def likeness(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """Correlation over bins of each row with its counterpart."""
    return np.asarray(_nsd_scores.correlation(one, other).diagonal())
