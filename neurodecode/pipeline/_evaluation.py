"""What an evaluation gives: scores, and everything that a gallery shows beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.contracts import Encoder
from neurodecode.data import Generated
from neurodecode.evidence import Items, ProtocolResult, Verdict
from neurodecode.pipeline._answers import Answers, Shown
from neurodecode.pipeline._confusion import Confusion

SAID = ("seen", "decoded")


@dataclass(frozen=True, eq=False)
class View:
    """One test item as a person looks at it; its fields are those of a gallery's item."""

    stimulus: str
    subject: str
    truth: Any
    decoded: Sequence[Any]
    controls: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    captions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The outcome of one protocol.

    Parameters
    ----------
    result : ProtocolResult
        For `evidence.write_results`.
    encoders : sequence of Encoder
        Fitted, one a fold.
    items : Items
        The n test items: stimulus and subject of each.
    shown : Shown
        The m distinct test stimuli, with their true points.
    answers : Answers
        What was decoded from the brain.
    controls : mapping of str to Answers
    drawn : int array
        Rows of the items for which something was generated.
    per_item : mapping of metric to array
        Scores, of all items or of the drawn ones.
    confusion : Confusion, optional
        Of `classify`: how often each class was taken for each.
    control_items : mapping of control to (mapping of metric to array)
        The same of what stands beside.
    """

    result: ProtocolResult
    encoders: Sequence[Encoder]
    items: Items
    shown: Shown
    answers: Answers
    controls: Mapping[str, Answers]
    drawn: NDArray[np.intp]
    per_item: Mapping[str, NDArray[np.float64]]
    confusion: Confusion | None = None
    control_items: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(default_factory=dict)

    @property
    def encoder(self) -> Encoder:
        """The fitted encoder of a single split.

        Raises
        ------
        ValueError
            If there are several folds.
        """
        if len(self.encoders) > 1:
            raise ValueError(
                f"There are {len(self.encoders)} folds with an encoder each; choose one of "
                f".encoders."
            )
        return self.encoders[0]

    def score(self, metric: str) -> float:
        """The value of a metric."""
        return self.result.scores[metric].value

    def verdict(self, metric: str) -> Verdict:
        """Is this score *shown*, *not shown* or *suspect*, and why?"""
        return self.result.scores[metric].verdict

    def views(self, limit: int | None = None, *, tags: Sequence[str] = ()) -> Iterator[View]:
        """The drawn items, ready for a gallery: ``GalleryItem(**vars(view))``.

        Parameters
        ----------
        limit : int, optional
            The first so many; the order was drawn without looking at the scores.
        tags : sequence of str
            Metadata columns of the stimuli to filter by.
        """
        seen = _first(self.answers, ("image", "video"))
        said = _first(self.answers, ("text",))
        main = seen or said
        if main is None:
            return
        for place, row in list(enumerate(self.drawn))[:limit]:
            yield self._view(place, int(row), main, said if seen else None, tags)

    def _view(self, place: int, row: int, main: str, said: str | None, tags: Sequence[str]) -> View:
        stimulus = str(self.items.stimulus[row])
        stimuli = self.shown.stimuli.select([stimulus])
        captions = {}
        if stimulus in stimuli.captions:
            captions["seen"] = str(stimuli.captions[stimulus][0])
        if said is not None:
            captions["decoded"] = str(self.answers.outputs[said].values[place, 0])
            captions |= {
                name: str(one.outputs[said].values[place, 0])
                for name, one in self.controls.items()
                if said in one.outputs
            }
        made = self.answers.outputs[main]
        return View(
            stimulus,
            str(self.items.subject[row]),
            _truth(stimuli, stimulus, made),
            [_plain(one) for one in made.values[place]],
            {
                name: _plain(one.outputs[main].values[place, 0])
                for name, one in self.controls.items()
                if main in one.outputs
            },
            {name: self._score_of(values, place, row) for name, values in self.per_item.items()},
            {one: str(stimuli.metadata[one][0]) for one in tags},
            captions,
        )

    def _score_of(self, values: NDArray[np.float64], place: int, row: int) -> float:
        return float(values[row] if len(values) == len(self.items) else values[place])


def _first(answers: Answers, kinds: Sequence[str]) -> str | None:
    return next((name for name, one in answers.outputs.items() if one.kind in kinds), None)


def _truth(stimuli: Any, stimulus: str, made: Generated) -> Any:
    """What was shown; for sentences decoded from pictures the picture itself."""
    return stimuli[stimulus]


def _plain(one: Any) -> Any:
    return str(one) if isinstance(one, str) else one
