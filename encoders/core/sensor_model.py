"""What SensorConv trains: the network, its temperature, the scale of the target; and its losses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from neurodecode.data import Responses
from neurodecode.encoders.core.losses import info_nce, unit_rows
from neurodecode.encoders.core.sensor_layers import PersonLayer, flat_layout
from neurodecode.encoders.core.trials import TrialBatch
from neurodecode.training import Progress

HEADS = ("retrieval", "regression")


class SensorConvModel(nn.Module):
    """The network, its learned temperature, and the scale of the target.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodecode.encoders.sensor_conv.network import SensorConvNetwork
    >>> network = SensorConvNetwork(6, 2, 0, HEADS, n_virtual=3, hidden=4, n_out=4)
    >>> model = SensorConvModel(network, np.zeros(2, np.float32), np.ones(2, np.float32))
    >>> sorted(model.embed(torch.zeros(1, 3, 6), torch.rand(3, 2), None))
    ['regression', 'retrieval']
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, network: nn.Module, mean: NDArray[np.float32], std: NDArray[np.float32]
    ) -> None:
        super().__init__()
        self.network = network
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.register_buffer("mean", torch.as_tensor(mean))
        self.register_buffer("std", torch.as_tensor(std))

    def losses(
        self, batch: TrialBatch, layouts: Mapping[str, Tensor], weight: float
    ) -> dict[str, Tensor]:
        """The two losses and their weighted sum for a batch of one person."""
        return self._losses(batch, layouts, weight)[0]

    def _losses(
        self, batch: TrialBatch, layouts: Mapping[str, Tensor], weight: float
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The losses, and what they were computed from."""
        out = self.network(batch.values, layouts[batch.subject], batch.person)
        target = batch.targets["target"].flatten(1)
        contrastive = info_nce(out["retrieval"], target, self.log_scale.exp().clamp(max=100.0))
        squared = functional.mse_loss(out["regression"], (target - self.mean) / self.std)
        total = weight * contrastive + (1 - weight) * squared
        return {"loss": total, "contrastive": contrastive, "squared": squared}, out

    def misses(
        self, batch: TrialBatch, layouts: Mapping[str, Tensor], weight: float
    ) -> dict[str, Tensor]:
        """As `losses`, but ``'loss'`` is how far down the true target ranks within the batch.

        The share of the batch that is more like the answer than its own target is (ties count
        half), weighted over the heads as the losses are. By this an epoch is chosen: losses get
        worse as answers become overconfident, long before stimuli are found less often.
        """
        found, out = self._losses(batch, layouts, weight)
        target = batch.targets["target"].flatten(1)
        shares = {
            "retrieval": mean_rank(out["retrieval"], target),
            "regression": mean_rank(out["regression"] * self.std + self.mean, target),
        }
        total = weight * shares["retrieval"] + (1 - weight) * shares["regression"]
        return {**found, "weighted": found["loss"], "loss": total}

    @torch.no_grad()
    def embed(self, values: Tensor, layout: Tensor, person: int | None) -> dict[str, Tensor]:
        """Points of the target space, (n, n_dims) for each head, in the units of the target."""
        out = self.network(values, layout, person)
        return {**out, "regression": out["regression"] * self.std + self.mean}


class SensorStep:
    """A training step of one person's batch; its graph depends on the person alone.

    Parameters
    ----------
    layouts : mapping of str to Tensor
        By subject, on the device.
    weight : float
        Of the contrastive loss.
    """

    def __init__(self, layouts: Mapping[str, Tensor], weight: float) -> None:
        self.layouts, self.weight = layouts, weight

    def __call__(
        self, module: Any, batches: Sequence[TrialBatch], progress: Progress
    ) -> dict[str, Tensor]:
        """The losses of a step's only batch."""
        return self.alone(module, batches[0])

    def branch(self, batches: Sequence[TrialBatch], progress: Progress) -> None:
        """Nothing but what the batch says of itself."""

    def alone(self, module: Any, batch: TrialBatch) -> dict[str, Tensor]:
        """The losses of a batch."""
        return cast(dict[str, Tensor], _model(module).losses(batch, self.layouts, self.weight))

    def held_out(self, module: Any, batch: TrialBatch) -> dict[str, Tensor]:
        """What epochs are compared by, on a batch of held-out trials."""
        return cast(dict[str, Tensor], _model(module).misses(batch, self.layouts, self.weight))


def _model(module: Any) -> Any:
    return module.model if isinstance(module, OnlyThePerson) else module


def mean_rank(answers: Tensor, targets: Tensor) -> Tensor:
    """Mean share of the other rows' targets that are more like an answer than its own target is.

    Examples
    --------
    >>> mean_rank(torch.eye(3), torch.eye(3)), mean_rank(torch.ones(3, 3), torch.eye(3))
    (tensor(0.), tensor(0.5000))
    """
    alike = unit_rows(answers) @ unit_rows(targets).T
    own = alike.diagonal()[:, None]
    further = (alike > own).float() + 0.5 * (alike == own).float()
    return (further.sum(dim=1) - 0.5).mean() / max(1, len(targets) - 1)


class OnlyThePerson(nn.Module):
    """A model of which one new person's matrix learns; the rest, batch statistics too, stays still.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodecode.encoders.sensor_conv.network import SensorConvNetwork
    >>> network = SensorConvNetwork(6, 2, 1, HEADS, n_virtual=3, hidden=4, n_out=4)
    >>> model = SensorConvModel(network, np.zeros(2, np.float32), np.ones(2, np.float32))
    >>> tuned = OnlyThePerson(model, torch.eye(3))
    >>> [name for name, one in tuned.named_parameters() if one.requires_grad]
    ['model.network.person_layer.matrices']
    """

    def __init__(self, model: SensorConvModel, start: Tensor) -> None:
        super().__init__()
        self.model = model.requires_grad_(False)
        own = PersonLayer(1, len(start))
        own.matrices.data = start[None].clone()
        model.network.person_layer = own

    def train(self, mode: bool = True) -> OnlyThePerson:
        """Stay in evaluation mode."""
        return super().train(False)


def layout_of(responses: Responses) -> Tensor:
    """Flat layout (n_channels, 2) of a person's sensors.

    Raises
    ------
    ValueError
        If the responses have no sensor positions.
    """
    if responses.positions is None:
        raise ValueError(
            f"Sensors of subject '{responses.subject}' have no positions, and SensorConv looks "
            f"at places. Set a montage before preprocessing."
        )
    return flat_layout(torch.as_tensor(responses.positions, dtype=torch.float32))
