"""ATM, sensors as tokens before NICE's convolutions (Li et al. 2024)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from neurodecode.encoders.compact.networks import AtmNetwork, CompactSize
from neurodecode.encoders.compact.nice import Nice
from neurodecode.encoders.core.sensor_model import HEADS
from neurodecode.training import Plan


class Atm(Nice):
    """Sensors attend to one another and to a token of the person, then convolutions as in NICE.

    People who were not trained on get the mean of the known tokens.

    Parameters
    ----------
    contrastive_weight : float or sequence of float
    size : CompactSize
    plan : Plan
    batch_size : int
    seed : int

    Sources
    -------
    Li et al., "Visual decoding and reconstruction via EEG embeddings with guided diffusion",
    NeurIPS 2024, section 2.2 (ATM-S). Their embedding keeps all 250 samples, which 4 heads do not
    divide; ours rounds up to 252. They add 0.01 of a loss on texts and report the best epoch on
    the test part; we do neither.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodecode.data import Embeddings, Responses, Split
    >>> rng = np.random.default_rng(0)
    >>> trials = Responses(
    ...     rng.normal(size=(8, 5, 20)), range(8), "s", "eeg", dims=("trial", "channel", "time")
    ... )
    >>> targets = Embeddings(rng.normal(size=(8, 4)), range(8), "toy")
    >>> encoder = Atm(size=CompactSize(3, 5, 4, 2), plan=Plan(max_epochs=1, device="cpu"))
    >>> encoder.fit(trials, targets, Split(range(8), [], [])).predict(trials)
    Embeddings(toy, 8 rows of (4,))
    """

    def __init__(
        self,
        contrastive_weight: float | Sequence[float] = 1.0,
        size: CompactSize = CompactSize(),
        plan: Plan = Plan(max_epochs=40, learning_rate=3e-4, patience=10),
        batch_size: int = 1024,
        seed: int = 0,
        folder: str | None = None,
    ) -> None:
        super().__init__(contrastive_weight, size, plan, batch_size, seed, folder)

    def _network(self) -> nn.Module:
        return AtmNetwork(
            self.n_channels_, self.n_times_, len(self.mean_), self.size, HEADS, len(self.subjects_)
        )

    def _person(self, subject: str) -> int | None:
        return self.subjects_.index(subject) if subject in self.subjects_ else None
