"""Of several processes that torchrun starts for one run, the first alone counts and writes."""

from __future__ import annotations

import os


def is_first_process() -> bool:
    """Is this the only process of its run, or the first of several?

    Told by ``RANK``, which torchrun sets.

    Examples
    --------
    >>> is_first_process()
    True
    """
    return int(os.environ.get("RANK", "0")) == 0
