"""MindBridge (Wang et al., CVPR 2024): pooled voxels, a bridge a person, cycle, CLIP tokens."""

from neurodecode.encoders.mindbridge.estimator import MindBridge
from neurodecode.encoders.mindbridge.loss import BridgeLoss
from neurodecode.encoders.mindbridge.parts import BridgeSizes

__all__ = ["BridgeLoss", "BridgeSizes", "MindBridge"]
