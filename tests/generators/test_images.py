from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from neurodecode import scenes
from neurodecode.data import Embeddings, Stimuli
from neurodecode.errors import CorruptFileError, MissingWeightsError
from neurodecode.generators import SmallFlow
from neurodecode.generators._diffusers import load_parts
from neurodecode.generators.images import chosen
from neurodecode.targets import OpenClip, Pixels
from tests import tiny_models

CPU = torch.device("cpu")


def points(shape: tuple[int, ...] = (2, 16), seed: int = 0) -> Embeddings:
    values = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return Embeddings(values, [f"s{i}" for i in range(shape[0])], "toy")


@pytest.mark.parametrize("make", ["unclip_folder", "kandinsky_folder", "transformer_folder"])
def test_classes_of_the_big_pipelines_load_through_the_same_code(make, tmp_path):
    folder = getattr(tiny_models, make)(tmp_path / make)
    generator = SmallFlow(folder, n_steps=2, device="cpu")
    drawn = generator.generate(points(), seed=1)
    other = generator.generate(points(seed=1), seed=1)
    assert drawn.values.shape == (2, 1, 16, 16, 3)
    assert not np.array_equal(drawn.values, other.values)
    assert drawn.generator == f"SmallFlow({make})"


def test_a_transformer_takes_tokens_too(tmp_path):
    folder = tiny_models.transformer_folder(tmp_path / "sd3")
    drawn = SmallFlow(folder, n_steps=1, device="cpu").generate(points((2, 3, 16)))
    assert drawn.values.shape == (2, 1, 16, 16, 3)


def test_the_shipped_model_draws_the_scene_that_led_it(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURODECODE_CACHE", str(tmp_path))
    stimuli = scenes.stimuli(range(40_000_000, 40_000_008))
    target = OpenClip(device="cpu")
    seen = target.embed(stimuli)
    drawn = SmallFlow(device="cpu").generate(seen, seed=0).values[:, 0]
    again = target.embed(Stimuli.from_arrays(seen.stimulus, drawn)).array()
    right = (again @ seen.array().T).argmax(axis=1) == np.arange(8)
    assert right.mean() >= 0.75


def test_the_judge_compares_with_the_prediction_alone():
    dark, bright = np.zeros((2, 2, 2, 3)), np.full((2, 2, 2, 3), 255)
    tries = np.stack([dark + 1, bright]).astype(np.uint8)
    tries[0, 0, 0] = 200
    target = Pixels(2)
    wanted = target.embed(Stimuli.from_arrays(["a", "b"], tries[[0, 1], [0, 1]]))
    kept = chosen(tries, wanted, target)
    np.testing.assert_array_equal(kept[0], tries[0, 0])


def test_the_judge_must_share_the_space():
    with pytest.raises(ValueError, match="judge embeds into 'pixels-2x2-rgb' but the predictions"):
        chosen(np.zeros((1, 1, 2, 2, 3), np.uint8), points((1, 12)), Pixels(2))


def test_a_folder_that_names_an_unknown_class_is_refused(tmp_path):
    index = {"unet": ["os", "system"], "vae": ["diffusers", "AutoencoderKL"]}
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(CorruptFileError, match=r"names os.system as 'unet', which is none of"):
        load_parts(tmp_path, CPU)


def test_a_folder_without_a_network_is_refused(tmp_path):
    (tmp_path / "model_index.json").write_text("{}")
    with pytest.raises(CorruptFileError, match="names no 'unet' and no 'transformer'"):
        load_parts(tmp_path, CPU)


def test_a_missing_model_says_how_to_get_it():
    with pytest.raises(
        MissingWeightsError, match=r"SmallFlow needs the weights 'no/such'.*download"
    ):
        SmallFlow("no/such").generate(points())
