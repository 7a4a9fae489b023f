"""From a recording on disk to responses."""

import lazy_loader

if __name__ != "neurodecode.preprocessing":
    raise ImportError(
        "Import neurodecode.preprocessing, not preprocessing: the folder is a part of that package."
    )

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
