"""What every generator promises, run over every generator. New ones add one entry to CASES."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from neurodecode.contracts import Generator
from neurodecode.data import Embeddings, Stimuli
from neurodecode.generators import Captioner, DirectImage, Kandinsky, Nucleus, Retrieval, SmallFlow
from neurodecode.targets import OpenClip, Pixels
from tests.generators.test_diffusion import DIMS, tiny_kandinsky

IDS = ["a", "b", "c", "d"]
Case = tuple[Generator, Embeddings]


def pictures() -> Stimuli:
    return Stimuli.from_arrays(IDS, np.random.default_rng(0).random((4, 4, 4, 3)))


def direct() -> Case:
    return DirectImage(Pixels(4)), Pixels(4).embed(pictures())


def retrieval() -> Case:
    points = Pixels(4).embed(pictures())
    return Retrieval(points, pictures()), points


def retrieval_of_texts() -> Case:
    points = Embeddings(np.eye(4), IDS, "toy")
    return Retrieval(points, Stimuli.from_texts({one: f"it is {one}" for one in IDS})), points


def retrieval_of_clips() -> Case:
    points = Embeddings(np.eye(4), IDS, "toy")
    clips = np.random.default_rng(0).random((4, 2, 4, 4, 3))
    return Retrieval(points, Stimuli.from_arrays(IDS, clips)), points


def brain_like() -> Embeddings:
    """Points of the space that the shipped models read, unit length."""
    values = np.random.default_rng(0).standard_normal((4, 256))
    values /= np.linalg.norm(values, axis=1, keepdims=True)
    return Embeddings(values.astype(np.float32), IDS, OpenClip().space)


def small_flow() -> Case:
    return SmallFlow(n_steps=2, device="cpu"), brain_like()


def judged_flow() -> Case:
    judge = OpenClip(device="cpu")
    return SmallFlow(n_steps=1, judge=judge, n_candidates=2, device="cpu"), brain_like()


def captioner() -> Case:
    return Captioner(device="cpu", length=(1, 12)), brain_like()


def sampled_captions() -> Case:
    return Captioner(decoding=Nucleus(0.9), device="cpu", length=(1, 12)), brain_like()


def kandinsky() -> Case:
    """Reads a folder, as a user would; written once, beside the test's cache."""
    folder = Path(os.environ["NEURODECODE_CACHE"]) / "kandinsky"
    if not folder.is_dir():
        tiny_kandinsky().save_pretrained(folder)
        (folder / "neurodecode.json").write_text('{"space": "toy"}')
    points = Embeddings(np.random.default_rng(0).standard_normal((4, DIMS)) * 3, IDS, "toy")
    return Kandinsky(folder, n_steps=1), points


CASES: dict[str, Callable[[], Case]] = {
    "DirectImage": direct,
    "Retrieval": retrieval,
    "Retrieval of texts": retrieval_of_texts,
    "Retrieval of clips": retrieval_of_clips,
    "SmallFlow": small_flow,
    "SmallFlow with a judge": judged_flow,
    "Kandinsky": kandinsky,
    "Captioner": captioner,
    "Captioner, nucleus": sampled_captions,
}


@pytest.fixture(params=list(CASES))
def case(request, tmp_path, monkeypatch) -> Case:
    monkeypatch.setenv("NEURODECODE_CACHE", str(tmp_path))
    return CASES[request.param]()


def assert_close(one: np.ndarray, other: np.ndarray) -> None:
    """Equal texts; pictures equal up to one grey level, the rounding of other batch sizes."""
    if one.dtype.kind == "U":
        assert one.tolist() == other.tolist()
    else:
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 1


def test_is_a_generator(case):
    generator, _ = case
    assert isinstance(generator, Generator)


def test_gives_samples_for_each_row_under_its_id(case):
    generator, points = case
    drawn = generator.generate(points, seed=1, n_samples=2)
    assert drawn.values.shape[:2] == (len(points), 2)
    assert drawn.stimulus.tolist() == points.stimulus.tolist()
    assert drawn.generator
    assert drawn.values.dtype == np.uint8 or drawn.kind == "text"


def test_same_seed_same_samples_and_inputs_unchanged(case):
    generator, points = case
    before = points.array().copy()
    one = generator.generate(points, seed=3, n_samples=2)
    two = generator.generate(points, seed=3, n_samples=2)
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(points.array(), before)


def test_a_row_does_not_depend_on_the_others(case):
    generator, points = case
    whole = generator.generate(points, seed=3, n_samples=2)
    some = generator.generate(points.take(np.array([2, 0])), seed=3, n_samples=2)
    assert_close(some.values, whole.values[[2, 0]])


def test_first_sample_does_not_depend_on_how_many_are_drawn(case):
    generator, points = case
    one = generator.generate(points, seed=3, n_samples=1)
    two = generator.generate(points, seed=3, n_samples=2)
    assert_close(one.values[:, 0], two.values[:, 0])


def test_output_follows_the_embedding(case):
    generator, points = case
    turned = replace(points, values=np.roll(points.array(), 1, axis=0))
    straight = generator.generate(points, seed=3).values
    assert not np.array_equal(generator.generate(turned, seed=3).values, straight)


def test_refuses_points_of_another_space(case):
    generator, points = case
    with pytest.raises(ValueError, match=r"reads points of the space .* got embeddings of 'other'"):
        generator.generate(replace(points, space="other"))


def test_refuses_values_that_are_not_finite(case):
    generator, points = case
    values = points.array().copy()
    values[1] = np.nan
    with pytest.raises(ValueError, match=r"not finite in 1 of \d+ rows \(first: stimulus '.+'\)"):
        generator.generate(replace(points, values=values))


def test_refuses_no_samples(case):
    generator, points = case
    with pytest.raises(ValueError, match="n_samples must be a whole number of at least 1; got 0"):
        generator.generate(points, n_samples=0)


def test_can_be_cloned(case):
    generator, points = case
    again = clone(generator)
    np.testing.assert_array_equal(
        again.generate(points, seed=3).values, generator.generate(points, seed=3).values
    )
