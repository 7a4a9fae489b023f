"""A transformer that knows no subject: tokens with positions from any modality and any people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self, cast

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from neurodecode.contracts import Targets
from neurodecode.data import Embeddings, Responses, Split, left_out_together
from neurodecode.encoders.core.base import as_people, as_targets
from neurodecode.encoders.core.bridge import Bridge
from neurodecode.encoders.core.calibration import calibrate
from neurodecode.encoders.core.run import run_of
from neurodecode.encoders.core.target_space import HeadSpace, learn_spaces
from neurodecode.encoders.core.unit_groups import make_layout, positions_of, time_length
from neurodecode.encoders.token_transformer.bridge import fit_bridge
from neurodecode.encoders.token_transformer.net import (
    Head,
    TokenLoss,
    TokenNet,
    TokenRows,
    TokenSizes,
    TokenStep,
    quiet_tokens,
)
from neurodecode.encoders.token_transformer.reading import (
    EVERYONE,
    TokenReader,
    bump_groups,
    token_places,
)
from neurodecode.training import History, Plan, pick_device, seeded, train

BridgeKind = Literal["linear", "low_rank", "none"]
RANK = 16
DEFAULT_SIZES, DEFAULT_LOSS = TokenSizes(), TokenLoss()
# Chosen on simulated people of seeds 1 and 2; seed 0 is the one reported.
DEFAULT_PLAN = Plan(max_epochs=40, learning_rate=1e-3, weight_decay=0.1, patience=10)


class TokenTransformer(TokenReader):
    """Units become tokens with positions; learned queries gather them into target spaces.

    1. *Tokens.* Units are grouped by region label (fMRI), by place, or by patch of time; one token
       reads all units. A ridge map carries each group's responses to the main directions of the
       target space. With a bridge the map is the person's own; without one each unit contributes
       ``value * f(position)``, ``f`` is learned on all people together, and a person never seen
       is decoded as is.
    2. *Shared part.* Tokens get a Fourier code of their place (mm) and time (s). Queries gather
       them by attention, look at one another, and correct the answer of the token that reads all.
    3. *Loss.* InfoNCE or SoftCLIP with a learned temperature, and regression.

    The maps are closed-form and cross-fitted: the shared part is trained, on all people's trials
    at once, on tokens made by maps that had not seen the trial's stimulus. Before the first step
    it is the calibrated ridge of the token that reads all (the transformer's correction is 0);
    the weights kept are those with the lowest validation loss, the first ones among them.

    Parameters
    ----------
    bridge : {'linear', 'low_rank', 'none'}
    sizes : TokenSizes
    loss : TokenLoss
    plan : Plan
    batch_size : int
        Trials a step, of all people mixed.
    n_groups : int, optional
        Groups of units by place; default: region labels if there are, else 8 for voxels and 1 for
        sensors.
    patch_s : float
        Length of a patch of time, s.
    seed : int
    folder : str, optional
        For checkpoints and metrics; a killed `fit` continues from there.

    Attributes
    ----------
    bridges_ : dict of str to Bridge
        By subject; under ``''`` the one that all share.
    history_ : History

    Sources
    -------
    Our own. Attention routing: Adeli et al. 2025, section 3 (there from pictures to brain).
    Learned queries: Jaegle et al. 2021 (Perceiver). SoftCLIP: MindEye1. Cross-fitting: Wolpert
    1992, Stacked generalization.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = Embeddings(rng.normal(size=(40, 3)).astype(np.float32), range(40), "toy")
    >>> people = [
    ...     Responses(truth.values @ rng.normal(size=(3, size)), range(40), name, "fmri")
    ...     for name, size in (("anna", 20), ("ben", 31))
    ... ]
    >>> split = Split(range(30), range(30, 35), range(35, 40))
    >>> decoder = TokenTransformer(plan=Plan(max_epochs=1, device="cpu")).fit(people, truth, split)
    >>> decoder.predict(people[1])
    Embeddings(toy, 40 rows of (3,))
    """

    grouped = {"sizes": TokenSizes, "loss": TokenLoss, "plan": Plan}  # noqa: RUF012

    def __init__(  # noqa: PLR0913, PLR0917 (all encoders that are trained have the last three)
        self,
        bridge: BridgeKind = "linear",
        sizes: TokenSizes = DEFAULT_SIZES,
        loss: TokenLoss = DEFAULT_LOSS,
        plan: Plan = DEFAULT_PLAN,
        batch_size: int = 128,
        n_groups: int | None = None,
        patch_s: float = 0.1,
        seed: int = 0,
        folder: str | None = None,
    ) -> None:
        self.bridge = bridge
        self.sizes = sizes
        self.loss = loss
        self.plan = plan
        self.batch_size = batch_size
        self.n_groups = n_groups
        self.patch_s = patch_s
        self.seed = seed
        self.folder = folder

    def fit(
        self, responses: Responses | Sequence[Responses], targets: Targets, split: Split
    ) -> Self:
        """Learn bridges and the shared part from the training trials of all people.

        Raises
        ------
        ValueError
            If a person has fewer than two training stimuli, values are not finite, positions are
            needed and missing, or a stimulus has no target.
        """
        people, heads = as_people(responses), as_targets(targets)
        self._check(people)
        parts = [_part(split, one) for one in people]
        ids = np.unique(np.concatenate([one.stimulus for one in parts]))
        spaces = learn_spaces(heads, ids.tolist(), min(self.sizes.n_components, len(ids) - 1))
        self.heads_ = {name: (one.row_shape, one.space) for name, one in heads.items()}
        self.modality_ = people[0].modality
        self.layout_ = make_layout(
            people, self.n_groups, self.patch_s, shared=self.bridge == "none"
        )
        rows = self._fit_bridges(parts, heads, spaces)
        with seeded(self.seed):
            self.net_ = TokenNet(spaces, token_places(self.layout_), self.sizes)
        self._calibrate(rows, spaces)
        validation = [split.part(one, "validation") for one in people]
        self.history_ = self._train(
            rows, self._rows([one for one in validation if len(one)], heads)
        )
        return self

    def adapt(self, responses: Responses, targets: Targets, split: Split) -> Self:
        """Fit a bridge for one more person (reduced-rank ridge); the shared part stays as it is.

        Raises
        ------
        ValueError
            If the target spaces are others than those fitted, or as `fit`.
        """
        check_is_fitted(self, "net_")
        heads = as_targets(targets)
        given = {name: (one.row_shape, one.space) for name, one in heads.items()}
        if given != self.heads_:
            raise ValueError(
                f"adapt() got targets {given} but this TokenTransformer was fitted to "
                f"{self.heads_}. Give the same target space, or fit a new one."
            )
        self._check([responses])
        part = _part(split, responses)
        rank = None if self.bridge == "linear" else RANK
        own, _ = self._fit_bridge([part], heads, self._spaces, rank=rank, shared=False)
        self.bridges_ = self.bridges_ | {responses.subject: own}
        return self

    def _fit_bridges(
        self, parts: Sequence[Responses], heads: dict[str, Embeddings], spaces: dict[str, HeadSpace]
    ) -> TokenRows:
        rank = RANK if self.bridge == "low_rank" else None
        if self.bridge == "none":
            bridge, tokens = self._fit_bridge(parts, heads, spaces, rank=None, shared=True)
            self.bridges_ = {EVERYONE: bridge}
            there = bridge.there.expand(len(tokens), -1)
        else:
            fitted = [
                self._fit_bridge([one], heads, spaces, rank=rank, shared=False) for one in parts
            ]
            self.bridges_ = {
                one.subject: bridge for one, (bridge, _) in zip(parts, fitted, strict=True)
            }
            tokens = torch.cat([left_out for _, left_out in fitted])
            there = torch.cat([one.there.expand(len(left_out), -1) for one, left_out in fitted])
        targets = _targets(parts, heads)
        quiet = quiet_tokens(tokens, _whiten(targets, spaces))
        return TokenRows(tokens, there, targets, self.batch_size, quiet)

    def _fit_bridge(
        self,
        parts: Sequence[Responses],
        heads: dict[str, Embeddings],
        spaces: dict[str, HeadSpace],
        *,
        rank: int | None,
        shared: bool,
    ) -> tuple[Bridge, Tensor]:
        values = np.concatenate([self._columns(one, own=not shared) for one in parts])
        wanted = _whiten(_targets(parts, heads), spaces)
        layout, first = self.layout_, parts[0]
        groups = bump_groups(layout) if shared else layout.group_of(first)
        columns = layout.columns(groups, time_length(first))
        together = np.concatenate([left_out_together(one) for one in parts])
        return fit_bridge(values, wanted, together, columns, rank=rank, seed=self.seed)

    def _calibrate(self, rows: TokenRows, spaces: dict[str, HeadSpace]) -> None:
        tokens: Tensor = rows.tokens[:, 0]
        bases = torch.split(tokens, self.net_.widths, dim=1)
        for head, base, (name, space) in zip(self.net_.heads, bases, spaces.items(), strict=True):
            found = calibrate(base, rows.targets[name], space, seed=self.seed)
            cast(Head, head).calibrate(found)

    def _train(self, rows: TokenRows, validation: TokenRows | None) -> History:
        device = pick_device(self.plan.device)
        rows = rows.to(device)
        check = None if validation is None else _Validation(validation.to(device), self.loss)
        before_training = {name: one.clone() for name, one in self.net_.state_dict().items()}
        before = np.inf
        if check is not None:
            with torch.no_grad():
                before = check(self.net_.to(device).eval())["loss"]
        history = train(
            self.net_,
            TokenStep(self.loss),
            rows,
            self.plan,
            validate=check,
            seed=self.seed,
            **run_of(self),
        )
        self.net_.cpu()
        self.kept_ridge_ = bool(before < history.best_loss) if check is not None else False
        if self.kept_ridge_:
            self.net_.load_state_dict(before_training)
        return history

    def _check(self, people: Sequence[Responses]) -> None:
        if self.bridge not in ("linear", "low_rank", "none"):
            raise ValueError(f"bridge must be 'linear', 'low_rank' or 'none'; got '{self.bridge}'.")
        kinds = {one.modality for one in people} | {getattr(self, "modality_", people[0].modality)}
        if len(kinds) > 1:
            raise ValueError(
                f"One TokenTransformer takes one modality; got {', '.join(sorted(kinds))}. Fit one "
                f"for each: the class is the same."
            )
        if self.bridge == "none":
            for one in people:
                positions_of(one)

    def _rows(self, parts: Sequence[Responses], heads: dict[str, Embeddings]) -> TokenRows | None:
        if not parts:
            return None
        tokens, there = [], []
        for one in parts:
            bridge, own = self._bridge_of(one)
            tokens.append(torch.cat(list(self._blocks(one, bridge, own))))
            there.append(bridge.there.expand(len(one), -1))
        return TokenRows(
            torch.cat(tokens), torch.cat(there), _targets(parts, heads), self.batch_size
        )


class _Validation:
    """The loss on all validation trials at once."""

    def __init__(self, rows: TokenRows, loss: TokenLoss) -> None:
        self.rows, self.step = rows, TokenStep(loss)

    def __call__(self, module: TokenNet) -> dict[str, float]:
        return {name: float(one) for name, one in self.step(module, self.rows.all()).items()}


def _part(split: Split, responses: Responses) -> Responses:
    part = split.part(responses, "train")
    n_stimuli = len(set(part.stimulus.tolist()))
    if n_stimuli < 2:
        raise ValueError(
            f"Subject '{responses.subject}' has trials of {n_stimuli} training stimuli in the "
            f"split ({split.rule}); a bridge needs two or more."
        )
    return part


def _targets(parts: Sequence[Responses], heads: dict[str, Embeddings]) -> dict[str, Tensor]:
    stimulus = np.concatenate([one.stimulus for one in parts])
    return {name: torch.from_numpy(one.rows(stimulus)).flatten(1) for name, one in heads.items()}


def _whiten(targets: dict[str, Tensor], spaces: dict[str, HeadSpace]) -> Tensor:
    """Components of variance 1 of all heads, side by side."""
    return torch.cat([spaces[name].whiten(one) for name, one in targets.items()], dim=1)
