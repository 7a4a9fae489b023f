from . import data as data
from . import encoders as encoders
from . import errors as errors
from . import generators as generators
from . import preprocessing as preprocessing
from . import store as store

__version__: str
