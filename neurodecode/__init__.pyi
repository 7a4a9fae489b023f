from . import data as data
from . import encoders as encoders
from . import errors as errors
from . import evidence as evidence
from . import gallery as gallery
from . import generators as generators
from . import metrics as metrics
from . import pipeline as pipeline
from . import preprocessing as preprocessing
from . import scenes as scenes
from . import statistics as statistics
from . import store as store
from . import targets as targets
from . import training as training
from . import twin as twin

__version__: str
