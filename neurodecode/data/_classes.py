"""Do ids name stimuli, or classes that many trials belong to?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from neurodecode.data._checks import as_ids
from neurodecode.data._responses import Responses

MOST_CLASSES = 30
FEWEST_TRIALS = 8


def are_classes(ids: Iterable[Any]) -> bool:
    """Do so few ids stand for so many trials that they are classes rather than stimuli?

    True for two to 30 ids with eight trials each, on average: eight categories of eleven blocks,
    four targets of 24 trials; false for 20 pictures that are shown six times, or for thousands that
    are shown three times. With so few, leaving one id out leaves out a direction that no other
    holds, and a mean over ids is a mean over a handful: the trial is then what is drawn anew.

    Parameters
    ----------
    ids : sequence of str, shape (n_trials,)
        Of one person.

    Examples
    --------
    >>> are_classes(["face", "house"] * 10), are_classes(range(20))
    (True, False)
    """
    names = as_ids("stimulus", ids)
    n_ids = len(np.unique(names))
    return 2 <= n_ids <= MOST_CLASSES and len(names) >= FEWEST_TRIALS * n_ids


def left_out_together(trials: Responses) -> NDArray[np.str_]:
    """What must be left out as a whole to choose something by cross-validation inside training.

    The stimulus; where ids are classes, the run if there are several, else the trial.

    Parameters
    ----------
    trials : Responses
        Training trials of one person.

    Returns
    -------
    str array, shape (n_trials,)

    Examples
    --------
    >>> trials = Responses(np.zeros((16, 1)), ["face", "house"] * 8, "s", "fmri")
    >>> len(set(left_out_together(trials).tolist()))
    16
    >>> set(left_out_together(trials.with_column("run", [1] * 8 + [2] * 8)).tolist()) == {"1", "2"}
    True
    """
    if not are_classes(trials.stimulus):
        return trials.stimulus
    if trials.run is not None and len(np.unique(trials.run)) > 1:
        return trials.run
    return np.arange(len(trials)).astype(np.str_)
