"""What all encoders share: parameters, the trials learned from, and files without pickle."""

from __future__ import annotations

import functools
import inspect
import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from neurodecode._version import __version__
from neurodecode.contracts import Targets
from neurodecode.data import Embeddings, LearnedFrom, Responses, Split, check_size, expect, listing
from neurodecode.encoders.core.believed_sizes import BelievedSizes
from neurodecode.encoders.core.run import Given
from neurodecode.errors import CorruptFileError
from neurodecode.store import atomic_path, write_json

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
TRIAL_KEYS = "learned_from.keys"


class BaseEncoder(BaseEstimator):  # type: ignore[misc]
    """An encoder: responses of many people in, points of a target space out.

    A subclass gives `fit`, `predict`, `adapt`, and says with `_state` and `_restore` what it has
    learned: tensors by name, and facts that JSON can hold.

    Whatever a subclass writes in them, `fit` and `adapt` note in ``learned_from_`` which training
    and validation trials they were given; `save` keeps it, so that no one tests on them later.
    """

    licence: ClassVar[str] = "bsd-3-clause"
    closed_form: ClassVar[bool] = False
    """Fitted by solving equations, with nothing trained step by step."""
    grouped: ClassVar[Mapping[str, type]] = {}
    """Parameters that are dataclasses (such as a training plan), by name; saved as plain JSON."""

    def __init_subclass__(cls, **more: Any) -> None:
        super().__init_subclass__(**more)
        for name in ("fit", "adapt"):
            if name in vars(cls):
                setattr(cls, name, _noting(vars(cls)[name], afresh=name == "fit"))
        if "predict" in vars(cls):
            cls.predict = _reading(vars(cls)["predict"])  # type: ignore[method-assign]

    @abstractmethod
    def fit(
        self, responses: Responses | Sequence[Responses], targets: Targets, split: Split
    ) -> Self:
        """Learn from the training part of all people; stop by the validation part."""

    @abstractmethod
    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """One point a trial, under the trial's stimulus id; ``head`` where there are several."""

    @abstractmethod
    def adapt(self, responses: Responses, targets: Targets, split: Split) -> Self:
        """Learn what a new person needs; the shared part stays as it is."""

    @abstractmethod
    def _state(self) -> tuple[dict[str, torch.Tensor], dict[str, Any]]: ...

    @abstractmethod
    def _restore(self, tensors: dict[str, torch.Tensor], facts: dict[str, Any]) -> None: ...

    def save(self, folder: str | Path) -> Path:
        """Write ``config.json``, ``model.safetensors`` and a model card to a folder."""
        target = Path(folder)
        tensors, facts = self._state()
        learned: LearnedFrom | None = getattr(self, "learned_from_", None)
        if learned is not None:
            tensors = tensors | {TRIAL_KEYS: torch.from_numpy(learned.keys.view(np.int64))}
        with atomic_path(target / WEIGHTS) as part:
            save_file(
                {name: one.detach().cpu().contiguous() for name, one in tensors.items()}, part
            )
        config = {
            "class": type(self).__name__,
            "neurodecode": __version__,
            "parameters": {
                name: _plain(value)
                for name, value in self.get_params(deep=False).items()
                if name != "folder"  # checkpoints stay where they were written
            },
            "facts": facts,
            "learned_from": None if learned is None else learned.as_json(),
        }
        with atomic_path(target / "README.md") as part:
            part.write_text(self._card(facts | _told(learned)), encoding="utf-8")
        write_json(target / CONFIG, config)
        return target

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        CorruptFileError
            If a file is missing, unreadable or of another class.
        """
        source = Path(folder)
        try:
            config = dict(json.loads((source / CONFIG).read_text(encoding="utf-8")))
            tensors = load_file(source / WEIGHTS)
        except Exception as error:
            raise CorruptFileError(
                f"{source} does not hold a saved {cls.__name__}: {error}. "
                f"It needs {CONFIG} and {WEIGHTS}."
            ) from error
        if config.get("class") != cls.__name__:
            raise CorruptFileError(
                f"{source} holds a {config.get('class')}, not a {cls.__name__}. "
                f"Load it with {config.get('class')}.load()."
            )
        try:
            with BelievedSizes(tensors):
                return cls._built(config, tensors)
        except CorruptFileError:
            raise
        except Exception as error:  # whatever a changed size or type leads to in a network
            raise CorruptFileError(
                f"{source} holds a {cls.__name__} whose {CONFIG} and {WEIGHTS} do not fit: "
                f"{type(error).__name__}: {error!s:.200}. It was altered, or written by another "
                f"version; obtain it again."
            ) from error

    @classmethod
    def _built(cls, config: dict[str, Any], tensors: dict[str, torch.Tensor]) -> Self:
        parameters = {
            name: cls.grouped[name](**value) if name in cls.grouped and value else value
            for name, value in config["parameters"].items()
        }
        encoder = cls(**parameters)
        keys = tensors.pop(TRIAL_KEYS, None)
        encoder._restore(tensors, config["facts"])
        if keys is not None:
            recordings = config["learned_from"]["recordings"]
            encoder.learned_from_ = LearnedFrom(recordings, keys.numpy().view(np.uint64))
        return encoder

    def push_to_hub(self, repo_id: str, *, folder: str | Path, private: bool = True) -> str:
        """Save to a folder and upload it; needs a login of huggingface_hub."""
        from huggingface_hub import HfApi

        api = HfApi()
        api.create_repo(repo_id, private=private, exist_ok=True)
        return str(api.upload_folder(repo_id=repo_id, folder_path=self.save(folder)))

    @classmethod
    def from_pretrained(cls, name: str | Path, *, local_files_only: bool = False) -> Self:
        """Load from a local folder, else from the hub's cache or the hub."""
        if Path(name).is_dir():
            return cls.load(name)
        from huggingface_hub import snapshot_download

        files = [CONFIG, WEIGHTS]
        found = snapshot_download(
            str(name), allow_patterns=files, local_files_only=local_files_only
        )
        return cls.load(found)

    def _card(self, facts: Mapping[str, Any]) -> str:
        rows = "\n".join(f"| {key} | {value} |" for key, value in facts.items() if _short(value))
        return (
            f"---\nlicense: {self.licence}\nlibrary_name: neurodecode\n---\n"
            f"# {type(self).__name__}\n\nWritten by neurodecode {__version__}.\n\n"
            f"| fact | value |\n| --- | --- |\n{rows}\n"
        )


def _noting(method: Callable[..., Any], *, afresh: bool) -> Callable[..., Any]:
    """`fit` or `adapt` that notes in ``learned_from_`` the trials that the split lets it see.

    One that calls another of them (``super().fit``, say) has learned from the trials of both.
    """
    takes = inspect.signature(method)

    @functools.wraps(method)
    def noted(
        self: Any, responses: Any, targets: Any, split: Split, *rest: Any, **more: Any
    ) -> Any:
        outer = vars(self).get("_given")
        if afresh and outer is None:
            vars(self).pop("learned_from_", None)
        given = _checked(f"{type(self).__name__}.{method.__name__}()", responses, targets, split)
        people = [given] if isinstance(given, Responses) else given
        bound = takes.bind(self, given, targets, split, *rest, **more).arguments
        others = dict(list(bound.items())[4:])
        self._given = Given("fit" if afresh else "adapt", people, targets, split, others)
        try:
            fitted = method(self, given, targets, split, *rest, **more)
        finally:
            if outer is None:
                del self._given
            else:
                self._given = outer
        learned = LearnedFrom.of(people, split)
        before = getattr(self, "learned_from_", None)
        if before is not None:
            self.learned_from_ = before | learned
        elif afresh:  # what was learned before adapt() may be unknown
            self.learned_from_ = learned
        return fitted

    return noted


def _checked(who: str, responses: Any, targets: Any, split: Any) -> Any:
    """The responses, if all three are what an encoder learns from."""
    several = isinstance(responses, Iterable) and not isinstance(responses, np.ndarray | Responses)
    given = list(responses) if several else responses
    for one in given if isinstance(given, list) else [given]:
        expect(one, Responses, who)
        check_size(f"Responses of subject '{one.subject}'", one.values)
    heads = list(targets.values()) if isinstance(targets, Mapping) else [targets]
    if not heads:
        raise ValueError(f"{who} got no targets. Give Embeddings, or a mapping of head to them.")
    for one in heads:
        if one is not None:  # an encoder may make its own
            expect(one, Embeddings, who)
            check_size(f"Targets of space '{one.space}'", one.values)
    expect(split, Split, who)
    return given


def _reading(method: Callable[..., Any]) -> Callable[..., Any]:
    """`predict` that says what it takes."""

    @functools.wraps(method)
    def checked(self: Any, responses: Any, *rest: Any, **more: Any) -> Any:
        expect(responses, Responses, f"{type(self).__name__}.{method.__name__}()")
        check_size(f"Responses of subject '{responses.subject}'", responses.values)
        check_is_fitted(self)
        return method(self, responses, *rest, **more)

    return checked


def _told(learned: LearnedFrom | None) -> dict[str, Any]:
    """What the model card says of the trials learned from."""
    if learned is None:
        return {"learned from": "unknown recordings"}
    shown = {"learned from": listing(learned.recordings)}
    return {"data": learned.source, **shown}


def as_people(responses: Responses | Sequence[Responses]) -> list[Responses]:
    """One recording or several as a list, with no person twice.

    Raises
    ------
    ValueError
        If there is none, or a person stands twice.
    """
    people = [responses] if isinstance(responses, Responses) else list(responses)
    names = [one.subject for one in people]
    if not people:
        raise ValueError("fit() got no responses. Give those of one person or of several.")
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(
            f"fit() got {len(names)} recordings of {len(set(names))} people: {listing(twice)} "
            f"stand more than once. Join the recordings of a person first."
        )
    return people


def as_targets(targets: Targets) -> dict[str, Embeddings]:
    """One target space under the name ``'target'``, or the given ones by name."""
    return {"target": targets} if isinstance(targets, Embeddings) else dict(targets)


def check_finite(values: np.ndarray[Any, Any], subject: str) -> None:
    """Refuse responses that hold not-a-number or infinite values.

    Raises
    ------
    ValueError
        Naming how many trials are affected.
    """
    if not np.isfinite(values).all():
        flat = np.isfinite(values.reshape(len(values), -1)).all(axis=1)
        raise ValueError(
            f"Responses of subject '{subject}' have values that are not finite in "
            f"{int((~flat).sum())} of {len(flat)} trials (first: row {int(np.argmin(flat))}). "
            f"Drop those trials with .take(), or repair the preprocessing."
        )


def _plain(value: Any) -> Any:
    """A parameter as JSON holds it: dataclasses, alone or in a list, as mappings."""
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


def _short(value: Any) -> bool:
    return isinstance(value, str | int | float | bool) or (
        isinstance(value, list) and len(str(value)) < 200
    )
