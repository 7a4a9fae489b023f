"""Brain recordings in; pictures, moving pictures and sentences out, with their evidence."""

import lazy_loader

from neurodecode._version import __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ = ["__version__", *__all__]
