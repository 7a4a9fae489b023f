"""All that a killed run needs to go on: one file, whole or the older one."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from neurodecode.errors import CorruptFileError
from neurodecode.store import atomic_path
from neurodecode.training._plan import Plan

NAME = "checkpoint.pt"
PARTS = {"settings", "module", "optimizer", "schedule", "random", "history", "best"}
# Writing takes at most this share of the time.
SHARE = 0.1


def run_settings(
    module: torch.nn.Module,
    plan: Plan,
    seed: int,
    n_steps: int,
    identity: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What must be the same for a run to go on.

    The given identity (data, targets, split, parameters), plan, seed, steps an epoch, shapes of
    weights.
    """
    facts: dict[str, Any] = dict(identity or {})
    facts |= asdict(plan)
    del facts["device"], facts["capture"]  # another way to the same results
    facts |= {"seed": seed, "steps an epoch": n_steps}
    facts["weights"] = {name: list(one.shape) for name, one in module.state_dict().items()}
    return facts


def read_checkpoint(path: Path, settings: dict[str, Any]) -> dict[str, Any] | None:
    """The checkpoint of this run, or None if there is none yet.

    Raises
    ------
    CorruptFileError
        If the file is cut off or no checkpoint.
    ValueError
        If it belongs to a run with other settings.
    """
    if not path.is_file():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        missing = PARTS - set(state)
    except Exception as error:
        raise CorruptFileError(
            f"{path} is cut off or is no checkpoint ({type(error).__name__}). "
            f"Delete it to start again."
        ) from error
    if missing:
        raise CorruptFileError(
            f"{path} lacks {', '.join(sorted(missing))}. Delete it to start again."
        )
    then = state["settings"]
    other = [key for key in (settings | then) if then.get(key, ...) != settings.get(key, ...)]
    if other:
        changes = "; ".join(_change(key, then, settings) for key in other)
        raise ValueError(
            f"{path} was written by another run, and going on from it would mix the two. What "
            f"differs: {changes}. Give another folder, or delete the file to start again."
        )
    return dict(state)


class Writer:
    """Writes checkpoints, not more often than they are cheap."""

    def __init__(self, folder: Path | None) -> None:
        self.path = None if folder is None else folder / NAME
        self._next = 0.0

    def due(self, last: bool) -> bool:
        return self.path is not None and (last or time.monotonic() >= self._next)

    def write(self, state: dict[str, Any]) -> None:
        if self.path is None:
            return
        start = time.monotonic()
        with atomic_path(self.path) as part:
            torch.save(state, part)
        end = time.monotonic()
        self._next = end + (end - start) * (1 / SHARE - 1)


def copy_weights(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """A copy of all weights and buffers, on the CPU."""
    return {name: copy.deepcopy(one.detach()).cpu() for name, one in module.state_dict().items()}


def _change(key: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    one, other = then.get(key, "not recorded"), now.get(key, "none")
    if isinstance(one, dict) or isinstance(other, dict):
        return f"{key} of other names or shapes"
    if any(str(value).startswith("#") for value in (one, other)):  # hashes tell a reader nothing
        return key
    return f"{key}: {one}, now {other}"
