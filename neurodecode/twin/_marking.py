"""All that a twin makes says that it is simulated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from neurodecode.data import Provenance


def simulated(
    kind: str, seed: int, subject: str, settings: Any, trials: Iterable[str]
) -> Provenance:
    """The provenance of a twin's recording; other settings or trials are another recording.

    Made of what was asked for and not of the values, whose last bits differ between machines.

    Examples
    --------
    >>> simulated("twin-fmri", 3, "sub-01", (1500, 1.0), ["scene-000001"])
    Provenance(simulated, twin-fmri/seed-3/sub-01/166e8599)
    """
    digest = hashlib.blake2b(repr((settings, *trials)).encode(), digest_size=4)
    return Provenance("simulated", f"{kind}/seed-{seed}/{subject}/{digest.hexdigest()}")
