"""A training step of GLIM at published size: sentences a second and peak memory.

The language model is a random T5 of Flan-T5-large's size (783 M frozen parameters), the EEG is
noise: only speed is measured. Published batch: 72 a GPU, bf16.

Cost: under a minute on an H100.  ``python -m benchmarks.glim --device cuda --out glim.json``; with
``--tiny`` it runs anywhere, to see that it works.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from transformers import BatchEncoding, T5Config, T5ForConditionalGeneration

from benchmarks._record import write_record
from neurodecode.encoders.glim.batches import SentenceBatch
from neurodecode.encoders.glim.language import FrozenT5
from neurodecode.encoders.glim.losses import GlimLosses, GlimModel
from neurodecode.encoders.glim.network import GlimNetwork, GlimSize

LARGE = {
    "vocab_size": 32128, "d_model": 1024, "d_kv": 64, "d_ff": 2816, "num_layers": 24,
    "num_heads": 16, "feed_forward_proj": "gated-gelu",
}  # fmt: skip
TINY = {"vocab_size": 100, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2}
WORDS = 24


class RandomWords:
    """A tokenizer that gives random words: nothing is read here."""

    pad_token_id = 0

    def __init__(self, vocabulary: int) -> None:
        self.vocabulary = vocabulary

    def __call__(self, texts: list[str], padding: Any, max_length: int, **_: Any) -> BatchEncoding:
        """Ids and mask of the right shape."""
        length = max_length if padding == "max_length" else WORDS
        ids = torch.randint(1, self.vocabulary, (len(texts), length))
        mask = torch.zeros_like(ids)
        mask[:, :WORDS] = 1
        return BatchEncoding({"input_ids": ids, "attention_mask": mask})


def measure(device: torch.device, precision: str, tiny: bool, n_steps: int) -> dict[str, Any]:
    """Time training steps after a warm-up."""
    torch.manual_seed(0)
    plain = TINY if tiny else LARGE
    size = GlimSize(64, 8, 4, 16, 1, 2) if tiny else GlimSize()
    batch_size = 8 if tiny else 72
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    with torch.device(device):
        t5 = T5ForConditionalGeneration(T5Config(**plain, decoder_start_token_id=0)).to(kind)
        network = GlimNetwork(size, (3, 3, 31), int(t5.config.d_model))
        model = GlimModel(network)
    language = FrozenT5(t5, RandomWords(int(plain["vocab_size"])), device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=device.type == "cuda")
    values = torch.randn(batch_size, size.n_times, size.n_channels, device=device)
    texts = [str(i) for i in range(batch_size)]
    batch = SentenceBatch(
        values,
        torch.ones(values.shape[:2], dtype=torch.bool, device=device),
        torch.ones(batch_size, 3, dtype=torch.long, device=device),
        texts,
        [(one,) for one in texts],
    )

    def step() -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
            loss = model.losses(batch, language, GlimLosses())["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    for _ in range(3):
        step()
    wait()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    for _ in range(n_steps):
        step()
    wait()
    seconds = (time.perf_counter() - start) / n_steps
    peak = torch.cuda.max_memory_allocated() / 1e9 if device.type == "cuda" else None
    return {
        "precision": precision,
        "trainable_parameters": sum(one.numel() for one in model.parameters()),
        "ms_a_step": round(1e3 * seconds, 2),
        "sentences_a_second": round(batch_size / seconds, 1),
        "peak_memory_gb": peak,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    device = torch.device(options.device)
    name = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    found = {
        "device": name,
        "torch": torch.__version__,
        "rows": [measure(device, one, options.tiny, options.steps) for one in ("bf16", "fp32")],
    }
    print(json.dumps(found, indent=2))
    if options.out:
        write_record(__file__, options.out, found)


if __name__ == "__main__":
    main()
