from . import eeg as eeg
from . import meg as meg
from . import steady_state as steady_state
