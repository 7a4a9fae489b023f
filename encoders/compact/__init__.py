"""Compact networks of EEG and MEG: NICE (Song et al. 2024) and ATM (Li et al. 2024)."""

from neurodecode.encoders.compact.atm import Atm
from neurodecode.encoders.compact.networks import CompactSize
from neurodecode.encoders.compact.nice import Nice

__all__ = ["Atm", "CompactSize", "Nice"]
