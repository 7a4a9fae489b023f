"""The closed forms that stand beside an encoder: what it has to beat."""

from __future__ import annotations

import copy
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from neurodecode.contracts import Encoder
from neurodecode.data import Responses, Split
from neurodecode.pipeline._protocol import Protocol

LOG = logging.getLogger("neurodecode")
FOR_STRANGERS = ("region_stack", "binned_ridge")
"""These serve people of whom no trial is trained on."""
LITTLE = 1e11
"""Multiplications that cost little: a few seconds of a CPU core."""


def closed_forms(
    encoder: Encoder, protocol: Protocol, people: Sequence[Responses]
) -> dict[str, Encoder]:
    """What stands beside the encoder, unfitted, by name.

    By default: fMRI has ``plain_ridge``, ``calibrated_ridge`` and, where units have positions or
    region labels, ``region_stack``; MEG and EEG have ``plain_ridge`` and ``binned_ridge``. Beside
    an encoder that is a closed form itself stand the others, where they cost little. What can't
    serve the people to be tested is left out, with a warning.

    Parameters
    ----------
    encoder : Encoder
        The one to be judged.
    protocol : Protocol
        ``closed_forms`` False: none; a mapping: those, as they are given.
    people : sequence of Responses

    Examples
    --------
    >>> import numpy as np
    >>> from neurodecode.encoders import Ridge
    >>> people = [Responses(np.zeros((4, 2)), list("abcd"), "sub-01", "fmri")]
    >>> protocol = Protocol(Split(["a", "b"], ["c"], ["d"]))
    >>> list(closed_forms(Ridge(), protocol, people))
    ['calibrated_ridge']
    """
    if isinstance(protocol.closed_forms, Mapping):
        return {name: copy.deepcopy(one) for name, one in protocol.closed_forms.items()}
    if not protocol.closed_forms:
        return {}
    if is_closed_form(encoder) and _cost(people) > LITTLE:
        return {}
    made = {
        name: one for name, one in _defaults(people).items() if not isinstance(encoder, type(one))
    }
    strangers = without_training(people, protocol.folds)
    for name in [one for one in made if strangers and one not in FOR_STRANGERS]:
        LOG.warning(
            "'%s' does not stand beside the scores of '%s': it needs training trials of each test "
            "person, and %s has none.",
            *(name, protocol.name, strangers[0]),
        )
        del made[name]
    return made


def is_closed_form(encoder: Any) -> bool:
    """Is it fitted by solving equations, with nothing trained step by step?"""
    return bool(getattr(encoder, "closed_form", False))


def without_training(people: Sequence[Responses], folds: Sequence[Split]) -> list[str]:
    """People who are tested in a fold that has no training trials of theirs."""
    return list(
        dict.fromkeys(
            one.subject
            for one in people
            for split in folds
            if split.mask(one, "test").any() and not split.mask(one, "train").any()
        )
    )


def _defaults(people: Sequence[Responses]) -> dict[str, Encoder]:
    from neurodecode.encoders import BinnedRidge, CalibratedRidge, RegionStack, Ridge

    if people[0].modality == "fmri":
        forms: dict[str, Encoder] = {"plain_ridge": Ridge(), "calibrated_ridge": CalibratedRidge()}
        return forms | ({"region_stack": RegionStack()} if _regions_known(people) else {})
    found: dict[str, Encoder] = {"plain_ridge": Ridge()}
    return found | ({"binned_ridge": BinnedRidge()} if _alike(people) else {})


def _alike(people: Sequence[Responses]) -> bool:
    """Have all people the same sensors and, unless trials are padded, samples?"""
    padded = all(one.valid is not None for one in people)
    return len({tuple(one.values.shape[1 : 2 if padded else None]) for one in people}) == 1


def _regions_known(people: Sequence[Responses]) -> bool:
    from neurodecode.encoders.core.unit_groups import region_labels

    if any(one.unit_axis is None for one in people):
        return False
    return all(one.positions is not None for one in people) or bool(region_labels(people))


def _cost(people: Sequence[Responses]) -> float:
    """Multiplications of the Gram matrices of all people."""
    sizes = ((len(one), math.prod(one.values.shape[1:])) for one in people)
    return float(sum(n_rows * n_dims * min(n_rows, n_dims) for n_rows, n_dims in sizes))
