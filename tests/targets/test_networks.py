"""Dino, Latent and Sentence against their libraries used directly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neurodecode.data import Stimuli
from neurodecode.errors import MissingWeightsError
from neurodecode.targets import Dino, Latent, Sentence
from tests import tiny_models


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_CACHE", str(tmp_path / "cache"))


def pictures(size: int = 28) -> Stimuli:
    values = np.random.default_rng(0).random((3, size, size, 3))
    return Stimuli.from_arrays(list("abc"), values)


def test_dino_agrees_with_timm(tmp_path):
    import timm

    folder = tiny_models.dino_folder(tmp_path / "dino")
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    settings = timm.data.resolve_model_data_config(model)
    mean, std = (np.array(settings[one], np.float32) for one in ("mean", "std"))
    stack = (pictures().stack().astype(np.float32) / 255 - mean) / std
    with torch.inference_mode():
        tokens = model.forward_features(torch.from_numpy(stack).permute(0, 3, 1, 2))
    found = Dino(folder, "tokens", device="cpu").embed(pictures()).array()
    np.testing.assert_allclose(found, tokens.numpy(), atol=1e-5)
    assert Dino(folder).embed(pictures()).row_shape == (16,)


def test_latent_goes_there_and_back_like_diffusers(tmp_path):
    from diffusers import AutoencoderKL

    folder = tiny_models.autoencoder_into(tmp_path / "vae")
    model = AutoencoderKL.from_pretrained(folder).eval()
    stack = torch.from_numpy(pictures(16).stack()).permute(0, 3, 1, 2).float() / 127.5 - 1
    target = Latent(folder, size=16, device="cpu", batch_size=2)
    with torch.inference_mode():
        mean = model.encode(stack).latent_dist.mean
        drawn = model.decode(mean).sample.clamp(-1, 1)
    found = target.embed(pictures(16))
    wanted = (mean * model.config.scaling_factor).numpy()
    np.testing.assert_allclose(found.array(), wanted, atol=1e-5)
    again = target.pictures(found.values)
    wanted = ((drawn + 1) * 127.5).permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(again, wanted, atol=0.51)
    assert target.pictures(found.values[:0]).shape[0] == 0


def test_sentence_is_the_mean_over_its_tokens(tmp_path):
    from transformers import AutoTokenizer, BertModel

    folder = tiny_models.bert_folder(tmp_path / "bert")
    texts = {"a": "a red ball", "b": "a cat by a tree"}
    model, tokenizer = BertModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    wanted = []
    for text in texts.values():
        rows = tokenizer(text, return_tensors="pt")
        with torch.inference_mode():
            state = model.eval()(rows["input_ids"], rows["attention_mask"])[0][0].mean(0)
        wanted.append((state / state.norm()).numpy())
    found = Sentence(folder, device="cpu").embed(Stimuli.from_texts(texts)).array()
    np.testing.assert_allclose(found, np.stack(wanted), atol=1e-5)


def test_sentence_tokens_are_zero_beyond_the_end(tmp_path):
    folder = tiny_models.bert_folder(tmp_path / "bert")
    texts = Stimuli.from_texts({"a": "a cat"})
    found = Sentence(folder, "tokens", max_length=8, device="cpu").embed(texts).array()
    assert found.shape == (1, 8, 16)
    assert (found[0, 3:] == 0).all()
    assert (found[0, :3] != 0).all()


@pytest.mark.parametrize("make", [Dino, Latent, Sentence])
def test_missing_weights_say_how_to_get_them(make):
    with pytest.raises(MissingWeightsError, match=r"needs the weights 'no/such' .*download=True"):
        make("no/such").embed(pictures())


def test_unknown_layers_are_refused(tmp_path):
    with pytest.raises(ValueError, match="layer must be 'pooled' or 'tokens'; got 'mean'"):
        Dino("x", "mean").embed(pictures())
    with pytest.raises(ValueError, match="layer must be 'pooled' or 'tokens'; got 'mean'"):
        Sentence("x", "mean").embed(Stimuli.from_texts({"a": "b"}))
