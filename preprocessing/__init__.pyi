from . import eeg as eeg
from . import fmri as fmri
from . import meg as meg
from . import steady_state as steady_state
from .fmri import Standardize as Standardize
from .fmri import VoxelSelection as VoxelSelection
from .sensor_scaling import NoiseWhitening as NoiseWhitening
from .sensor_scaling import RobustScale as RobustScale
