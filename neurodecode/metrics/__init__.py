"""Scores, each in its exact published variant, as one value an item.

Pictures: `images`; which one was it: `identification` and `retrieval`; by features of a network:
`networks`; sentences: `text`. Means, intervals and nulls are made in `neurodecode.statistics`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
