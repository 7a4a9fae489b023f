"""Folders of tiny models with random weights, of the classes and layouts of the big ones."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

WORDS = ["<pad>", "<unk>", "a", "red", "ball", "cat", "boat", "two", "by", "tree", "</s>"]


def open_clip_folder(folder: Path) -> Path:
    """The layout of a CLIP model on the hub: config and weights of open_clip, ViT towers."""
    import open_clip

    model = {
        "embed_dim": 16,
        "vision_cfg": {
            "image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16,
        },
        "text_cfg": {
            "context_length": 8, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1,
        },
    }  # fmt: skip
    preprocess = {"mean": [0.48, 0.46, 0.41], "std": [0.27, 0.26, 0.28]}
    folder.mkdir(parents=True)
    config = {"model_cfg": model, "preprocess_cfg": preprocess}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    torch.manual_seed(0)
    clip = open_clip.CLIP(**model)
    save_file(clip.state_dict(), folder / "open_clip_model.safetensors")
    return folder


def dino_folder(folder: Path) -> Path:
    """The layout of a timm model on the hub, class of DINOv2."""
    import timm

    torch.manual_seed(0)
    options = {"img_size": 28, "embed_dim": 16, "depth": 1, "num_heads": 2}
    model = timm.create_model("vit_small_patch14_dinov2", pretrained=False, **options)
    folder.mkdir(parents=True)
    config = {
        "architecture": "vit_small_patch14_dinov2",
        "num_classes": 0,
        "num_features": 16,
        "model_args": options,
        "pretrained_cfg": {"input_size": [3, 28, 28], "num_classes": 0, "crop_pct": 1.0},
    }
    (folder / "config.json").write_text(json.dumps(config))
    save_file(model.state_dict(), folder / "model.safetensors")
    return folder


def tokenizer_into(folder: Path) -> None:
    """A word tokenizer with the end token of T5."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    words = {word: row for row, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", len(WORDS) - 1)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        unk_token="<unk>",
        eos_token="</s>",
        model_max_length=6,
    ).save_pretrained(folder)


def bert_folder(folder: Path) -> Path:
    """A sentence encoder of the class of MiniLM."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    tokenizer_into(folder)
    return folder


def t5_folder(folder: Path) -> Path:
    """A decoder of the class of Flan-T5 (gated, untied)."""
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(WORDS), d_model=16, d_kv=8, num_heads=2, d_ff=16, num_layers=1,
        feed_forward_proj="gated-gelu", tie_word_embeddings=False, pad_token_id=0,
        eos_token_id=len(WORDS) - 1, decoder_start_token_id=0, initializer_factor=2.0,
    )  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder)
    tokenizer_into(folder)
    return folder


def autoencoder_into(folder: Path) -> Path:
    """An autoencoder of the class of Stable Diffusion's."""
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 2, up_block_types=("UpDecoderBlock2D",) * 2,
        block_out_channels=(8, 8), layers_per_block=1, latent_channels=4, norm_num_groups=4,
        sample_size=16,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def unclip_folder(folder: Path) -> Path:
    """Stable unCLIP's layout: embedding and noise level as class label, empty prompt, DDIM."""
    from diffusers import DDIMScheduler
    from transformers import CLIPTextConfig, CLIPTextModel

    unet = _unet(
        cross_attention_dim=8,
        class_embed_type="projection",
        projection_class_embeddings_input_dim=32,
    )
    unet.save_pretrained(folder / "unet")
    config = CLIPTextConfig(
        vocab_size=len(WORDS), hidden_size=8, intermediate_size=8, num_hidden_layers=1,
        num_attention_heads=2, max_position_embeddings=6, eos_token_id=len(WORDS) - 1,
        pad_token_id=0, bos_token_id=1,
    )  # fmt: skip
    CLIPTextModel(config).save_pretrained(folder / "text_encoder")
    tokenizer_into(folder / "tokenizer")
    DDIMScheduler(prediction_type="v_prediction", clip_sample=False).save_pretrained(
        folder / "scheduler"
    )
    more = {
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
    }
    return _index(folder, "StableUnCLIPPipeline", "UNet2DConditionModel", "DDIMScheduler", more)


def kandinsky_folder(folder: Path) -> Path:
    """Kandinsky 2.2's conditioning: the embedding becomes tokens in the UNet; DDPM."""
    from diffusers import DDPMScheduler

    unet = _unet(cross_attention_dim=8, encoder_hid_dim=16, encoder_hid_dim_type="image_proj")
    unet.save_pretrained(folder / "unet")
    DDPMScheduler().save_pretrained(folder / "scheduler")
    return _index(folder, "KandinskyV22Pipeline", "UNet2DConditionModel", "DDPMScheduler", {})


def transformer_folder(folder: Path) -> Path:
    """Stable Diffusion 3's class: tokens and a pooled vector, flow matching."""
    from diffusers import FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel

    torch.manual_seed(0)
    SD3Transformer2DModel(
        sample_size=8, patch_size=2, in_channels=4, out_channels=4, num_layers=1,
        attention_head_dim=8, num_attention_heads=2, joint_attention_dim=16,
        caption_projection_dim=16, pooled_projection_dim=16, pos_embed_max_size=8,
    ).save_pretrained(folder / "transformer")  # fmt: skip
    FlowMatchEulerDiscreteScheduler(shift=3.0).save_pretrained(folder / "scheduler")
    return _index(
        folder, "StableDiffusion3Pipeline", "SD3Transformer2DModel",
        "FlowMatchEulerDiscreteScheduler", {},
    )  # fmt: skip


def _unet(**options: object) -> torch.nn.Module:
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    return UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, block_out_channels=(8, 8),
        layers_per_block=1, norm_num_groups=4, attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), **options,
    )  # fmt: skip


def _index(
    folder: Path, name: str, network: str, scheduler: str, more: dict[str, list[str]]
) -> Path:
    part = "transformer" if "Transformer" in network else "unet"
    index = {
        "_class_name": name,
        part: ["diffusers", network],
        "scheduler": ["diffusers", scheduler],
        "vae": ["diffusers", "AutoencoderKL"],
        **more,
    }
    autoencoder_into(folder / "vae")
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder
