from .direct import DirectImage as DirectImage
from .retrieval import Retrieval as Retrieval
