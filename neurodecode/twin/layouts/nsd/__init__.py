"""Simulated people in the four layouts of the Natural Scenes Dataset: same names, small counts."""

from neurodecode.twin.layouts.nsd._design import NsdDesign
from neurodecode.twin.layouts.nsd._raw import write_raw
from neurodecode.twin.layouts.nsd._releases import (
    write_brain_diffuser,
    write_mindeye,
    write_webdataset,
)

__all__ = [
    "NsdDesign",
    "write_brain_diffuser",
    "write_mindeye",
    "write_raw",
    "write_webdataset",
]
