"""The convolutional decoder of MEG images (Benchetrit, Banville and King 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, cast

import torch
from torch import Tensor

from neurodecode.contracts import Targets
from neurodecode.data import Embeddings, Responses, Split, listing
from neurodecode.encoders.core.fitting import Fitting
from neurodecode.encoders.core.run import run_of
from neurodecode.encoders.core.sensor_encoder import SensorEncoder
from neurodecode.encoders.core.sensor_layers import PersonLayer
from neurodecode.encoders.core.sensor_model import (
    HEADS,
    OnlyThePerson,
    SensorStep,
    layout_of,
)
from neurodecode.encoders.sensor_conv.network import Aggregation, SensorConvNetwork
from neurodecode.encoders.sensor_conv.stream import SensorConvStream
from neurodecode.training import Plan, pick_device


@dataclass(frozen=True)
class SensorConvSize:
    """Widths of the network; the defaults are the published ones.

    Examples
    --------
    >>> SensorConvSize().n_out
    2048
    """

    n_virtual: int = 270
    hidden: int = 320
    n_out: int = 2048


class SensorConv(SensorEncoder):
    """Sensors over time to a target space: spatial attention, person layer, dilated convolutions.

    Two heads share the trunk. ``retrieval`` is trained by a symmetric contrastive loss with a
    learned temperature, ``regression`` by the squared error on standardised targets:
    L = w L_contrastive + (1 - w) L_mse. Find stimuli with the first, drive generators with the
    second.

    Parameters
    ----------
    aggregation : {'affine', 'mean', 'attention'}
        How time is summed up.
    subject_layer : bool
        A matrix a person. Without it, people who were not trained on can be decoded.
    contrastive_weight : float or sequence of float
        w. Of several, the one with the best top-5 retrieval on the *validation* part is kept.
    size : SensorConvSize
    plan : Plan
    batch_size : int
    seed : int

    Attributes
    ----------
    contrastive_weight_ : float
        The weight that was kept.
    history_ : History

    Sources
    -------
    Benchetrit et al., ICLR 2024, section 2; there w was chosen on the large test set, as a reviewer
    noted; here on validation. They stop by the loss on validation; we keep the epoch with the best
    ranks on validation, as their group's later code does with top-5. They regress raw latents; we
    standardise them with training statistics and give predictions back in the units of the target.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodecode.data import Embeddings, Responses, Split
    >>> from neurodecode.training import Plan
    >>> rng = np.random.default_rng(0)
    >>> people = Responses(
    ...     rng.normal(size=(8, 5, 12)), range(8), "s", "meg", dims=("trial", "channel", "time"),
    ...     positions=rng.normal(size=(5, 3)) * 90,
    ... )
    >>> targets = Embeddings(rng.normal(size=(8, 4)), range(8), "toy")
    >>> small = SensorConvSize(n_virtual=4, hidden=4, n_out=8)
    >>> encoder = SensorConv(size=small, plan=Plan(max_epochs=1, device="cpu"), batch_size=4)
    >>> encoder.fit(people, targets, Split(range(8), [], [])).predict(people)
    Embeddings(toy, 8 rows of (4,))
    """

    grouped: ClassVar[Mapping[str, type]] = {"plan": Plan, "size": SensorConvSize}

    def __init__(
        self,
        aggregation: Aggregation = "affine",
        subject_layer: bool = True,
        contrastive_weight: float | Sequence[float] = 0.5,
        size: SensorConvSize = SensorConvSize(),
        plan: Plan = Plan(max_epochs=50, patience=10, weight_decay=0.0),
        batch_size: int = 128,
        seed: int = 0,
        folder: str | None = None,
    ) -> None:
        self.aggregation = aggregation
        self.subject_layer = subject_layer
        self.contrastive_weight = contrastive_weight
        self.size = size
        self.plan = plan
        self.batch_size = batch_size
        self.seed = seed
        self.folder = folder

    def stream(self, layout: Responses, head: str | None = None) -> SensorConvStream:
        """A decoder of overlapping windows of one person, for signals as they arrive.

        Parameters
        ----------
        layout : Responses
            Whose subject and sensor positions the windows have; its values are not read.
        head : {'retrieval', 'regression'}, optional
        """
        person = self._person(layout.subject)
        return SensorConvStream(self.model_.eval(), layout_of(layout), person, head or "retrieval")

    def _network(self) -> SensorConvNetwork:
        return SensorConvNetwork(
            self.n_times_,
            len(self.mean_),
            len(self.subjects_) if self.subject_layer else 0,
            HEADS,
            n_virtual=self.size.n_virtual,
            hidden=self.size.hidden,
            n_out=self.size.n_out,
            aggregation=self.aggregation,
        )

    def _layout(self, responses: Responses) -> Tensor:
        return layout_of(responses)

    def _person(self, subject: str) -> int | None:
        if not self.subject_layer:
            return None
        if subject not in self.subjects_:
            raise ValueError(
                f"SensorConv has no layer for subject '{subject}'; it knows "
                f"{listing(self.subjects_)}. Call adapt(), or train with subject_layer=False."
            )
        return self.subjects_.index(subject)

    def adapt(self, responses: Responses, targets: Targets, split: Split) -> Self:
        """Learn a new person's layer, starting from the mean of the others; the rest stays.

        Without a subject layer there is nothing to learn, and any person can be decoded.
        """
        if not self.subject_layer:
            return self
        if responses.subject in self.subjects_:
            raise ValueError(f"SensorConv already knows subject '{responses.subject}'.")
        person_layer = cast(PersonLayer, cast(SensorConvNetwork, self.model_.network).person_layer)
        known = person_layer.matrices.detach().cpu()
        tuned = OnlyThePerson(self.model_, known.mean(dim=0))
        self._tune(tuned, split.part(responses, "train"), self._target(targets))
        own = cast(PersonLayer, tuned.model.network.person_layer).matrices.detach().cpu()
        state = tuned.model.cpu().state_dict()
        state["network.person_layer.matrices"] = torch.cat([known, own])
        self.subjects_ = [*self.subjects_, responses.subject]
        self._load(state)
        return self

    def _tune(self, tuned: OnlyThePerson, responses: Responses, target: Embeddings) -> None:
        layout = layout_of(responses).to(pick_device(self.plan.device))
        step = SensorStep({responses.subject: layout}, self.contrastive_weight_)
        fitting = Fitting({"target": target}, self.plan, self.batch_size, self.seed, run_of(self))
        fitting.train(tuned, step, fitting.batches([responses]), step.alone, ())
