"""What is trained: every person's pooling and the network, and what one step of it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from neurodecode.encoders.core.trials import TrialBatch
from neurodecode.encoders.mindbridge.loss import BridgeLoss, bridge_losses
from neurodecode.encoders.mindbridge.parts import BridgeSizes, MindBridgeNet
from neurodecode.encoders.mindbridge.pooling import Pooling, VoxelPool
from neurodecode.training import Batches, Progress


class BridgeModel(nn.Module):
    """The network with the pooling of each person, by name.

    Parameters
    ----------
    n_voxels : mapping of str to int
        Number of voxels by subject.
    heads : mapping of str to sequence of int
        Shape of a row of each target.
    sizes : BridgeSizes
    pooling : {'max', 'mean', 'resize', 'anatomical'}
    """

    def __init__(
        self,
        n_voxels: Mapping[str, int],
        heads: Mapping[str, Sequence[int]],
        sizes: BridgeSizes,
        pooling: Pooling,
    ) -> None:
        super().__init__()
        self.pooling = pooling
        self.n_voxels = dict(n_voxels)
        self.net = MindBridgeNet(len(n_voxels), heads, sizes)
        self.pools = nn.ModuleList(
            VoxelPool(pooling, sizes.n_pooled, size) for size in n_voxels.values()
        )

    def add_subject(self, subject: str, n_voxels: int) -> VoxelPool:
        """Room for one more person; gives their pooling, to be filled."""
        self.net.add_subject()
        self.n_voxels[subject] = n_voxels
        pool = VoxelPool(self.pooling, self.net.sizes.n_pooled, n_voxels)
        self.pools.append(pool.to(next(self.net.parameters()).device))
        return pool

    def person(self, subject: str) -> int:
        """The number of a person."""
        return list(self.n_voxels).index(subject)

    def pool_of(self, person: int) -> VoxelPool:
        """The pooling of one person."""
        return cast(VoxelPool, self.pools[person])

    @property
    def first_head(self) -> nn.Linear:
        """The default head."""
        return cast(nn.Linear, self.net.heads[0])

    def pool(self, subject: str, values: Tensor) -> tuple[int, Tensor]:
        """Person's number, and their responses (B, V) as bins (B, n)."""
        person = self.person(subject)
        like = next(self.net.parameters())
        return person, self.pool_of(person)(values.to(like.device)).to(like.dtype)

    def freeze_but(self, person: int) -> None:
        """Let only one person's embedder and builder learn."""
        self.requires_grad_(False)
        self.net.embedders[person].requires_grad_(True)
        self.net.builders[person].requires_grad_(True)


class BridgeStep:
    """One training step: a batch of every person, and a cycle between two of them.

    Parameters
    ----------
    loss : BridgeLoss
    seed : int
        Of the pair that is drawn each step.
    pair : (int, int), optional
        A fixed pair instead: places in the batch.
    """

    def __init__(self, loss: BridgeLoss, seed: int, pair: tuple[int, int] | None = None) -> None:
        self.loss, self.seed, self.pair = loss, seed, pair

    def __call__(
        self, model: BridgeModel, batches: Sequence[TrialBatch], progress: Progress
    ) -> dict[str, Tensor]:
        """The losses of the people's batches."""
        pooled = [model.pool(one.subject, one.values) for one in batches]
        targets = {
            name: torch.cat([one.targets[name] for one in batches]) for name in model.net.head_names
        }
        return bridge_losses(model.net, pooled, targets, self.loss, self.branch(batches, progress))

    def alone(self, model: BridgeModel, batch: TrialBatch) -> dict[str, Tensor]:
        """The losses of one person's batch, without a cycle."""
        return BridgeStep(self.loss, self.seed)(model, [batch], Progress(0, 0, 0.0))

    def branch(self, batches: Sequence[TrialBatch], progress: Progress) -> tuple[int, int] | None:
        """The people of the cycle, by their places in the batch: new in each step."""
        if self.pair is not None or len(batches) < 2:
            return self.pair
        rng = np.random.default_rng((self.seed, progress.step))
        first, second = rng.choice(len(batches), size=2, replace=False)
        return int(first), int(second)


class SourceAndTarget:
    """Pairs each batch of a new person with one of the people known, in turn.

    Parameters
    ----------
    new, known : Batches
        Both give lists of one `TrialBatch` a step; ``known`` starts again when it ends.
    """

    def __init__(self, new: Batches, known: Batches) -> None:
        self.new, self.known = new, known

    def __len__(self) -> int:
        return len(self.new)

    def epoch(self, epoch: int, seed: int) -> Iterator[Any]:
        """Lists of two batches: known person first."""
        rounds = 0
        known = self.known.epoch(epoch, seed)
        for batch in self.new.epoch(epoch, seed):
            other = next(known, None)
            while other is None:
                rounds += 1
                known = self.known.epoch(epoch, seed + rounds)
                other = next(known, None)
            yield [*other, *batch]
