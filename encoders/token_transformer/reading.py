"""What a fitted TokenTransformer does: decode, say what it reads, be saved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from neurodecode.data import Embeddings, Responses, listing
from neurodecode.encoders.core.base import BaseEncoder, check_finite
from neurodecode.encoders.core.bridge import Bridge, bridge_from, bridge_tensors
from neurodecode.encoders.core.target_space import HeadSpace
from neurodecode.encoders.core.unit_groups import (
    Layout,
    bump_weights,
    flat_values,
    nearest,
    positions_of,
    time_length,
)
from neurodecode.encoders.token_transformer.net import TokenNet, TokenSizes

EVERYONE = ""
"""The name of the bridge that all people share where none has one of their own."""
BLOCK = 512


class TokenReader(BaseEncoder):
    """The fitted side of `TokenTransformer`."""

    sizes: TokenSizes
    net_: TokenNet
    layout_: Layout
    bridges_: dict[str, Bridge]
    heads_: dict[str, tuple[tuple[int, ...], str]]
    modality_: str
    kept_ridge_: bool

    def predict(self, responses: Responses, head: str | None = None) -> Embeddings:
        """The point to search with, one a trial: sharpened, of the targets' mean length.

        Its direction is trained to be closest, by cosine, to the trial's own target. For a
        generator that wants a plausible target take `expect`.

        Raises
        ------
        ValueError
            If the person is unknown and there is no shared bridge, or has other units than before.
        """
        return self._decode(responses, head, search=True)

    def expect(self, responses: Responses, head: str | None = None) -> Embeddings:
        """The expected target of each trial (conditional mean): for generators and regression.

        Raises
        ------
        ValueError
            As `predict`.
        """
        return self._decode(responses, head, search=False)

    def attention(self, responses: Responses) -> NDArray[np.float32]:
        """How much each query reads of each unit, shape (n_trials, n_queries, n_units).

        The weight of a token is shared equally by its units and summed over patches of time; each
        query's weights sum to 1.
        """
        bridge, own = self._bridge_of(responses)
        shares, found = self._shares(responses, bridge, own), []
        for tokens in self._blocks(responses, bridge, own):
            with torch.no_grad():
                there = bridge.there.expand(len(tokens), -1)
                found.append(self.net_.reader.weights(self.net_.embed(tokens), there) @ shares)
        return torch.cat(found).numpy()

    @property
    def _spaces(self) -> dict[str, HeadSpace]:
        return {
            name: HeadSpace(*(getattr(head, one.name) for one in fields(HeadSpace)))
            for name, head in zip(self.net_.names, self.net_.heads, strict=True)
        }

    def _decode(self, responses: Responses, head: str | None, *, search: bool) -> Embeddings:
        bridge, own = self._bridge_of(responses)
        name = next(iter(self.heads_)) if head is None else head
        if name not in self.heads_:
            raise ValueError(f"There is no head '{name}'; there are {listing(self.heads_)}.")
        shape, space = self.heads_[name]
        norm, found = self._spaces[name].norm, []
        for tokens in self._blocks(responses, bridge, own):
            with torch.no_grad():
                sought, expected = self.net_(tokens, bridge.there.expand(len(tokens), -1))[name]
                direction = torch.nn.functional.normalize(sought, dim=1) * norm
                found.append((direction if search else expected).numpy())
        values = np.concatenate(found) if found else np.zeros((0, int(np.prod(shape))), np.float32)
        return Embeddings(values.reshape(len(values), *shape), responses.stimulus, space)

    def _blocks(self, responses: Responses, bridge: Bridge, own: bool) -> Iterator[Tensor]:
        for start in range(0, len(responses), BLOCK):
            rows = np.arange(start, min(start + BLOCK, len(responses)))
            yield bridge.tokens(self._columns(responses.take(rows), own=own))

    def _columns(self, responses: Responses, *, own: bool) -> NDArray[np.float32]:
        """Trials flattened over (unit, time), or over (position function, time)."""
        if responses.valid is None:
            check_finite(np.asarray(responses.values[:]), responses.subject)
        values = flat_values(responses)
        if not own and self.layout_.bumps is not None:
            weights = bump_weights(positions_of(responses), self.layout_.bumps)
            values = np.einsum("nut,ub->nbt", values, weights)
        return values.reshape(len(values), -1)

    def _bridge_of(self, responses: Responses) -> tuple[Bridge, bool]:
        """The person's own bridge and True, or the shared one and False."""
        check_is_fitted(self, "net_")
        own = responses.subject in self.bridges_
        if not own and EVERYONE not in self.bridges_:
            raise ValueError(
                f"This {type(self).__name__} has no bridge for subject '{responses.subject}'; it "
                f"knows {listing(self.bridges_)}. Add the person with adapt(), or fit with "
                f"bridge='none' to decode people never seen."
            )
        bridge = self.bridges_[responses.subject if own else EVERYONE]
        n_times = time_length(responses)
        n_columns = (
            responses.n_units * n_times
            if own or self.layout_.bumps is None
            else len(self.layout_.bumps) * n_times
        )
        if n_columns != len(bridge.scaling.mean):
            raise ValueError(
                f"Responses of subject '{responses.subject}' have {n_columns} units x times but "
                f"the bridge was fitted with {len(bridge.scaling.mean)}. Use the same voxels or "
                f"channels and times in the same order."
            )
        return bridge, own

    def _shares(self, responses: Responses, bridge: Bridge, own: bool) -> Tensor:
        """Each token's weight shared out to units, (n_tokens, n_units)."""
        n_times, n_units = time_length(responses), responses.n_units
        shares = torch.zeros(len(bridge.columns), n_units)
        for token, columns in enumerate(bridge.columns):
            read = np.unique(columns // n_times)
            if own or self.layout_.bumps is None:
                shares[token, read] = 1 / max(1, len(read))
            else:
                weights = bump_weights(positions_of(responses), self.layout_.bumps)[:, read]
                total = np.abs(weights).sum(axis=1)
                shares[token] = torch.from_numpy(total / max(float(total.sum()), 1e-12))
        return shares

    def _state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        check_is_fitted(self, "net_")
        tensors = {f"net.{name}": one for name, one in self.net_.state_dict().items()}
        for i, bridge in enumerate(self.bridges_.values()):
            tensors |= bridge_tensors(bridge, f"bridge.{i}")
        layout = self.layout_
        for name in ("centres", "patches", "patch_times", "bumps"):
            if getattr(layout, name) is not None:
                tensors[f"layout.{name}"] = torch.from_numpy(np.asarray(getattr(layout, name)))
        facts = {
            "subjects": list(self.bridges_),
            "modality": self.modality_,
            "groups": list(layout.names),
            "heads": [[name, list(shape), space] for name, (shape, space) in self.heads_.items()],
            "kept_ridge": self.kept_ridge_,
        }
        return tensors, facts

    def _restore(self, tensors: dict[str, Tensor], facts: dict[str, Any]) -> None:
        stored: dict[str, Any] = {
            name: tensors[f"layout.{name}"].numpy() if f"layout.{name}" in tensors else None
            for name in ("centres", "patches", "patch_times", "bumps")
        }
        self.layout_ = Layout(tuple(facts["groups"]), **stored)
        self.modality_, self.kept_ridge_ = facts["modality"], bool(facts["kept_ridge"])
        self.heads_ = {name: (tuple(shape), space) for name, shape, space in facts["heads"]}
        spaces = {
            name: HeadSpace(**{
                one.name: tensors[f"net.heads.{i}.{one.name}"] for one in fields(HeadSpace)
            })
            for i, name in enumerate(self.heads_)
        }  # fmt: skip
        self.net_ = TokenNet(spaces, token_places(self.layout_), self.sizes)
        self.net_.load_state_dict(
            {name[4:]: one for name, one in tensors.items() if name.startswith("net.")}
        )
        self.net_.eval()
        self.bridges_ = {
            name: bridge_from(tensors, f"bridge.{i}", self.layout_.n_tokens)
            for i, name in enumerate(facts["subjects"])
        }


def token_places(layout: Layout) -> Tensor:
    """Middle of each token: x, y, z in mm and time in s; zeros for the one that reads all."""
    places = [np.zeros(4)]
    for centre in layout.centres:
        places += [np.append(centre, time) for time in layout.patch_times]
    return torch.from_numpy(np.stack(places)).float()


def bump_groups(layout: Layout) -> NDArray[np.intp]:
    """The group of each position function: that with the nearest middle."""
    if layout.bumps is None:
        raise ValueError("This layout has no position functions.")
    return nearest(layout.bumps, layout.centres)
