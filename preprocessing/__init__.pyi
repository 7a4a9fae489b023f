from . import eeg as eeg
from . import meg as meg
from . import steady_state as steady_state
from .sensor_scaling import NoiseWhitening as NoiseWhitening
from .sensor_scaling import RobustScale as RobustScale
