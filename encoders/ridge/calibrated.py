"""Ridge with its shrinkage undone: what a deep encoder has to beat."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from neurodecode.data import Responses
from neurodecode.encoders.ridge.token_ridge import Columns, TokenRidge


class CalibratedRidge(TokenRidge):
    r"""Ridge a person to the targets' main components, calibrated by left-out predictions.

    1. Responses are standardised and carried by ridge to the main components of the target space,
       once for each fold of training stimuli: :math:`\hat z_{-f}`.
    2. Ridge shrinks uncertain components most. Sharpness :math:`s` and the share :math:`c` of the
       mean target are those with which left-out trials find their own target best:
       :math:`g_k = \sigma_k (\sigma_k^2 + \epsilon)^{-s}`, search for
       :math:`\overline{\sum_k g_k \hat z_k b_k} + c \bar y`.
    3. `expect` gives the conditional mean: each component by its regression on the prediction.

    No network, nothing drawn but the folds. One Gram matrix a fold serves all penalties; where
    there are many trials the rows are read three times, in blocks.

    Parameters
    ----------
    penalties : sequence of float
        Candidates, in units of the mean squared length of a standardised trial.
    n_components : int
        Main directions of each target space.
    n_folds : int
        Of training stimuli.
    dtype : {'auto', 'float32', 'float64'}
        ``'auto'`` takes float64 where the Gram matrix is small.
    device : str
    max_memory : int
        Bytes for the fit of a person, beside the targets.
    seed : int
        Of the folds.

    Attributes
    ----------
    maps_ : dict of str to Bridge
    calibrations_ : dict of str to Calibration
        By head.

    Sources
    -------
    Our own; it is what `TokenTransformer` starts from. Cross-fitting: Wolpert 1992.

    Examples
    --------
    >>> from neurodecode.data import Embeddings, Split
    >>> rng = np.random.default_rng(0)
    >>> truth = Embeddings(rng.normal(size=(60, 3)).astype(np.float32), range(60), "toy")
    >>> responses = Responses(truth.values @ rng.normal(size=(3, 20)), range(60), "anna", "fmri")
    >>> split = Split(range(50), [], range(50, 60))
    >>> ridge = CalibratedRidge().fit(responses, truth, split)
    >>> tested = ridge.expect(split.part(responses, "test"))
    >>> bool(np.abs(tested.array() - truth.rows(range(50, 60))).max() < 0.2)
    True
    """

    def _learn_groups(self, parts: Sequence[Responses]) -> None:
        """There is one token: all columns."""

    def _columns(self, responses: Responses) -> Columns:
        return [np.arange(math.prod(responses.values.shape[1:]), dtype=np.intp)]

    def _join(self, parts: Sequence[Responses], left_out: list[Tensor], wanted: Tensor) -> Tensor:
        return torch.cat([one[:, 0] for one in left_out])

    def _components(self, tokens: Tensor) -> Tensor:
        return tokens[:, 0]
