"""Pickles read as data: instructions are interpreted here, and nothing that they name is called."""

from neurodecode.files.pickles._arrays import check_values
from neurodecode.files.pickles._errors import DamageError, PickleError, RefusalError, named
from neurodecode.files.pickles._machine import Machine
from neurodecode.files.pickles._values import Marker, Raw, items_of, plain

__all__ = [
    "DamageError",
    "Machine",
    "Marker",
    "PickleError",
    "Raw",
    "RefusalError",
    "check_values",
    "items_of",
    "named",
    "plain",
]
