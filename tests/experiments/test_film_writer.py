"""A writer says what the scenes it learned from say; blocks and shifts leave nothing to peek at."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from experiments._film_writer import FilmWriter
from experiments._film_written import (
    BUFFER,
    PENALTY,
    Truth,
    Watcher,
    best_sentence,
    blocks,
    predicted,
    write_film,
)

NAMES = ("john", "mary", "anna", "paul")
PLACES = ("garden", "kitchen", "street", "tunnel")
SCENES = [
    f"The doctor {name} walks. Then {name} is in the {place}. There {name} sits in the {place}."
    for name in NAMES
    for place in PLACES
]


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> FilmWriter:
    return FilmWriter(SCENES, tmp_path_factory.mktemp("writer"), n_steps=120)


def test_it_writes_about_the_point_that_it_is_given(writer: FilmWriter) -> None:
    said = writer.write(writer.topics.embed(SCENES))
    own = [name in one for one, name in zip(said, np.repeat(NAMES, 4), strict=True)]
    assert np.mean(own) > 0.6, "chance is .25"
    assert said == writer.write(writer.topics.embed(SCENES)), "the same each time"


def test_two_way_compares_with_the_texts_of_the_block(writer: FilmWriter) -> None:
    block = blocks(np.array(["1"] * 16), 4)[0]
    truth = Truth(SCENES, writer)
    two_way, f1 = truth.judge(block.test[:2], [SCENES[0], "nothing of it"], block)
    assert two_way.tolist() == [1.0, 0.5]
    assert f1.tolist() == [1.0, 0.0]


def test_blocks_cover_all_scenes_and_leave_neighbours_out() -> None:
    run = np.array(["1"] * 20 + ["2"] * 15)
    found = blocks(run)
    assert sorted(np.concatenate([one.test for one in found]).tolist()) == list(range(35))
    for one in found:
        inside = np.flatnonzero(run == run[one.test[0]])
        near = (one.test[:, None] + np.arange(-BUFFER, BUFFER + 1) - inside[0]) % len(inside)
        assert not set((near + inside[0]).ravel().tolist()) & set(one.train.tolist())


def test_predictions_are_those_of_ridge_with_the_spread_of_left_out_ones() -> None:
    rng = np.random.default_rng(0)
    x, x_test = rng.normal(size=(30, 8)), rng.normal(size=(5, 8))
    y = x @ rng.normal(size=(8, 3)) + rng.normal(size=(30, 3))
    centred = x - x.mean(axis=0)
    penalty = PENALTY * np.square(centred).sum() / len(x)

    plain = Ridge(penalty).fit(x, y).predict(x_test)
    left_out = np.array(
        [
            Ridge(penalty).fit(np.delete(x, row, 0), np.delete(y, row, 0)).predict(x[row][None])[0]
            for row in range(30)
        ]
    )
    factor = np.sqrt(y.var(axis=0).sum() / left_out.var(axis=0).sum())
    expected = y.mean(axis=0) + factor * (plain - y.mean(axis=0))
    np.testing.assert_allclose(predicted(x, y, x_test), expected, rtol=0.05, atol=0.02)


def test_a_shift_pairs_texts_with_other_scenes_everywhere() -> None:
    patterns = np.arange(8.0)[:, None]
    order = np.roll(np.arange(8), -2)
    one = Watcher(np.arange(8), patterns, [order])
    block = blocks(np.array(["1"] * 8), 4)[0]
    truth = np.arange(8.0)[:, None]
    (_, own), (_, shifted) = one.points(block, truth)
    assert own.shape == shifted.shape == (2, 1)
    assert not np.allclose(own, shifted)


def test_the_constant_sentence_is_the_best_of_the_training_scenes() -> None:
    texts = ["A cat sits there. The dog and the cat run.", "The dog and the cat sleep."]
    assert best_sentence(texts) == "The dog and the cat sleep."


def test_a_brain_that_knows_the_topics_is_above_noise() -> None:
    rng = np.random.default_rng(0)
    run = np.array(["1"] * 16)
    topics = np.array([[name in text for name in (*NAMES, *PLACES)] for text in SCENES], float)
    mixed = rng.permutation(16)
    texts = [SCENES[row] for row in mixed]
    rows = np.arange(16)
    watchers = {
        "brain": Watcher(rows, topics[mixed] @ rng.normal(size=(8, 20)), []),
        "noise": Watcher(rows, rng.normal(size=(16, 20)), []),
    }
    found, others = write_film(watchers, texts, run, n_steps=30)
    brain, noise = (found[name][0].values("written_two_way").mean() for name in watchers)
    assert brain > noise
    constant = others["brain"]["constant best"].values("written_two_way")
    assert constant.mean() == pytest.approx(0.5)
