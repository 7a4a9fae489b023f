"""MindEye2's shared space: a linear map a person, everything after it shared."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from neurodecode.contracts import Targets
from neurodecode.data import Embeddings, Responses, Split, listing
from neurodecode.encoders.core.base import BaseEncoder, as_people, as_targets, check_finite
from neurodecode.encoders.core.fitting import Fitting, parts_of
from neurodecode.encoders.core.run import run_of
from neurodecode.encoders.core.voxel_scaling import set_moments
from neurodecode.encoders.mindeye2.parts import MindEye2Net, MindEye2Sizes
from neurodecode.encoders.mindeye2.steps import MindEye2Loss, MindEye2Step
from neurodecode.training import Plan, seeded

PUBLISHED_SIZES = MindEye2Sizes()
PUBLISHED_LOSS = MindEye2Loss()
PUBLISHED_PLAN = Plan(max_epochs=150, learning_rate=3e-4)
RETRIEVAL, LATENT = "retrieval", "latent"
PREDICT_ROWS = 128


class MindEye2(BaseEncoder):
    """Per-person linear to a shared space, residual backbone, retrieval, prior, latent pictures.

    Parameters
    ----------
    sizes : MindEye2Sizes
    loss : MindEye2Loss
    plan : Plan
        Published: 150 epochs, one-cycle, 3e-4.
    batch_size : int
        Trials a person and step; published: 6 for 7 people together, 24 for one.
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
    Targets: the first is the main one (tokens or a vector); one named ``'latent'`` of shape
    (channels, height, width) trains the low-level head. Heads of `predict`: the main target (by the
    diffusion prior), ``'retrieval'`` (the projector, for finding pictures) and ``'latent'``.

    Sources
    -------
    Scotti et al., MindEye2 (ICML 2024), section 2, and its code for weights and schedules. Built
    right where the released code is not: each block's output reaches the result (at sequence length
    1 the release's mixer blocks do not), blended partners are rows of the same person in joint
    batches, and a row that is its own partner keeps weight 1. Deviations: no auxiliary ConvNeXt
    loss; two doublings in the latent head; the prior runs on the target over its spread.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = Embeddings(rng.normal(size=(12, 4)), range(12), "toy")
    >>> person = Responses(truth.values @ rng.normal(size=(4, 9)), range(12), "anna", "fmri")
    >>> sizes = MindEye2Sizes(n_shared=8, n_blocks=1, prior_depth=1, prior_heads=2, prior_width=8)
    >>> space = MindEye2(sizes, plan=Plan(max_epochs=1, device="cpu"))
    >>> space = space.fit(person, truth, Split(range(10), [], range(10, 12)))
    >>> space.predict(person).values.shape, space.predict(person, "retrieval").values.shape
    ((12, 4), (12, 4))
    """

    grouped: ClassVar[Mapping[str, type]] = {
        "sizes": MindEye2Sizes,
        "loss": MindEye2Loss,
        "plan": Plan,
    }

    def __init__(
        self,
        sizes: MindEye2Sizes = PUBLISHED_SIZES,
        loss: MindEye2Loss = PUBLISHED_LOSS,
        plan: Plan = PUBLISHED_PLAN,
        batch_size: int = 24,
        seed: int = 0,
        folder: str | None = None,
    ) -> None:
        self.sizes = sizes
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
            If a person has no training trial, no voxel axis or values that are not finite, or if a
            stimulus has no target.
        """
        people, named = as_people(responses), as_targets(targets)
        _check(people)
        parts = [split.part(one, "train") for one in people]
        self.shapes_ = {name: list(one.row_shape) for name, one in named.items()}
        self.spaces_ = {name: one.space for name, one in named.items()}
        with seeded(self.seed):
            net = MindEye2Net(
                {one.subject: one.n_units for one in people},
                self.shapes_[self._main],
                self.sizes,
                self.shapes_.get(LATENT),
            )
        for one in parts:
            set_moments(net.linear_of(one.subject), one)
        self.scale_ = _spread(named[self._main], parts)
        self._train(net, people, named, split, self.plan)
        return self

    def adapt(
        self,
        responses: Responses,
        targets: Targets,
        split: Split,
        *,
        everything: bool = False,
        plan: Plan | None = None,
    ) -> Self:
        """A fresh linear for a new person; ``everything`` tunes the shared part as well.

        MindEye2 tunes everything, which changes what the model says of people it knew; the default
        leaves the shared part as it is.

        Raises
        ------
        ValueError
            If the person is known already.
        """
        named = as_targets(targets)
        _check([responses])
        if responses.subject in self.net_.n_voxels:
            raise ValueError(
                f"Subject '{responses.subject}' is known already. adapt() is for a new person; "
                f"use fit() to learn again."
            )
        net = copy.deepcopy(self.net_)
        with seeded(self.seed):
            fresh = net.add_subject(responses.subject, responses.n_units)
        set_moments(fresh, split.part(responses, "train"))
        if not everything:
            net.requires_grad_(False)
            fresh.requires_grad_(True)
        self._train(net, [responses], named, split, plan or self.plan)
        return self

    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """One point a trial: main target (default), ``'retrieval'`` or ``'latent'``."""
        chosen = self._head(head)
        rows = [self._read_out(shared, chosen) for shared in self._shared(responses)]
        values = np.concatenate(rows) if rows else np.zeros((0, 1), np.float32)
        shape = self.shapes_[LATENT if chosen == LATENT else self._main]
        space = self.spaces_[LATENT if chosen == LATENT else self._main]
        return Embeddings(values.reshape(-1, *shape), responses.stimulus, space)

    @property
    def _main(self) -> str:
        return next(name for name in self.shapes_ if name != LATENT)

    def _head(self, head: str | None) -> str:
        heads = [self._main, RETRIEVAL, *([LATENT] if LATENT in self.shapes_ else [])]
        chosen = self._main if head is None else head
        if chosen not in heads:
            raise ValueError(f"There is no head '{head}'; the heads are {listing(heads)}.")
        return chosen

    def _train(
        self,
        net: MindEye2Net,
        people: Sequence[Responses],
        targets: dict[str, Embeddings],
        split: Split,
        plan: Plan,
    ) -> None:
        fitting = Fitting(targets, plan, self.batch_size, self.seed, run_of(self))
        step = MindEye2Step(
            self.loss, self._main, LATENT if LATENT in targets else None, self.scale_
        )
        parts, validation = parts_of(people, split)
        batches = fitting.batches(parts, together=True)
        self.history_ = fitting.train(net, step, batches, step.check, validation)
        self.net_ = net.float().requires_grad_(True)

    def _shared(self, responses: Responses) -> Iterator[Tensor]:
        expected = self.net_.n_voxels.get(responses.subject)
        if expected is None:
            raise ValueError(
                f"Subject '{responses.subject}' is not known; this model was fitted on "
                f"{listing(self.net_.n_voxels)}. Call adapt() with responses of "
                f"'{responses.subject}' first."
            )
        if responses.dims != ("trial", "voxel") or responses.n_units != expected:
            raise ValueError(
                f"Subject '{responses.subject}' was learned with {expected} voxels, but these "
                f"responses have shape {tuple(responses.values.shape)} with dims "
                f"{responses.dims}. Use the mask that the model was fitted with."
            )
        self.net_.eval()
        device = self.net_.tokens.weight.device
        for start in range(0, len(responses), PREDICT_ROWS):
            block = np.asarray(responses.values[start : start + PREDICT_ROWS], dtype=np.float32)
            check_finite(block, responses.subject)
            with torch.no_grad():
                yield self.net_.shared(responses.subject, torch.from_numpy(block).to(device))

    def _read_out(self, shared: Tensor, head: str) -> NDArray[Any]:
        with torch.no_grad():
            hidden, tokens = self.net_.backbone(shared)
            if head == RETRIEVAL:
                found = self.net_.projector(tokens)
            elif head == LATENT and self.net_.latent is not None:
                found = self.net_.latent(hidden)
            else:
                found = self.net_.prior.sample(tokens, seed=self.seed) * self.scale_
        return np.asarray(found.cpu().numpy())

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        facts = {
            "n_voxels": dict(self.net_.n_voxels),
            "heads": self.shapes_,
            "spaces": self.spaces_,
            "scale": self.scale_,
        }
        return dict(self.net_.state_dict()), facts

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        self.shapes_, self.spaces_ = facts["heads"], facts["spaces"]
        self.scale_ = float(facts["scale"])
        shape, latent = self.shapes_[self._main], self.shapes_.get(LATENT)
        self.net_ = MindEye2Net(facts["n_voxels"], shape, self.sizes, latent)
        self.net_.load_state_dict(tensors)
        self.net_.eval()


def _check(people: Sequence[Responses]) -> None:
    for one in people:
        if one.dims != ("trial", "voxel"):
            raise ValueError(
                f"MindEye2 needs responses with dims ('trial', 'voxel'); those of subject "
                f"'{one.subject}' have {one.dims}. Mask the volumes first."
            )


def _spread(target: Embeddings, parts: Sequence[Responses]) -> float:
    """Root mean square of the target over (a sample of) the training stimuli."""
    ids = np.unique(np.concatenate([one.stimulus for one in parts]))[: 8 * PREDICT_ROWS]
    return float(np.sqrt(np.mean(target.rows(ids).astype(np.float64) ** 2))) or 1.0


SharedSpace = MindEye2
"""The name that this encoder had before the folders bore the systems' names."""
