"""An encoder with its settings under a name, and what it needs to run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from neurodecode.contracts import Encoder
from neurodecode.pipeline import Output


@dataclass(frozen=True)
class Needs:
    """What one cell of a contender asks of a machine.

    Parameters
    ----------
    memory_gb : float
    minutes : float
        After that a cluster ends it.
    cpus, gpus : int
        Of one node. With several GPUs the cell runs under torchrun, a process a GPU.
    disk_gb : float
        Of its outcome.

    Examples
    --------
    >>> Needs(memory_gb=8, gpus=1).minutes
    60.0
    """

    memory_gb: float = 4.0
    minutes: float = 60.0
    cpus: int = 1
    gpus: int = 0
    disk_gb: float = 0.01


@dataclass(frozen=True, eq=False)
class Contender:
    """What is compared with others: an encoder, what is made of its points, and its needs.

    Parameters
    ----------
    encoder : Encoder
        Unfitted. Each cell fits a copy; an encoder with a ``seed`` gets the cell's.
    outputs : mapping of str to Output, optional
        What is generated; None scores embeddings only.
    closed_form : bool
        One of those that every deep contender is compared with.
    alone : bool
        Learns from the tested person alone, also where others are at hand.
    adapt : mapping
        Further arguments of ``adapt`` for a new person.
    needs : Needs

    Examples
    --------
    >>> from neurodecode.encoders import Ridge
    >>> Contender(Ridge(), closed_form=True, alone=True).needs.gpus
    0
    """

    encoder: Encoder
    outputs: Mapping[str, Output] | None = None
    closed_form: bool = False
    alone: bool = False
    adapt: Mapping[str, Any] = field(default_factory=dict)
    needs: Needs = Needs()


def as_contender(given: Contender | Encoder) -> Contender:
    """A bare encoder as a contender."""
    return given if isinstance(given, Contender) else Contender(given)
