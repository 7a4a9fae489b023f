"""GLIM's network: its published size, its masks, its prompts."""

from __future__ import annotations

import pytest
import torch

from neurodecode.encoders.glim.network import (
    Attention,
    GlimNetwork,
    GlimSize,
    PromptEmbedding,
    hide_prompts,
)
from neurodecode.encoders.glim.stem import PersonalStem

TINY = GlimSize(n_times=16, n_channels=8, n_queries=4, merger_width=8, depth=2, n_heads=2)


def network() -> GlimNetwork:
    torch.manual_seed(0)
    return GlimNetwork(TINY, (3, 3, 4), d_model=12).eval()


def test_trainable_parameters_are_the_published_18_8_million() -> None:
    with torch.device("meta"):
        published = GlimNetwork(GlimSize(), (3, 3, 31), d_model=1024)
    count = sum(one.numel() for one in published.parameters())
    assert round(count / 1e6, 1) == 18.8
    assert count == 18_808_451


def test_padding_does_not_matter() -> None:
    model = network()
    values = torch.randn(2, 16, 8)
    valid = torch.arange(16) < torch.tensor([[10], [16]])
    prompt = torch.zeros(2, 3, dtype=torch.long)
    changed = values.clone()
    changed[0, 10:] = 99.0
    assert torch.allclose(model(values, prompt, valid), model(changed, prompt, valid), atol=1e-5)


def test_attention_agrees_with_torch() -> None:
    torch.manual_seed(0)
    ours = Attention(8, 2)
    theirs = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key_value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key_value.bias]))
        theirs.out_proj.weight.copy_(ours.out.weight)
        theirs.out_proj.bias.copy_(ours.out.bias)
    queries, keys = torch.randn(2, 3, 8), torch.randn(2, 5, 8)
    valid = torch.tensor([[True, True, True, False, False], [True] * 5])
    expected, _ = theirs(queries, keys, keys, key_padding_mask=~valid)
    assert torch.allclose(ours(queries, keys, valid), expected, atol=1e-6)


def test_prompts_start_as_nothing_and_can_be_learned() -> None:
    model = network()
    values, known = torch.randn(1, 16, 8), torch.tensor([[1, 1, 1]])
    unknown = torch.zeros_like(known)
    assert torch.allclose(model(values, known), model(values, unknown))
    torch.nn.init.normal_(model.blocks[0].over_time.weight)
    torch.nn.init.normal_(model.blocks[0].over_width.weight)
    assert not torch.allclose(model(values, known), model(values, unknown), atol=1e-3)


def test_weights_of_the_prompts_start_at_the_share_of_entries() -> None:
    assert PromptEmbedding((3, 3, 31), 8).weights.tolist() == pytest.approx(
        [3 / 37, 3 / 37, 31 / 37]
    )


def test_hiding_is_as_often_as_asked() -> None:
    torch.manual_seed(0)
    prompt = torch.ones(4000, 3, dtype=torch.long)
    hidden = (hide_prompts(prompt, (0.0, 0.5, 1.0)) == 0).float().mean(dim=0)
    assert hidden[0] == 0
    assert 0.45 < hidden[1] < 0.55
    assert hidden[2] == 1


OURS = GlimSize(
    n_times=16, n_channels=8, n_queries=4, merger_width=8, depth=1, n_heads=2, width=12, stride=4
)


def test_each_person_has_a_map_of_their_own_and_a_stranger_the_shared_one() -> None:
    torch.manual_seed(0)
    stem = PersonalStem(8, 12, 4, n_people=3)
    values = torch.randn(1, 16, 8)
    first, second, unknown = (stem(values, torch.tensor([k]))[0] for k in (1, 2, 0))
    assert torch.equal(first, second), "alike before training"
    torch.nn.init.normal_(stem.own.weight[1:])
    first, second = (stem(values, torch.tensor([k]))[0] for k in (1, 2))
    assert not torch.allclose(first, second)
    assert torch.equal(stem(values, torch.tensor([0]))[0], unknown)


def test_what_is_padded_does_not_matter_to_the_stem() -> None:
    torch.manual_seed(0)
    model = GlimNetwork(OURS, (3, 3, 4), d_model=12).eval()
    values, valid = torch.randn(2, 16, 8), torch.arange(16) < torch.tensor([[7], [16]])
    changed = values.clone()
    changed[0, 7:] = 99.0
    prompt = torch.zeros(2, 3, dtype=torch.long)
    assert torch.allclose(model(values, prompt, valid), model(changed, prompt, valid), atol=1e-5)
    shorter = model(values[:1, :7], prompt[:1], valid[:1, :7])
    assert torch.allclose(shorter, model(values, prompt, valid)[:1], atol=1e-5)


def test_who_reads_reaches_the_stem_though_the_prompt_is_hidden() -> None:
    torch.manual_seed(0)
    model = GlimNetwork(OURS, (3, 3, 4), d_model=12).eval()
    torch.nn.init.normal_(model.stem.own.weight[1:])
    values, hidden = torch.randn(1, 16, 8), torch.zeros(1, 3, dtype=torch.long)
    one, other = (model(values, hidden, person=torch.tensor([k])) for k in (1, 2))
    assert not torch.allclose(one, other)


def test_samples_are_joined_in_a_stem_only() -> None:
    with pytest.raises(ValueError, match="stride=4 joins samples in a stem, which needs a width"):
        GlimSize(stride=4)
