"""Every metric at random inputs against another implementation, or a loop that says it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import linalg, stats
from scipy.spatial import distance
from skimage.metrics import structural_similarity
from sklearn.metrics.pairwise import cosine_similarity

from neurodecode.metrics import identification, images, networks, retrieval, similarity, text

settings.register_profile("steady", max_examples=30, deadline=None, derandomize=True)
settings.load_profile("steady")

QUARTERS = st.integers(-40, 40).map(lambda one: one / 4)  # exact in float32, and often tied
NOUNS = ("red", "ball", "green", "tree", "car", "house")
WORDS = st.lists(st.sampled_from(NOUNS), min_size=1, max_size=7)


@st.composite
def rows(draw, n_arrays=2, least=3, most=7):
    n, n_dims = draw(st.integers(least, most)), draw(st.integers(3, 6))
    arrays = [draw(hnp.arrays(np.float64, (n, n_dims), elements=QUARTERS)) for _ in range(n_arrays)]
    assume(len(np.unique(arrays[0], axis=0)) == n)
    return arrays


def live(array):
    return np.ptp(array, axis=1) > 0


@given(rows())
def test_correlations_are_scipys_and_numpys(both):
    x, y = both
    for got, a, b in zip(similarity.correlate_rows(x, y), x, y, strict=True):
        want = stats.pearsonr(a, b)[0] if np.ptp(a) and np.ptp(b) else 0.0
        assert got == pytest.approx(want, abs=1e-9)
    got = similarity.correlate_pairs(x, y)
    if live(x).all() and live(y).all():
        np.testing.assert_allclose(got, np.corrcoef(x, y)[: len(x), len(x) :], atol=1e-9)
    np.testing.assert_allclose(np.diag(got), similarity.correlate_rows(x, y), atol=1e-12)


@given(rows())
def test_cosines_are_scikit_learns(both):
    x, y = both
    np.testing.assert_allclose(similarity.cosine_pairs(x, y), cosine_similarity(x, y), atol=1e-9)
    np.testing.assert_allclose(
        similarity.cosine_rows(x, y), np.diag(cosine_similarity(x, y)), atol=1e-9
    )


@given(rows(), st.floats(0.1, 50), st.floats(-20, 20))
def test_correlations_know_no_unit_and_no_offset(both, scale, offset):
    x, y = both
    np.testing.assert_allclose(
        similarity.correlate_pairs(scale * x + offset, y),
        similarity.correlate_pairs(x, y),
        atol=1e-7,
    )
    np.testing.assert_allclose(
        similarity.cosine_pairs(scale * x, y), similarity.cosine_pairs(x, y), atol=1e-9
    )


@given(rows(1))
def test_equal_rows_are_found_as_by_a_loop(one):
    x = np.concatenate([one[0], one[0][:2]])
    same = similarity.same_rows(x, one[0])
    assert same.tolist() == [[bool((a == b).all()) for b in one[0]] for a in x]
    np.testing.assert_array_equal(similarity.distinct(x), one[0])


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(2, 6)), elements=QUARTERS))
def test_above_below_and_tied_are_counted_as_by_a_loop(table):
    above, below, ties = similarity.compare(table)
    for i, row in enumerate(table):
        for j, one in enumerate(row):
            assert above[i, j] == sum(other > one for other in row)
            assert below[i, j] == sum(other < one for other in row)
            assert ties[i, j] == sum(other == one for other in row) - 1


def loop_two_way(x, y, direction):
    r = similarity.correlate_pairs(x, y)
    n, scores = len(x), []
    for j in range(n):
        line = r[:, j] if direction == "recon" else r[j, :]
        scores.append(np.mean([line[i] < r[j, j] - 1e-10 for i in range(n) if i != j]))
    return scores


@given(rows(), st.sampled_from(["recon", "truth"]))
def test_two_way_is_a_loop_over_pairs(both, direction):
    x, y = both
    np.testing.assert_allclose(
        identification.two_way(x, y, direction), loop_two_way(x, y, direction)
    )


@given(rows())
def test_tables_hold_what_the_scores_are(both):
    x, y = both
    own = np.arange(len(x))
    pairs = similarity.correlate_pairs(y, x)
    np.testing.assert_allclose(
        identification.two_way_table(pairs)[own, own], identification.two_way(x, y)
    )
    cosine = similarity.cosine_pairs(y, x)
    np.testing.assert_allclose(retrieval.rank_table(cosine)[own, own], retrieval.rank(x, y))


@given(rows())
def test_ranks_are_scipys(both):
    x, y = both
    similar = np.round(cosine_similarity(y, x), 9)
    want = [stats.rankdata(-row, "average")[i] - 1 for i, row in enumerate(similar)]
    got = retrieval.rank(x, y)
    np.testing.assert_allclose(got, want)
    for k in range(1, len(x)):
        np.testing.assert_array_equal(retrieval.top_k(x, y, k), np.array(want) <= k - 1)
    assert retrieval.relative_median_rank(got, len(x)) == np.median(want) / len(x)


@given(rows(), st.integers(1, 2))
def test_identification_among_all_is_a_loop(both, k):
    x, y = both
    r = similarity.correlate_pairs(y, x)
    want = [
        sum(r[i, j] >= r[i, i] - 1e-10 for j in range(len(x)) if j != i) < k for i in range(len(x))
    ]
    np.testing.assert_array_equal(identification.top_k(x, y, k), want)


@given(rows(), st.randoms(use_true_random=False))
def test_the_order_of_items_does_not_matter(both, random):
    x, y = both
    order = list(range(len(x)))
    random.shuffle(order)
    for score in (identification.two_way, identification.top_k, retrieval.rank, retrieval.top_k):
        np.testing.assert_allclose(score(x[order], y[order]), score(x, y)[order])


@given(rows())
def test_single_precision_gives_the_same_scores(both):
    x, y = both
    small = [one.astype(np.float32) for one in both]
    for score in (
        identification.two_way,
        identification.top_k,
        retrieval.rank,
        retrieval.top_k,
        similarity.correlate_rows,
        similarity.cosine_rows,
        images.pixel_correlation,
    ):
        np.testing.assert_allclose(score(*small), score(x, y), atol=1e-9)


@given(rows())
def test_all_drawn_is_retrieval_without_a_draw(both):
    x, y = both
    assume((np.linalg.norm(x, axis=1) > 0).all())
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    assume(len(np.unique(np.round(unit, 6), axis=0)) == len(x))
    got = retrieval.drawn_retrieval(x, y, n_candidates=len(x), n_draws=2)
    np.testing.assert_allclose(got.per_item, retrieval.top_k(x, y))
    assert got.value == pytest.approx(retrieval.top_k(x, y).mean())


@given(rows())
def test_distances_of_features_are_scipys(both):
    x, y = both
    assume(live(x).all() and live(y).all())
    want = [distance.correlation(a, b) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(networks.feature_score(x, y, "distance"), want, atol=1e-9)
    np.testing.assert_allclose(networks.feature_score(x, y), loop_two_way(x, y, "recon"))


@settings(max_examples=8)
@given(st.integers(0, 2**31), st.integers(11, 19), st.integers(11, 19))
def test_pictures_are_compared_as_by_scikit_image(seed, height, width):
    rng = np.random.default_rng(seed)
    x, y = rng.random((2, 2, height, width, 3))
    grey = [np.asarray(images.as_unit(one)) @ images.GREY for one in (x, y)]
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    want = [
        structural_similarity(a, b, data_range=1.0, **options) for a, b in zip(*grey, strict=True)
    ]
    np.testing.assert_allclose(images.ssim(x, y), want, atol=1e-6)
    np.testing.assert_allclose(
        images.pixel_correlation(x, y),
        [stats.pearsonr(a.ravel(), b.ravel())[0] for a, b in zip(x, y, strict=True)],
    )
    whole = np.round(x * 255).astype(np.uint8)
    np.testing.assert_allclose(
        images.ssim(whole, y), images.ssim(whole / 255.0, y), atol=1e-6
    )  # bytes and shares are one picture


def edits(said, true):
    """Levenshtein distance of words."""
    before = list(range(len(true) + 1))
    for i, a in enumerate(said, 1):
        now = [i]
        for j, b in enumerate(true, 1):
            now.append(min(before[j] + 1, now[-1] + 1, before[j - 1] + (a != b)))
        before = now
    return before[-1]


def overlap(true, said):
    return sum(min(true.count(word), said.count(word)) for word in set(said))


@settings(max_examples=8)
@given(WORDS, WORDS)
def test_words_are_counted_as_by_loops(true, said):
    pair = [" ".join(true)], [" ".join(said)]
    assert text.word_error_rate(*pair)[0] == pytest.approx(edits(said, true) / len(true), abs=1e-6)
    assert text.word_accuracy(*pair)[0] == pytest.approx(
        1 - edits(said, true) / len(true), abs=1e-6
    )
    both = overlap(true, said)
    assert text.rouge(*pair, part="recall")[0] == pytest.approx(both / len(true))
    assert text.rouge(*pair, part="precision")[0] == pytest.approx(both / len(said))
    assert text.rouge(*pair)[0] == pytest.approx(2 * both / (len(true) + len(said)))
    kinds = set(true), set(said)
    shared = len(kinds[0] & kinds[1])
    assert text.content_word_f1(*pair)[0] == pytest.approx(2 * shared / sum(map(len, kinds)))


@given(WORDS, WORDS)
def test_bleu_of_single_words_is_precision_with_a_penalty_for_brevity(true, said):
    both = overlap(true, said)
    assume(both > 0)  # none: smoothed, and sacrebleu's own business
    brief = min(1.0, np.exp(1 - len(true) / len(said)))
    got = text.bleu([" ".join(true)], [" ".join(said)])[0]
    assert got == pytest.approx(both / len(said) * brief, abs=1e-6)


@given(rows())
def test_tokens_are_matched_as_by_a_loop(both):
    x, y = both
    assume((np.abs(x).max(axis=1) > 0).all() and (np.abs(y).max(axis=1) > 0).all())
    r = cosine_similarity(x, y)
    recall = np.mean([max(row) for row in r])
    precision = np.mean([max(row) for row in r.T])
    total = recall + precision
    want = 2 * recall * precision / total if total > 0 else 0.0
    assert text.greedy_match_f1([x], [y])[0] == pytest.approx(want, abs=1e-9)


@given(st.integers(0, 2**31), st.integers(1, 5))
def test_the_frechet_distance_is_that_of_scipys_matrix_root(seed, n_dims):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(30, n_dims)), 1 + 2 * rng.normal(size=(25, n_dims))
    one, other = (np.atleast_2d(np.cov(each.T)) for each in (x, y))
    root = linalg.sqrtm(one @ other).real
    shift = np.square(x.mean(axis=0) - y.mean(axis=0)).sum()
    want = shift + np.trace(one + other - 2 * root)
    assert text.frechet_distance(x, y) == pytest.approx(want, rel=1e-6)
    assert text.frechet_distance(y, x) == pytest.approx(want, rel=1e-6)


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9))
def test_distinct_sentences_are_counted(said):
    assert text.distinct_share(said) == len(set(said)) / len(said)
