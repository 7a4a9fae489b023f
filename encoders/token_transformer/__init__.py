"""Calibrated ridges as tokens of regions, and a transformer that corrects them."""

from neurodecode.encoders.token_transformer.estimator import TokenTransformer
from neurodecode.encoders.token_transformer.net import TokenLoss, TokenSizes

__all__ = ["TokenLoss", "TokenSizes", "TokenTransformer"]
