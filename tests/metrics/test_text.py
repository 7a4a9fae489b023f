"""Sentences against references: hand-counted examples and properties."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from neurodecode.metrics import text

TRUTH = ["a red ball in a meadow", "two cats sit by the sea"]


@pytest.mark.parametrize("n_gram", [1, 2, 3, 4])
def test_bleu_of_the_reference_is_one_and_of_another_sentence_low(n_gram: int) -> None:
    np.testing.assert_allclose(text.bleu(TRUTH, TRUTH, n_gram=n_gram), 1.0)
    assert text.bleu(TRUTH, ["nothing alike", "other words"], n_gram=n_gram).max() < 0.3


def test_bleu_1_is_clipped_precision_times_brevity() -> None:
    found = text.bleu(["a red ball in a meadow"], ["a a a ball"])[0]
    assert found == pytest.approx((3 / 4) * np.exp(1 - 6 / 4))


def test_of_several_references_the_best_counts() -> None:
    references = [["a red ball", "something else entirely"]]
    for metric in (text.bleu, text.rouge, text.content_word_f1):
        assert metric(references, ["a red ball"])[0] == pytest.approx(1.0)
    assert text.word_error_rate(references, ["a red ball"])[0] == 0.0


def test_rouge_counts_by_hand() -> None:
    true, said = ["a red ball in a meadow"], ["the red ball"]
    assert text.rouge(true, said, part="recall")[0] == pytest.approx(2 / 6)
    assert text.rouge(true, said, part="precision")[0] == pytest.approx(2 / 3)
    assert text.rouge(true, ["ball red"], kind="rougeL", part="recall")[0] == pytest.approx(1 / 6)


def test_word_errors_by_hand() -> None:
    assert text.word_error_rate(["one two three four"], ["one three five four six"])[0] == 0.75


def test_a_constant_sentence_scores_on_words_but_is_not_distinct() -> None:
    constant = ["a ball in a meadow"] * 2
    assert text.bleu(TRUTH, constant).mean() > 0.2
    assert text.distinct_share(constant) == 0.5


def test_frechet_distance_agrees_with_the_matrix_root() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 5)), rng.normal(size=(200, 5)) @ rng.normal(size=(5, 5)) + 1
    one, other = np.cov(x.T), np.cov(y.T)
    shift = np.square(x.mean(0) - y.mean(0)).sum()
    expected = shift + np.trace(one + other - 2 * sqrtm(one @ other).real)
    assert text.frechet_distance(x, y) == pytest.approx(expected, rel=1e-6)
    assert text.frechet_distance(x, x) == pytest.approx(0, abs=1e-8)


def test_greedy_match_is_symmetric_in_order_and_bounded() -> None:
    rng = np.random.default_rng(0)
    tokens = rng.normal(size=(6, 8))
    assert text.greedy_match_f1([tokens], [tokens[::-1]])[0] == pytest.approx(1.0)
    assert text.greedy_match_f1([tokens], [rng.normal(size=(4, 8))])[0] < 0.9


def test_rows_must_fit() -> None:
    with pytest.raises(ValueError, match="There are 2 references but 1 predicted sentences"):
        text.bleu(TRUTH, ["one"])
    with pytest.raises(ValueError, match=r"1 items have no reference \(first: row 1\)"):
        text.rouge([["a"], []], ["a", "b"])
    with pytest.raises(ValueError, match="n-grams of 1 to 4 words; got n_gram=5"):
        text.bleu(TRUTH, TRUTH, n_gram=5)
    with pytest.raises(ValueError, match=r"got shapes \(1, 2\) and \(3, 2\)"):
        text.frechet_distance(np.zeros((1, 2)), np.zeros((3, 2)))


def test_greedy_matching_takes_the_best_reference_and_reads_each_sentence_once() -> None:
    read: list[str] = []

    def tokens(texts: list[str]) -> list[np.ndarray]:
        read.extend(texts)
        return [np.eye(26)[[ord(one) - 97 for one in said.replace(" ", "")]] for said in texts]

    match = text.GreedyMatch(tokens)
    found = match([["ab", "cd"], ["xy", "xy"]], ["cd", "xz"])
    np.testing.assert_allclose(found, [1.0, 0.5])
    match([["ab", "cd"]], ["xy"])
    assert sorted(read) == ["ab", "cd", "xy", "xz"]


def test_word_accuracy_is_one_minus_the_error_rate() -> None:
    truth, said = ["a red ball", "a cat"], ["a blue ball rolls", "a cat"]
    np.testing.assert_allclose(
        text.word_accuracy(truth, said), 1 - text.word_error_rate(truth, said)
    )
