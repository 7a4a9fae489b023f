"""What encoders of sensors over time share: two heads, training, prediction, saving."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from neurodecode.contracts import Targets
from neurodecode.data import Embeddings, Responses, Split, blocks, listing
from neurodecode.encoders.core.base import BaseEncoder, as_people, as_targets, check_finite
from neurodecode.encoders.core.fitting import Fitting
from neurodecode.encoders.core.losses import unit_rows
from neurodecode.encoders.core.run import run_of
from neurodecode.encoders.core.sensor_model import HEADS, SensorConvModel, SensorStep
from neurodecode.training import Plan, pick_device


class SensorEncoder(BaseEncoder):
    """An encoder with a ``'retrieval'`` head (contrastive) and a ``'regression'`` head.

    A subclass has the parameters named below, and says with `_network` what it trains: a module
    whose ``forward(values, layout, person)`` gives (b, n_dims) for each head.
    """

    plan: Plan
    batch_size: int
    seed: int
    folder: str | None
    contrastive_weight: float | Sequence[float]

    @abstractmethod
    def _network(self) -> nn.Module:
        """The network; sizes, people and the target's scale are known by now."""

    @abstractmethod
    def _layout(self, responses: Responses) -> Tensor:
        """What the network is told of a person's sensors."""

    def _person(self, subject: str) -> int | None:
        """The person's place among those of training, for networks that need it."""
        return None

    def _check_channels(self, people: Sequence[Responses]) -> None:
        """Refuse sensors that the network can't take; the default takes any."""

    def fit(
        self, responses: Responses | Sequence[Responses], targets: Targets, split: Split
    ) -> Self:
        """Train on the training part of all people; stop by the validation part, if there is one.

        Raises
        ------
        ValueError
            If sensors have no positions, people differ in samples a trial, values are not finite,
            or several target spaces are given (train one encoder for each).
        """
        people = as_people(responses)
        target = self._target(targets)
        parts = {name: _trials(people, split, name) for name in ("train", "validation")}
        _check_people(parts["train"], type(self).__name__)
        self.n_channels_, self.n_times_ = map(int, parts["train"][0].values.shape[1:])
        self._check_channels(parts["train"])
        self._learn_target(target, parts["train"])
        self.subjects_ = [one.subject for one in parts["train"]]
        weights = np.atleast_1d(np.asarray(self.contrastive_weight, dtype=float)).tolist()
        if len(weights) > 1 and not parts["validation"]:
            raise ValueError(
                f"contrastive_weight names {len(weights)} values to choose from, but the split "
                f"has no validation trials to choose on. Give one value, or a validation part."
            )
        best: tuple[float, float, dict[str, Tensor], Any] | None = None
        for weight in weights:
            run = run_of(self, f"contrastive-weight-{weight:g}" if len(weights) > 1 else "")
            model, history = self._train(weight, parts, target, run)
            score = _top5(model, parts["validation"], self, target) if len(weights) > 1 else 0.0
            if best is None or score > best[0]:
                best = (score, weight, model.state_dict(), history)
        if best is None:
            raise ValueError("contrastive_weight names no value.")
        _, self.contrastive_weight_, state, self.history_ = best
        self._load(state)
        return self

    def _target(self, targets: Targets) -> Embeddings:
        return _single(as_targets(targets), type(self).__name__)

    def _learn_target(self, target: Embeddings, people: Sequence[Responses]) -> None:
        seen = np.unique(np.concatenate([one.stimulus for one in people]))
        values = target.rows(seen).reshape(len(seen), -1)
        self.space_ = target.space
        self.row_shape_ = target.row_shape
        self.mean_: NDArray[np.float32] = values.mean(axis=0)
        self.std_: NDArray[np.float32] = values.std(axis=0) + 1e-6

    def _build(self) -> SensorConvModel:
        torch.manual_seed(self.seed)
        return SensorConvModel(self._network(), self.mean_, self.std_)

    def _train(
        self,
        weight: float,
        parts: dict[str, list[Responses]],
        target: Embeddings,
        run: Mapping[str, Any],
    ) -> tuple[SensorConvModel, Any]:
        with torch.random.fork_rng():
            model = self._build()
        fitting = Fitting({"target": target}, self.plan, self.batch_size, self.seed, run, True)
        device = pick_device(self.plan.device)
        layouts = {one.subject: self._layout(one).to(device) for one in parts["train"]}
        step, batches = SensorStep(layouts, weight), fitting.batches(parts["train"])
        history = fitting.train(model, step, batches, step.held_out, parts["validation"])
        return model, history

    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """One point a trial; ``head='retrieval'`` (default) or ``'regression'``.

        Raises
        ------
        ValueError
            If the person was not trained on and there is a subject layer, or trials differ in
            length from those of training.
        """
        name = head or "retrieval"
        if name not in HEADS:
            raise ValueError(f"{type(self).__name__} has the heads {HEADS}; got '{name}'.")
        person = self._person(responses.subject)
        n_times = responses.values.shape[2]
        if n_times != self.n_times_:
            raise ValueError(
                f"Trials of subject '{responses.subject}' have {n_times} samples; "
                f"{type(self).__name__} was trained on {self.n_times_}."
            )
        device = pick_device(self.plan.device)
        model = self.model_.to(device).eval()
        layout = self._layout(responses).to(device)
        rows = [
            model.embed(values, layout, person)[name].cpu().numpy()
            for values in _finite_blocks(responses, device, self.batch_size)
        ]
        found = np.concatenate(rows).reshape(-1, *self.row_shape_)
        return Embeddings(found, responses.stimulus, self.space_)

    def _load(self, state: Mapping[str, Tensor]) -> None:
        with torch.random.fork_rng():
            self.model_ = self._build()
        self.model_.load_state_dict(state)

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        facts = {
            "subjects": self.subjects_,
            "space": self.space_,
            "row_shape": list(self.row_shape_),
            "n_times": self.n_times_,
            "n_channels": self.n_channels_,
            "contrastive_weight": self.contrastive_weight_,
        }
        return dict(self.model_.state_dict()), facts

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        self.subjects_ = list(facts["subjects"])
        self.space_ = facts["space"]
        self.row_shape_ = tuple(facts["row_shape"])
        self.n_times_, self.n_channels_ = facts["n_times"], facts["n_channels"]
        self.contrastive_weight_ = facts["contrastive_weight"]
        self.mean_, self.std_ = tensors["mean"].numpy(), tensors["std"].numpy()
        self._load(tensors)


def _single(targets: dict[str, Embeddings], who: str) -> Embeddings:
    if len(targets) != 1:
        raise ValueError(
            f"{who} takes one target space; got {len(targets)} ({listing(targets)}). Train "
            f"one encoder for each."
        )
    return next(iter(targets.values()))


def _trials(people: Sequence[Responses], split: Split, name: Any) -> list[Responses]:
    parts = [split.part(one, name) for one in people]
    return parts if name == "train" else [part for part in parts if len(part)]


def _check_people(people: Sequence[Responses], who: str) -> None:
    lengths = {one.subject: tuple(one.values.shape[2:]) for one in people}
    if any(one.dims != ("trial", "channel", "time") for one in people):
        raise ValueError(f"{who} needs responses with dims ('trial', 'channel', 'time').")
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"People differ in samples a trial: {lengths}. Cut and resample all alike."
        )
    for one in people:
        if len(one) == 0:
            raise ValueError(
                f"Subject '{one.subject}' has no trials to train on. Leave this person out, or "
                f"check that the split names stimuli that were shown."
            )
        for _, block in blocks(one.values):
            check_finite(block, one.subject)


def _finite_blocks(responses: Responses, device: torch.device, size: int) -> Iterator[Tensor]:
    for start in range(0, len(responses), size):
        block = np.asarray(responses.values[start : start + size], dtype=np.float32)
        check_finite(block, responses.subject)
        yield torch.from_numpy(block).to(device)


def _top5(
    model: SensorConvModel, people: Sequence[Responses], encoder: SensorEncoder, target: Embeddings
) -> float:
    """Share of validation trials whose stimulus is among the 5 nearest of validation."""
    ids = np.unique(np.concatenate([one.stimulus for one in people]))
    candidates = unit_rows(torch.from_numpy(target.rows(ids)))
    hits = []
    device = pick_device(encoder.plan.device)
    model = model.to(device).eval()
    for one in people:
        layout = encoder._layout(one).to(device)
        person = encoder._person(one.subject)
        for start, values in enumerate(_finite_blocks(one, device, encoder.batch_size)):
            found = unit_rows(model.embed(values, layout, person)["retrieval"].cpu())
            rows = slice(start * encoder.batch_size, start * encoder.batch_size + len(found))
            own = torch.from_numpy(np.searchsorted(ids, one.stimulus[rows]))
            nearest = (found @ candidates.T).topk(min(5, len(ids)), dim=1).indices
            hits.append((nearest == own[:, None]).any(dim=1))
    return float(torch.cat(hits).float().mean())
