"""What is to be decoded into what, and by which rules it is judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from neurodecode.contracts import Encoder, Generator, Target, Targets
from neurodecode.data import Embeddings, Split, Stimuli, as_ids
from neurodecode.pipeline._answers import join
from neurodecode.pipeline._measures import Measure

Repeats = Literal["single", "responses", "predictions"]
CONTROLS = ("noise", "shuffled", "constant", "mean", "nearest_training", "ceiling")
SOLE_HEAD = "target"
SOLE_OUTPUT = "decoded"


@dataclass(frozen=True, eq=False)
class Goal:
    """What was shown, and the space (or spaces) that responses are decoded into.

    Parameters
    ----------
    stimuli : Stimuli
        Training and test stimuli.
    target : Target or Embeddings, or a mapping of head to either
        Something that embeds stimuli, or the points of all stimuli where they are known.

    Examples
    --------
    >>> import numpy as np
    >>> stimuli = Stimuli.from_texts({"a": "a cat", "b": "a cup"})
    >>> goal = Goal(stimuli, Embeddings(np.eye(2), ["a", "b"], "toy"))
    >>> goal.points(["b"])
    {'target': Embeddings(toy, 1 rows of (2,))}
    """

    stimuli: Stimuli
    target: Target | Embeddings | Mapping[str, Target | Embeddings]
    _known: dict[str, list[Embeddings]] = field(default_factory=dict, repr=False)

    @property
    def heads(self) -> dict[str, Target | Embeddings]:
        """The target of each head; a single one is called ``'target'``."""
        if isinstance(self.target, Mapping):
            return dict(self.target)
        return {SOLE_HEAD: self.target}

    def points(self, ids: Iterable[Any]) -> dict[str, Embeddings]:
        """The points of these stimuli in each target space; each is embedded once."""
        wanted = as_ids("stimulus", ids)
        return {
            head: one.select(wanted)
            if isinstance(one, Embeddings)
            else self._embedded(head, one, wanted)
            for head, one in self.heads.items()
        }

    def _embedded(self, head: str, target: Target, ids: NDArray[np.str_]) -> Embeddings:
        known = self._known.setdefault(head, [])
        new = ids[~np.isin(ids, [i for one in known for i in one.stimulus.tolist()])]
        if len(new):
            known.append(target.embed(self.stimuli.select(dict.fromkeys(new.tolist()))))
        for one in known:  # a part that holds all of them may stay in its file
            if np.isin(ids, one.stimulus).all():
                return one.select(ids)
        return join([one.take(np.isin(one.stimulus, ids)) for one in known]).select(ids)

    def for_fit(self, ids: Iterable[Any]) -> Targets:
        """The same as what ``fit`` of an encoder takes: plain for a single target."""
        points = self.points(ids)
        return points if isinstance(self.target, Mapping) else points[SOLE_HEAD]


@dataclass(frozen=True, eq=False)
class Output:
    """One thing that is generated: by what, from which head, and how many samples.

    Parameters
    ----------
    generator : Generator
    head : str, optional
        Default is the first target space.
    n_samples : int
        A score is the mean over samples: none is picked.
    restandardise : bool, default False
        Give the points to be drawn the mean and spread of true ones, as learned from the
        validation trials (the training trials, where there are none): regressions shrink towards
        the mean, and picture models were trained on points of full spread.
    """

    generator: Generator
    head: str | None = None
    n_samples: int = 1
    restandardise: bool = False


Outputs: TypeAlias = Generator | Output | Mapping[str, Generator | Output]


def as_outputs(generator: Outputs | None, heads: Iterable[str]) -> dict[str, Output]:
    """Outputs by name, each with its head; a single one is called ``'decoded'``. None is none.

    Raises
    ------
    ValueError
        If an output reads a head that is no target.
    """
    if generator is None:
        return {}
    known = list(heads)
    named = generator if isinstance(generator, Mapping) else {SOLE_OUTPUT: generator}
    outputs = {}
    for name, one in named.items():
        output = one if isinstance(one, Output) else Output(one)
        head = known[0] if output.head is None else output.head
        if head not in known:
            raise ValueError(
                f"Output '{name}' reads the head '{head}', but the targets are "
                f"{', '.join(known)}. Name one of them."
            )
        outputs[name] = replace(output, head=head)
    return outputs


@dataclass(frozen=True, eq=False)
class Protocol:
    """By which rules it is judged.

    Parameters
    ----------
    split : Split or iterable of Split
        Several are folds: an encoder is fitted anew for each, and their test items are scored
        together.
    name : str
        Under which the scores stand: ``'within_subject'``, ``'pooled'``, ``'new_subject'``, ...
    measures : sequence of Measure, optional
        Default: retrieval and two-way identification in the target space, and for pictures the
        correlation of pixels.
    repeats : {'predictions', 'responses', 'single'}
        A stimulus shown several times to a person: average its predictions, average its responses
        before predicting, or take each trial by itself.
    n_drawn : int, optional
        Generate for that many test items only, drawn by ``seed`` before anything is predicted.
        Scores of embeddings use all.
    seed : int
    closed_forms : bool or mapping of str to Encoder
        True: the closed forms that suit the data are fitted and scored beside the encoder, as
        controls. Or those that shall stand there, unfitted, by name.

    Raises
    ------
    ValueError
        If there is no split or ``repeats`` is none of the three.

    Examples
    --------
    >>> Protocol(Split(["a"], [], ["b"])).folds
    (Split(by stimulus: 1 train, 0 validation, 1 test; given),)
    """

    split: Split | Iterable[Split]
    name: str = "within_subject"
    measures: Sequence[Measure] | None = None
    repeats: Repeats = "predictions"
    n_drawn: int | None = None
    seed: int = 0
    closed_forms: bool | Mapping[str, Encoder] = True

    def __post_init__(self) -> None:
        if not isinstance(self.split, Split):  # what a splitter yields can be read but once
            object.__setattr__(self, "split", tuple(self.split))
        if not self.folds:
            raise ValueError("A protocol needs a split; got none.")
        if self.repeats not in ("single", "responses", "predictions"):
            raise ValueError(
                f"repeats must be 'single', 'responses' or 'predictions'; got '{self.repeats}'."
            )
        if self.n_drawn is not None and self.n_drawn < 1:
            raise ValueError(f"n_drawn must be at least 1; got {self.n_drawn}.")

    @property
    def folds(self) -> tuple[Split, ...]:
        """The split, or all folds."""
        return (self.split,) if isinstance(self.split, Split) else tuple(self.split)
