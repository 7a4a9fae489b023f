from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.data import Embeddings
from neurodecode.generators import Beams, Captioner, Nucleus
from neurodecode.generators.text import SeededNucleus
from tests import tiny_models


def points(shape: tuple[int, ...], seed: int = 0) -> Embeddings:
    values = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return Embeddings(values, [f"s{i}" for i in range(shape[0])], "toy")


@pytest.mark.parametrize("shape", [(3, 16), (3, 5, 16)])
@pytest.mark.parametrize("decoding", [Beams(3), Nucleus(0.95)])
def test_the_class_of_flan_t5_loads_through_the_same_code(tmp_path, shape, decoding):
    folder = tiny_models.t5_folder(tmp_path / "flan")
    written = Captioner(folder, decoding, length=(1, 5), device="cpu").generate(
        points(shape), n_samples=2
    )
    assert written.values.shape == (3, 2)
    assert written.generator == "Captioner(flan)"
    assert all(len(one.split()) <= 5 for one in written.values.ravel())


def test_length_is_kept(tmp_path):
    folder = tiny_models.t5_folder(tmp_path / "flan")
    long = Captioner(folder, length=(7, 7), device="cpu").generate(points((2, 16)))
    assert all(len(one.split()) <= 7 for one in long.values.ravel())
    short = Captioner(folder, length=(1, 1), device="cpu").generate(points((2, 16)))
    assert all(len(one.split()) <= 1 for one in short.values.ravel())


def test_refuses_states_of_another_width(tmp_path):
    folder = tiny_models.t5_folder(tmp_path / "flan")
    with pytest.raises(ValueError, match=r"states of 16 dimensions.*got rows of shape \(8,\)"):
        Captioner(folder, device="cpu").generate(points((2, 8)))


def test_refuses_more_samples_than_beams(tmp_path):
    folder = tiny_models.t5_folder(tmp_path / "flan")
    with pytest.raises(
        ValueError, match=r"Beams\(2\) writes at most 2 samples a row; got n_samples=3"
    ):
        Captioner(folder, device="cpu").generate(points((2, 16)), n_samples=3)


def test_the_nucleus_draws_words_as_often_as_they_are_likely():
    probability = torch.tensor([0.5, 0.3, 0.15, 0.05])
    draw = SeededNucleus(Nucleus(top_p=0.9), list(range(4000)))
    scores = draw(torch.zeros(4000, 1), probability.log().expand(4000, 4))
    share = torch.bincount(scores.argmax(dim=1), minlength=4) / 4000
    wanted = probability * torch.tensor([1.0, 1.0, 1.0, 0.0]) / 0.95
    torch.testing.assert_close(share, wanted, atol=0.03, rtol=0.0)


def test_the_nucleus_keeps_forbidden_words_out():
    scores = torch.tensor([[0.0, -torch.inf, 0.0]])
    drawn = [int(SeededNucleus(Nucleus(1.0), [s])(scores, scores).argmax()) for s in range(50)]
    assert set(drawn) == {0, 2}


def test_tokens_learned_through_this_decoder_are_read_and_others_are_not() -> None:
    writer = Captioner(device="cpu")
    tokens = Embeddings(np.zeros((1, 3, 256), dtype=np.float32), ["a"], "t5:captioner/states-3")
    assert writer.generate(tokens).values.shape == (1, 1)
    other = Embeddings(tokens.array(), ["a"], "t5:another/states-3")
    with pytest.raises(ValueError, match="Captioner reads points of the space"):
        writer.generate(other)
