"""The volume transformer of Neuro-Vision to Language (Shen et al., NeurIPS 2024)."""

from neurodecode.encoders.volume_transformer.estimator import VolumeTransformer
from neurodecode.encoders.volume_transformer.parts import VolumeSizes

__all__ = ["VolumeSizes", "VolumeTransformer"]
