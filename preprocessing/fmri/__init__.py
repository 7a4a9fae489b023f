"""From fMRI images (NIfTI, BIDS derivatives, or arrays) to single-trial responses, on nilearn.

>>> import numpy as np, pandas
>>> from neurodecode.data import Recording
>>> series = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
>>> events = pandas.DataFrame({"onset": [2.0, 10], "duration": [4.0, 4], "trial_type": ["a", "b"]})
>>> recording = Recording("sub-01", "fmri", (series,), (events,), ("1",), tr_s=1.0)
>>> single_trials(recording, BlockMeans(delay_s=4.0))
Responses(sub-01, fmri, 2 trials of 2 stimuli, voxel: 3)
"""

from neurodecode.preprocessing.fmri.bids import read_bids
from neurodecode.preprocessing.fmri.ceiling import ncsnr, noise_ceiling
from neurodecode.preprocessing.fmri.cleaning import Cleaning
from neurodecode.preprocessing.fmri.glm import LeastSquaresAll, LeastSquaresSeparate
from neurodecode.preprocessing.fmri.images import brain_map
from neurodecode.preprocessing.fmri.means import BlockMeans, SingleVolumes
from neurodecode.preprocessing.fmri.regions import Parcels, in_region, label_voxels
from neurodecode.preprocessing.fmri.responses import (
    Estimate,
    from_table,
    single_trials,
    time_courses,
)
from neurodecode.preprocessing.fmri.voxels import Standardize, VoxelSelection, anova_f, repeat_ncsnr

__all__ = [
    "BlockMeans",
    "Cleaning",
    "Estimate",
    "LeastSquaresAll",
    "LeastSquaresSeparate",
    "Parcels",
    "SingleVolumes",
    "Standardize",
    "VoxelSelection",
    "anova_f",
    "brain_map",
    "from_table",
    "in_region",
    "label_voxels",
    "ncsnr",
    "noise_ceiling",
    "read_bids",
    "repeat_ncsnr",
    "single_trials",
    "time_courses",
]
