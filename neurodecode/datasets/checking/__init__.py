"""A look at a whole data set: is everything there and readable, and do the numbers look right."""

from neurodecode.datasets.checking._facts import Facts, measure
from neurodecode.datasets.checking._manifest import compare, read_manifest, write_manifest
from neurodecode.datasets.checking._pieces import Piece, Source
from neurodecode.datasets.checking._report import COLUMNS, Finding, Report, check

__all__ = [
    "COLUMNS",
    "Facts",
    "Finding",
    "Piece",
    "Report",
    "Source",
    "check",
    "compare",
    "measure",
    "read_manifest",
    "write_manifest",
]
