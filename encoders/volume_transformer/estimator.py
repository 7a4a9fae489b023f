"""Neuro-Vision to Language: one transformer over whole volumes, no parameters of one person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from neurodecode.contracts import Targets
from neurodecode.data import Embeddings, Responses, Split, blocks, listing
from neurodecode.encoders.core.base import BaseEncoder, as_people, as_targets, check_finite
from neurodecode.encoders.core.fitting import Fitting, parts_of
from neurodecode.encoders.core.run import run_of
from neurodecode.encoders.core.trials import PooledTrials, TrialBatch
from neurodecode.encoders.volume_transformer.parts import (
    VolumeNet,
    VolumeSizes,
    to_grid,
    to_patches,
)
from neurodecode.training import Plan, Progress, seeded

PUBLISHED_SIZES = VolumeSizes()
PUBLISHED_PLAN = Plan(max_epochs=30, learning_rate=5e-4)
VOLUME = ("trial", "x", "y", "z")
PREDICT_ROWS = 16


class VolumeTransformer(BaseEncoder):
    """Volumes on a common grid, patches kept by mask, class token, a head a target.

    Parameters
    ----------
    sizes : VolumeSizes
        Grid, patch, width, depth; published values by default (grid of subject 1).
    second_weight : float
        Weight of every head but the first; published 1/64 for the VAE latent.
    mix_repeats : bool
        Blend two trials of the same picture and person, with a share drawn from U(0, 1).
    plan : Plan
        Published: 30 epochs, 5e-4; optimizer and schedule are not stated.
    batch_size : int
        Published: 32.
    seed : int
    folder : str, optional
        For checkpoints; a killed `fit` continues from there.

    Attributes
    ----------
    net_ : torch.nn.Module
    spaces_ : dict of head to target space
    history_ : History

    Notes
    -----
    Responses have dims ('trial', 'x', 'y', 'z'), zero outside the brain mask; people may have
    different grids. Which patches are kept is learned from the training trials: those where any
    person has a value that is not zero. Single trials are predicted one by one; average with
    ``average_repeats()`` before or after. Nothing in the network belongs to one person.

    Sources
    -------
    Shen et al., Neuro-Vision to Language (NeurIPS 2024), section 3 and appendix. Not stated there
    and chosen here: heads and perceptron of the transformer, normalisation before each layer,
    scaling (one mean and spread for all values of a person inside the mask).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> volumes = rng.normal(size=(8, 4, 5, 6)).astype(np.float32)
    >>> person = Responses(volumes, range(8), "anna", "fmri", ("trial", "x", "y", "z"))
    >>> truth = Embeddings(rng.normal(size=(8, 3)), range(8), "toy")
    >>> sizes = VolumeSizes(grid=(4, 4, 4), patch=2, width=8, depth=1, n_heads=2, n_hidden=8)
    >>> model = VolumeTransformer(sizes, plan=Plan(max_epochs=1, device="cpu"))
    >>> model.fit(person, truth, Split(range(6), [], range(6, 8))).predict(person).values.shape
    (8, 3)
    """

    grouped: ClassVar[Mapping[str, type]] = {"sizes": VolumeSizes, "plan": Plan}

    def __init__(
        self,
        sizes: VolumeSizes = PUBLISHED_SIZES,
        second_weight: float = 1 / 64,
        mix_repeats: bool = True,
        plan: Plan = PUBLISHED_PLAN,
        batch_size: int = 32,
        seed: int = 0,
        folder: str | None = None,
    ) -> None:
        self.sizes = sizes
        self.second_weight = second_weight
        self.mix_repeats = mix_repeats
        self.plan = plan
        self.batch_size = batch_size
        self.seed = seed
        self.folder = folder

    def fit(
        self, responses: Responses | Sequence[Responses], targets: Targets, split: Split
    ) -> Self:
        """Learn from all people at once, one person's batch a step.

        Raises
        ------
        ValueError
            If responses are no volumes or not finite, or a stimulus has no target.
        """
        people, named = as_people(responses), as_targets(targets)
        parts = _train_parts(people, split)
        self.shapes_ = {name: list(one.row_shape) for name, one in named.items()}
        self.spaces_ = {name: one.space for name, one in named.items()}
        self.moments_ = {one.subject: _moments(one) for one in parts}
        kept = _patches_in(parts, self.sizes)
        with seeded(self.seed):
            net = VolumeNet(self.shapes_, len(kept), self.sizes)
        net.kept.copy_(kept)
        self.net_ = net
        self._train(people, named, split, self.plan)
        return self

    def adapt(
        self,
        responses: Responses,
        targets: Targets,
        split: Split,
        *,
        plan: Plan | None = None,
        frozen: bool = True,
    ) -> Self:
        """Learn a new person's scaling; with ``frozen=False`` also tune the network.

        The network has no part of one person's own, so without tuning nothing else can be learned.
        """
        [part] = _train_parts([responses], split)
        self.moments_ = {**self.moments_, responses.subject: _moments(part)}
        if not frozen:
            self._train([responses], as_targets(targets), split, plan or self.plan)
        return self

    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """One point a trial, in the space of a head (default: the first)."""
        chosen = next(iter(self.shapes_)) if head is None else head
        if chosen not in self.shapes_:
            raise ValueError(f"There is no head '{head}'; the heads are {listing(self.shapes_)}.")
        rows = [found[chosen] for found in self._outputs(responses)]
        values = np.concatenate(rows) if rows else np.zeros((0, 1), np.float32)
        shape = self.shapes_[chosen]
        return Embeddings(values.reshape(-1, *shape), responses.stimulus, self.spaces_[chosen])

    def _train(
        self,
        people: Sequence[Responses],
        targets: dict[str, Embeddings],
        split: Split,
        plan: Plan,
    ) -> None:
        fitting = Fitting(targets, plan, self.batch_size, self.seed, run_of(self))
        parts, validation = parts_of(people, split)
        batches = fitting.batches(parts)
        step = _VolumeStep(self, batches if self.mix_repeats else None)
        alone = _VolumeStep(self, None).alone
        self.history_ = fitting.train(self.net_, step, batches, alone, validation)
        self.net_ = self.net_.float()

    def _outputs(self, responses: Responses) -> Iterator[dict[str, Any]]:
        _check_volumes(responses)
        if responses.subject not in self.moments_:
            raise ValueError(
                f"Subject '{responses.subject}' is not known; this model was fitted on "
                f"{listing(self.moments_)}. Call adapt() with responses of '{responses.subject}' "
                f"to learn their scaling."
            )
        self.net_.eval()
        device = self.net_.read.weight.device
        for start in range(0, len(responses), PREDICT_ROWS):
            block = np.asarray(responses.values[start : start + PREDICT_ROWS], dtype=np.float32)
            check_finite(block, responses.subject)
            with torch.no_grad():
                volumes = self.scaled(responses.subject, torch.from_numpy(block).to(device))
                yield {name: one.cpu().numpy() for name, one in self.net_(volumes).items()}

    def scaled(self, subject: str, volumes: Tensor) -> Tensor:
        """Volumes with a person's mean and spread taken out inside the mask; zero stays zero."""
        mean, spread = self.moments_[subject]
        return torch.where(volumes != 0, (volumes - mean) / spread, volumes)

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        facts = {
            "heads": self.shapes_,
            "spaces": self.spaces_,
            "moments": {name: list(pair) for name, pair in self.moments_.items()},
            "n_kept": len(self.net_.kept),
        }
        return dict(self.net_.state_dict()), facts

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        self.shapes_, self.spaces_ = facts["heads"], facts["spaces"]
        self.moments_ = {name: (pair[0], pair[1]) for name, pair in facts["moments"].items()}
        self.net_ = VolumeNet(self.shapes_, int(facts["n_kept"]), self.sizes)
        self.net_.load_state_dict(tensors)
        self.net_.eval()


class _VolumeStep:
    """Mean squared errors of all heads, with blended repeats if trials are given."""

    def __init__(self, owner: VolumeTransformer, trials: PooledTrials | None) -> None:
        self.owner, self.trials = owner, trials
        self._repeats = {} if trials is None else _repeats(trials)

    def __call__(
        self, net: VolumeNet, batches: Sequence[TrialBatch], progress: Progress
    ) -> dict[str, Tensor]:
        losses: dict[str, Tensor] = {}
        for batch in batches:
            volumes = self._blended(batch, progress)
            found = net(self.owner.scaled(batch.subject, volumes))
            for place, (name, predicted) in enumerate(found.items()):
                weight = 1.0 if place == 0 else self.owner.second_weight
                error = F.mse_loss(predicted.float(), batch.targets[name].flatten(1))
                losses[name] = losses.get(name, 0.0) + weight * error / len(batches)
        return {"loss": torch.stack(list(losses.values())).sum(), **losses}

    def alone(self, net: VolumeNet, batch: TrialBatch) -> dict[str, Tensor]:
        """The losses of one batch."""
        return self(net, [batch], Progress(0, 0, 0.0))

    def _blended(self, batch: TrialBatch, progress: Progress) -> Tensor:
        if self.trials is None:
            return batch.values
        rng = np.random.default_rng((self.owner.seed, progress.step, batch.person))
        groups = self._repeats[batch.person]
        partner = np.array([rng.choice(groups[one]) for one in batch.stimulus.tolist()])
        other = self.trials.batch(batch.person, partner).values
        share = torch.from_numpy(rng.random(len(partner), dtype=np.float32)).to(other.device)
        return torch.lerp(other, batch.values, share[:, None, None, None])


def _repeats(trials: PooledTrials) -> dict[int, dict[str, np.ndarray[Any, Any]]]:
    """Rows of each person's trials by stimulus."""
    found: dict[int, dict[str, np.ndarray[Any, Any]]] = {}
    for person, one in enumerate(trials.people):
        ids, inverse = np.unique(one.stimulus, return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        rows = np.split(order, np.cumsum(np.bincount(inverse))[:-1])
        found[person] = dict(zip(ids.tolist(), rows, strict=True))
    return found


def _train_parts(people: Sequence[Responses], split: Split) -> list[Responses]:
    for one in people:
        _check_volumes(one)
    parts = [split.part(one, "train") for one in people]
    for one in parts:
        if not len(one):
            raise ValueError(
                f"Subject '{one.subject}' has no trial in the training part of the split. Check "
                f"the split's ids against responses.stimulus."
            )
    return parts


def _check_volumes(responses: Responses) -> None:
    if responses.dims != VOLUME:
        raise ValueError(
            f"VolumeTransformer needs responses with dims {VOLUME}; those of subject "
            f"'{responses.subject}' have {responses.dims}. Read them without masking to voxels."
        )


def _moments(responses: Responses) -> tuple[float, float]:
    """Mean and spread of all values that are not zero, over the training trials."""
    count, total, squares = 0, 0.0, 0.0
    for _, block in blocks(responses.values):
        check_finite(block, responses.subject)
        inside = block[block != 0].astype(np.float64)
        count += len(inside)
        total += float(inside.sum())
        squares += float((inside**2).sum())
    mean = total / max(1, count)
    return mean, max(squares / max(1, count) - mean**2, 0.0) ** 0.5 or 1.0


def _patches_in(parts: Sequence[Responses], sizes: VolumeSizes) -> Tensor:
    """Patches where any person has a value that is not zero in any training trial."""
    touched: Tensor | None = None
    for one in parts:
        inside = np.zeros(one.values.shape[1:], dtype=bool)
        for _, block in blocks(one.values):
            inside |= (block != 0).any(axis=0)
        mask = torch.from_numpy(inside).float()[None]
        mine = (to_patches(to_grid(mask, sizes.grid), sizes.patch)[0] > 0).any(dim=1)
        touched = mine if touched is None else touched | mine
    if touched is None or not touched.any():
        raise ValueError("The training volumes are zero everywhere; there is no patch to keep.")
    return touched.nonzero()[:, 0]
