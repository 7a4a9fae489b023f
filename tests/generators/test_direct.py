from __future__ import annotations

import numpy as np

from neurodecode.data import Embeddings, Stimuli
from neurodecode.generators import DirectImage
from neurodecode.targets import PixelPCA


def test_draws_the_predicted_point_through_the_target():
    pictures = np.random.default_rng(0).random((8, 4, 4, 3))
    target = PixelPCA(7, size=4).fit(Stimuli.from_arrays(range(8), pictures))
    predicted = Embeddings(np.zeros((1, 7)), ["?"], target.space)
    drawn = DirectImage(target).generate(predicted, n_samples=3)
    assert drawn.values.shape == (1, 3, 4, 4, 3)
    mean = np.round(target.mean_.reshape(4, 4, 3) * 255)
    np.testing.assert_array_equal(drawn.values[0, 2], mean)
