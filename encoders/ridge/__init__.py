"""Ridge and its closed-form relatives, and classification with it."""

from neurodecode.encoders.core.time_bins import Bins, Parts
from neurodecode.encoders.ridge.binned import BinnedRidge
from neurodecode.encoders.ridge.calibrated import CalibratedRidge
from neurodecode.encoders.ridge.classifier import RidgeClassifier, categories_by, category_targets
from neurodecode.encoders.ridge.estimator import Ridge
from neurodecode.encoders.ridge.stack import RegionStack

__all__ = [
    "BinnedRidge",
    "Bins",
    "CalibratedRidge",
    "Parts",
    "RegionStack",
    "Ridge",
    "RidgeClassifier",
    "categories_by",
    "category_targets",
]
