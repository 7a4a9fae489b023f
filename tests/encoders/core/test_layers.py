"""Attention against its equation; masks; position codes."""

from __future__ import annotations

import math

import pytest
import torch

from neurodecode.encoders.core.layers import Attention, Block, QueryReader, fourier_code


def test_attention_is_its_equation():
    torch.manual_seed(0)
    layer = Attention(6, 2)
    queries, tokens = torch.randn(2, 3, 6), torch.randn(2, 5, 6)
    query = layer.to_query(queries)
    key, value = layer.to_key_value(tokens).chunk(2, dim=-1)
    heads = []
    for cols in (slice(0, 3), slice(3, 6)):
        logits = query[..., cols] @ key[..., cols].transpose(1, 2) / math.sqrt(3)
        heads.append(logits.softmax(-1) @ value[..., cols])
    expected = layer.out(torch.cat(heads, dim=-1))
    torch.testing.assert_close(layer(queries, tokens), expected, rtol=1e-4, atol=1e-5)


def test_masked_tokens_are_as_if_they_were_not_there():
    torch.manual_seed(0)
    reader = QueryReader(3, width=8, n_heads=2, n_blocks=1).eval()
    tokens = torch.randn(2, 6, 8)
    there = torch.tensor([[True] * 4 + [False] * 2] * 2)
    spoiled = tokens.clone()
    spoiled[:, 4:] = 1e3
    whole = reader(tokens[:, :4])
    torch.testing.assert_close(reader(spoiled, there), whole, rtol=1e-4, atol=1e-5)
    weights = reader.weights(spoiled, there)
    assert float(weights[:, :, 4:].detach().abs().max()) == 0
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3))


def test_queries_do_not_see_the_order_of_tokens():
    torch.manual_seed(0)
    reader = QueryReader(2, width=8, n_heads=4, n_blocks=2).eval()
    tokens, order = torch.randn(3, 7, 8), torch.randperm(7)
    torch.testing.assert_close(reader(tokens), reader(tokens[:, order]), rtol=1e-4, atol=1e-5)


def test_blocks_keep_their_shape_and_their_masks():
    torch.manual_seed(0)
    block = Block(8, 2).eval()
    tokens = torch.randn(1, 4, 8)
    there = torch.tensor([[True, True, True, False]])
    torch.testing.assert_close(
        block(tokens, there)[:, :3], block(tokens[:, :3]), rtol=1e-4, atol=1e-5
    )


def test_fourier_code_repeats_after_the_longest_wavelength_and_tells_places_apart():
    places = torch.tensor([[0.0, 0, 0], [100.0, 0, 0], [3.0, 0, 0]])
    code = fourier_code(places, 4, longest=100.0)
    torch.testing.assert_close(code[0], code[1], atol=1e-4, rtol=0)
    assert float((code[0] - code[2]).abs().max()) > 0.3


def test_a_width_that_heads_cannot_share():
    with pytest.raises(ValueError, match="width 6 can't be shared by 4 heads"):
        Attention(6, 4)
