"""The MEG decoder of Benchetrit, Banville and King (ICLR 2024)."""

from neurodecode.encoders.sensor_conv.estimator import SensorConv, SensorConvSize

__all__ = ["SensorConv", "SensorConvSize"]
