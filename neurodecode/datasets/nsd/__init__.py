"""The Natural Scenes Dataset in the four layouts in which it is passed around.

One interface: ``subjects()``, ``responses(subject, repeats=...)``, ``stimuli()``. Ids of pictures
(``'nsd-02950'``, 0-based among the 73000) are the same in all layouts, so people read from one can
be tested on targets made from another.

Origin
    Allen et al., Nature Neuroscience 25 (2022): 8 people, up to 40 sessions of 750 trials, 7 T.
Licence
    See NSD's and COCO's own terms; they must be accepted where the files are obtained.
Size
    Raw betas of one person 42 GB as int16 (40 sessions of 750 volumes of 81 x 104 x 83);
    ``webdataset_avg_split`` above 30 GB a person; MindEye2's release above 100 GB.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from neurodecode.datasets.nsd._captions import captions
from neurodecode.datasets.nsd._prepare import prepare
from neurodecode.datasets.nsd._trials import (
    NsdLayout,
    Repeats,
    TestSet,
    captioned,
    official_split,
    stimulus_id,
)
from neurodecode.datasets.nsd.braindiffuser import BrainDiffuserArrays
from neurodecode.datasets.nsd.mindeye import MindEyeArrays
from neurodecode.datasets.nsd.raw import RawNsd
from neurodecode.datasets.nsd.webdataset import WebDataset

LAYOUTS: dict[str, Callable[[Path], NsdLayout]] = {
    "raw": RawNsd,
    "webdataset": WebDataset,
    "mindeye2": MindEyeArrays,
    "brain-diffuser": BrainDiffuserArrays,
}

__all__ = [
    "LAYOUTS",
    "BrainDiffuserArrays",
    "MindEyeArrays",
    "NsdLayout",
    "RawNsd",
    "Repeats",
    "TestSet",
    "WebDataset",
    "captioned",
    "captions",
    "official_split",
    "prepare",
    "stimulus_id",
]
