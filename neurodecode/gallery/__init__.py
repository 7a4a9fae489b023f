"""Galleries: one folder of HTML with what was seen, what was decoded, and the evidence beside it.

The folder needs no network and no server; it can be zipped and mailed. Nothing in it is ordered by
a score unless the reader asks for it, and then the page says so.
"""

from neurodecode.gallery._items import Figure, GalleryItem
from neurodecode.gallery._write import build_gallery, find_gallery, open_gallery, write_gallery

__all__ = [
    "Figure",
    "GalleryItem",
    "build_gallery",
    "find_gallery",
    "open_gallery",
    "write_gallery",
]
