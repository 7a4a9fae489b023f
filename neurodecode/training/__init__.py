"""One training loop for all torch encoders, on Lightning Fabric.

Open `_loop.py` first. A run that was killed continues to the same weights; several processes under
``torchrun`` train together with no change to the model's code.
"""

from neurodecode.training._history import History
from neurodecode.training._loop import train
from neurodecode.training._plan import Batches, Plan, Progress, Step, Validate, pick_device
from neurodecode.training._prefetch import prefetch
from neurodecode.training._randomness import seeded

__all__ = [
    "Batches",
    "History",
    "Plan",
    "Progress",
    "Step",
    "Validate",
    "pick_device",
    "prefetch",
    "seeded",
    "train",
]
