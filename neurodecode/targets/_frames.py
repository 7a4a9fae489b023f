"""Pictures out of clips, and the check that a target gets the kind of stimulus it can embed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from neurodecode.data import Stimuli, expect

PLACES = {"first": 0.0, "middle": 0.5, "last": 1.0}


def frames(stimuli: Stimuli, place: Literal["first", "middle", "last"] = "middle") -> Stimuli:
    """One frame of each clip, as pictures under the same ids.

    Parameters
    ----------
    stimuli : Stimuli
        Clips, each of shape (n_frames, height, width, 3).
    place : {'first', 'middle', 'last'}

    Returns
    -------
    Stimuli
        Pictures with the clips' captions and metadata.

    Raises
    ------
    ValueError
        If the stimuli are no clips, or the place has another name.

    Examples
    --------
    >>> import numpy as np
    >>> clips = Stimuli.from_arrays(["a"], np.arange(3)[None, :, None, None, None] / 255)
    >>> frames(clips, "last")["a"].ravel().tolist()
    [2, 2, 2]
    """
    check_kind("frames()", stimuli, ["video"])
    if place not in PLACES:
        raise ValueError(f"place must be one of {list(PLACES)}; got '{place}'.")
    share = PLACES[place]
    return Stimuli(
        stimuli.ids,
        "image",
        lambda one: (clip := stimuli.load(one))[round(share * (len(clip) - 1))],
        stimuli.captions,
        stimuli.metadata,
        stimuli.source,
    )


def check_kind(who: str, stimuli: Stimuli, kinds: Sequence[str]) -> None:
    """Refuse stimuli that a target cannot embed.

    Raises
    ------
    ValueError
        Saying which kind was expected and how to get it.
    """
    expect(stimuli, Stimuli, who)
    if stimuli.kind in kinds:
        return
    hint = " Take one frame of each clip with targets.frames()." if stimuli.kind == "video" else ""
    raise ValueError(
        f"{who} takes stimuli of kind {' or '.join(repr(kind) for kind in kinds)}; "
        f"got {stimuli!r}.{hint}"
    )
