"""GLIM learns a planted signal through a frozen decoder, and can be shown to learn nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast, T5Config, T5ForConditionalGeneration

from neurodecode.data import Responses, Split
from neurodecode.encoders import Glim, GlimLosses
from neurodecode.encoders.glim.batches import Sentences
from neurodecode.encoders.glim.language import FrozenT5
from neurodecode.encoders.glim.network import GlimSize
from neurodecode.errors import MissingWeightsError
from neurodecode.training import Plan

WORDS = ("To", "English:", "a", "red", "blue", "green", "ball", "cat", "tree", "cup", "old", "new")
TEXTS = {
    f"text-{i}": f"a {colour} {kind} {age}"
    for i, (colour, kind, age) in enumerate(
        (colour, kind, age) for colour in WORDS[3:6] for kind in WORDS[6:10] for age in WORDS[10:]
    )
}
IDS = list(TEXTS)
SIZE = GlimSize(n_times=16, n_channels=8, n_queries=6, merger_width=16, depth=1, n_heads=2)
DIMS = ("trial", "channel", "time")


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random T5 with a vocabulary of a dozen words."""
    folder = tmp_path_factory.mktemp("t5")
    vocabulary = {word: i for i, word in enumerate(("<pad>", "</s>", "<unk>", *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        "$A </s>", special_tokens=[("</s>", 1)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=len(vocabulary), d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2,
        decoder_start_token_id=0,
    )  # fmt: skip
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def person(subject: str, seed: int, signal: float = 2.0) -> Responses:
    """Simulated reading: each word adds its own pattern over channels."""
    rng = np.random.default_rng(seed)
    pattern = np.random.default_rng(5).normal(size=(len(WORDS), 6))
    values = rng.normal(size=(len(IDS), 6, 14))
    for row, text in enumerate(TEXTS.values()):
        for word in text.split():
            values[row] += signal * pattern[WORDS.index(word)][:, None]
    valid = np.arange(14) < rng.integers(8, 15, len(IDS))[:, None]
    return Responses(
        np.where(valid[:, None], values, 0.0), IDS, subject, "eeg", dims=DIMS, valid=valid,
        metadata={"text": list(TEXTS.values()), "task": ["NR"] * len(IDS),
                  "dataset": ["ZuCo1"] * len(IDS)},
    )  # fmt: skip


SPLIT = Split(IDS[4:], [], IDS[:4])


def encoder(t5: Path, **changes: object) -> Glim:
    plan = Plan(max_epochs=30, learning_rate=3e-3, weight_decay=0.0, device="cpu")
    settings = {"size": SIZE, "plan": plan, "batch_size": 24} | changes
    return Glim(t5, **settings)


@pytest.fixture(scope="module")
def fitted(t5: Path) -> Glim:
    return encoder(t5).fit([person(name, i) for i, name in enumerate("abcdef")], None, SPLIT)


def top1(model: Glim, responses: Responses) -> float:
    brain = model.predict(responses, head="pooled").values
    text = model.embed_texts({one: TEXTS[one] for one in SPLIT.test.tolist()})
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (brain, text.values)]
    return float((text.stimulus[(unit[0] @ unit[1].T).argmax(axis=1)] == responses.stimulus).mean())


def test_unseen_sentences_of_unseen_people_are_found_and_noise_is_at_chance(fitted: Glim) -> None:
    people = [SPLIT.part(person(f"unseen-{seed}", seed), "test") for seed in range(90, 98)]
    rng = np.random.default_rng(0)
    noise = [one.with_values(rng.normal(size=one.values.shape)) for one in people]
    found, by_chance = (np.mean([top1(fitted, one) for one in group]) for group in (people, noise))
    assert found > 0.45, "chance is .25"
    assert by_chance < 0.45


def test_predicting_does_not_read_the_text(fitted: Glim) -> None:
    responses = person("z", 99)
    other = responses.with_values(
        responses.values, metadata={**responses.metadata, "text": np.roll(list(TEXTS.values()), 1)}
    )
    np.testing.assert_array_equal(fitted.predict(responses).values, fitted.predict(other).values)


def test_tokens_are_as_wide_as_the_language_model(fitted: Glim) -> None:
    predicted = fitted.predict(person("a", 0))
    assert predicted.row_shape == (6, 16)
    assert predicted.space.startswith("t5:")


def test_all_losses_fall_and_the_language_model_stays_frozen(t5: Path) -> None:
    losses = GlimLosses(contrastive=0.4, language=0.4, commitment=0.2)
    plan = Plan(max_epochs=12, learning_rate=3e-3, device="cpu")
    before = FrozenT5.load(t5, download=False, device=torch.device("cpu")).model.state_dict()
    model = encoder(t5, losses=losses, plan=plan).fit(person("a", 0), None, SPLIT)
    for name in ("contrastive", "language", "commitment"):
        course = model.history_.column(f"train_{name}")
        assert course[-1] < course[0], name
    after = FrozenT5.load(t5, download=False, device=torch.device("cpu")).model.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert not any("t5" in key for key in model.model_.state_dict())


def test_prompts_that_are_always_hidden_change_nothing(t5: Path) -> None:
    model = encoder(t5, plan=Plan(max_epochs=2, device="cpu")).fit(person("a", 0), None, SPLIT)
    renamed = person("z", 0)
    np.testing.assert_array_equal(
        model.predict(person("a", 0)).values, model.predict(renamed).values
    )


def test_the_published_recipe_is_offered(t5: Path) -> None:
    losses = GlimLosses.published()
    plan = Plan(max_epochs=2, device="cpu")
    model = encoder(t5, losses=losses, plan=plan).fit(person("a", 0), None, SPLIT)
    assert model.prompts_["task"] == {"NR": 1}
    assert model.model_.log_scale.item() == pytest.approx(np.log(1 / 0.07)), "never learned"


def test_no_text_stands_twice_in_a_batch(t5: Path) -> None:
    people = [person("a", 0), person("b", 1)]
    sentences = Sentences(people, {}, {}, (16, 8), batch_size=10, device=torch.device("cpu"))
    raw = [batch.raw for batch in sentences.epoch(0, seed=0)]
    assert all(max(Counter(texts).values()) == 1 for texts in raw)
    assert Counter(text for texts in raw for text in texts) == dict.fromkeys(TEXTS.values(), 2)


def test_teacher_forcing_reads_the_text_and_predicting_does_not(fitted: Glim) -> None:
    """The published flaw: what comes out depends on the true words that are put in."""
    responses = SPLIT.part(person("a", 0), "test")
    turned = np.roll(responses.metadata["text"], 1)
    other = responses.with_values(responses.values, metadata={**responses.metadata, "text": turned})
    said = fitted.teacher_forced(responses)
    assert len(said) == len(responses)
    assert said != fitted.teacher_forced(other)
    np.testing.assert_array_equal(fitted.predict(responses).values, fitted.predict(other).values)


def test_saved_and_loaded_it_predicts_the_same(fitted: Glim, tmp_path: Path) -> None:
    again = Glim.load(fitted.save(tmp_path))
    assert isinstance(again.losses, GlimLosses)
    np.testing.assert_array_equal(
        again.predict(person("a", 0)).values, fitted.predict(person("a", 0)).values
    )


def test_with_maps_of_their_own_people_are_told_apart_and_strangers_are_not(
    t5: Path, tmp_path: Path
) -> None:
    """Heads that differ: channels of the second person are in another order."""
    people = [person("a", 0), person("b", 1)]
    people[1] = people[1].with_values(people[1].values[:, ::-1])
    ours = replace(SIZE, width=16, stride=2)
    model = encoder(t5, size=ours).fit(people, None, SPLIT)
    again = Glim.load(model.save(tmp_path))
    assert again.size == ours
    np.testing.assert_array_equal(again.predict(people[0]).values, model.predict(people[0]).values)
    values = people[0].values
    by_name = [
        model.predict(Responses(values, IDS, name, "eeg", dims=DIMS, valid=people[0].valid)).values
        for name in ("a", "b", "stranger", "other stranger")
    ]
    assert not np.allclose(by_name[0], by_name[1])
    np.testing.assert_array_equal(by_name[2], by_name[3])


def test_batches_are_as_long_as_their_longest_sentence(t5: Path) -> None:
    one = person("a", 0)
    sentences = Sentences([one], {}, {}, (16, 8), batch_size=5, device=torch.device("cpu"))
    for rows, batch in sentences.in_order():
        assert batch.values.shape[1] == one.valid[rows].sum(axis=1).max()
        assert batch.values.shape[2] == 8


def test_bad_input_is_refused(t5: Path) -> None:
    one = person("a", 0)
    with pytest.raises(ValueError, match="have no metadata column 'text'"):
        encoder(t5).fit(one.with_values(one.values, metadata={}), None, SPLIT)
    wide = Responses(np.zeros((2, 9, 4)), ["a", "b"], "s", "eeg", dims=DIMS,
                     metadata={"text": ["a", "b"]})  # fmt: skip
    with pytest.raises(ValueError, match="have 9 channels and 4 samples; this Glim takes up to 8"):
        encoder(t5).fit(wide, None, Split(["a", "b"], [], []))
    with pytest.raises(MissingWeightsError, match="Glim needs the weights 'google/flan-t5-large'"):
        encoder("google/flan-t5-large").fit(one, None, SPLIT)


def test_prompts_are_all_that_it_reads_of_a_trial_table(t5: Path) -> None:
    """Judged under numbers in place of ids, with what `reads_metadata` names, it says the same."""
    from neurodecode.pipeline._blind import anonymous, ask

    people = [person("p1", 1), person("p2", 2)]
    split = Split(IDS[:16], IDS[16:20], IDS[20:], rule="the last four")
    fitted = encoder(t5, losses=GlimLosses.published()).fit(people, None, split)
    test = split.part(people[0], "test")
    test = replace(test, metadata={**test.metadata, "task": np.full(len(test), "NR")})
    assert set(anonymous(test, fitted.reads_metadata).metadata) <= {"task", "dataset"}
    for head in ("tokens", "pooled"):
        told, asked = fitted.predict(test, head), ask(fitted, test, head)
        np.testing.assert_allclose(asked.array(), told.array(), rtol=1e-5, atol=1e-5)
        assert asked.stimulus.tolist() == test.stimulus.tolist()
