"""NICE, a compact convolutional decoder of pictures from EEG (Song et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from neurodecode.contracts import Targets
from neurodecode.data import Responses, Split
from neurodecode.encoders.compact.networks import CompactSize, NiceNetwork
from neurodecode.encoders.core.sensor_encoder import SensorEncoder
from neurodecode.encoders.core.sensor_model import HEADS
from neurodecode.training import Plan


class Nice(SensorEncoder):
    """Convolution over time, then over sensors, then a projector to the target space.

    One network for all people, without a layer of their own; any person with the same sensors can
    be decoded, and `adapt` has nothing to learn.

    Parameters
    ----------
    contrastive_weight : float or sequence of float
        1, as published, trains the ``'retrieval'`` head alone; ``'regression'`` needs less.
    size : CompactSize
    plan : Plan
    batch_size : int
    seed : int

    Sources
    -------
    Song et al., "Decoding natural images from EEG for object recognition", ICLR 2024, section 3:
    the plain variant. Their temperature is fixed at 1/0.07 (it is not in the optimizer); ours
    starts there and is learned. They choose the epoch on 740 random training pictures; we on the
    validation part of the split.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodecode.data import Embeddings
    >>> rng = np.random.default_rng(0)
    >>> trials = Responses(
    ...     rng.normal(size=(8, 5, 20)), range(8), "s", "eeg", dims=("trial", "channel", "time")
    ... )
    >>> targets = Embeddings(rng.normal(size=(8, 4)), range(8), "toy")
    >>> encoder = Nice(size=CompactSize(3, 5, 4, 2), plan=Plan(max_epochs=1, device="cpu"))
    >>> encoder.fit(trials, targets, Split(range(8), [], [])).predict(trials)
    Embeddings(toy, 8 rows of (4,))
    """

    grouped: ClassVar[Mapping[str, type]] = {"plan": Plan, "size": CompactSize}

    def __init__(
        self,
        contrastive_weight: float | Sequence[float] = 1.0,
        size: CompactSize = CompactSize(),
        plan: Plan = Plan(max_epochs=200, learning_rate=2e-4, patience=20, weight_decay=0.0),
        batch_size: int = 1000,
        seed: int = 0,
        folder: str | None = None,
    ) -> None:
        self.contrastive_weight = contrastive_weight
        self.size = size
        self.plan = plan
        self.batch_size = batch_size
        self.seed = seed
        self.folder = folder

    def adapt(self, responses: Responses, targets: Targets, split: Split) -> Self:
        """Learn nothing: the network is the same for all people."""
        return self

    def _network(self) -> nn.Module:
        return NiceNetwork(self.n_channels_, self.n_times_, len(self.mean_), self.size, HEADS)

    def _layout(self, responses: Responses) -> Tensor:
        self._check_channels([responses])
        return torch.zeros(self.n_channels_, 2)

    def _check_channels(self, people: Sequence[Responses]) -> None:
        """Convolutions over sensors need the same sensors in the same order."""
        for one in people:
            if one.values.shape[1] != self.n_channels_:
                raise ValueError(
                    f"{type(self).__name__} was made for {self.n_channels_} sensors; subject "
                    f"'{one.subject}' has {one.values.shape[1]}. Pick the same for all people."
                )
