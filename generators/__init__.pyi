from ._restandardise import Restandardise as Restandardise
from .direct import DirectImage as DirectImage
from .images import SmallFlow as SmallFlow
from .retrieval import Retrieval as Retrieval
from .text import Beams as Beams
from .text import Captioner as Captioner
from .text import Nucleus as Nucleus
