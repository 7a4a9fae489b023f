"""The closed form beside deep readers: right on a planted signal, blind to the test texts."""

import numpy as np

from neurodecode.data import Responses, Split
from neurodecode.encoders import BinnedRidge, Parts
from neurodecode.evidence.text import judge_text, text_measures
from neurodecode.pipeline import NearestSentence

N = 120
IDS = np.array([f"t{i:03d}" for i in range(N)])
SPLIT = Split(IDS[:80], IDS[80:90], IDS[90:])
VECTORS = np.random.default_rng(5).normal(size=(N, 8)).astype(np.float32)


def embed(texts):
    return VECTORS[[int(one.split()[1]) for one in texts]]


def reader(name, seed, signal=1.0):
    rng = np.random.default_rng(seed)
    fields = np.random.default_rng(6).normal(size=(8, 10))
    length = rng.integers(15, 30, size=N)
    valid = np.arange(30) < length[:, None]
    values = signal * np.einsum("nd,dc,nt->nct", VECTORS, fields, valid / length[:, None])
    values = values + 0.2 * rng.normal(size=values.shape)
    return Responses(
        (values * valid[:, None]).astype(np.float32), IDS, name, "eeg",
        dims=("trial", "channel", "time"), sfreq=50.0, valid=valid,
        metadata={"text": [f"text {i}" for i in range(N)], "task": np.repeat("read", N)},
    )  # fmt: skip


def test_texts_are_found_and_windows_chosen():
    people = [reader("a", 0), reader("b", 1)]
    fitted = NearestSentence(BinnedRidge(device="cpu"), embed).fit(people, SPLIT)
    assert isinstance(fitted.encoder.windows_, Parts)
    test = SPLIT.part(people[0], "test")
    vectors = fitted.answer(test).vectors
    cosine = vectors @ embed(test.metadata["text"]).T
    assert (cosine.argmax(axis=1) == np.arange(len(test))).mean() > 0.4
    judged = judge_text(fitted, people, SPLIT, measures=text_measures()[:1])
    assert next(iter(judged.result.scores.values())).value > 0.2


def test_only_training_texts_are_said():
    people = [reader("a", 0)]
    fitted = NearestSentence(BinnedRidge([Parts(1)], device="cpu"), embed).fit(people, SPLIT)
    said = fitted.answer(SPLIT.part(people[0], "test")).sentences
    assert {int(one.split()[1]) for one in said} <= set(range(80))


def test_the_test_texts_are_not_read():
    one = reader("a", 0)
    texts = np.array(one.metadata["text"], dtype=object)
    texts[90:] = "text 0"
    blind = one.with_values(one.values, metadata={**one.metadata, "text": texts.astype(str)})
    vectors = [
        NearestSentence(BinnedRidge([Parts(2)], device="cpu"), embed)
        .fit([each], SPLIT)
        .answer(SPLIT.part(one, "test"))
        .vectors
        for each in (one, blind)
    ]
    np.testing.assert_allclose(*vectors)
