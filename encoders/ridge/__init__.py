"""Ridge regression with penalties chosen by leave-out errors, and classification with it."""

from neurodecode.encoders.ridge.calibrated import CalibratedRidge
from neurodecode.encoders.ridge.classifier import RidgeClassifier, categories_by, category_targets
from neurodecode.encoders.ridge.estimator import Ridge

__all__ = ["CalibratedRidge", "Ridge", "RidgeClassifier", "categories_by", "category_targets"]
