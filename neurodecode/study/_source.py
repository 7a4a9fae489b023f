"""Where a study's people come from: a twin or a recorded data set behind one interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from neurodecode.contracts import Target
from neurodecode.data import Embeddings, Modality, Responses, Split, Stimuli


@dataclass(frozen=True, eq=False)
class Material:
    """What one seed of a source gives.

    Parameters
    ----------
    people : sequence of Responses
        Whole recordings, preprocessed, lazy where they are large.
    stimuli : Stimuli
        All that was shown.
    split : Split
        Training, validation and test part.
    target : Target or Embeddings, or a mapping of head to either
        What is decoded into.
    facts : mapping
        What a table must say of the data: sessions, test set, preprocessing.
    """

    people: Sequence[Responses]
    stimuli: Stimuli
    split: Split
    target: Target | Embeddings | Mapping[str, Target | Embeddings]
    facts: Mapping[str, Any] = field(default_factory=dict)

    def person(self, subject: str) -> Responses:
        """The recording of one person.

        Raises
        ------
        ValueError
            If there is no such person.
        """
        for person in self.people:
            if person.subject == subject:
                return person
        names = ", ".join(person.subject for person in self.people)
        raise ValueError(f"There is no person '{subject}' in the source; it has {names}.")


Read = Callable[..., Material]
"""``read(seed, folder, **settings)``; ``folder`` is kept between cells, for stores."""


@dataclass(frozen=True, eq=False)
class Source:
    """People to be decoded, without reading them yet.

    Parameters
    ----------
    name : str
    read : callable
        ``read(seed, folder, **settings)`` gives the `Material` of a seed. A recorded data set may
        ignore the seed, or split by it.
    subjects : sequence of str
        Who is in it, known before anything is read: cells are planned by it.
    modality : {'fmri', 'meg', 'eeg'}
    settings : mapping
        Given to ``read``; what JSON can hold. Other settings are other data.
    simulated : bool

    Examples
    --------
    >>> def read(seed, folder, n_trials):
    ...     raise NotImplementedError
    >>> Source("toy", read, ["sub-01"], "fmri", {"n_trials": 3}).identity["settings"]
    {'n_trials': 3}
    """

    name: str
    read: Read
    subjects: Sequence[str]
    modality: Modality
    settings: Mapping[str, Any] = field(default_factory=dict)
    simulated: bool = True

    @property
    def identity(self) -> dict[str, Any]:
        """What these data are, in what JSON can hold; the seed is the cell's."""
        return {
            "source": self.name,
            "settings": dict(self.settings),
            "subjects": list(self.subjects),
            "simulated": self.simulated,
        }

    def material(self, seed: int, folder: Path) -> Material:
        """The people of a seed.

        Raises
        ------
        ValueError
            If they are not those that the source names.
        """
        found = self.read(seed, folder, **self.settings)
        names = [person.subject for person in found.people]
        if names != list(self.subjects):
            raise ValueError(
                f"The source '{self.name}' names the people {', '.join(self.subjects)} but read "
                f"{', '.join(names)}. Cells are planned by these names: make them agree."
            )
        return found
