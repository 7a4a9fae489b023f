"""A plain decoder to ask whether there is information in a simulated recording."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from neurodecode import twin
from neurodecode.data import Responses


def _table(ids: list[str]) -> dict[str, NDArray[np.float64]]:
    """For each scene its coarse luminance and the kind of its main object."""
    unique = sorted(set(ids))
    seen = twin.look(unique)
    light = seen.maps[:, -3].reshape(-1, 4, 4, 4, 4).mean(axis=(2, 4)).reshape(len(unique), -1)
    kinds = np.eye(12)[seen.facts["kind"][:, 0]]
    return dict(zip(unique, np.hstack([light, kinds]), strict=True))


def _two_way(responses: Responses) -> NDArray[np.float64]:
    from sklearn.linear_model import Ridge

    known = _table(responses.stimulus.tolist())
    train = responses.groups("part") == "train"
    shown = responses.take(~train).average_repeats()
    values = responses.array(np.float64)[train].reshape(int(train.sum()), -1)
    mean, spread = values.mean(axis=0), values.std(axis=0)
    table = np.array([known[one] for one in responses.stimulus[train].tolist()])
    model = Ridge(values.shape[1]).fit((values - mean) / spread, table)
    predicted = model.predict((shown.array(np.float64).reshape(len(shown), -1) - mean) / spread)
    truth = np.array([known[one] for one in shown.stimulus.tolist()])
    centre = table.mean(axis=0)
    alike = np.corrcoef(predicted - centre, truth - centre)[: len(truth), len(truth) :]
    return (alike < np.diag(alike)[:, None]).sum(axis=1) / (len(truth) - 1)


@pytest.fixture(scope="session")
def two_way() -> Callable[[Responses], NDArray[np.float64]]:
    """For each test scene, how many others a ridge decoder finds less likely (chance 0.5)."""
    return _two_way
