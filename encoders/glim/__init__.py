"""GLIM: EEG of reading to sentences, through a frozen T5."""

from neurodecode.encoders.glim.estimator import Glim
from neurodecode.encoders.glim.losses import GlimLosses
from neurodecode.encoders.glim.network import GlimSize

__all__ = ["Glim", "GlimLosses", "GlimSize"]
