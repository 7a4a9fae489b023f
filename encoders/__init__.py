"""From responses to a target space, a folder a system; and forward models."""

import lazy_loader

if __name__ != "neurodecode.encoders":
    raise ImportError(
        "Import neurodecode.encoders, not encoders: the folder is a part of that package."
    )

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
