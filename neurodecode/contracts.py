"""What every preprocessor, encoder, generator, target and forward model promises.

An *encoder* maps responses to a target space (the machine-learning word). The reverse, stimulus to
response, which neuroscientists call an encoding model, is a *forward model* here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from neurodecode.data import Embeddings, Generated, Responses, Split, Stimuli

Targets: TypeAlias = Embeddings | Mapping[str, Embeddings]
"""One target space, or several by the name of the head that predicts them."""


@runtime_checkable
class Preprocessor(Protocol):
    """Learns from training trials only, then transforms any."""

    def fit(self, responses: Responses) -> Any: ...

    def transform(self, responses: Responses) -> Responses: ...


@runtime_checkable
class Encoder(Protocol):
    """Maps the responses of one or many people to a target space.

    ``fit`` uses the training part (and the validation part to stop) and never the test part.
    ``predict`` gives one row a trial, under the trial's stimulus id. ``adapt`` learns what a new
    person needs and leaves the shared part as it is. An encoder whose predictions are made to
    search with may have ``expect(responses)`` besides, the points for a generator to draw.

    When it is judged, trials come under numbers in place of stimulus ids and without their table;
    the columns that it needs to predict it names in ``reads_metadata``, a tuple of str (such as
    ``('task',)`` for an encoder that is prompted with the task). They must not name what was shown.
    """

    def fit(
        self, responses: Responses | Sequence[Responses], targets: Targets, split: Split
    ) -> Any: ...

    def predict(self, responses: Responses) -> Embeddings: ...

    def adapt(self, responses: Responses, targets: Targets, split: Split) -> Any: ...

    def save(self, folder: str | Path) -> Path: ...


@runtime_checkable
class Target(Protocol):
    """Maps stimuli to points of a target space."""

    @property
    def space(self) -> str: ...

    def embed(self, stimuli: Stimuli) -> Embeddings: ...


@runtime_checkable
class Generator(Protocol):
    """Maps points of a target space to pictures, clips or texts."""

    def generate(
        self, embeddings: Embeddings, *, seed: int = 0, n_samples: int = 1
    ) -> Generated: ...


@runtime_checkable
class ForwardModel(Protocol):
    """Maps points of a target space to one person's responses."""

    def fit(self, embeddings: Embeddings, responses: Responses) -> Any: ...

    def predict(self, embeddings: Embeddings) -> Responses: ...
