"""What every target promises, run over every target. New targets add one entry to CASES."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import pytest

from neurodecode.contracts import Target
from neurodecode.data import Stimuli
from neurodecode.targets import Dino, Latent, OpenClip, PixelPCA, Pixels, Sentence
from tests import tiny_models


def pictures(n: int = 5, size: int = 8) -> Stimuli:
    values = np.random.default_rng(0).random((n, size, size, 3))
    return Stimuli.from_arrays([f"s{i}" for i in range(n)], values)


def texts() -> Stimuli:
    return Stimuli.from_texts({"a": "a red ball", "b": "two cats by a tree", "c": "a boat"})


@cache
def folder(kind: str) -> Path:
    """A tiny model of a class, made once."""
    return getattr(tiny_models, kind)(Path(mkdtemp()) / kind)


CASES: dict[str, tuple[Callable[[], Target], Callable[[], Stimuli]]] = {
    "Pixels": (lambda: Pixels(4), pictures),
    "Pixels grey": (lambda: Pixels((4, 6), grey=True), pictures),
    "PixelPCA": (lambda: PixelPCA(3, size=4).fit(pictures()), pictures),
    "OpenClip shipped": (lambda: OpenClip(device="cpu"), pictures),
    "OpenClip pooled": (lambda: OpenClip(folder("open_clip_folder"), device="cpu"), pictures),
    "OpenClip tokens": (
        lambda: OpenClip(folder("open_clip_folder"), "tokens", device="cpu", batch_size=2),
        pictures,
    ),
    "OpenClip text": (lambda: OpenClip(layer="text", device="cpu"), texts),
    "OpenClip text tokens": (
        lambda: OpenClip(folder("open_clip_folder"), "text_tokens", device="cpu"),
        texts,
    ),
    "Dino pooled": (lambda: Dino(folder("dino_folder"), device="cpu", batch_size=2), pictures),
    "Dino tokens": (lambda: Dino(folder("dino_folder"), "tokens", device="cpu"), pictures),
    "Latent": (
        lambda: Latent(folder("autoencoder_into"), size=16, device="cpu", batch_size=2),
        pictures,
    ),
    "Sentence pooled": (lambda: Sentence(folder("bert_folder"), device="cpu"), texts),
    "Sentence tokens": (
        lambda: Sentence(folder("bert_folder"), "tokens", max_length=8, device="cpu"),
        texts,
    ),
    "Sentence of T5": (lambda: Sentence(folder("t5_folder"), device="cpu"), texts),
}


@pytest.fixture(params=list(CASES))
def case(request, tmp_path, monkeypatch) -> tuple[Target, Stimuli]:
    monkeypatch.setenv("NEURODECODE_CACHE", str(tmp_path))
    make, stimuli = CASES[request.param]
    return make(), stimuli()


def test_is_a_target(case):
    target, _ = case
    assert isinstance(target, Target)


def test_embeds_one_finite_row_a_stimulus_in_the_space_it_names(case):
    target, stimuli = case
    found = target.embed(stimuli)
    assert found.stimulus.tolist() == stimuli.ids.tolist()
    assert found.space == target.space
    assert np.isfinite(found.array()).all()
    assert len(np.unique(found.array().reshape(len(found), -1), axis=0)) == len(stimuli)


def test_same_stimuli_same_points(case):
    target, stimuli = case
    np.testing.assert_array_equal(target.embed(stimuli).array(), target.embed(stimuli).array())


def test_a_row_does_not_depend_on_the_others(case):
    target, stimuli = case
    some = stimuli.ids[::-1][:2]
    np.testing.assert_allclose(
        target.embed(stimuli.select(some)).array(),
        target.embed(stimuli).rows(some),
        rtol=1e-4,
        atol=1e-5,
    )


def test_no_stimuli_give_no_rows_of_the_same_shape(case):
    target, stimuli = case
    empty = target.embed(stimuli.select([]))
    assert len(empty) == 0
    assert empty.row_shape == target.embed(stimuli).row_shape


def test_refuses_stimuli_of_a_kind_it_cannot_embed(case):
    target, _ = case
    clips = Stimuli.from_arrays(["v"], np.zeros((1, 2, 4, 4, 3)))
    message = (
        r"takes stimuli of kind .*; got Stimuli\(1 videos\)|has no caption, so it has no place"
    )
    with pytest.raises(ValueError, match=message):
        target.embed(clips)
