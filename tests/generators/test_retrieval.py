from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from neurodecode.data import Embeddings, Stimuli
from neurodecode.generators import Retrieval


def points(n: int, seed: int = 0) -> Embeddings:
    values = np.random.default_rng(seed).standard_normal((n, 2, 3))
    return Embeddings(values, [f"s{i}" for i in range(n)], "toy")


def texts(n: int) -> Stimuli:
    return Stimuli.from_texts({f"s{i}": f"text {i}" for i in range(n)})


@pytest.mark.parametrize("metric", ["cosine", "correlation", "euclidean"])
def test_agrees_with_scipy(metric):
    known, seen = points(30), points(9, seed=1)
    found = Retrieval(known, texts(30), metric).nearest(seen, 4)
    flat = [one.array(np.float64).reshape(len(one), -1) for one in (seen, known)]
    order = np.argsort(cdist(*flat, metric=metric), axis=1)[:, :4]
    assert found.tolist() == known.stimulus[order].tolist()


def test_ties_come_in_the_order_of_the_candidates():
    known = Embeddings(np.ones((3, 2)), ["b", "a", "c"], "toy")
    found = Retrieval(known, texts(1)).nearest(known.take(np.array([2])), 3)
    assert found.tolist() == [["b", "a", "c"]]


def test_candidates_of_several_sizes_need_a_size():
    known = Embeddings(np.eye(2), ["a", "b"], "toy")
    shown = {"a": np.zeros((4, 4, 3), np.uint8), "b": np.zeros((6, 4, 3), np.uint8)}
    stimuli = Stimuli(["a", "b"], "image", shown.__getitem__)
    with pytest.raises(ValueError, match=r"candidates of 2 sizes .* Give size=\(height, width\)"):
        Retrieval(known, stimuli).generate(known)
    assert Retrieval(known, stimuli, size=5).generate(known).values.shape == (2, 1, 5, 5, 3)


def test_refuses_more_samples_than_candidates():
    with pytest.raises(ValueError, match="asked for 3 samples a row but has 2 candidates"):
        Retrieval(points(2), texts(2)).generate(points(2), n_samples=3)


def test_refuses_rows_of_another_shape():
    flat = Embeddings(np.ones((1, 6)), ["x"], "toy")
    with pytest.raises(ValueError, match=r"rows of shape \(6,\) but its candidates have \(2, 3\)"):
        Retrieval(points(2), texts(2)).generate(flat)


def test_refuses_candidates_without_a_stimulus():
    with pytest.raises(ValueError, match="not among the 2 candidate stimuli"):
        Retrieval(points(3), texts(2)).generate(points(3))


def test_refuses_an_unknown_metric():
    with pytest.raises(ValueError, match="metric must be 'cosine', 'correlation' or 'euclidean'"):
        Retrieval(points(2), texts(2), "manhattan").generate(points(2))
