from __future__ import annotations

import json

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from neurodecode import scenes
from neurodecode.data import Stimuli
from neurodecode.errors import MissingWeightsError
from neurodecode.targets import OpenClip, shipped
from tests.tiny_models import open_clip_folder


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return open_clip_folder(tmp_path_factory.mktemp("models") / "tiny")


def pictures() -> Stimuli:
    values = np.random.default_rng(0).random((3, 40, 50, 3))
    return Stimuli.from_arrays(
        list("abc"), values, captions={"a": ["a cat"], "b": ["a boat", "a ship"]}
    )


def test_agrees_with_open_clip_used_directly(folder):
    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    model.eval()
    stack = torch.stack([preprocess(Image.fromarray(one)) for one in pictures().stack()])
    with torch.inference_mode():
        wanted = model.encode_image(stack, normalize=True).numpy()
    found = OpenClip(folder, device="cpu").embed(pictures()).array()
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_the_class_token_is_the_pooled_vector(folder):
    pooled = OpenClip(folder, device="cpu").embed(pictures()).array()
    tokens = OpenClip(folder, "tokens", device="cpu").embed(pictures()).array()
    assert tokens.shape == (3, 5, 16)
    np.testing.assert_allclose(tokens[:, 0], pooled, atol=1e-5)


def test_the_end_token_is_the_pooled_text(folder):
    texts = Stimuli.from_texts({"a": "a cat", "b": "a red boat by a tree"})
    pooled = OpenClip(folder, "text", device="cpu").embed(texts).array()
    tokens = OpenClip(folder, "text_tokens", device="cpu").embed(texts).array()
    ids = open_clip.get_tokenizer(f"local-dir:{folder}")(["a cat", "a red boat by a tree"])
    ends = ids.argmax(dim=1).numpy()
    np.testing.assert_allclose(tokens[[0, 1], ends], pooled, atol=1e-5)


def test_a_model_by_name_with_a_local_weights_file(folder, tmp_path):
    config = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    (tmp_path / "tiny-by-name.json").write_text(json.dumps(config))
    open_clip.add_model_config(tmp_path / "tiny-by-name.json")
    weights = folder / "open_clip_model.safetensors"
    target = OpenClip("tiny-by-name", pretrained=weights, normalise=False, device="cpu")
    assert target.space.startswith("open_clip:tiny-by-name/pooled-raw@")
    raw = target.embed(pictures()).array()
    assert not np.allclose(np.linalg.norm(raw, axis=1), 1.0)


def test_options_and_weights_are_in_the_space(folder):
    spaces = {
        OpenClip(folder).space,
        OpenClip(folder, "tokens").space,
        OpenClip(folder, normalise=False).space,
        OpenClip(folder, "text", wording=1).space,
        OpenClip().space,
    }
    assert len(spaces) == 5
    assert OpenClip(folder, batch_size=1, device="cpu").space == OpenClip(folder).space


def test_the_wording_chooses_the_caption(folder):
    one = pictures().select(["b"])
    first = OpenClip(folder, "text", device="cpu").embed(one).array()
    second = OpenClip(folder, "text", wording=1, device="cpu").embed(one).array()
    assert not np.allclose(first, second)


def test_a_picture_without_caption_has_no_text(folder):
    with pytest.raises(ValueError, match="Stimulus 'c' has no caption, so it has no place"):
        OpenClip(folder, "text", device="cpu").embed(pictures())


def test_missing_weights_name_the_file_and_the_way(tmp_path):
    with pytest.raises(MissingWeightsError, match=r"weights 'openai' of ViT-L-14 .* download=True"):
        OpenClip("ViT-L-14", pretrained="openai").embed(pictures())
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "open_clip_config.json").write_text("{}")
    with pytest.raises(MissingWeightsError, match=r"needs the file open_clip_model.safetensors or"):
        OpenClip(tmp_path / "half").embed(pictures())


def test_an_unknown_layer_is_refused(folder):
    with pytest.raises(ValueError, match="layer must be 'pooled', 'tokens', 'text' or 'text_tok"):
        OpenClip(folder, "last").embed(pictures())


def test_the_shipped_model_finds_the_caption_of_new_scenes():
    stimuli = scenes.stimuli(range(40_000_000, 40_000_020))
    image = OpenClip(device="cpu").embed(stimuli).array()
    text = OpenClip(layer="text", device="cpu").embed(stimuli).array()
    assert ((text @ image.T).argmax(axis=1) == np.arange(20)).mean() >= 0.9


def test_an_unknown_shipped_model_is_an_error():
    with pytest.raises(MissingWeightsError, match="small model 'gpt' is not in this installation"):
        shipped("gpt")
