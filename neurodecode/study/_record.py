"""What a study is, as a file in its folder: enough to tell how far it is and to collect it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from neurodecode.errors import CorruptFileError
from neurodecode.files import read_json
from neurodecode.store import write_json
from neurodecode.study._claims import Claim, Kind
from neurodecode.study._names import is_cell_name
from neurodecode.study._study import Study

FILE = "study.json"


@dataclass(frozen=True)
class PlannedCell:
    """A cell as it is told in the record: what it is called and which outcome is its own."""

    name: str
    key: str
    seed: int
    protocol: str
    unit: str
    contender: str


@dataclass(frozen=True)
class StudyRecord:
    """A study without its code and data.

    Parameters
    ----------
    name, question : str
    source : str
    simulated : bool
    contenders : sequence of str
        The first is the one that is scored.
    closed_forms : sequence of str
        Those among them that are closed forms.
    claims : sequence of Claim
    cells : sequence of PlannedCell
    """

    name: str
    question: str
    source: str
    simulated: bool
    contenders: Sequence[str]
    closed_forms: Sequence[str]
    claims: Sequence[Claim]
    cells: Sequence[PlannedCell]

    @classmethod
    def of(cls, study: Study) -> StudyRecord:
        """The record of a study."""
        cells = [
            PlannedCell(
                cell.name, cell.key, cell.seed, cell.unit.protocol, cell.unit.name, cell.contender
            )
            for cell in study.cells()
        ]
        names = list(study.contenders)
        closed = [name for name in names if study.contender(name).closed_form]
        source = study.source
        return cls(
            study.name, study.question, source.name, source.simulated, names, closed,
            list(study.claims), cells,
        )  # fmt: skip

    def write(self, out: Path) -> None:
        """Write it to the folder of the study."""
        write_json(out / FILE, dataclasses.asdict(self))

    @classmethod
    def read(cls, out: str | Path) -> StudyRecord:
        """Read what `write` wrote.

        Raises
        ------
        FileNotFoundError
            If the folder holds no study.
        CorruptFileError
            If the record is damaged.
        """
        file = Path(out) / FILE
        if not file.is_file():
            raise FileNotFoundError(
                f"{out} holds no study ({FILE}). Give the --out of `neurodecode run`."
            )
        try:
            told: Mapping[str, Any] = read_json(file)
            claims = [Claim(**one) for one in told["claims"]]
            cells = [PlannedCell(**one) for one in told["cells"]]
            record = cls(**{**told, "claims": claims, "cells": cells})
            record.check()
            return record
        except (ValueError, TypeError, KeyError) as error:
            raise CorruptFileError(
                f"{file} is no record of a study ({error}). Run the study again with the same "
                f"--out; cells that are done stay."
            ) from error

    def check(self) -> None:
        """Refuse fields of another type, and names of cells that lead out of the folder.

        Raises
        ------
        ValueError
            Naming the field.
        """
        for text in self._texts():
            if not isinstance(text, str):
                raise ValueError(f"{text!r:.40} in place of a text")
        for claim in self.claims:
            if claim.kind not in get_args(Kind) or type(claim.bound) not in (int, float):
                raise ValueError(f"a claim of kind {claim.kind!r:.40}, bound {claim.bound!r:.40}")
        if not isinstance(self.simulated, bool):
            raise ValueError(f"simulated is {self.simulated!r:.40}")
        for cell in self.cells:
            if not is_cell_name(cell.name) or type(cell.seed) is not int:
                raise ValueError(f"a cell named {cell.name!r:.60} of seed {cell.seed!r:.40}")

    def _texts(self) -> Iterator[Any]:
        """What must be a text, all over the record."""
        yield from (self.name, self.question, self.source)
        yield from _listed(self.contenders)
        yield from _listed(self.closed_forms)
        for cell in self.cells:
            yield from (cell.name, cell.key, cell.protocol, cell.unit, cell.contender)
        for claim in self.claims:
            yield from (claim.a, claim.b, claim.metric, claim.protocol, claim.protocol_b or "")

    def of_protocol(self, protocol: str, contender: str) -> list[PlannedCell]:
        """The cells of a protocol and contender, seed by seed."""
        return [
            cell for cell in self.cells if cell.protocol == protocol and cell.contender == contender
        ]

    @property
    def protocols(self) -> list[str]:
        """Names of the protocols, in order."""
        return list(dict.fromkeys(cell.protocol for cell in self.cells))


def _listed(texts: Any) -> list[Any]:
    if not isinstance(texts, list):
        raise ValueError(f"{texts!r:.40} in place of a list")
    return list(texts)
