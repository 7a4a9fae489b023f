from ._ridge_classifier import RidgeClassifier as RidgeClassifier
from ._ridge_classifier import categories_by as categories_by
from ._ridge_classifier import category_targets as category_targets
from .ridge import Ridge as Ridge
from .mindbridge import MindBridge as MindBridge
from .sensor_conv import SensorConv as SensorConv
from .sensor_conv import SensorConvSize as SensorConvSize
