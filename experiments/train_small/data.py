"""Scenes in bulk: pictures, token ids of captions, and the tokenizer both text models share.

Ids of the parts lie below those a twin shows (from 100 million on), so that nothing a demo decodes
was ever trained on.
"""

from __future__ import annotations

import json
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

TRAIN, VALIDATION, TEST = 10_000_000, 20_000_000, 30_000_000
CHUNK = 250
N_TOKENS = 42
N_WORDINGS = 4
VOCABULARY = 512
PAD, EOS = "<pad>", "</s>"


def ids_of(first: int, n_scenes: int) -> list[str]:
    """Ids of consecutive scenes."""
    return [f"scene-{number:06d}" for number in range(first, first + n_scenes)]


def draw(
    ids: list[str], tokenizer: Path
) -> tuple[NDArray[np.uint8], NDArray[np.int16], list[list[str]], list[tuple[str, str]]]:
    """Pictures (n, 64, 64, 3), token ids (n, N_WORDINGS, N_TOKENS), captions, kind and colour."""
    from neurodecode import scenes

    captions = [list(scenes.captions(one)) for one in ids]
    facts = [scenes.attributes(one) for one in ids]
    main = [(str(fact["kind"]), str(fact["colour"])) for fact in facts]
    return scenes.stimuli(ids).stack(), tokenize(captions, tokenizer), captions, main


def render(folder: Path, part: str, first: int, n_scenes: int, workers: int) -> None:
    """Write ``<part>.npy`` (pictures), ``-tokens.npy``, ``-main.npy`` and ``.json`` (captions)."""
    ids = ids_of(first, n_scenes)
    chunks = [ids[start : start + CHUNK] for start in range(0, n_scenes, CHUNK)]
    folder.mkdir(parents=True, exist_ok=True)
    pictures = np.empty((n_scenes, 64, 64, 3), np.uint8)
    tokens = np.empty((n_scenes, N_WORDINGS, N_TOKENS), np.int16)
    captions: list[list[str]] = []
    main: list[tuple[str, str]] = []
    with get_context("spawn").Pool(workers) as pool:
        work = partial(draw, tokenizer=folder / "tokenizer")
        for chunk, (drawn, ids_, texts, facts) in enumerate(pool.imap(work, chunks)):
            rows = slice(chunk * CHUNK, chunk * CHUNK + len(drawn))
            pictures[rows], tokens[rows] = drawn, ids_
            captions += texts
            main += facts
    np.save(folder / f"{part}.npy", pictures)
    np.save(folder / f"{part}-tokens.npy", tokens)
    np.save(folder / f"{part}-main.npy", np.array(main))
    (folder / f"{part}.json").write_text(json.dumps(captions), encoding="utf-8")


def load(folder: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Pictures and token ids that `render` wrote."""
    return np.load(folder / f"{part}.npy"), np.load(folder / f"{part}-tokens.npy")


def load_main(folder: Path, part: str) -> tuple[NDArray[np.int64], list[int]]:
    """Kind and colour of the main object as numbers, (n, 2), and how many of each there are."""
    names = np.load(folder / f"{part}-main.npy")
    codes = [np.unique(names[:, place], return_inverse=True)[1] for place in range(2)]
    return np.stack(codes, axis=1), [int(one.max()) + 1 for one in codes]


def make_tokenizer(n_scenes: int, folder: Path) -> None:
    """Byte-level BPE learned from the captions of training scenes, so that any text can be written.

    The end token has the highest id, where open_clip's ``argmax`` pooling looks for it; padding is
    0, with which T5 starts.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    from neurodecode import scenes

    texts = [text for one in ids_of(TRAIN, n_scenes) for text in scenes.captions(one)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - 1,
        special_tokens=[PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([EOS])
    end = tokenizer.token_to_id(EOS)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {EOS}", special_tokens=[(EOS, end)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    about = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": PAD,
        "eos_token": EOS,
        "model_max_length": N_TOKENS,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(about, indent=2) + "\n")


def end_token(folder: Path) -> int:
    """The id of the end token."""
    from tokenizers import Tokenizer

    return int(Tokenizer.from_file(str(folder / "tokenizer.json")).token_to_id(EOS))


def tokenize(captions: list[list[str]], folder: Path) -> NDArray[np.int16]:
    """Token ids, shape (n_scenes, N_WORDINGS, N_TOKENS); wordings repeat where there are fewer."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_padding(length=N_TOKENS, pad_id=0, pad_token=PAD)
    tokenizer.enable_truncation(N_TOKENS)
    flat = [several[k % len(several)] for several in captions for k in range(N_WORDINGS)]
    ids = np.array([one.ids for one in tokenizer.encode_batch(flat)], dtype=np.int16)
    return ids.reshape(len(captions), N_WORDINGS, N_TOKENS)
