"""MindBridge: one decoder for many people, bridged by what each can rebuild of the other."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.contracts import Targets
from neurodecode.data import Embeddings, Responses, Split
from neurodecode.encoders.core.base import as_people, as_targets
from neurodecode.encoders.core.fitting import Fitting, parts_of
from neurodecode.encoders.core.run import run_of
from neurodecode.encoders.core.voxel_scaling import set_moments
from neurodecode.encoders.mindbridge.inverse import Inverse, head_features
from neurodecode.encoders.mindbridge.loss import BridgeLoss
from neurodecode.encoders.mindbridge.model import BridgeModel, BridgeStep, SourceAndTarget
from neurodecode.encoders.mindbridge.parts import BridgeSizes
from neurodecode.encoders.mindbridge.pooling import POOLINGS, Pooling, VoxelPool, bin_centres
from neurodecode.encoders.mindbridge.reading import PREDICT_ROWS, BridgeReader
from neurodecode.training import Batches, Plan, seeded

PUBLISHED_SIZES = BridgeSizes()
PUBLISHED_LOSS = BridgeLoss()
PUBLISHED_PLAN = Plan(max_epochs=600, learning_rate=1.5e-4)


class MindBridge(BridgeReader):
    """Pooled voxels, an embedder and a builder a person, a shared translator and token heads.

    Parameters
    ----------
    sizes : BridgeSizes
        Bins, hidden units, blocks; published sizes by default (561 M weights for one person).
    pooling : {'max', 'mean', 'resize', 'anatomical'}
        From voxels to bins. The first three follow the order of the mask, as published; the last
        goes by position and needs ``responses.positions`` in a space shared by all people.
    loss : BridgeLoss
        Weights of the terms.
    plan : Plan
        Published: 600 epochs, one-cycle, 1.5e-4 for several people and 3e-4 for one. On a recent
        GPU ``precision='bf16-split'`` takes a fifth of the time of a plain float32 implementation
        and half its memory, with the same loss curve within noise (``benchmarks/mindbridge.py``).
    batch_size : int
        Trials a person and step.
    seed : int
    folder : str, optional
        For checkpoints and metrics; a killed `fit` continues from there.

    Attributes
    ----------
    model_ : torch.nn.Module
    spaces_ : dict of head to target space
    history_ : History

    Sources
    -------
    Wang, Liu, Tan & Wang, MindBridge (CVPR 2024), sections 3.1 to 3.4, and the published code.
    Deviations: people may have unequally many trials a step; voxels are z-scored with the moments
    of the training trials (the release comes z-scored by session); each repeat is a trial of its
    own instead of one repeat an epoch; norms and biases are not weight-decayed (in the release
    the norms' weights are); predictions are scaled to the mean norm of the training targets, which
    the loss leaves free; no augmentation of pictures, since targets are computed beforehand.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = Embeddings(rng.normal(size=(12, 3)), range(12), "toy")
    >>> people = [
    ...     Responses(truth.values @ rng.normal(size=(3, size)), range(12), name, "fmri")
    ...     for name, size in (("anna", 20), ("ben", 31))
    ... ]
    >>> sizes, plan = BridgeSizes(n_pooled=16, n_hidden=8), Plan(max_epochs=1, device="cpu")
    >>> bridge = MindBridge(sizes, plan=plan)
    >>> bridge = bridge.fit(people, truth, Split(range(10), [], range(10, 12)))
    >>> bridge.predict(people[1]).values.shape
    (12, 3)
    >>> bridge.synthesise(people[0], "ben")
    Responses(ben, fmri, 12 trials of 12 stimuli, voxel: 31)
    """

    def __init__(
        self,
        sizes: BridgeSizes = PUBLISHED_SIZES,
        pooling: Pooling = "max",
        loss: BridgeLoss = PUBLISHED_LOSS,
        plan: Plan = PUBLISHED_PLAN,
        batch_size: int = 50,
        seed: int = 0,
        folder: str | None = None,
    ) -> None:
        self.sizes = sizes
        self.pooling = pooling
        self.loss = loss
        self.plan = plan
        self.batch_size = batch_size
        self.seed = seed
        self.folder = folder

    def fit(
        self, responses: Responses | Sequence[Responses], targets: Targets, split: Split
    ) -> Self:
        """Learn from all people at once; each step holds a batch of every person.

        Raises
        ------
        ValueError
            If a person has no training trial, no voxel axis, values that are not finite, or no
            positions where they are needed; or if a stimulus has no target.
        """
        people, named = as_people(responses), as_targets(targets)
        self._check(people)
        parts, validation = parts_of(people, split)
        shapes = {name: list(one.row_shape) for name, one in named.items()}
        with seeded(self.seed):
            model = BridgeModel(
                {one.subject: one.n_units for one in people}, shapes, self.sizes, self.pooling
            )
        centres = self._centres(people)
        for person, one in enumerate(parts):
            _prepare(model.pool_of(person), one, centres)
        fitting = Fitting(named, self.plan, self.batch_size, self.seed, run_of(self))
        step = BridgeStep(self.loss, self.seed)
        batches = fitting.batches(parts, together=True)
        self.history_ = fitting.train(model, step, batches, step.alone, validation)
        self.model_ = model.float()
        self.centres_ = centres
        self.shapes_, self.spaces_ = shapes, {name: one.space for name, one in named.items()}
        self.norms_ = {name: _mean_norm(one, parts) for name, one in named.items()}
        self._learn_inverse(parts, validation, named)
        return self

    def adapt(
        self,
        responses: Responses,
        targets: Targets,
        split: Split,
        *,
        sources: Sequence[Responses] = (),
        plan: Plan | None = None,
    ) -> Self:
        """Reset-tuning: a fresh embedder and builder for a new person, all else frozen.

        Parameters
        ----------
        responses : Responses
            The new person's.
        targets, split
            As in `fit`.
        sources : sequence of Responses, optional
            People known already. Each step then joins a batch of one of them, in turn: the new
            builder makes pseudo responses of it, which the new embedder must read back.
        plan : Plan, optional
            Published: 200 epochs; default is the plan of `fit`.

        Raises
        ------
        ValueError
            If the person is known already, or a source is not.
        """
        named = as_targets(targets)
        self._check([responses])
        self._check_names(responses, sources)
        [part], validation = parts_of([responses], split)
        model = copy.deepcopy(self.model_)
        with seeded(self.seed):
            pool = model.add_subject(responses.subject, responses.n_units)
        _prepare(pool, part, self.centres_)
        model.freeze_but(len(model.pools) - 1)
        fitting = Fitting(named, plan or self.plan, self.batch_size, self.seed, run_of(self))
        batches: Batches = fitting.batches([part], together=True)
        if sources:
            known, _ = parts_of(sources, split)
            batches = SourceAndTarget(batches, fitting.batches(known))
        step = BridgeStep(self.loss, self.seed, (0, 1) if sources else None)
        self.history_ = fitting.train(model, step, batches, step.alone, validation)
        self.model_ = model.float().requires_grad_(True)
        return self

    def _check(self, people: Sequence[Responses]) -> None:
        if self.pooling not in POOLINGS:
            raise ValueError(f"pooling must be one of {POOLINGS}; got '{self.pooling}'.")
        for one in people:
            if one.dims != ("trial", "voxel"):
                raise ValueError(
                    f"MindBridge needs responses with dims ('trial', 'voxel'); those of subject "
                    f"'{one.subject}' have {one.dims}. Mask the volumes first."
                )
            if self.pooling == "anatomical" and one.positions is None:
                raise ValueError(
                    f"Anatomical pooling needs the position of every voxel, but subject "
                    f"'{one.subject}' has none. Give responses.positions in mm, in a space shared "
                    f"by all people, or use pooling='max'."
                )

    def _check_names(self, responses: Responses, sources: Sequence[Responses]) -> None:
        if responses.subject in self.subjects_:
            raise ValueError(
                f"Subject '{responses.subject}' is known already. adapt() is for a new person; "
                f"use fit() to learn again."
            )
        for one in sources:
            self._known(one.subject)

    def _centres(self, people: Sequence[Responses]) -> NDArray[Any] | None:
        if self.pooling != "anatomical":
            return None
        return bin_centres(
            np.concatenate([np.asarray(one.positions) for one in people]), self.sizes.n_pooled
        )

    def _learn_inverse(
        self,
        parts: Sequence[Responses],
        validation: Sequence[Responses],
        targets: dict[str, Embeddings],
    ) -> None:
        target = next(iter(targets.values()))
        self.model_.eval()

        def pairs(people: Sequence[Responses]) -> Iterator[tuple[Tensor, Tensor]]:
            for one in people:
                for i, hidden in enumerate(self._hidden(one)):
                    ids = one.stimulus[i * PREDICT_ROWS : i * PREDICT_ROWS + len(hidden)]
                    block = torch.from_numpy(target.rows(ids)).to(self._device)
                    with torch.no_grad():
                        yield head_features(self.model_.first_head, block), hidden

        self.inverse_ = Inverse(self.sizes.n_hidden).to(self._device)
        self.inverse_.learn(pairs(parts), pairs(validation))


def _prepare(pool: VoxelPool, train_part: Responses, centres: NDArray[Any] | None) -> None:
    """Learn a person's scaling, and place the bins if they are anatomical."""
    set_moments(pool, train_part)
    if centres is not None:
        pool.place(np.asarray(train_part.positions), centres)


def _mean_norm(target: Embeddings, parts: Sequence[Responses]) -> float:
    """Mean length of the flattened targets of the training stimuli."""
    ids = np.unique(np.concatenate([one.stimulus for one in parts]))
    total = 0.0
    for start in range(0, len(ids), PREDICT_ROWS):
        rows = target.rows(ids[start : start + PREDICT_ROWS])
        total += float(np.linalg.norm(rows.reshape(len(rows), -1), axis=1).sum())
    return total / len(ids)
