"""The large pipelines on tiny random models of the same classes, built here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    KandinskyV22Pipeline,
    StableDiffusionPipeline,
    StableUnCLIPImg2ImgPipeline,
    UNet2DConditionModel,
    VQModel,
)
from diffusers.pipelines.stable_diffusion.stable_unclip_image_normalizer import (
    StableUnCLIPImageNormalizer,
)
from transformers import (
    CLIPImageProcessor,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
)

from neurodecode.data import Embeddings
from neurodecode.errors import MissingWeightsError
from neurodecode.generators import IpAdapter, Kandinsky, LatentImage, UnClip
from neurodecode.generators.diffusion import Start

DIMS = 16
SCHEDULE = {"beta_schedule": "scaled_linear", "clip_sample": False, "set_alpha_to_one": False}
SCHEDULE |= {"steps_offset": 1}


def autoencoder() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=[8, 8],
        norm_num_groups=4,
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        latent_channels=4,
        sample_size=16,
    )


def unet(**more: object) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        block_out_channels=(8, 16),
        norm_num_groups=4,
        layers_per_block=1,
        sample_size=8,
        in_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,
        **{"out_channels": 4, "cross_attention_dim": 8} | more,
    )


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("tokenizer")
    vocabulary = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizer.from_pretrained(folder, model_max_length=6)
    config = CLIPTextConfig(
        vocab_size=3,
        hidden_size=8,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=6,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return {"tokenizer": tokenizer, "text_encoder": CLIPTextModel(config).eval()}


@pytest.fixture(scope="module")
def unclip(words) -> StableUnCLIPImg2ImgPipeline:
    torch.manual_seed(0)
    vision = CLIPVisionConfig(
        hidden_size=8,
        projection_dim=DIMS,
        intermediate_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=16,
        patch_size=8,
    )
    pipe = StableUnCLIPImg2ImgPipeline(
        feature_extractor=CLIPImageProcessor(size=16, crop_size=16),
        image_encoder=CLIPVisionModelWithProjection(vision).eval(),
        image_normalizer=StableUnCLIPImageNormalizer(embedding_dim=DIMS),
        image_noising_scheduler=DDIMScheduler(**SCHEDULE),
        unet=unet(class_embed_type="projection", projection_class_embeddings_input_dim=2 * DIMS),
        scheduler=DDIMScheduler(**SCHEDULE),
        vae=autoencoder(),
        **words,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="module")
def kandinsky() -> KandinskyV22Pipeline:
    return tiny_kandinsky()


def tiny_kandinsky() -> KandinskyV22Pipeline:
    torch.manual_seed(0)
    movq = VQModel(
        block_out_channels=[8, 8],
        down_block_types=["DownEncoderBlock2D"] * 2,
        up_block_types=["UpDecoderBlock2D"] * 2,
        norm_num_groups=4,
        latent_channels=4,
        num_vq_embeddings=8,
        vq_embed_dim=4,
    )
    network = UNet2DConditionModel(
        in_channels=4,
        out_channels=8,
        sample_size=8,
        addition_embed_type="image",
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        block_out_channels=(8, 16),
        norm_num_groups=4,
        layers_per_block=1,
        encoder_hid_dim=DIMS,
        encoder_hid_dim_type="image_proj",
        cross_attention_dim=8,
        attention_head_dim=4,
        resnet_time_scale_shift="scale_shift",
        class_embed_type=None,
    )
    pipe = KandinskyV22Pipeline(unet=network, scheduler=DDIMScheduler(**SCHEDULE), movq=movq)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="module")
def plain(words) -> StableDiffusionPipeline:
    torch.manual_seed(0)
    pipe = StableDiffusionPipeline(
        vae=autoencoder(),
        unet=unet(),
        scheduler=DDIMScheduler(**SCHEDULE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
        **words,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="module")
def adapted(plain) -> StableDiffusionPipeline:
    import copy

    pipe = copy.deepcopy(plain)
    torch.manual_seed(1)
    width = pipe.unet.config.cross_attention_dim
    weights: dict[str, torch.Tensor] = {}
    place = 1
    for name, _ in pipe.unet.attn_processors.items():
        if not name.endswith("attn1.processor"):
            layer = pipe.unet.get_submodule(name.removesuffix(".processor"))
            for key in ("to_k_ip", "to_v_ip"):
                weights[f"{place}.{key}.weight"] = torch.randn(layer.to_k.out_features, width)
            place += 2
    projection = {
        "proj.weight": torch.randn(4 * width, DIMS),
        "proj.bias": torch.zeros(4 * width),
        "norm.weight": torch.ones(width),
        "norm.bias": torch.zeros(width),
    }
    pipe.unet._load_ip_adapter_weights([{"image_proj": projection, "ip_adapter": weights}])
    return pipe


def points(n: int = 3, **more: int) -> Embeddings:
    values = np.random.default_rng(0).normal(size=(n, *more.values(), DIMS)).astype(np.float32)
    return Embeddings(values, [f"s{row}" for row in range(n)], "toy")


def generators(request) -> dict[str, object]:
    get = request.getfixturevalue
    return {
        "unclip": UnClip(get("unclip"), n_steps=2),
        "kandinsky": Kandinsky(get("kandinsky"), n_steps=2),
        "ip_adapter": IpAdapter(get("adapted"), n_steps=2),
    }


NAMES = ["unclip", "kandinsky", "ip_adapter"]


@pytest.mark.parametrize("name", NAMES)
def test_the_embedding_leads_the_picture_and_the_seed_its_noise(name, request) -> None:
    generator = generators(request)[name]
    drawn = generator.generate(points(), seed=0, n_samples=2)
    assert drawn.values.shape[:2] == (3, 2) and drawn.values.dtype == np.uint8
    again = generator.generate(points(), seed=0, n_samples=2)
    np.testing.assert_array_equal(again.values, drawn.values)
    assert not np.array_equal(drawn.values[:, 0], drawn.values[:, 1])
    other = points()
    other = Embeddings(other.array()[[1, 0, 2]] * 3, other.stimulus, "toy")
    led = generator.generate(other, seed=0, n_samples=2).values
    assert not np.array_equal(led[0], drawn.values[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_row_does_not_depend_on_the_others(name, request) -> None:
    generator = generators(request)[name]
    whole = generator.generate(points(), seed=0).values
    alone = generator.generate(points().take(np.array([1])), seed=0).values
    assert np.abs(whole[1:2].astype(int) - alone.astype(int)).max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_a_start_without_noise_makes_the_seed_irrelevant(name, request) -> None:
    generator = generators(request)[name]
    latents = np.random.default_rng(1).normal(size=(3, 4, 4, 4)).astype(np.float32)
    held = Embeddings(latents, points().stimulus, "latent")
    generator.set_params(start=Start(held, strength=0.0))
    one, two = (generator.generate(points(), seed=seed).values for seed in (0, 1))
    if name != "unclip":  # its noising of the embedding has a trace of noise even at level 0
        np.testing.assert_array_equal(one, two)
    generator.set_params(start=Start(held, strength=1.0))
    free = generator.generate(points(), seed=0).values
    generator.set_params(start=None)
    np.testing.assert_array_equal(free, generator.generate(points(), seed=0).values)
    assert not np.array_equal(one, free)


class Brightness:
    """A judge that embeds a picture by its mean."""

    space = "toy"

    def embed(self, stimuli):
        values = np.stack([np.full(DIMS, stimuli[one].mean()) for one in stimuli.ids.tolist()])
        values[:, 1:] = 50.0
        return Embeddings(values, stimuli.ids, "toy")


def test_candidates_are_chosen_by_the_brains_embedding(unclip) -> None:
    wanted = points()
    bright = np.zeros((3, DIMS), np.float32)
    bright[:, 0] = 1.0
    target = Embeddings(bright, wanted.stimulus, "toy")
    judged = UnClip(unclip, n_steps=1, judge=Brightness(), n_candidates=4)
    single = UnClip(unclip, n_steps=1)
    best = judged.generate(target, seed=0).values.mean(axis=(1, 2, 3, 4))
    first = single.generate(target, seed=0).values.mean(axis=(1, 2, 3, 4))
    assert (best >= first - 1e-9).all() and (best > first).any()


def test_latents_are_decoded_as_they_are() -> None:
    network = autoencoder().eval()
    latents = np.random.default_rng(0).normal(size=(2, 4, 8, 8)).astype(np.float32)
    drawn = LatentImage(network).generate(Embeddings(latents, ["a", "b"], "vae"), n_samples=2)
    with torch.no_grad():
        plain = network.decode(torch.from_numpy(latents) / network.config.scaling_factor).sample
    expected = ((plain.clamp(-1, 1) + 1) * 127.5).round().permute(0, 2, 3, 1).numpy()
    assert np.abs(drawn.values[:, 0].astype(int) - expected).max() <= 1
    np.testing.assert_array_equal(drawn.values[:, 0], drawn.values[:, 1])


def test_a_pipeline_is_read_from_a_folder(unclip, tmp_path: Path) -> None:
    unclip.save_pretrained(tmp_path / "unclip")
    found = UnClip(tmp_path / "unclip", n_steps=1)
    assert found.name == "UnClip(unclip)"
    expected = UnClip(unclip, n_steps=1).generate(points(), seed=0).values
    drawn = found.generate(points(), seed=0).values
    assert np.abs(drawn.astype(int) - expected.astype(int)).max() <= 1


@pytest.mark.parametrize("memory", ["16GB", "8GB"])
def test_memory_options_call_what_diffusers_offers(memory, unclip, monkeypatch) -> None:
    from neurodecode.generators import diffusion

    called = []
    monkeypatch.setattr(diffusion, "pick_device", lambda _: torch.device("cuda"))
    for name in ("enable_model_cpu_offload", "enable_sequential_cpu_offload"):
        monkeypatch.setattr(unclip, name, lambda name=name: called.append(name))
    monkeypatch.setattr(unclip.vae, "enable_tiling", lambda: called.append("tiling"))
    monkeypatch.setattr(unclip.vae, "enable_slicing", lambda: called.append("slicing"))
    UnClip("x", memory=memory)._place(unclip)
    whole = ["enable_model_cpu_offload"]
    parts = ["enable_sequential_cpu_offload", "slicing", "tiling"]
    assert called == (whole if memory == "16GB" else parts)


def test_what_is_missing_or_wrong_is_one_sentence(plain, tmp_path: Path) -> None:
    with pytest.raises(MissingWeightsError, match=r"UnClip needs the pipeline '.*nothing', which"):
        UnClip(tmp_path / "nothing").generate(points())
    with pytest.raises(ValueError, match=r"IpAdapter needs a pipeline that holds an image adapter"):
        IpAdapter(plain).generate(points())
    with pytest.raises(ValueError, match=r"memory must be one of .* got '4GB'"):
        UnClip(plain, memory="4GB").generate(points())
    with pytest.raises(ValueError, match="strength is a share of noise from 0 to 1; got 2"):
        Start(points(), strength=2)
