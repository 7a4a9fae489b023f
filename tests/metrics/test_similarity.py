from __future__ import annotations

import numpy as np
import pytest

from neurodecode.metrics import identification, images, networks, retrieval, similarity, text

BAD = [np.nan, np.inf, -np.inf]
rng = np.random.default_rng(0)
ROWS = rng.random((6, 4))
PICTURES = rng.random((6, 16, 16, 3)).astype(np.float32)
NETWORK = networks.Network("pixels", lambda one: one)
OF_ROWS = [
    similarity.correlate_rows,
    similarity.correlate_pairs,
    similarity.cosine_rows,
    similarity.cosine_pairs,
    identification.two_way,
    identification.top_k,
    lambda x, y: identification.two_way(x, y, "truth"),
    lambda x, y: identification.two_way(ROWS, x, candidates=y),
    lambda x, y: identification.top_k(ROWS, x, candidates=y),
    retrieval.rank,
    retrieval.top_k,
    lambda x, y: retrieval.rank(ROWS, x, candidates=y),
    lambda x, y: retrieval.drawn_retrieval(x, y, n_candidates=3, n_draws=2),
    images.pixel_correlation,
    networks.feature_score,
    lambda x, y: networks.feature_score(x, y, "distance"),
    text.frechet_distance,
    lambda x, y: text.greedy_match_f1([x], [y]),
]
OF_PICTURES = [
    images.pixel_correlation,
    images.ssim,
    lambda x, y: images.ssim(x, y, "legacy"),
    lambda x, y: images.pixel_correlation(x, y, size=8),
    lambda x, y: networks.network_score(x, y, NETWORK),
]


@pytest.mark.parametrize("score", OF_ROWS + OF_PICTURES)
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("side", [0, 1])
def test_what_is_not_finite_is_never_scored(score, bad, side):
    values = PICTURES if score in OF_PICTURES[1:] else ROWS
    both = [values.copy(), values.copy() * 0.9]
    score(*both)
    both[side][3].flat[1] = bad
    with pytest.raises(ValueError, match="not finite"):
        score(*both)


def test_the_error_names_the_first_bad_row():
    broken = ROWS.copy()
    broken[[2, 5]] = np.nan
    with pytest.raises(ValueError) as error:
        retrieval.top_k(ROWS, broken)
    assert str(error.value) == (
        "2 of 6 rows of the prediction hold values that are not finite (first: row 2). No score "
        "can be made of them: mend what made them, or leave those rows out and say so."
    )


@pytest.mark.parametrize("table", [retrieval.rank_table, identification.two_way_table])
def test_tables_of_similarities_are_finite_too(table):
    with pytest.raises(ValueError, match="1 of 2 rows of the table of similarities"):
        table(np.array([[0.1, np.nan], [0.2, 0.3]]))


def test_ranks_and_training_means_are_finite():
    with pytest.raises(ValueError, match="1 of 2 rows of the ranks hold values that are not"):
        retrieval.relative_median_rank([1, np.nan], 10)
    with pytest.raises(ValueError, match="rows of the training mean hold values that are not"):
        identification.top_k(ROWS, ROWS, train_mean=[0, 0, np.nan, 0])


def test_huge_but_finite_numbers_are_let_through():
    large = np.full((3, 4), 1e308)
    assert similarity.check_finite(large, "large numbers") is large
