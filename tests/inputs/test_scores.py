"""Metrics and statistics: what can't be compared, ranked or drawn."""

from __future__ import annotations

import numpy as np
import scipy.sparse

from neurodecode.metrics import identification, images, retrieval, similarity
from neurodecode.statistics import Null, circular_shift_null, mean_interval, permutation_null
from tests.inputs.told import Case, check, table

Y = np.random.default_rng(0).normal(size=(8, 3))
NAN = float("nan")
WITH_NAN = np.where(np.arange(24).reshape(8, 3) == 4, NAN, Y)
MEASURES = {
    "two_way": identification.two_way,
    "top_k": identification.top_k,
    "rank": retrieval.rank,
    "retrieval top_k": retrieval.top_k,
    "drawn": lambda one, other: retrieval.drawn_retrieval(one, other, n_candidates=3),
    "correlate_rows": similarity.correlate_rows,
    "cosine_pairs": similarity.cosine_pairs,
    "pixel_correlation": images.pixel_correlation,
}
PAIRS = {
    "nan predicted": (Y, WITH_NAN, "are not finite (first: row 1)."),
    "nan true": (WITH_NAN, Y, "are not finite (first: row 1)."),
    "inf": (Y, np.where(np.isnan(WITH_NAN), np.inf, Y), "are not finite (first: row 1)."),
    "object": (Y, Y.astype(object), "have the dtype object, and must be real numbers."),
    "text": (Y, Y.astype(str), "and must be real numbers."),
    "complex": (Y, Y * 1j, "have the dtype complex128, and must be real numbers."),
    "masked": (Y, np.ma.masked_greater(Y, 0.5), "values masked, and a mask would be lost."),
    "sparse": (Y, scipy.sparse.csr_matrix(Y), "are a sparse matrix (csr_matrix)."),
    "one axis": (Y[0], Y[0], "need at least two axes (n, n_dims); got shape (3,)."),
    "nothing": (None, None, "."),
    "no items": (Y[:0], Y[:0], "need a row and a number in it; got shape (0, 3)."),
    "no dims": (Y[:, :0], Y[:, :0], "need a row and a number in it; got shape (8, 0)."),
}
COMPARED = [
    Case(f"{measure} {name}", lambda call=call, a=a, b=b: call(a, b), says)
    for measure, call in MEASURES.items()
    for name, (a, b, says) in PAIRS.items()
]
K = [
    Case(f"{name} k={k!r}", lambda call=call, k=k: call(Y, Y, k), "k must be")
    for name, call in (("top_k", identification.top_k), ("retrieval", retrieval.top_k))
    for k in (0, 9, 1.5, "1", NAN, None)
]
OPTIONS = [
    Case(
        "other lengths", lambda: identification.two_way(Y, Y[:4]), "truth has shape (8, 3) but the"
    ),
    Case(
        "direction", lambda: identification.two_way(Y, Y, "x"), "direction must be 'recon' or 'tr"
    ),
    Case(
        "short mean", lambda: identification.two_way(Y, Y, train_mean=Y[0, :2]), "has 2 numbers but"
    ),
    Case(
        "nan mean", lambda: identification.two_way(Y, Y, train_mean=Y[0] * NAN), "the training mean"
    ),
    Case("alone", lambda: identification.two_way(Y[:1], Y[:1]), "1 of 1 items have no other to be"),
    Case(
        "draws of 99",
        lambda: retrieval.drawn_retrieval(Y, Y, n_candidates=99),
        "from 8 items; give",
    ),
    Case(
        "no draw",
        lambda: retrieval.drawn_retrieval(Y, Y, n_candidates=3, n_draws=0),
        "n_draws must",
    ),
    Case(
        "way", lambda: retrieval.drawn_retrieval(Y, Y, "x", n_candidates=3), "way must be 'forward'"
    ),
    Case("no ranks", lambda: retrieval.relative_median_rank([], 3), "of nothing is not defined"),
    Case(
        "nan rank", lambda: retrieval.relative_median_rank([NAN], 3), "values that are not finite"
    ),
    Case("text rank", lambda: retrieval.relative_median_rank(["x"], 3), "Ranks have the dtype"),
    Case(
        "no candidates", lambda: retrieval.relative_median_rank([1], 0), "of nothing is not defined"
    ),
    Case(
        "flat pictures", lambda: images.ssim(Y, Y), "Pictures need shape (n, height, width, 3); got"
    ),
    Case(
        "bright pictures",
        lambda: images.ssim(np.full((2, 9, 9, 3), 9.0), np.full((2, 9, 9, 3), 9.0)),
        "must lie in 0 to 1; got 9 to 9. Give uint8, or scale and clip them.",
    ),
    Case(
        "nan pictures",
        lambda: images.ssim(np.full((2, 9, 9, 3), NAN), np.full((2, 9, 9, 3), NAN)),
        "2 of 2 rows of the pictures hold values that are not finite",
    ),
]
STATISTICS = [
    *(
        Case(f"interval of {name}", lambda values=values: mean_interval(values), says)
        for name, values, says in (
            ("nan", [1.0, NAN], "not finite"),
            ("nothing", [], "."),
            ("text", ["a", "b"], "Values of items have the dtype"),
            ("object", [None, 1.0], "Values of items have the dtype object"),
            ("complex", [1j, 2.0], "Values of items have the dtype complex128"),
            ("masked", np.ma.masked_greater([1.0, 2, 3], 2), "with 1 of 3 values masked"),
            ("square", Y, "."),
        )
    ),
    *(
        Case(
            f"level {level!r}",
            lambda level=level: mean_interval([1.0, 2, 4], level=level),
            f"level must lie between 0 and 1, such as 0.95; got {level}.",
        )
        for level in (0, 1, 95, -0.5, NAN)
    ),
    *(
        Case(
            f"{n!r} permutations",
            lambda n=n: permutation_null(lambda order: 0.0, 9, n_permutations=n),
            f"n_permutations must be a whole number of at least 1; got {n!r}.",
        )
        for n in (0, -3, 2.5, "9")
    ),
    *(
        Case(
            f"{n!r} items",
            lambda n=n: permutation_null(lambda order: 0.0, n),
            f"n_items must be a whole number of at least 1; got {n!r}.",
        )
        for n in (0, 5.5, "9", None)
    ),
    Case(
        "one item", lambda: permutation_null(lambda order: 0.0, 1), "None of 1 items can change pla"
    ),
    Case(
        "groups", lambda: permutation_null(lambda order: 0.0, 5, groups=[1, 2]), "groups has 2 rows"
    ),
    Case(
        "nan scores", lambda: permutation_null(lambda order: NAN, 5), "null scores are not finite"
    ),
    Case(
        "no shift",
        lambda: circular_shift_null(lambda order: 0.0, 9, n_shifts=0),
        "n_shifts must be",
    ),
    Case(
        "far shift",
        lambda: circular_shift_null(lambda order: 0.0, 5, min_shift=3),
        "shifted by 3 or",
    ),
    Case(
        "shift by 0",
        lambda: circular_shift_null(lambda order: 0.0, 5, min_shift=0),
        "min_shift mus",
    ),
    Case("p of nan", lambda: Null(np.array([1.0])).p_value(NAN), "A score of nan has no p-value"),
    Case(
        "p of x", lambda: Null(np.array([1.0])).p_value(1.0, "x"), "alternative must be 'greater'"
    ),
]


@table(COMPARED)
def test_compared(case):
    check(case)


@table(K)
def test_k(case):
    check(case)


@table(OPTIONS)
def test_options(case):
    check(case)


@table(STATISTICS)
def test_statistics(case):
    check(case)
