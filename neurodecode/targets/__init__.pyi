from ._frames import frames as frames
from ._pixels import PixelPCA as PixelPCA
from ._pixels import Pixels as Pixels
