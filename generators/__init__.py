"""From a target space to pictures, clips and texts."""

import lazy_loader

if __name__ != "neurodecode.generators":
    raise ImportError(
        "Import neurodecode.generators, not generators: the folder is a part of that package."
    )

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
