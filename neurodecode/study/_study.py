"""A study: contenders x protocols x people x seeds, and the claims that it is to decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from neurodecode.contracts import Encoder
from neurodecode.pipeline import Measure
from neurodecode.study._claims import Claim
from neurodecode.study._contender import Contender, as_contender
from neurodecode.study._identity import code_version, described, hashed
from neurodecode.study._names import cell_name
from neurodecode.study._protocols import StudyProtocol, Unit
from neurodecode.study._source import Source


@dataclass(frozen=True, eq=False)
class Cell:
    """The unit of work: one seed, protocol, contender, and person (or fold, or all).

    Parameters
    ----------
    seed : int
    protocol : StudyProtocol
    unit : Unit
    contender : str
        Its name in the study.
    identity : mapping
        Data, configuration and code, in what JSON can hold.
    """

    seed: int
    protocol: StudyProtocol
    unit: Unit
    contender: str
    identity: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Readable, unique in the study, and good as the name of a folder."""
        unit = self.unit
        return cell_name([f"seed-{self.seed}", unit.protocol, self.contender, unit.name])

    @property
    def key(self) -> str:
        """The hash of the identity."""
        return hashed(self.identity)


@dataclass(frozen=True, eq=False)
class Study:
    """What is asked, of whom, by which contenders, and which claims it decides.

    Parameters
    ----------
    name : str
        Stands as ``experiment`` in ``results.json``.
    question : str
        In one sentence; the title of the gallery's page.
    source : Source
        A twin or a recorded data set.
    contenders : mapping of str to Contender or Encoder
        The first is the one that is scored; the others stand beside it.
    protocols : sequence of protocols
        `Within`, `Pooled`, `NewSubject`, `LeaveOut`, `KnownNew`, or one of your own.
    measures : sequence of Measure, optional
        Default: retrieval and two-way identification.
    claims : sequence of Claim
    seeds : sequence of int
        Named before the run; each is a twin of its own, or another initialisation on recordings.
    repeats : {'predictions', 'responses', 'single'}
    n_drawn : int, optional
        Items for which something is generated.

    Raises
    ------
    ValueError
        If there is no contender, protocol or seed, or a contender or protocol has a claim's name
        wrong.

    Examples
    --------
    >>> from neurodecode.encoders import Ridge
    >>> from neurodecode.study import Pooled, Source
    >>> source = Source("toy", print, ["sub-01"], "fmri")
    >>> study = Study("toy", "Is there anything?", source, {"ridge": Ridge()}, [Pooled()])
    >>> [cell.name for cell in study.cells()]
    ['seed-0__pooled__ridge__all']
    """

    name: str
    question: str
    source: Source
    contenders: Mapping[str, Contender | Encoder]
    protocols: Sequence[StudyProtocol]
    measures: Sequence[Measure] | None = None
    claims: Sequence[Claim] = ()
    seeds: Sequence[int] = (0,)
    repeats: str = "predictions"
    n_drawn: int | None = None
    _known: dict[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for what in ("contenders", "protocols", "seeds"):
            if not getattr(self, what):
                raise ValueError(f"The study '{self.name}' has no {what}; give one or more.")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"The seeds of '{self.name}' repeat: {list(self.seeds)}.")

    def contender(self, name: str) -> Contender:
        """A contender by its name."""
        return as_contender(self.contenders[name])

    def cells(self) -> list[Cell]:
        """All units of work, in the order in which one process does them.

        Cells of a seed stand together, since they read the same people.
        """
        if "cells" not in self._known:
            self._known["cells"] = list(self._planned())
        return list(self._known["cells"])

    def _planned(self) -> Iterator[Cell]:
        for seed in self.seeds:
            for protocol in self.protocols:
                for unit in protocol.units(self.source.subjects):
                    for name in self.contenders:
                        if not (unit.stranger and self.contender(name).alone):
                            yield Cell(
                                seed, protocol, unit, name, self._identity(seed, protocol, name)
                            )

    def _identity(self, seed: int, protocol: StudyProtocol, name: str) -> dict[str, Any]:
        contender = self.contender(name)
        return {
            "data": self.source.identity | {"seed": seed},
            "configuration": {
                "protocol": described(protocol),
                "encoder": described(contender.encoder),
                "outputs": described(contender.outputs),
                "adapt": described(contender.adapt),
                "alone": contender.alone,
                "measures": described(self.measures),
                "repeats": self.repeats,
                "n_drawn": self.n_drawn,
            },
            "code": code_version(),
        }
