"""MindEye2 (Scotti et al., ICML 2024): a linear map a person into a space that all share."""

from neurodecode.encoders.mindeye2.estimator import MindEye2, SharedSpace
from neurodecode.encoders.mindeye2.parts import MindEye2Sizes
from neurodecode.encoders.mindeye2.steps import MindEye2Loss

__all__ = ["MindEye2", "MindEye2Loss", "MindEye2Sizes", "SharedSpace"]
