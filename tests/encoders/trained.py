"""The encoders that are trained step by step, with tiny sizes, under their names.

To add one, add it to ``TRAINED``: its fit must take a second at most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from neurodecode.data import Responses
from neurodecode.encoders import (
    Atm,
    CompactSize,
    Glim,
    MindBridge,
    MindEye2,
    Nice,
    SensorConv,
    SensorConvSize,
    TokenSizes,
    TokenTransformer,
    VolumeTransformer,
)
from neurodecode.encoders.glim.network import GlimSize
from neurodecode.encoders.mindbridge.parts import BridgeSizes
from neurodecode.encoders.mindeye2.parts import MindEye2Sizes
from neurodecode.encoders.volume_transformer.parts import VolumeSizes
from neurodecode.training import Plan
from tests.encoders.contract import flat_targets, sensor_people, voxel_people

PLAN = Plan(max_epochs=3, learning_rate=1e-2, device="cpu")


@dataclass(frozen=True)
class Trained:
    """One trained encoder.

    Parameters
    ----------
    make : callable
        ``make(folder=..., plan=...)`` gives a new one with tiny sizes.
    people : callable
        Three people, the last to adapt to.
    targets : callable
    adapts_by_training : mapping or None
        Arguments of `adapt` that make it train; None if it never does.
    """

    make: Callable[..., Any]
    people: Callable[[], list[Responses]]
    targets: Callable[[], Any] = flat_targets
    adapts_by_training: dict[str, Any] | None = None


def boxes() -> list[Responses]:
    """Voxels in a box of 3 x 3 x 3."""
    return [
        one.with_values(
            one.array().reshape(-1, 3, 3, 3), dims=("trial", "x", "y", "z"), positions=None
        )
        for one in voxel_people((27, 27, 27))
    ]


def readers() -> list[Responses]:
    """Sentences of nine channels, with their texts."""
    return [
        one.with_values(
            one.values,
            metadata={
                "text": [f"a {name.removeprefix('picture-')}" for name in one.stimulus.tolist()],
                "task": ["NR"] * len(one),
                "dataset": ["toy"] * len(one),
            },
        )
        for one in sensor_people(modality="eeg")
    ]


def small_t5(folder: Path) -> Path:
    """A random T5 with a vocabulary of two dozen words."""
    words = ("<pad>", "</s>", "<unk>", "To", "English:", "a", *(f"{i:02d}" for i in range(24)))
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        "$A </s>", special_tokens=[("</s>", 1)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = T5Config(
            vocab_size=len(words), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2,
            decoder_start_token_id=0,
        )  # fmt: skip
        T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def trained(t5: Path) -> dict[str, Trained]:
    """All of them by name."""
    glim = GlimSize(n_times=24, n_channels=12, n_queries=4, merger_width=16, depth=1, n_heads=2)
    compact = CompactSize(4, 5, 4, 2)
    return {
        "MindBridge": Trained(
            lambda **more: MindBridge(BridgeSizes(12, 16), "mean", batch_size=8, **more),
            voxel_people,
            adapts_by_training={},
        ),
        "MindEye2": Trained(
            lambda **more: MindEye2(
                MindEye2Sizes(n_shared=8, n_blocks=1, prior_depth=1, prior_heads=2, prior_width=8),
                batch_size=8,
                **more,
            ),
            voxel_people,
            adapts_by_training={},
        ),
        "VolumeTransformer": Trained(
            lambda **more: VolumeTransformer(
                VolumeSizes(grid=(3, 3, 3), patch=3, width=16, depth=1, n_heads=2, n_hidden=16),
                batch_size=8,
                **more,
            ),
            boxes,
            adapts_by_training={"frozen": False},
        ),
        "TokenTransformer": Trained(
            lambda **more: TokenTransformer(
                sizes=TokenSizes(n_components=6, n_queries=2, width=8, n_heads=2), **more
            ),
            voxel_people,
        ),
        "SensorConv": Trained(
            lambda **more: SensorConv(
                size=SensorConvSize(n_virtual=6, hidden=8, n_out=16), batch_size=16, **more
            ),
            sensor_people,
            adapts_by_training={},
        ),
        "SensorConv, weight chosen": Trained(
            lambda **more: SensorConv(
                contrastive_weight=(0.2, 0.8),
                size=SensorConvSize(n_virtual=6, hidden=8, n_out=16),
                batch_size=16,
                **more,
            ),
            sensor_people,
        ),
        "Nice": Trained(lambda **more: Nice(0.5, compact, batch_size=16, **more), sensor_people),
        "Atm": Trained(lambda **more: Atm(0.5, compact, batch_size=16, **more), sensor_people),
        "Glim": Trained(
            lambda **more: Glim(t5, size=glim, batch_size=16, **more), readers, lambda: None
        ),
    }
