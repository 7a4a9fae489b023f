"""Which run a folder of checkpoints belongs to: its data, its targets, its split, its parameters.

A checkpoint of another run would bring what was learned from other trials, test trials among them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from neurodecode._version import __version__
from neurodecode.data import Embeddings, Responses, Split
from neurodecode.evidence import data_fingerprint
from neurodecode.training import Plan

# Their fields are compared by `neurodecode.training`, for the plan that was used in the end.
COMPARED_ELSEWHERE = ("folder", "seed")
COLUMNS = ("run", "session", "times", "positions", "units", "valid")


@dataclass(frozen=True, eq=False)
class Given:
    """What `fit` or `adapt` of an encoder was given.

    Parameters
    ----------
    kind : {'fit', 'adapt'}
    people : sequence of Responses
    targets : Embeddings, mapping of str to Embeddings, or None
    split : Split
    more : mapping
        Further arguments of the method, by name.
    """

    kind: Literal["fit", "adapt"]
    people: Sequence[Responses]
    targets: Any
    split: Split
    more: Mapping[str, Any] = field(default_factory=dict)

    def identity(self) -> dict[str, str]:
        """What makes a run this one; values that start with ``#`` are hashes.

        Test trials and targets of test stimuli are not read.
        """
        seen = [self.split.seen(one) for one in self.people]
        ids = {one for person in seen for one in person.stimulus.tolist()}
        heads = self.targets if isinstance(self.targets, Mapping) else {"target": self.targets}
        parts = [sorted(getattr(self.split, name).tolist()) for name in ("train", "validation")]
        return {
            "method": self.kind,
            "people": ", ".join(one.subject for one in self.people),
            **{f"data of subject '{one.subject}'": _data_hash(one) for one in seen},
            **{
                f"targets '{name}'": _target_hash(one, ids)
                for name, one in heads.items()
                if one is not None
            },
            "split": _hash(self.split.by, *parts),
            **{f"argument {name}": _plain(value) for name, value in self.more.items()},
        }


def run_of(encoder: Any, part: str = "") -> dict[str, Any]:
    """Folder and identity of the training that is going on, as arguments for `training.train`.

    `adapt` gets a folder of its own for each person and run, below that of `fit`.

    Parameters
    ----------
    encoder : BaseEncoder
        Inside its `fit` or `adapt`. Without ``encoder.folder`` nothing is kept.
    part : str
        Which of several trainings of one fit.
    """
    given: Given | None = vars(encoder).get("_given")
    if encoder.folder is None or given is None:
        return {}
    identity = {
        "encoder": f"{type(encoder).__module__}.{type(encoder).__qualname__}",
        "version": __version__,
        **given.identity(),
        **_parameters(encoder),
    }
    place = Path(encoder.folder)
    if given.kind == "adapt":
        identity["what was fitted before"] = _fitted_hash(encoder)
        name = re.sub(r"[^A-Za-z0-9-]", "_", given.people[0].subject)[:40]
        place /= f"adapt-{name}-{_hash(sorted(identity.items()))[1:9]}"
    if part:
        identity["part"] = part
        place /= part
    return {"folder": place, "identity": identity}


def _parameters(encoder: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in encoder.get_params(deep=False).items():
        if name in COMPARED_ELSEWHERE or isinstance(value, Plan):
            continue
        if is_dataclass(value) and not isinstance(value, type):
            found |= {f"parameter {name}.{key}": _plain(one) for key, one in asdict(value).items()}
        else:
            found[f"parameter {name}"] = _plain(value)
    return found


def _data_hash(responses: Responses) -> str:
    columns = [getattr(responses, name) for name in COLUMNS]
    table = [[name, np.asarray(one).tolist()] for name, one in responses.metadata.items()]
    told = [None if one is None else np.asarray(one).tolist() for one in columns]
    return _hash(data_fingerprint(responses), responses.dims, responses.sfreq, told, table)


def _target_hash(targets: Embeddings, ids: set[str]) -> str:
    known = targets.take(np.isin(targets.stimulus, sorted(ids)))
    order = np.argsort(known.stimulus)
    return _hash(data_fingerprint(known.take(order)))


def _fitted_hash(encoder: Any) -> str:
    tensors, facts = encoder._state()
    digest = hashlib.blake2b(repr(facts).encode(), digest_size=8)
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].detach().cpu().float().contiguous().numpy().data)
    return "#" + digest.hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, Responses):
        return _data_hash(value)
    if isinstance(value, Mapping):
        return _hash(sorted((str(key), repr(one)) for key, one in value.items()))
    if isinstance(value, list | tuple) and any(isinstance(one, Responses) for one in value):
        return _hash([_plain(one) for one in value])
    return str(value)


def _hash(*parts: Any) -> str:
    return "#" + hashlib.blake2b(repr(parts).encode(), digest_size=8).hexdigest()
